import v8 from 'node:v8'
import type { MemoryAllowance } from '../base/memory/allowance.ts'
import type { Started } from '../event/catalogue.ts'
import type { CacheState } from '../fold/cache-state.ts'
import type { Division } from '../fold/division.ts'
import type { State } from '../fold/state.ts'
import { Counts } from '../fold/statistics.ts'
import type { Lifetime } from '../persist/audit.ts'
import type { AuditLog } from '../persist/audit-log.ts'
import type { ShadowStats } from './shadow-caches.ts'
import type { CacheStats, Stats } from './stats.ts'

/** What the statistics are made from. */
export interface StatsSources {
  readonly state: State
  readonly started: Started
  readonly allowance: MemoryAllowance
  readonly audit: AuditLog | null
  readonly shadows: readonly ShadowStats[]
  readonly observerErrors: number
  readonly imbalances: number
  readonly now: number
}

/** All figures of the present, read off the state: nothing is counted here. */
export function statsOf(sources: StatsSources): Stats {
  const { state, started, allowance, audit, shadows, observerErrors, imbalances, now } = sources
  const { settings, peaks } = state
  const caches = [...state.caches.values()]
  const sum = new Counts()
  for (const cache of caches) sum.add(cache.counts.since(cache.countsAtReset), 1)
  sum.add(state.dropped.since(state.droppedAtReset), 1)
  const { rss, heapUsed } = process.memoryUsage()
  const named = (name: string): { items: number; max: number } => {
    const cache = state.caches.get(name)
    return { items: cache?.items ?? 0, max: cache?.settings.maxItems ?? Number.POSITIVE_INFINITY }
  }
  return {
    runId: started.runId,
    currentMemoryBytes: state.bytes,
    maxMemoryBytes: settings.maxMemory,
    memoryUsagePercent: percent(state.bytes / settings.maxMemory),
    heapBytes: state.heapBytes,
    maxHeapBytes: settings.maxHeap,
    heapUsagePercent: percent(state.heapBytes / settings.maxHeap),
    peakMemoryBytes: peaks.by.bytes.value,
    peakMemoryAt: peaks.by.bytes.value === 0 ? null : peaks.by.bytes.at,
    peakItems: peaks.by.items.value,
    cacheItemCount: state.items,
    maxCacheSize: settings.maxItems,
    tenantCacheCount: named('tenant').items,
    maxTenantCacheSize: named('tenant').max,
    mimirCacheCount: named('mimir').items,
    maxMimirCacheSize: named('mimir').max,
    evictionCount: state.cycles - state.cyclesAtReset,
    evictedItems: sum.evicted,
    evictedBytes: sum.evictedBytes,
    evictedByCause: sum.causes(),
    expiredItems: sum.expired,
    rejectedItems: sum.rejected,
    memoryWarnings: state.warnings - state.warningsAtReset,
    lastEviction: whenever(state.lastEviction),
    lastMemoryCheck: state.lastCheck,
    lastReset: state.lastReset,
    evictionPolicy: state.policy.name,
    evictionThreshold: settings.evictionThreshold,
    evictionTarget: settings.evictionTarget,
    memoryThreshold: settings.memoryThreshold,
    alertLevel: state.levels.level,
    hits: sum.hits,
    misses: sum.misses,
    hitRate: hitRatio(sum),
    evictionRate: state.evictionRate.perMinute(now),
    evictionAge: { median: state.evictionAges.quantile(0.5), p90: state.evictionAges.quantile(0.9) },
    caches: caches.map((cache) => cacheStats(cache, state.division)),
    shadows,
    process: { rss, heapUsed, heapLimit: v8.getHeapStatistics().heap_size_limit },
    mayUse: allowance,
    pressure: pressureOf(state),
    sizeDrift: state.drift,
    imbalances,
    observerErrors,
    audit: audit?.state() ?? null,
    lifetime: audit === null ? null : lifetime(audit.earlier, state),
    totals: {
      evictionCycles: state.cycles,
      memoryWarnings: state.warnings,
      caches: caches.map(({ name, counts }) => ({
        name,
        hits: counts.hits,
        misses: counts.misses,
        regrettedEvictions: counts.regrettedEvictions,
        evictedBytes: counts.evictedBytes,
        evictedByCause: counts.causes(),
      })),
    },
  }
}

function pressureOf({ effective, settings }: State): Stats['pressure'] {
  const { maxMemory, maxHeap } = effective
  const active = maxMemory < settings.maxMemory || maxHeap < settings.maxHeap
  return { active, effectiveMemoryBytes: maxMemory, effectiveHeapBytes: maxHeap }
}

function cacheStats(cache: CacheState, division: Division | null): CacheStats {
  const counts = cache.counts.since(cache.countsAtReset)
  return {
    name: cache.name,
    items: cache.items,
    bytes: cache.bytes,
    maxItems: cache.settings.maxItems,
    maxMemoryBytes: cache.settings.maxMemory,
    ttl: cache.settings.ttl,
    hits: counts.hits,
    misses: counts.misses,
    hitRate: hitRatio(counts),
    added: counts.added,
    updated: counts.updated,
    evictedItems: counts.evicted,
    evictedBytes: counts.evictedBytes,
    evictedByCause: counts.causes(),
    expiredItems: counts.expired,
    removedItems: counts.removed + counts.cleared,
    rejectedItems: counts.rejected,
    regrettedMisses: counts.regrettedMisses,
    mode: cache.adapting?.mode ?? null,
    share: division?.shareOf(cache) ?? null,
    lastUpdated: whenever(cache.lastUpdated),
  }
}

/** Earlier runs of the log and this one, whose own peaks a reset of the statistics doesn't lower. */
function lifetime(earlier: Lifetime, state: State): Lifetime {
  const all = new Counts()
  for (const { counts } of state.caches.values()) all.add(counts, 1)
  all.add(state.dropped, 1)
  const peak = state.peaks.ofRun('bytes')
  const higher = peak.value > earlier.peakMemoryBytes
  return {
    runs: earlier.runs + 1,
    peakMemoryBytes: higher ? peak.value : earlier.peakMemoryBytes,
    peakMemoryAt: higher ? peak.at : earlier.peakMemoryAt,
    peakItems: Math.max(earlier.peakItems, state.peaks.ofRun('items').value),
    evictionCount: earlier.evictionCount + state.cycles,
    evictedItems: earlier.evictedItems + all.evicted,
    evictedBytes: earlier.evictedBytes + all.evictedBytes,
    memoryWarnings: earlier.memoryWarnings + state.warnings,
  }
}

function hitRatio({ hits, misses }: Counts): number | null {
  return hits + misses === 0 ? null : hits / (hits + misses)
}

/** A share as 0–100 with one decimal. */
function percent(share: number): number {
  return Math.round(share * 1000) / 10
}

function whenever(at: number): number | null {
  return Number.isNaN(at) ? null : at
}
