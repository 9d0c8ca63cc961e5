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
    this.entries = new RecencyList(columns.links)
  }
}

/**
 * O(1) LFU: a linked list of buckets in ascending frequency (Ketan Shah, Anirban Mitra & Dhruv Matani, 2010). The first,
 * of entries used once, stays when it is empty: where most requests miss, each add would make it and each eviction drop it.
 */
class FrequencyOrder implements Order {
  readonly adapting = null
  private readonly columns: Columns
  private readonly buckets = new Map<number, Bucket>()
  private readonly once: Bucket

  constructor(columns: Columns) {
    this.columns = columns
    this.once = new Bucket(1, columns)
    this.buckets.set(1, this.once)
  }

  added(h: number): void {
    this.once.entries.push(h)
  }

  used(h: number): void {
    const uses = this.columns.uses(h)
    const from = this.bucketOf(uses - 1)
    from.entries.remove(h)
    this.enter(h, uses, from)
    this.tidy(from)
  }

  updating(): void {}

  updated(h: number): void {
    this.used(h)
  }

  left(h: number): void {
    const bucket = this.bucketOf(this.columns.uses(h))
    bucket.entries.remove(h)
    this.tidy(bucket)
  }

  adopted(h: number): void {
    const uses = this.columns.uses(h)
    let lower = this.once
    if (!this.buckets.has(uses)) {
      // Buckets are as many as distinct frequencies: a walk per new one, once per change of policy.
      while (lower.higher !== null && lower.higher.uses < uses) lower = lower.higher
    }
    this.enter(h, uses, lower)
  }

  victim(except: number): number {
    const lowest = this.once.entries.length === 0 ? this.once.higher : this.once
    if (lowest === null) return NONE
    const victim = lowest.entries.lastBut(except)
    return victim !== NONE || lowest.higher === null ? victim : lowest.higher.entries.last
  }

  private bucketOf(uses: number): Bucket {
    return uses === 1 ? this.once : (this.buckets.get(uses) as Bucket)
  }

  /** Puts it into its frequency's bucket, which, if new, comes right after `lower`. */
  private enter(h: number, uses: number, lower: Bucket): void {
    let bucket = this.buckets.get(uses)
    if (bucket === undefined) {
      bucket = new Bucket(uses, this.columns)
      this.buckets.set(uses, bucket)
      link(bucket, lower)
    }
    bucket.entries.push(h)
  }

  private tidy(bucket: Bucket): void {
    if (bucket.entries.length !== 0 || bucket === this.once) return
    this.buckets.delete(bucket.uses)
    unlink(bucket)
  }
}

function link(bucket: Bucket, lower: Bucket): void {
  const { higher } = lower
  bucket.lower = lower
  bucket.higher = higher
  if (higher !== null) higher.lower = bucket
  lower.higher = bucket
}

function unlink({ lower, higher }: Bucket): void {
  if (higher !== null) higher.lower = lower
  if (lower !== null) lower.higher = higher
}
