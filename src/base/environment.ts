import { AUDIT_LEVELS, type AuditLevel, type AuditOptions, type RetentionOptions } from './audit-options.ts'
import { EnvironmentError, OptionError } from './errors.ts'
import { type CacheOptions, type MemoryManagerOptions, resolveOptions } from './options.ts'
import { resolveRedaction, SECRET_FILE_VARIABLE, SECRET_VARIABLE } from './redact-options.ts'
import { POLICIES, type PolicyName } from './settings.ts'

/** Environment variables, as `process.env` has them. */
export type Environment = Readonly<Record<string, string | undefined>>

/**
 * Options from the environment variables `CACHE_*` and `MUNINN_*`. Only variables that are set make options, so with
 * none set the result is empty and every default is the library's own. A variable that is set to the empty string is
 * set, and wrong: what should have stood there is unknown, and a default in its place would be silent.
 *
 * `CACHE_MAX_ITEMS` is the limit over all caches; `CACHE_<NAME>_MAX_ITEMS` is that of the cache named so in lower
 * case (`CACHE_TENANT_MAX_ITEMS`: `tenant`).
 *
 * @throws {EnvironmentError} naming the variable, its value and what is allowed.
 */
export function optionsFromEnv(env: Environment = process.env): MemoryManagerOptions {
  const options: MemoryManagerOptions = {}
  for (const [variable, { read, allowed }] of Object.entries(VARIABLES)) {
    const value = env[variable]
    if (value !== undefined) Object.assign(options, checked(variable, value, read, allowed))
  }
  const caches = cacheLimits(env)
  if (Object.keys(caches).length > 0) options.caches = caches
  Object.assign(options, redactionFromEnv(env))
  const audit = auditFromEnv(env)
  if (audit !== undefined) options.audit = audit
  return options
}

interface Variable {
  read: (value: string) => MemoryManagerOptions
  allowed: string
}

const ITEMS = 'give an integer of 1 or more, or Infinity for no limit'
const SHARE = 'give a share above 0 and at most'

/** A number written as people write numbers; not what else `Number()` takes (`''`, `'0x10'`, `' 7 '`). */
function decimal(value: string): number {
  if (value === 'Infinity') return Number.POSITIVE_INFINITY
  return /^\d+(\.\d+)?$/.test(value) ? Number(value) : Number.NaN
}

const VARIABLES: Readonly<Record<string, Variable>> = {
  CACHE_MEMORY_PERCENT: {
    read: (value) => ({ memoryPercent: decimal(value) }),
    allowed: 'give a percentage above 0 and at most 100, as 25',
  },
  CACHE_MAX_ITEMS: { read: (value) => ({ maxItems: decimal(value) }), allowed: ITEMS },
  CACHE_MEMORY_THRESHOLD: { read: (value) => ({ memoryThreshold: decimal(value) }), allowed: `${SHARE} 0.9, as 0.8` },
  CACHE_EVICTION_THRESHOLD: {
    read: (value) => ({ evictionThreshold: decimal(value) }),
    allowed: `${SHARE} 1, as 0.9 (1 switches eviction cycles off)`,
  },
  CACHE_EVICTION_POLICY: {
    // A name that is none is refused by the check that every option goes through.
    read: (value) => ({ policy: value as PolicyName }),
    allowed: `give one of ${POLICIES.join(', ')}`,
  },
  MUNINN_MAX_MEMORY: {
    read: (value) => ({ maxMemory: value }),
    allowed: 'give bytes, a size such as 512MB, or a share such as 25% of what the process may use',
  },
  MUNINN_CHECK_INTERVAL: {
    read: (value) => ({ checkInterval: value }),
    allowed: 'give milliseconds or a duration such as 30s, at most 24d; 0 switches checks off',
  },
}

/** Stands in while a variable is checked: no check depends on what the process may use. */
const ANY_ALLOWANCE = { bytes: 2 ** 50, heapLimit: 2 ** 50 }

function checked(variable: string, value: string, read: Variable['read'], allowed: string): MemoryManagerOptions {
  try {
    const options = read(value)
    resolveOptions(options, ANY_ALLOWANCE)
    return options
  } catch (error) {
    if (!(error instanceof OptionError)) throw error
    throw new EnvironmentError(variable, value, allowed)
  }
}

/** The limit of the cache that it names. */
export const CACHE_ITEMS = /^CACHE_(.+)_MAX_ITEMS$/

