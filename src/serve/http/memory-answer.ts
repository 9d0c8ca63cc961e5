import { type Static, Type } from '#typebox'
import type { CacheStats, Stats } from '../../command/stats.ts'
import { limit, timestamp } from '../wire.ts'
import { Time as Moment, Nullable } from './schemas.ts'

const Time = Nullable(Moment)
const Sources = Type.Array(Type.Object({ source: Type.String(), bytes: Nullable(Type.Number()) }))
const Causes = Type.Record(Type.String(), Type.Number())

/** One cache: `GET /api/cache/status`, and the rows under `caches`. */
export const CacheAnswer = Type.Object({
  name: Type.String(),
  items: Type.Number(),
  bytes: Type.Number(),
  max_items: Nullable(Type.Number()),
  max_memory_bytes: Nullable(Type.Number()),
  ttl: Nullable(Type.Number()),
  hits: Type.Number(),
  misses: Type.Number(),
  hit_rate: Nullable(Type.Number()),
  added: Type.Number(),
  updated: Type.Number(),
  evicted_items: Type.Number(),
  evicted_bytes: Type.Number(),
  evicted_by_cause: Causes,
  expired_items: Type.Number(),
  removed_items: Type.Number(),
  rejected_items: Type.Number(),
  regretted_misses: Type.Number(),
  mode: Nullable(Type.String()),
  share: Nullable(Type.Number()),
  last_updated: Time,
})
export type CacheAnswer = Static<typeof CacheAnswer>

export function cacheAnswer(cache: CacheStats): CacheAnswer {
  return {
    name: cache.name,
    items: cache.items,
    bytes: cache.bytes,
    max_items: limit(cache.maxItems),
    max_memory_bytes: limit(cache.maxMemoryBytes),
    ttl: limit(cache.ttl),
    hits: cache.hits,
    misses: cache.misses,
    hit_rate: cache.hitRate,
    added: cache.added,
    updated: cache.updated,
    evicted_items: cache.evictedItems,
    evicted_bytes: cache.evictedBytes,
    evicted_by_cause: { ...cache.evictedByCause },
    expired_items: cache.expiredItems,
    removed_items: cache.removedItems,
    rejected_items: cache.rejectedItems,
    regretted_misses: cache.regrettedMisses,
    mode: cache.mode,
    share: cache.share,
    last_updated: timestamp(cache.lastUpdated),
  }
}

/** `GET /api/cache/memory`: the reference's keys first, in its order and spelling, then Muninn's. */
export const MemoryAnswer = Type.Object({
  current_memory_bytes: Type.Number(),
  max_memory_bytes: Nullable(Type.Number()),
  memory_usage_percent: Type.Number(),
  peak_memory_bytes: Type.Number(),
  cache_item_count: Type.Number(),
  max_cache_size: Nullable(Type.Number()),
  tenant_cache_count: Type.Number(),
  max_tenant_cache_size: Nullable(Type.Number()),
  mimir_cache_count: Type.Number(),
  max_mimir_cache_size: Nullable(Type.Number()),
  eviction_count: Type.Number(),
  memory_warnings: Type.Number(),
  last_eviction: Time,
  last_memory_check: Time,
  last_reset: Time,
  eviction_policy: Type.String(),
  eviction_threshold: Type.Number(),
  memory_threshold: Type.Number(),

  alert_level: Type.String(),
  eviction_target: Type.Number(),
  heap_bytes: Type.Number(),
  max_heap_bytes: Nullable(Type.Number()),
  heap_usage_percent: Type.Number(),
  peak_memory_at: Time,
  peak_items: Type.Number(),
  hits: Type.Number(),
  misses: Type.Number(),
  hit_rate: Nullable(Type.Number()),
  evicted_items: Type.Number(),
  evicted_bytes: Type.Number(),
  evicted_by_cause: Causes,
  eviction_rate: Type.Number(),
  eviction_age_ms: Type.Object({ median: Nullable(Type.Number()), p90: Nullable(Type.Number()) }),
  expired_items: Type.Number(),
  rejected_items: Type.Number(),
  caches: Type.Array(CacheAnswer),
  shadows: Type.Array(
    Type.Object({
      policy: Type.String(),
      max_items: Nullable(Type.Number()),
      max_memory_bytes: Nullable(Type.Number()),
      hit_rate: Nullable(Type.Number()),
      live_hit_rate: Nullable(Type.Number()),
      requests: Type.Number(),
      followed: Type.Number(),
      share: Type.Number(),
    }),
  ),
  process: Type.Object({ rss: Type.Number(), heap_used: Type.Number(), heap_limit: Type.Number() }),
  may_use: Type.Object({
    bytes: Type.Number(),
    source: Type.String(),
    sources: Sources,
    heap_limit: Type.Number(),
    heap_source: Type.String(),
    heap_sources: Sources,
  }),
  pressure: Type.Object({
    active: Type.Boolean(),
    effective_memory_bytes: Nullable(Type.Number()),
    effective_heap_bytes: Nullable(Type.Number()),
  }),
  size_drift: Nullable(
    Type.Object({
      at: Type.String({ format: 'date-time' }),
      sampled: Type.Number(),
      changed: Type.Number(),
      bytes_before: Type.Number(),
      bytes_after: Type.Number(),
    }),
  ),
  run_id: Type.String(),
  imbalances: Type.Number(),
  observer_errors: Type.Number(),
  audit: Nullable(
    Type.Object({
      path: Type.String(),
      level: Type.String(),
      status: Type.String(),
      problem: Nullable(Type.String()),
      set_aside: Nullable(Type.String()),
      sampled_share: Type.Number(),
      written_events: Type.Number(),
      pending_events: Type.Number(),
      lost_events: Type.Number(),
      acknowledged_seq: Type.Number(),
    }),
  ),
  lifetime: Nullable(
    Type.Object({
      runs: Type.Number(),
      peak_memory_bytes: Type.Number(),
      peak_memory_at: Time,
      peak_items: Type.Number(),
      eviction_count: Type.Number(),
      evicted_items: Type.Number(),
      evicted_bytes: Type.Number(),
      memory_warnings: Type.Number(),
    }),
  ),
})
export type MemoryAnswer = Static<typeof MemoryAnswer>

