import { type Columns, NONE } from '../columns.ts'
import { RecencyList } from '../recency-list.ts'
import type { Order } from './policy.ts'

/** Entries of one value of a column, by recency. */
class Bucket {
  readonly value: number
  readonly entries: RecencyList
  /** Its place in the heap. */
  place: number

  constructor(value: number, columns: Columns, place: number) {
    this.value = value
    this.entries = new RecencyList(columns.links)
    this.place = place
  }
}

/**
 * An order by the value of a column, lowest first, ties by least recent: a recency list per distinct value, a binary
 * heap over the values. O(1) on a hit, O(log of the distinct values) where an entry comes or goes.
 */
export class ValueOrder implements Order {
  readonly adapting = null
  private readonly columns: Columns
  private readonly rankOf: (h: number) => number
  private readonly buckets = new Map<number, Bucket>()
  private readonly heap: Bucket[] = []

  constructor(columns: Columns, rankOf: (h: number) => number) {
    this.columns = columns
    this.rankOf = rankOf
  }

  added(h: number): void {
    const value = this.rankOf(h)
    let bucket = this.buckets.get(value)
    if (bucket === undefined) {
      bucket = new Bucket(value, this.columns, this.heap.length)
      this.buckets.set(value, bucket)
      this.heap.push(bucket)
      this.rise(bucket)
    }
    bucket.entries.push(h)
  }

  used(h: number): void {
    this.bucketOf(h).entries.renew(h)
  }

  updating(h: number): void {
    this.left(h)
  }

  updated(h: number): void {
    this.added(h)
  }

  left(h: number): void {
    const bucket = this.bucketOf(h)
    bucket.entries.remove(h)
    if (bucket.entries.length === 0) this.drop(bucket)
  }

  adopted(h: number): void {
    this.added(h)
  }

  victim(except: number): number {
    const root = this.heap[0]
    if (root === undefined) return NONE
    const victim = root.entries.lastBut(except)
    if (victim !== NONE) return victim
    // `except` is alone in the lowest bucket: the second lowest is one of the root's children.
    const left = this.heap[1]
    const right = this.heap[2]
    if (left === undefined) return NONE
    return (right !== undefined && right.value < left.value ? right : left).entries.last
  }

  private bucketOf(h: number): Bucket {
    return this.buckets.get(this.rankOf(h)) as Bucket
  }

  private drop(bucket: Bucket): void {
    this.buckets.delete(bucket.value)
    const last = this.heap.pop() as Bucket
    if (last === bucket) return
    this.put(last, bucket.place)
    this.rise(last)
    this.sink(last)
  }

  private put(bucket: Bucket, place: number): void {
    this.heap[place] = bucket
    bucket.place = place
  }

  private rise(bucket: Bucket): void {
    let place = bucket.place
    while (place > 0) {
      const parent = this.heap[(place - 1) >> 1] as Bucket
      if (parent.value <= bucket.value) break
      this.put(parent, place)
      place = (place - 1) >> 1
    }
    this.put(bucket, place)
  }

  private sink(bucket: Bucket): void {
    let place = bucket.place
    for (;;) {
      let child = 2 * place + 1
      if (child >= this.heap.length) break
      if (child + 1 < this.heap.length && (this.heap[child + 1] as Bucket).value < (this.heap[child] as Bucket).value)
        child++
      const lower = this.heap[child] as Bucket
      if (lower.value >= bucket.value) break
      this.put(lower, place)
      place = child
    }
    this.put(bucket, place)
  }
}