function cacheLimits(env: Environment): Record<string, CacheOptions> {
  // Without a prototype: a cache may have any name, and `__proto__` must be one like the others.
  const caches: Record<string, CacheOptions> = Object.create(null)
  for (const variable of Object.keys(env).sort()) {
    const name = CACHE_ITEMS.exec(variable)?.[1]?.toLowerCase()
    const value = env[variable]
    if (name === undefined || value === undefined) continue
    const limit: CacheOptions = { maxItems: decimal(value) }
    checked(variable, value, () => ({ caches: { [name]: limit } }), ITEMS)
    caches[name] = limit
  }
  return caches
}

/** What the log's variables say besides its path. */
const AUDIT_VARIABLES: Readonly<Record<string, { read: (value: string) => Partial<AuditOptions>; allowed: string }>> = {
  MUNINN_AUDIT_LEVEL: {
    read: (value) => ({ level: value as AuditLevel }),
    allowed: `give one of ${AUDIT_LEVELS.join(', ')}`,
  },
  MUNINN_AUDIT_MAX_AGE: {
    read: (value) => ({ retention: { maxAge: numberOrText(value) } }),
    allowed: 'give milliseconds or a duration such as 30d, at least a minute; Infinity keeps rows of any age',
  },
  MUNINN_AUDIT_MAX_SIZE: {
    read: (value) => ({ retention: { maxSize: numberOrText(value) } }),
    allowed: 'give bytes or a size such as 512MB, at least 1MB; Infinity for no limit',
  },
}

/** What is read, besides the limits of single caches (`CACHE_ITEMS`). */
export const VARIABLE_NAMES: readonly string[] = [
  ...Object.keys(VARIABLES),
  'MUNINN_DB',
  ...Object.keys(AUDIT_VARIABLES),
  'MUNINN_REDACT_KEYS',
  SECRET_VARIABLE,
  SECRET_FILE_VARIABLE,
]

/** Infinity is a number only. */
function numberOrText(value: string): number | string {
  return value === 'Infinity' ? Number.POSITIVE_INFINITY : value
}

function auditFromEnv(env: Environment): MemoryManagerOptions['audit'] {
  const path = env.MUNINN_DB
  if (path === '') throw new EnvironmentError('MUNINN_DB', path, 'give the path of the audit log, as data/muninn.db')
  const said: Partial<AuditOptions> = {}
  const retention: RetentionOptions = {}
  for (const [variable, { read, allowed }] of Object.entries(AUDIT_VARIABLES)) {
    const value = env[variable]
    if (value === undefined) continue
    const { audit } = checked(variable, value, (text) => ({ audit: { path: 'any', ...read(text) } }), allowed)
    if (path === undefined) {
      throw new EnvironmentError(variable, value, 'it has no effect without an audit log: set MUNINN_DB to its path')
    }
    const { path: _, ...more } = audit as AuditOptions
    Object.assign(retention, more.retention)
    Object.assign(said, more)
  }
  if (path === undefined || Object.keys(said).length === 0) return path
  return Object.keys(retention).length === 0 ? { path, ...said } : { path, ...said, retention }
}

/** The secret's variables alone mean nothing here: a program that reads a log has them, too. */
function redactionFromEnv(env: Environment): MemoryManagerOptions {
  const text = env.MUNINN_REDACT_KEYS
  if (text === undefined) return {}
  if (text === 'false') return { redactKeys: false }
  if (text !== 'true' && text !== 'all') {
    throw new EnvironmentError('MUNINN_REDACT_KEYS', text, 'give true, all or false')
  }
  const options: MemoryManagerOptions = { redactKeys: text === 'all' ? 'all' : true }
  const { [SECRET_VARIABLE]: secret, [SECRET_FILE_VARIABLE]: file } = env
  if (secret === undefined && file === undefined) {
    throw new EnvironmentError(
      'MUNINN_REDACT_KEYS',
      text,
      `it needs a secret: set ${SECRET_VARIABLE}, or ${SECRET_FILE_VARIABLE} to the path of a file that holds it`,
    )
  }
  if (secret !== undefined) options.redactSecret = secret
  if (file !== undefined) options.redactSecretFile = file
  try {
    resolveRedaction(options, false, {})
  } catch (error) {
    if (!(error instanceof OptionError)) throw error
    // The value is a secret: an error message ends in logs.
    if (secret !== undefined) throw new EnvironmentError(SECRET_VARIABLE, '(not shown)', error.message)
    throw new EnvironmentError(SECRET_FILE_VARIABLE, file ?? '', error.message)
  }
  return options
}