export function memoryAnswer(stats: Stats): MemoryAnswer {
  return {
    current_memory_bytes: stats.currentMemoryBytes,
    max_memory_bytes: limit(stats.maxMemoryBytes),
    memory_usage_percent: stats.memoryUsagePercent,
    peak_memory_bytes: stats.peakMemoryBytes,
    cache_item_count: stats.cacheItemCount,
    max_cache_size: limit(stats.maxCacheSize),
    tenant_cache_count: stats.tenantCacheCount,
    max_tenant_cache_size: limit(stats.maxTenantCacheSize),
    mimir_cache_count: stats.mimirCacheCount,
    max_mimir_cache_size: limit(stats.maxMimirCacheSize),
    eviction_count: stats.evictionCount,
    memory_warnings: stats.memoryWarnings,
    last_eviction: timestamp(stats.lastEviction),
    last_memory_check: timestamp(stats.lastMemoryCheck),
    last_reset: timestamp(stats.lastReset),
    eviction_policy: stats.evictionPolicy,
    eviction_threshold: stats.evictionThreshold,
    memory_threshold: stats.memoryThreshold,

    alert_level: stats.alertLevel,
    eviction_target: stats.evictionTarget,
    heap_bytes: stats.heapBytes,
    max_heap_bytes: limit(stats.maxHeapBytes),
    heap_usage_percent: stats.heapUsagePercent,
    peak_memory_at: timestamp(stats.peakMemoryAt),
    peak_items: stats.peakItems,
    hits: stats.hits,
    misses: stats.misses,
    hit_rate: stats.hitRate,
    evicted_items: stats.evictedItems,
    evicted_bytes: stats.evictedBytes,
    evicted_by_cause: { ...stats.evictedByCause },
    eviction_rate: stats.evictionRate,
    eviction_age_ms: { median: stats.evictionAge.median, p90: stats.evictionAge.p90 },
    expired_items: stats.expiredItems,
    rejected_items: stats.rejectedItems,
    caches: stats.caches.map(cacheAnswer),
    shadows: stats.shadows.map((shadow) => ({
      policy: shadow.policy,
      max_items: limit(shadow.maxItems),
      max_memory_bytes: limit(shadow.maxMemoryBytes),
      hit_rate: shadow.hitRate,
      live_hit_rate: shadow.liveHitRate,
      requests: shadow.requests,
      followed: shadow.followed,
      share: shadow.share,
    })),
    process: { rss: stats.process.rss, heap_used: stats.process.heapUsed, heap_limit: stats.process.heapLimit },
    may_use: {
      bytes: stats.mayUse.bytes,
      source: stats.mayUse.source,
      sources: sourcesAnswer(stats.mayUse.sources),
      heap_limit: stats.mayUse.heapLimit,
      heap_source: stats.mayUse.heapSource,
      heap_sources: sourcesAnswer(stats.mayUse.heapSources),
    },
    pressure: {
      active: stats.pressure.active,
      effective_memory_bytes: limit(stats.pressure.effectiveMemoryBytes),
      effective_heap_bytes: limit(stats.pressure.effectiveHeapBytes),
    },
    size_drift: driftAnswer(stats),
    run_id: stats.runId,
    imbalances: stats.imbalances,
    observer_errors: stats.observerErrors,
    audit: auditAnswer(stats),
    lifetime: lifetimeAnswer(stats),
  }
}

function sourcesAnswer(sources: Stats['mayUse']['sources']): Static<typeof Sources> {
  return sources.map(({ source, bytes }) => ({ source, bytes: limit(bytes) }))
}

/** What the last check found that sized entries again; `null` where none has. */
function driftAnswer({ sizeDrift }: Stats): MemoryAnswer['size_drift'] {
  if (sizeDrift === null) return null
  const { at, sampled, changed, bytesBefore, bytesAfter } = sizeDrift
  return { at: new Date(at).toISOString(), sampled, changed, bytes_before: bytesBefore, bytes_after: bytesAfter }
}

function auditAnswer({ audit }: Stats): MemoryAnswer['audit'] {
  if (audit === null) return null
  return {
    path: audit.path,
    level: audit.level,
    status: audit.status,
    problem: audit.problem,
    set_aside: audit.setAside,
    sampled_share: audit.sampledShare,
    written_events: audit.writtenEvents,
    pending_events: audit.pendingEvents,
    lost_events: audit.lostEvents,
    acknowledged_seq: audit.acknowledgedSeq,
  }
}

function lifetimeAnswer({ lifetime }: Stats): MemoryAnswer['lifetime'] {
  if (lifetime === null) return null
  return {
    runs: lifetime.runs,
    peak_memory_bytes: lifetime.peakMemoryBytes,
    peak_memory_at: timestamp(lifetime.peakMemoryAt),
    peak_items: lifetime.peakItems,
    eviction_count: lifetime.evictionCount,
    evicted_items: lifetime.evictedItems,
    evicted_bytes: lifetime.evictedBytes,
    memory_warnings: lifetime.memoryWarnings,
  }
}
