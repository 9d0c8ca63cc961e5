import { type Columns, NONE } from '../columns.ts'
import { RecencyList } from '../recency-list.ts'
import type { Order, Policy } from './policy.ts'

/** Least frequently used first, ties by least recent. The score is the number of uses. */
export class Lfu implements Policy {
  readonly name = 'lfu'
  private readonly columns: Columns

  constructor(columns: Columns) {
    this.columns = columns
  }

  order(): Order {
    return new FrequencyOrder(this.columns)
  }

  before(a: number, b: number): boolean {
    return this.columns.precedes(this.score(a), a, this.score(b), b)
  }

  score(h: number): number {
    return this.columns.uses(h)
  }
}

/** Entries of equal frequency, by recency, between the buckets of the next lower and next higher frequency. */
class Bucket {
  readonly uses: number
  readonly entries: RecencyList
  lower: Bucket | null = null
  higher: Bucket | null = null

  constructor(uses: number, columns: Columns) {
    this.uses = uses
    this.entries = new RecencyList(columns)
  }
}

/** O(1) LFU: a linked list of buckets in ascending frequency (Ketan Shah, Anirban Mitra & Dhruv Matani, 2010). */
class FrequencyOrder implements Order {
  private readonly columns: Columns
  private readonly buckets = new Map<number, Bucket>()
  private lowest: Bucket | null = null

  constructor(columns: Columns) {
    this.columns = columns
  }

  added(h: number): void {
    this.enter(h, null)
  }

  used(h: number): void {
    const uses = this.columns.uses(h)
    const from = this.buckets.get(uses - 1) as Bucket
    from.entries.remove(h)
    this.enter(h, from)
    if (from.entries.length === 0) this.unlink(from)
  }

  updating(): void {}

  updated(h: number): void {
    this.used(h)
  }

  left(h: number): void {
    const bucket = this.buckets.get(this.columns.uses(h)) as Bucket
    bucket.entries.remove(h)
    if (bucket.entries.length === 0) this.unlink(bucket)
  }

  adopted(h: number): void {
    const uses = this.columns.uses(h)
    let lower: Bucket | null = null
    if (!this.buckets.has(uses)) {
      // Buckets are as many as distinct frequencies: a walk per new one, once per change of policy.
      for (let bucket = this.lowest; bucket !== null && bucket.uses < uses; bucket = bucket.higher) lower = bucket
    }
    this.enter(h, lower)
  }

  victim(except: number): number {
    if (this.lowest === null) return NONE
    const victim = this.lowest.entries.lastBut(except)
    return victim !== NONE || this.lowest.higher === null ? victim : this.lowest.higher.entries.last
  }

  /** Puts it into its frequency's bucket, which, if new, comes right after `lower` (`null`: first). */
  private enter(h: number, lower: Bucket | null): void {
    const uses = this.columns.uses(h)
    let bucket = this.buckets.get(uses)
    if (bucket === undefined) {
      bucket = new Bucket(uses, this.columns)
      this.buckets.set(uses, bucket)
      this.link(bucket, lower)
    }
    bucket.entries.push(h)
  }

  private link(bucket: Bucket, lower: Bucket | null): void {
    const higher = lower === null ? this.lowest : lower.higher
    bucket.lower = lower
    bucket.higher = higher
    if (higher !== null) higher.lower = bucket
    if (lower === null) this.lowest = bucket
    else lower.higher = bucket
  }

  private unlink(bucket: Bucket): void {
    this.buckets.delete(bucket.uses)
    if (bucket.higher !== null) bucket.higher.lower = bucket.lower
    if (bucket.lower === null) this.lowest = bucket.higher
    else bucket.lower.higher = bucket.higher
  }
}
