import { OptionError } from '../base/errors.ts'
import type { MemoryAllowance } from '../base/memory/allowance.ts'
import {
  type CacheOptions,
  cacheName,
  cacheShares,
  cachesOf,
  itemLimit,
  type MemoryLimits,
  oneOf,
  policyName,
  refuseContradictions,
  resolveCache,
  resolveMemory,
  resolveTarget,
  type Stated,
  share,
} from '../base/options.ts'
import type { CacheSettings, PolicyName, Settings, SettingsChange } from '../base/settings.ts'
import { type ByteText, shown } from '../base/units.ts'

/** What `setLimits` takes; what is left out stays. */
export interface LimitOptions {
  maxMemory?: ByteText
  maxHeap?: ByteText
  maxItems?: number
  memoryThreshold?: number
  evictionThreshold?: number
  evictionTarget?: number
  onFull?: 'evict' | 'reject'
  caches?: Readonly<Record<string, CacheOptions>>
  actor?: string
}

const KNOWN: Record<keyof LimitOptions, true> = {
  maxMemory: true,
  maxHeap: true,
  maxItems: true,
  memoryThreshold: true,
  evictionThreshold: true,
  evictionTarget: true,
  onFull: true,
  caches: true,
  actor: true,
}

/** A change and what it replaces: only what really differs. */
export interface Change {
  readonly from: SettingsChange
  readonly to: SettingsChange
}

/** A change of limits, what is now stated, and whether the memory budget is now more than the process may use. */
export interface LimitsChange extends Change {
  readonly to: Partial<Settings>
  readonly stated: Stated
  readonly overcommitted: boolean
}

/** What is no single cache's. */
type Common = Partial<Omit<Settings, 'caches'>>

/** @throws {OptionError} for anything wrong with any of it. */
export function limitsChange(
  settings: Settings,
  limits: LimitOptions,
  stated: Stated,
  allowance: MemoryAllowance,
): LimitsChange {
  if (typeof limits !== 'object' || limits === null)
    throw new OptionError('limits', `${shown(limits)} is not an object of limits`)
  for (const name of Object.keys(limits)) {
    if (!Object.hasOwn(KNOWN, name))
      throw new OptionError(name, `is not a limit; limits are ${Object.keys(KNOWN).join(', ')}`)
  }
  const wanted: Record<string, unknown> = {}
  const { maxMemory: newMemory, maxHeap: newHeap } = limits
  const memory: MemoryLimits = {
    ...stated.memory,
    ...(newMemory === undefined ? {} : { maxMemory: newMemory }),
    ...(newHeap === undefined ? {} : { maxHeap: newHeap }),
  }
  let overcommitted = false
  if (limits.maxMemory !== undefined || limits.maxHeap !== undefined) {
    const resolved = resolveMemory(memory, allowance)
    wanted.maxMemory = resolved.maxMemory
    wanted.maxHeap = resolved.maxHeap
    overcommitted = limits.maxMemory !== undefined && resolved.overcommitted
  }
  if (limits.maxItems !== undefined) wanted.maxItems = itemLimit(limits.maxItems, 'maxItems')
  if (limits.memoryThreshold !== undefined)
    wanted.memoryThreshold = share(limits.memoryThreshold, 'memoryThreshold', 0.9)
  if (limits.evictionThreshold !== undefined || limits.evictionTarget !== undefined) {
    Object.assign(wanted, thresholds(settings, limits.evictionThreshold, limits.evictionTarget, stated))
  }
  if (limits.onFull !== undefined) wanted.onFull = oneOf(limits.onFull, ['evict', 'reject'], 'onFull')
  const change = difference(settings, wanted)
  const cacheLimits = limits.caches === undefined ? {} : cachesOf(limits.caches)
  const caches = cachesChange(settings, cacheLimits, allowance)
  refuseContradictions(limits, { ...settings, ...change.to, caches: caches?.to ?? {} }, allowance)
  return {
    from: { ...change.from, ...(caches === null ? {} : { caches: caches.from }) },
    to: { ...change.to, ...(caches === null ? {} : { caches: caches.to }) },
    stated: {
      evictionTarget: stated.evictionTarget || limits.evictionTarget !== undefined,
      memory,
      cacheShares: sharesAfter(stated.cacheShares, cacheLimits),
    },
    overcommitted,
  }
}

/** @throws {OptionError} for an unknown policy or a bad threshold. */
export function policyChange(
  settings: Settings,
  policy: PolicyName,
  evictionThreshold: number | undefined,
  stated: Stated,
): Change {
  const wanted: Record<string, unknown> = { policy: policyName(policy, 'policy') }
  if (evictionThreshold !== undefined) Object.assign(wanted, thresholds(settings, evictionThreshold, undefined, stated))
  return difference(settings, wanted)
}

/** The target follows the threshold at 8/9 unless it was stated. */
function thresholds(
  settings: Settings,
  threshold: number | undefined,
  target: number | undefined,
  stated: Stated,
): Pick<Settings, 'evictionThreshold' | 'evictionTarget'> {
  const evictionThreshold =
    threshold === undefined ? settings.evictionThreshold : share(threshold, 'evictionThreshold', 1)
  const kept = stated.evictionTarget ? settings.evictionTarget : undefined
  return { evictionThreshold, evictionTarget: resolveTarget(target === undefined ? kept : target, evictionThreshold) }
}

/** A cache that is now given bytes has no share any more. */
function sharesAfter(
  before: Stated['cacheShares'],
  caches: Readonly<Record<string, CacheOptions>>,
): Stated['cacheShares'] {
  const kept = Object.entries(before).filter(([name]) => caches[name]?.maxMemory === undefined)
  return { ...Object.fromEntries(kept), ...cacheShares(caches) }
}

/** What follows what the process may use now: the budgets, and the caches' shares of it. */
export function allowanceChange(settings: Settings, stated: Stated, allowance: MemoryAllowance) {
  const { maxMemory, maxHeap } = resolveMemory(stated.memory, allowance)
  const shares = Object.entries(stated.cacheShares).filter(([name]) => Object.hasOwn(settings.caches, name))
  const caches = Object.fromEntries(
    shares.map(([name, share]) => [name, { maxMemory: Math.max(1, Math.floor(allowance.bytes * share)) }]),
  )
  return { maxMemory, maxHeap, caches: cachesChange(settings, caches, allowance) }
}

function cachesChange(
  settings: Settings,
  options: Readonly<Record<string, CacheOptions>>,
  allowance: Pick<MemoryAllowance, 'bytes'>,
) {
  const from: Record<string, CacheSettings | null> = {}
  const to: Record<string, CacheSettings> = {}
  for (const [name, cache] of Object.entries(options)) {
    const now = Object.hasOwn(settings.caches, name) ? settings.caches[name] : undefined
    const wanted = resolveCache(cache, `caches.${cacheName(name)}`, allowance, now)
    const same =
      now !== undefined &&
      now.maxItems === wanted.maxItems &&
      now.maxMemory === wanted.maxMemory &&
      now.ttl === wanted.ttl
    if (same) continue
    from[name] = now ?? null
    to[name] = wanted
  }
  return Object.keys(to).length === 0 ? null : { from, to }
}

function difference(settings: Settings, wanted: Record<string, unknown>): Record<keyof Change, Common> {
  const changed = Object.keys(wanted).filter((name) => Reflect.get(settings, name) !== wanted[name])
  return {
    from: Object.fromEntries(changed.map((name) => [name, Reflect.get(settings, name)])),
    to: Object.fromEntries(changed.map((name) => [name, wanted[name]])),
  }
}
