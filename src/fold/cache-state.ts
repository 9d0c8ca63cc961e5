import type { CacheSettings } from '../base/settings.ts'
import { type Columns, NONE } from './columns.ts'
import { MissRatioCurve } from './curve/miss-ratio-curve.ts'
import { KeyIndex } from './key-index.ts'
import type { Order, Policy } from './policies/policy.ts'
import { Counts } from './statistics.ts'
import { TimerWheel } from './timer-wheel.ts'
import { TopWriters } from './top-writers.ts'

/** Odd, so that caches' salts differ in all bits: 2^32 over the golden ratio. */
const SALT = 0x9e3779b1

/** An integer of 32 bits, as are all hashes: V8 then compares them as such. */
const LEAST_HASH = -(2 ** 31)

/** What is known of one named cache: its index, orders, totals and counts. The fold alone writes it. */
export class CacheState {
  readonly name: string
  /** Tells the cache's keys from another's where both share a table. */
  readonly salt: number
  settings: CacheSettings
  index: KeyIndex
  order: Order
  /** Exists from the first entry with a TTL. */
  wheel: TimerWheel | null = null
  bytes = 0
  /** What other sizes would have hit; `null`: there are too many caches. */
  curve: MissRatioCurve | null = null
  /** The curve is told of keys with hashes up to this one; beside it, so that all others cost one comparison. */
  followedUpTo = LEAST_HASH
  readonly counts = new Counts()
  readonly writers = new TopWriters()
  /** Counts when the statistics were last reset. */
  countsAtReset = new Counts()
  /** Counts and writers at the last check, and at the last change of level. */
  countsAtCheck = new Counts()
  writersAtCheck: ReadonlyMap<string, number> = new Map()
  bytesAddedAtLevel = 0
  writersAtLevel: ReadonlyMap<string, number> = new Map()
  /** NaN: never. */
  lastUpdated = Number.NaN

  private readonly columns: Columns

  constructor(
    name: string,
    number: number,
    settings: CacheSettings,
    columns: Columns,
    policy: Policy,
    expectedItems: number,
  ) {
    this.name = name
    this.salt = Math.imul(number, SALT)
    this.settings = settings
    this.columns = columns
    this.index = new KeyIndex(columns, expectedItems)
    this.order = policy.order(this.salt)
  }

  get items(): number {
    return this.index.count
  }

  /** Handles of all entries, in the order in which they were added. */
  handles(): number[] {
    const { addedSeq } = this.columns
    return this.index.handles().sort((a, b) => (addedSeq[a] as number) - (addedSeq[b] as number))
  }

  /** An entry past its time at `at`, or `NONE`. */
  due(at: number): number {
    return this.wheel === null ? NONE : this.wheel.due(at)
  }

  /** Goes over to another policy: entries enter its order by recency. */
  reorder(policy: Policy): void {
    const { usedSeq } = this.columns
    this.order = policy.order(this.salt)
    for (const h of this.index.handles().sort((a, b) => (usedSeq[a] as number) - (usedSeq[b] as number)))
      this.order.adopted(h)
  }

  /** Keeps a curve of so many keys at most. */
  follow(keys: number): void {
    this.curve ??= new MissRatioCurve(this.counts, keys)
    this.curve.limit(keys)
    this.followedUpTo = this.curve.threshold
  }

  /** A request for a followed key, after it was counted. */
  requested(hash: number, at: number, isHit: boolean): void {
    const { curve } = this
    if (curve === null) return
    curve.requested(hash, at, isHit)
    this.followedUpTo = curve.threshold
  }

  /** A value was stored under a followed key. */
  stored(hash: number, size: number, expiresAt: number): void {
    const { curve } = this
    if (curve === null) return
    curve.stored(hash, size, expiresAt)
    this.followedUpTo = curve.threshold
  }

  schedule(h: number, at: number): void {
    if (this.columns.expiresAt[h] === Number.POSITIVE_INFINITY) return
    this.wheel ??= new TimerWheel(this.columns, at)
    this.wheel.schedule(h)
  }

  unschedule(h: number): void {
    if (this.columns.expiresAt[h] !== Number.POSITIVE_INFINITY) (this.wheel as TimerWheel).cancel(h)
  }
}
