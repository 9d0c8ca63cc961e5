import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { Stats } from '../../command/stats.ts'
import { EVICTION_CAUSES } from '../../event/vocabulary.ts'
import type { MemoryManager } from '../../muninn.ts'

/** Seconds: a loader asks a database, or a service on the other side of the world. */
const LOAD_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

/**
 * What Prometheus is told, in a registry of its own: read off the statistics when it asks, so that nothing is counted
 * twice, and counted since the run started, whatever is reset. A key is never a label.
 */
export class Metrics {
  readonly #registry = new Registry()
  readonly #memory: MemoryManager
  readonly #loads: Histogram
  readonly #mirrors: readonly { readonly metric: Counter | Gauge; readonly rows: Mirrored['rows'] }[]
  readonly #unlisten: readonly (() => void)[]

  constructor(memory: MemoryManager) {
    this.#memory = memory
    const registers = [this.#registry]
    this.#mirrors = [
      ...COUNTERS.map(({ rows, ...about }) => ({ metric: new Counter({ ...about, registers }), rows })),
      ...GAUGES.map(({ rows, ...about }) => ({ metric: new Gauge({ ...about, registers }), rows })),
    ]
    this.#loads = new Histogram({
      name: 'muninn_load_duration_seconds',
      help: 'How long loaders of getOrLoad took, failures included.',
      buckets: LOAD_BUCKETS,
      registers,
    })
    const observe = ({ duration }: { readonly duration: number }) => this.#loads.observe(duration / 1000)
    this.#unlisten = [memory.on('loaded', observe), memory.on('load-failed', observe)]
  }

  /** The exposition of this moment. */
  async expose(): Promise<{ contentType: string; text: string }> {
    const stats = this.#memory.stats()
    for (const { metric, rows } of this.#mirrors) {
      // What is no more, as a cache that was dropped, is told of no more.
      metric.reset()
      for (const [labels, value] of rows(stats)) metric.inc(labels, value)
    }
    return { contentType: this.#registry.contentType, text: await this.#registry.metrics() }
  }

  close(): void {
    for (const unlisten of this.#unlisten) unlisten()
  }
}

type Row = readonly [labels: Record<string, string>, value: number]

/** What is known of a metric, and how it is read off the statistics: one row a label set. */
interface Mirrored {
  readonly name: string
  readonly help: string
  readonly labelNames: readonly string[]
  readonly rows: (stats: Stats) => readonly Row[]
}

const COUNTERS: readonly Mirrored[] = [
  {
    name: 'muninn_cache_requests_total',
    help: 'Reads of a cache, by whether they found something.',
    labelNames: ['cache', 'result'],
    rows: ({ totals }) =>
      totals.caches.flatMap(({ name: cache, hits, misses }): Row[] => [
        [{ cache, result: 'hit' }, hits],
        [{ cache, result: 'miss' }, misses],
      ]),
  },
  {
    name: 'muninn_cache_evictions_total',
    help: 'Entries evicted, by cause.',
    labelNames: ['cache', 'cause'],
    // Those that are still 0 too: a series that begins with its first eviction has no rate for it.
    rows: ({ totals }) =>
      totals.caches.flatMap(({ name: cache, evictedByCause }) =>
        EVICTION_CAUSES.map((cause): Row => [{ cache, cause }, evictedByCause[cause] ?? 0]),
      ),
  },
  {
    name: 'muninn_cache_regretted_evictions_total',
    help: 'Evictions of keys that were asked for again.',
    labelNames: ['cache'],
    rows: ({ totals }) =>
      totals.caches.map(({ name: cache, regrettedEvictions }): Row => [{ cache }, regrettedEvictions]),
  },
  {
    name: 'muninn_cache_evicted_bytes_total',
    help: 'Bytes of evicted entries.',
    labelNames: ['cache'],
    rows: ({ totals }) => totals.caches.map(({ name: cache, evictedBytes }): Row => [{ cache }, evictedBytes]),
  },
  {
    name: 'muninn_audit_lost_events_total',
    help: 'Events of this run that the audit log could not keep.',
    labelNames: [],
    rows: ({ audit }) => [[{}, audit?.lostEvents ?? 0]],
  },
]

const GAUGES: readonly Mirrored[] = [
  {
    name: 'muninn_cache_entries',
    help: 'Entries in a cache.',
    labelNames: ['cache'],
    rows: ({ caches }) => caches.map(({ name: cache, items }): Row => [{ cache }, items]),
  },
  {
    name: 'muninn_cache_size_bytes',
    help: 'Bytes charged to a cache.',
    labelNames: ['cache'],
    rows: ({ caches }) => caches.map(({ name: cache, bytes }): Row => [{ cache }, bytes]),
  },
  {
    name: 'muninn_cache_limit_bytes',
    help: 'The memory budget that all caches share.',
    labelNames: [],
    rows: ({ maxMemoryBytes }) => [[{}, maxMemoryBytes]],
  },
  {
    name: 'muninn_cache_usage_ratio',
    help: 'Usage as levels are judged by it: the larger of bytes over the budget and heap bytes over the heap budget.',
    labelNames: [],
    rows: ({ currentMemoryBytes, maxMemoryBytes, heapBytes, maxHeapBytes }) => [
      [{}, Math.max(currentMemoryBytes / maxMemoryBytes, heapBytes / maxHeapBytes)],
    ],
  },
]
