import { Distances } from '../../base/curve/distances.ts'
import type { CurveReading } from '../../base/curve/reading.ts'
import type { Counts } from '../statistics.ts'
import { AdjustedReading } from './adjusted-reading.ts'

/**
 * What a curve has measured of late: half of it is forgotten again and again. A stretch between two pauses counts for itself
 * alone, or the first after a pause would outweigh all before. 20 to 100 KB.
 */
export class RecentRequests {
  readonly byItems: CurveReading
  readonly byBytes: CurveReading
  private readonly counts: Counts
  private readonly items = new Distances()
  private readonly bytes = new Distances()
  /** Requests when it began to measure, or NaN during a pause. */
  private since: number
  private seen = 0

  constructor(counts: Counts, pauses: boolean) {
    this.counts = counts
    this.byItems = new AdjustedReading(this, this.items)
    this.byBytes = new AdjustedReading(this, this.bytes)
    this.since = pauses ? Number.NaN : this.asked
  }

  /** That it speaks for. */
  get requests(): number {
    return Math.max(0, this.seen + (Number.isNaN(this.since) ? 0 : this.asked - this.since))
  }

  count(items: number, bytes: number, weight: number): void {
    this.items.count(items, weight)
    this.bytes.count(bytes, weight)
  }

  /** A request that told nothing. */
  unknown(weight: number): void {
    this.seen -= weight
  }

  pause(): void {
    this.seen = this.requests
    this.since = Number.NaN
  }

  resume(): void {
    this.since = this.asked
  }

  halve(): void {
    this.seen = this.requests / 2
    if (!Number.isNaN(this.since)) this.since = this.asked
    this.items.halve()
    this.bytes.halve()
  }

  private get asked(): number {
    return this.counts.hits + this.counts.misses
  }
}
