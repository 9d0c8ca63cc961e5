import { OptionError } from '../../base/errors.ts'
import { checkNames } from '../../base/option-names.ts'
import { shown } from '../../base/units.ts'
import type { MuninnHttpOptions } from './plugin.ts'
import { parseTokens, type Token, TokenListError } from './tokens.ts'

const OWN = ['memory', 'exposeValues', 'token', 'allowedHosts', 'maxItemBytes', 'requireAudit', 'dashboard']
/** What fastify's `register` takes and passes on. */
const OF_FASTIFY = ['prefix', 'logLevel', 'logSerializers']
const FLAGS = ['exposeValues', 'requireAudit', 'dashboard'] as const

/**
 * Whoever may call.
 *
 * @throws {OptionError} where an option is not one, or not what it may be; it never holds a secret.
 */
export function checkPluginOptions(options: MuninnHttpOptions): readonly Token[] {
  checkNames(options, [...OWN, ...OF_FASTIFY])
  const { memory, token, allowedHosts, maxItemBytes } = options
  if (typeof memory?.stats !== 'function' || typeof memory.cache !== 'function') {
    throw new OptionError('memory', `${shown(memory)} is not a MemoryManager`)
  }
  for (const name of FLAGS) {
    const flag: unknown = options[name]
    if (flag !== undefined && typeof flag !== 'boolean') {
      throw new OptionError(name, `${shown(flag)} is neither true nor false`)
    }
  }
  if (maxItemBytes !== undefined && !(Number.isSafeInteger(maxItemBytes) && maxItemBytes >= 1)) {
    throw new OptionError('maxItemBytes', `${shown(maxItemBytes)} is not a number of bytes, an integer ≥ 1`)
  }
  if (allowedHosts !== undefined && !isListOfNames(allowedHosts)) {
    throw new OptionError('allowedHosts', `${shown(allowedHosts)} is not a list of host names, as ['cache.internal']`)
  }
  if (token === undefined) return []
  if (typeof token !== 'string') throw new OptionError('token', 'it is not a text')
  try {
    return parseTokens(token)
  } catch (error) {
    if (error instanceof TokenListError) throw new OptionError('token', error.message)
    throw error
  }
}

function isListOfNames(hosts: unknown): boolean {
  return Array.isArray(hosts) && hosts.length > 0 && hosts.every((host) => typeof host === 'string' && host !== '')
}
