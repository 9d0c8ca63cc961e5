import type { PolicyName } from '../base/settings.ts'
import type { MayUse } from '../event/catalogue.ts'
import type { EvictionCause, Level } from '../event/vocabulary.ts'
import type { SizeDrift } from '../fold/state.ts'
import type { AuditState, Lifetime } from '../persist/audit.ts'
import type { ShadowStats } from './shadow-caches.ts'

/** What one named cache holds and did. Counts are since the last reset of the statistics; limits are `Infinity` for none. */
export interface CacheStats {
  readonly name: string
  readonly items: number
  readonly bytes: number
  readonly maxItems: number
  readonly maxMemoryBytes: number
  /** ms; `Infinity`: none. */
  readonly ttl: number
  readonly hits: number
  readonly misses: number
  /** Hits over hits and misses, 0–1; `null` before the first. */
  readonly hitRate: number | null
  readonly added: number
  readonly updated: number
  readonly evictedItems: number
  readonly evictedBytes: number
  readonly evictedByCause: Readonly<Partial<Record<EvictionCause, number>>>
  readonly expiredItems: number
  readonly removedItems: number
  readonly rejectedItems: number
  readonly regrettedMisses: number
  /** By which of its modes an adaptive policy runs the cache; `null` under any other. */
  readonly mode: string | null
  /** Its share of the room that caches have in common, 0–1; `null` where they don't divide it: under another policy, or one cache. */
  readonly share: number | null
  /** Epoch ms of the last store; `null` before the first. */
  readonly lastUpdated: number | null
}

/** `memory.stats()`: sizes in bytes, times in epoch ms (`null`: never), shares 0–1 unless called percent. */
export interface Stats {
  readonly runId: string
  readonly currentMemoryBytes: number
  readonly maxMemoryBytes: number
  /** 0–100, one decimal: bytes over the budget. */
  readonly memoryUsagePercent: number
  readonly heapBytes: number
  readonly maxHeapBytes: number
  /** 0–100, one decimal: heap bytes over the heap budget. */
  readonly heapUsagePercent: number
  readonly peakMemoryBytes: number
  readonly peakMemoryAt: number | null
  readonly peakItems: number
  readonly cacheItemCount: number
  readonly maxCacheSize: number
  readonly tenantCacheCount: number
  readonly maxTenantCacheSize: number
  readonly mimirCacheCount: number
  readonly maxMimirCacheSize: number
  /** Cycles, as in the reference; entries are `evictedItems`. */
  readonly evictionCount: number
  readonly evictedItems: number
  readonly evictedBytes: number
  readonly evictedByCause: Readonly<Partial<Record<EvictionCause, number>>>
  readonly expiredItems: number
  readonly rejectedItems: number
  readonly memoryWarnings: number
  /** The last entry evicted, whatever the cause. */
  readonly lastEviction: number | null
  readonly lastMemoryCheck: number | null
  readonly lastReset: number | null
  readonly evictionPolicy: PolicyName
  readonly evictionThreshold: number
  readonly evictionTarget: number
  readonly memoryThreshold: number
  readonly alertLevel: Level
  readonly hits: number
  readonly misses: number
  readonly hitRate: number | null
  /** Entries per minute over the last 5 minutes. */
  readonly evictionRate: number
  /** ms since stored, of evicted entries: median and 90th percentile (upper bounds, at most a quarter too high); `null` before the first. */
  readonly evictionAge: { readonly median: number | null; readonly p90: number | null }
  readonly caches: readonly CacheStats[]
  /** What the candidates of option `shadow` would have hit, in the order of the option. */
  readonly shadows: readonly ShadowStats[]
  readonly process: { readonly rss: number; readonly heapUsed: number; readonly heapLimit: number }
  /** What the process may use: each source and the one that won; of the heap likewise. */
  readonly mayUse: MayUse
  /** Whether the process is short of memory, and what is left of the budgets. */
  readonly pressure: {
    readonly active: boolean
    readonly effectiveMemoryBytes: number
    readonly effectiveHeapBytes: number
  }
  /** What the last check found that sized entries again (`remeasure`); `null` where none has. */
  readonly sizeDrift: SizeDrift | null
  /** Breaches of the books and observers that threw, since start: 0 unless there is a bug. */
  readonly imbalances: number
  readonly observerErrors: number
  readonly audit: AuditState | null
  /** Across restarts, this run included; `null` without an audit log. */
  readonly lifetime: Lifetime | null
  /** Absolute counts since start, untouched by a reset: for metrics. */
  readonly totals: Totals
}

/** Counts since the start of this run; per cache where it matters to metrics. */
export interface Totals {
  readonly evictionCycles: number
  readonly memoryWarnings: number
  readonly caches: readonly {
    readonly name: string
    readonly hits: number
    readonly misses: number
    /** Evictions of keys that were asked for again before they were stored again. */
    readonly regrettedEvictions: number
    readonly evictedBytes: number
    readonly evictedByCause: Readonly<Partial<Record<EvictionCause, number>>>
  }[]
}
