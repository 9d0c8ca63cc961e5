import { OptionError } from '../base/errors.ts'
import type { MemoryAllowance } from '../base/memory/allowance.ts'
import { type CacheOptions, cacheName, itemLimit, policyName, resolveCache, resolveMemory, resolveTarget, share } from '../base/options.ts'
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
  caches: true,
  actor: true,
}

/** A change and what it replaces: only what really differs. */
export interface Change {
  readonly from: SettingsChange
  readonly to: SettingsChange
}

/** @throws {OptionError} for anything wrong with any of it. */
export function limitsChange(settings: Settings, limits: LimitOptions, allowance: MemoryAllowance): Change {
  if (typeof limits !== 'object' || limits === null) throw new OptionError('limits', `${shown(limits)} is not an object of limits`)
  for (const name of Object.keys(limits)) {
    if (!Object.hasOwn(KNOWN, name)) throw new OptionError(name, `is not a limit; limits are ${Object.keys(KNOWN).join(', ')}`)
  }
  const wanted: Record<string, unknown> = {}
  if (limits.maxMemory !== undefined || limits.maxHeap !== undefined) {
    const { maxMemory, maxHeap } = resolveMemory(
      {
        maxMemory: limits.maxMemory ?? settings.maxMemory,
        ...(limits.maxHeap === undefined ? {} : { maxHeap: limits.maxHeap }),
      },
      allowance,
    )
    wanted.maxMemory = maxMemory
    wanted.maxHeap = maxHeap
  }
  if (limits.maxItems !== undefined) wanted.maxItems = itemLimit(limits.maxItems, 'maxItems')
  if (limits.memoryThreshold !== undefined) wanted.memoryThreshold = share(limits.memoryThreshold, 'memoryThreshold', 0.9)
  if (limits.evictionThreshold !== undefined || limits.evictionTarget !== undefined) {
    Object.assign(wanted, thresholds(settings, limits.evictionThreshold, limits.evictionTarget))
  }
  const change = difference(settings, wanted)
  const caches = cachesChange(settings, limits.caches ?? {})
  return {
    from: { ...change.from, ...(caches === null ? {} : { caches: caches.from }) },
    to: { ...change.to, ...(caches === null ? {} : { caches: caches.to }) },
  }
}

/** @throws {OptionError} for an unknown policy or a bad threshold. */
export function policyChange(settings: Settings, policy: PolicyName, evictionThreshold: number | undefined): Change {
  const wanted: Record<string, unknown> = { policy: policyName(policy, 'policy') }
  if (evictionThreshold !== undefined) Object.assign(wanted, thresholds(settings, evictionThreshold, undefined))
  return difference(settings, wanted)
}

/** The target follows the threshold at 8/9 unless it was stated apart from that. */
function thresholds(settings: Settings, threshold: number | undefined, target: number | undefined): Partial<Settings> {
  const evictionThreshold = threshold === undefined ? settings.evictionThreshold : share(threshold, 'evictionThreshold', 1)
  const follows = settings.evictionTarget === resolveTarget(undefined, settings.evictionThreshold)
  const stated = target ?? (follows ? undefined : settings.evictionTarget)
  return { evictionThreshold, evictionTarget: resolveTarget(stated, evictionThreshold) }
}

function cachesChange(settings: Settings, options: Readonly<Record<string, CacheOptions>>) {
  const from: Record<string, CacheSettings | null> = {}
  const to: Record<string, CacheSettings> = {}
  for (const [name, cache] of Object.entries(options)) {
    const now = Object.hasOwn(settings.caches, name) ? settings.caches[name] : undefined
    const wanted = resolveCache(cache, `caches.${cacheName(name)}`, now)
    const same = now !== undefined && now.maxItems === wanted.maxItems && now.maxMemory === wanted.maxMemory && now.ttl === wanted.ttl
    if (same) continue
    from[name] = now ?? null
    to[name] = wanted
  }
  return Object.keys(to).length === 0 ? null : { from, to }
}

function difference(settings: Settings, wanted: Record<string, unknown>): Change {
  const changed = Object.keys(wanted).filter((name) => Reflect.get(settings, name) !== wanted[name])
  return {
    from: Object.fromEntries(changed.map((name) => [name, Reflect.get(settings, name)])),
    to: Object.fromEntries(changed.map((name) => [name, wanted[name]])),
  }
}
