import { PEAK_METRICS, type PeakMetric } from '../event/vocabulary.ts'

/** One metric's highest value since the statistics were reset, when it was reached, and what was told of it. */
export interface Peak {
  value: number
  at: number
  /** Highest value that a `peaked` event has carried. */
  told: number
}

/** Peaks are kept here as they happen and told at checks: an event per new peak would be one per add while filling. */
export class Peaks {
  readonly by: Readonly<Record<PeakMetric, Peak>> = {
    bytes: { value: 0, at: 0, told: 0 },
    heap_bytes: { value: 0, at: 0, told: 0 },
    items: { value: 0, at: 0, told: 0 },
  }

  /** Highest values before the last reset. */
  private readonly before = { bytes: { value: 0, at: 0 }, items: { value: 0, at: 0 } }

  measured(bytes: number, heapBytes: number, items: number, at: number): void {
    const by = this.by
    if (bytes > by.bytes.value) raise(by.bytes, bytes, at)
    if (heapBytes > by.heap_bytes.value) raise(by.heap_bytes, heapBytes, at)
    if (items > by.items.value) raise(by.items, items, at)
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
}

function raise(peak: Peak, value: number, at: number): void {
  peak.value = value
  peak.at = at
}
