import { type Static, Type } from '#typebox'
import { OptionError } from '../../base/errors.ts'
import { NO_LIMITS } from '../../base/options.ts'
import { type CacheSettings, POLICIES, type Settings } from '../../base/settings.ts'
import type { LimitOptions } from '../../command/settings-change.ts'
import { ProblemError } from './problem.ts'

/* A change of settings as requests spell it, for what makes it and for what says beforehand what it would do. */

const Bytes = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER })
const NoLimit = { description: 'null: no limit.' }
const Items = Type.Union([Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }), Type.Null()], NoLimit)

const OfCache = Type.Object(
  {
    maxItems: Type.Optional(Items),
    maxMemoryBytes: Type.Optional(Type.Union([Bytes, Type.Null()], NoLimit)),
    ttl: Type.Optional(
      Type.Union([Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }), Type.Null()], {
        description: 'Milliseconds, of what is stored from now on without a TTL of its own; null: none.',
      }),
    ),
  },
  { additionalProperties: false, minProperties: 1 },
)

/** What may be changed, any part of it. */
export const SettingsBody = Type.Object(
  {
    maxMemoryBytes: Type.Optional(Bytes),
    maxHeapBytes: Type.Optional(Bytes),
    maxCacheSize: Type.Optional(Items),
    maxTenantCacheSize: Type.Optional(Items),
    maxMimirCacheSize: Type.Optional(Items),
    evictionPolicy: Type.Optional(Type.Enum(POLICIES)),
    evictionThreshold: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 1 })),
    evictionTarget: Type.Optional(
      Type.Number({ exclusiveMinimum: 0, maximum: 1, description: 'Below the eviction threshold.' }),
    ),
    memoryThreshold: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 0.9 })),
    onFull: Type.Optional(Type.Enum(['evict', 'reject'])),
    caches: Type.Optional(
      Type.Record(Type.String(), OfCache, {
        description: 'By name, what holds for one cache alone.',
      }),
    ),
  },
  {
    additionalProperties: false,
    minProperties: 1,
    examples: [{ maxCacheSize: 2000, evictionPolicy: 'lru' }, { caches: { tenant: { maxItems: 800, ttl: 600_000 } } }],
  },
)
export type SettingsBody = Static<typeof SettingsBody>

/** The reference has names of their own for the items of these two. */
const NAMED = { maxTenantCacheSize: 'tenant', maxMimirCacheSize: 'mimir' } as const

type CacheLimits = { -readonly [Name in keyof CacheSettings]?: number }

/**
 * The limits in it, as `setLimits` takes them; the policy is for `setPolicy`. What is given as it is already is no change:
 * so the whole answer can be sent back with a part of it changed, and what follows another setting goes on following it.
 */
export function limitsOf(body: SettingsBody, now: Settings): LimitOptions {
  const caches: Record<string, CacheLimits> = {}
  for (const [name, { maxItems, maxMemoryBytes, ttl }] of Object.entries(body.caches ?? {})) {
    caches[name] = changed({ maxItems, maxMemory: maxMemoryBytes, ttl }, now.caches[name] ?? NO_LIMITS)
  }
  for (const [field, name] of Object.entries(NAMED) as [keyof typeof NAMED, string][]) {
    const { maxItems } = changed({ maxItems: body[field] }, now.caches[name] ?? NO_LIMITS)
    if (maxItems === undefined) continue
    const other = caches[name]?.maxItems ?? maxItems
    if (other !== maxItems) {
      const message = `is not what caches.${name}.maxItems says`
      throw new ProblemError('invalid-input', `${field}: ${message}`, { errors: [{ field, message }] })
    }
    caches[name] = { ...caches[name], maxItems }
  }
  const { maxMemoryBytes, maxHeapBytes, maxCacheSize, evictionThreshold, evictionTarget, memoryThreshold, onFull } =
    body
  const common = { maxMemory: maxMemoryBytes, maxHeap: maxHeapBytes, maxItems: maxCacheSize, onFull }
  return {
    ...changed({ ...common, evictionThreshold, evictionTarget, memoryThreshold }, now),
    ...(Object.keys(caches).length === 0 ? {} : { caches }),
  }
}

type Changed<T> = { -readonly [Name in keyof T]?: Exclude<T[Name], undefined | null> }

/** Without what isn't given and what is as it was; `null` is no limit. */
function changed<T extends object>(given: T, now: object): Changed<T> {
  const fields = Object.entries(given)
    .map(([name, value]) => [name, value === null ? Number.POSITIVE_INFINITY : value] as const)
    .filter(([name, value]) => value !== undefined && value !== Reflect.get(now, name))
  return Object.fromEntries(fields) as Changed<T>
}
const NAMES: Readonly<Record<string, string>> = {
  maxMemory: 'maxMemoryBytes',
  maxHeap: 'maxHeapBytes',
  maxItems: 'maxCacheSize',
  policy: 'evictionPolicy',
}

/** Runs what may refuse a change, and says what it refuses by the name that the request has for it. */
export function underItsName<T>(change: () => T): T {
  try {
    return change()
  } catch (error) {
    if (!(error instanceof OptionError)) throw error
    const field = NAMES[error.option] ?? error.option.replace(/^(caches\..*)\.maxMemory$/s, '$1.maxMemoryBytes')
    const message = error.message.replace(`${error.option}: `, '')
    throw new ProblemError('invalid-input', `${field}: ${message}`, { code: error.code, errors: [{ field, message }] })
  }
}
