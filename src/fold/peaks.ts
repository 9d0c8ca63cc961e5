import type { CacheHolding } from '../event/catalogue.ts'
import { PEAK_METRICS, type PeakMetric } from '../event/vocabulary.ts'

/** One metric's highest value since the statistics were reset, when it was reached, and what was told of it. */
export interface Peak {
  value: number
  at: number
  /** Highest value that a `peaked` event has carried. */
  told: number
  /** What each cache held then: kept when the first byte leaves. `null` until then: what they hold now. */
  held: readonly CacheHolding[] | null
}

/** Peaks are kept here as they happen and told at checks: an event per new peak would be one per add while filling. */
export class Peaks {
  readonly by: Readonly<Record<PeakMetric, Peak>> = {
    bytes: { value: 0, at: 0, told: 0, held: null },
    heap_bytes: { value: 0, at: 0, told: 0, held: null },
    items: { value: 0, at: 0, told: 0, held: null },
  }
  /** Whether one of them is the present, and what the caches hold has not been kept for it. */
  isFresh = false

  /** Highest values before the last reset. */
  private readonly before = { bytes: { value: 0, at: 0 }, items: { value: 0, at: 0 } }

  measured(bytes: number, heapBytes: number, items: number, at: number): void {
    const by = this.by
    if (bytes > by.bytes.value) this.raise(by.bytes, bytes, at)
    if (heapBytes > by.heap_bytes.value) this.raise(by.heap_bytes, heapBytes, at)
    if (items > by.items.value) this.raise(by.items, items, at)
  }

  /** What is there is about to become less, or to be exchanged: what fresh peaks consisted of is kept. */
  keep(caches: readonly CacheHolding[]): void {
    this.isFresh = false
    for (const metric of PEAK_METRICS) this.by[metric].held ??= caches
  }

  /** The highest value of the whole run, whatever was reset. */
  ofRun(metric: 'bytes' | 'items'): { readonly value: number; readonly at: number } {
    return this.by[metric].value >= this.before[metric].value ? this.by[metric] : this.before[metric]
  }

  /** Starts anew from the present. */
  reset(bytes: number, heapBytes: number, items: number, at: number): void {
    for (const metric of ['bytes', 'items'] as const) {
      if (this.by[metric].value > this.before[metric].value)
        Object.assign(this.before[metric], { value: this.by[metric].value, at: this.by[metric].at })
    }
    for (const metric of PEAK_METRICS) Object.assign(this.by[metric], { value: 0, told: 0 })
    this.measured(bytes, heapBytes, items, at)
  }

  private raise(peak: Peak, value: number, at: number): void {
    peak.value = value
    peak.at = at
    peak.held = null
    this.isFresh = true
  }
}
