import type { CacheOptions } from '../../src/base/options.ts'
import type { CacheSettings, PolicyName, Settings } from '../../src/base/settings.ts'
import type { LimitOptions } from '../../src/command/settings-change.ts'

/** What was said of settings whose defaults follow others. */
export interface Stated {
  heap: boolean
  target: boolean
}

export function cacheSettings(options: CacheOptions, now?: CacheSettings): CacheSettings {
  const none = Number.POSITIVE_INFINITY
  const { maxItems, maxMemory, ttl } = { maxItems: none, maxMemory: none, ttl: none, ...now, ...options }
  return { maxItems, maxMemory: maxMemory as number, ttl: Math.ceil(ttl as number) }
}

/** The settings after `setLimits`; `null` where it must throw. */
export function withLimits(settings: Settings, limits: LimitOptions, stated: Stated): Settings | null {
  const changed = { ...settings, caches: { ...settings.caches } }
  if (limits.maxMemory !== undefined) changed.maxMemory = limits.maxMemory as number
  if (limits.maxHeap !== undefined) {
    stated.heap = true
    changed.maxHeap = limits.maxHeap as number
  } else if (!stated.heap) {
    changed.maxHeap = changed.maxMemory
  }
  if (limits.maxItems !== undefined) changed.maxItems = limits.maxItems
  if (limits.memoryThreshold !== undefined) changed.memoryThreshold = limits.memoryThreshold
  const thresholds = withThreshold(settings, limits.evictionThreshold, limits.evictionTarget, stated)
  if (thresholds === null) return null
  for (const [name, options] of Object.entries(limits.caches ?? {})) {
    changed.caches[name] = cacheSettings(options, settings.caches[name])
  }
  if (
    Object.keys(changed.caches).length > settings.maxCaches &&
    Object.keys(changed.caches).length > Object.keys(settings.caches).length
  )
    return null
  return { ...changed, ...thresholds }
}

/** The settings after `setPolicy`; `null` where it must throw. */
export function withPolicy(
  settings: Settings,
  policy: PolicyName,
  threshold: number | undefined,
  stated: Stated,
): Settings | null {
  const thresholds = withThreshold(settings, threshold, undefined, stated)
  return thresholds === null ? null : { ...settings, policy, ...thresholds }
}

/** A target that wasn't stated is 8/9 of the threshold and follows it; a stated one must stay below it. */
function withThreshold(settings: Settings, threshold: number | undefined, target: number | undefined, stated: Stated) {
  const evictionThreshold = threshold ?? settings.evictionThreshold
  const isStated = target !== undefined || stated.target
  const evictionTarget = isStated ? (target ?? settings.evictionTarget) : (evictionThreshold * 8) / 9
  if (evictionTarget >= evictionThreshold) return null
  stated.target = isStated
  return { evictionThreshold, evictionTarget }
}
