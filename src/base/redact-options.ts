import { readFileSync } from 'node:fs'
import { OptionError } from './errors.ts'
import type { RedactionSettings } from './redaction.ts'
import { shown } from './units.ts'

/** Where the secret comes from; one of them. */
export interface SecretOptions {
  /** The secret itself, at least 16 characters. */
  redactSecret?: string
  /** A file with the secret; white space around it doesn't count. */
  redactSecretFile?: string
}

export interface RedactOptions extends SecretOptions {
  /**
   * Whether keys are hashed (HMAC-SHA256) wherever they leave the process: in its log, its audit log, and over HTTP.
   * `true`: what stands before the first `:` or `/` stays (or your own `prefix` of them). `'all'`: nothing stays.
   * Needs a secret: `redactSecret`, `redactSecretFile`, or the variables `MUNINN_REDACT_SECRET(_FILE)`. Default `false`.
   */
  redactKeys?: boolean | 'all'
}

type Environment = Readonly<Record<string, string | undefined>>

const SHORTEST = 16
const LONGEST_FILE = 64 * 1024
export const SECRET_VARIABLE = 'MUNINN_REDACT_SECRET'
export const SECRET_FILE_VARIABLE = 'MUNINN_REDACT_SECRET_FILE'
const WAYS = `the option redactSecret or redactSecretFile, or the variable ${SECRET_VARIABLE} or ${SECRET_FILE_VARIABLE}`

/** @throws {OptionError} where it is on without a secret, naming the ways to give one; never the secret. */
export function resolveRedaction(
  options: RedactOptions,
  ownPrefixes: boolean,
  env: Environment = process.env,
): RedactionSettings | null {
  const { redactKeys = false } = options
  if (redactKeys !== false && redactKeys !== true && redactKeys !== 'all') {
    throw new OptionError('redactKeys', `${shown(redactKeys)} is none of true, 'all' and false`)
  }
  if (redactKeys === false) {
    for (const name of ['redactSecret', 'redactSecretFile'] as const) {
      if (options[name] !== undefined) throw new OptionError(name, `has no effect without redactKeys: true or 'all'`)
    }
    return null
  }
  const secret = findSecret(options, env)
  if (secret === null) throw new OptionError('redactKeys', `needs a secret: give it by ${WAYS}`)
  return { scope: redactKeys === 'all' ? 'all' : ownPrefixes ? 'whole' : 'prefix', secret }
}

/**
 * The secret of the options or, where they give none, of the environment; `null`: there is none.
 *
 * @throws {OptionError} naming the option or variable that is wrong; never the secret.
 */
export function findSecret(options: SecretOptions, env: Environment = process.env): string | null {
  const { redactSecret, redactSecretFile } = options
  return (
    secretOf(redactSecret, redactSecretFile, 'redactSecret', 'redactSecretFile') ??
    secretOf(env[SECRET_VARIABLE], env[SECRET_FILE_VARIABLE], SECRET_VARIABLE, SECRET_FILE_VARIABLE)
  )
}

function secretOf(secret: unknown, file: unknown, name: string, fileName: string): string | null {
  if (secret !== undefined && file !== undefined) {
    throw new OptionError(name, `is given, and ${fileName} as well: give one of them`)
  }
  if (secret !== undefined) return checked(secret, name)
  return file === undefined ? null : checked(read(file, fileName), fileName)
}

function checked(secret: unknown, name: string): string {
  if (typeof secret !== 'string') throw new OptionError(name, 'is not text')
  if (secret.length < SHORTEST) {
    throw new OptionError(
      name,
      `is a secret of ${secret.length} characters: give at least ${SHORTEST}, as "openssl rand -base64 32" makes them`,
    )
  }
  return secret
}

function read(file: unknown, name: string): string {
  if (typeof file !== 'string' || file === '') throw new OptionError(name, `${shown(file)} is not the path of a file`)
  try {
    const text = readFileSync(file, 'utf8')
    if (text.length > LONGEST_FILE) throw new Error('it is too large for a secret')
    return text.trim()
  } catch (error) {
    throw new OptionError(name, `can't read ${file}: ${error instanceof Error ? error.message : String(error)}`)
  }
}
