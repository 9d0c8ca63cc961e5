import { Distances } from '../../base/curve/distances.ts'
import { type CurveReading, pointsOf } from '../../base/curve/reading.ts'
import { ReuseStack } from '../../base/curve/reuse-stack.ts'
import type { Curve } from '../../event/catalogue.ts'
import type { Counts } from '../statistics.ts'
import { AdjustedReading } from './adjusted-reading.ts'
import { RecentRequests } from './recent-requests.ts'

/** Keys that are followed at first; more as they come. */
const FIRST_KEYS = 256
/** Share of the keys that go on being followed where there are too many. */
const KEPT = 7 / 8
/** One in so many requests is measured in the long run, so that what it costs is bounded; and besides, so many at first. */
const REQUESTS_A_MEASUREMENT = 80
const AT_FIRST = 65_536
/** Requests for each key that is followed, and at least, between two pauses: most uses are seen with the use before. */
const REQUESTS_A_KEY = 32
const LEAST_REQUESTS = 8_192
/** Where it is still too much, fewer keys are followed, down to so many; below, it pauses. */
const ENOUGH_KEYS = 2_048
/** Of those requests that end a pause, one in so many is looked at. */
const WATCHED = 1 / 64
/** Requests after which the older half of what is known counts half. */
const MEMORY = 2 ** 24

const LEAST_HASH = -(2 ** 31)
const HASHES = 2 ** 32

/** Mean absolute error over all sizes where not every request is measured: at most that on twelve traces. */
const ERROR = 0.01

/**
 * The miss-ratio curve of one cache under LRU, by items and by bytes, while it runs: SHARDS with a fixed sample (Waldspurger,
 * Park, Garthwaite & Ahmad, 2015), with its correction for how many requests the sample should have got. Followed are the
 * keys with the least hashes; to all others it is one comparison. Where few keys get many requests that is too much
 * still, and it pauses now and then: what follows a pause is measured as if it followed what came before.
 */
export class MissRatioCurve {
  /** Requests of keys with hashes up to this one are told. */
  threshold = -LEAST_HASH - 1
  measured = 0
  readonly byItems: CurveReading
  readonly byBytes: CurveReading
  /** The same of late; `null`: nobody asks for it. */
  recent: RecentRequests | null = null
  private readonly counts: Counts
  private readonly items = new Distances()
  private readonly bytes = new Distances()
  private readonly memberOf = new Map<number, number>()
  private stack = new ReuseStack(FIRST_KEYS)
  private hashes = new Int32Array(FIRST_KEYS)
  private expiresAt = new Float64Array(FIRST_KEYS)
  private most: number
  /** Keys with hashes up to this one are followed, and how many there are of each. */
  private followed = -LEAST_HASH - 1
  private weight = 1
  /** Requests from which on it measures, or NaN while it pauses; and when it goes on. */
  private since = 0
  private pausedAt = 0
  private resumesAt = 0
  private restsAt = LEAST_REQUESTS
  /** Requests that one between pauses stands for: those of the pause before it, too. */
  private stands = 1
  /** Requests between pauses that are over, and those that told nothing. */
  private seen = 0
  private untold = 0
  /** Requests whose part in `seen` was halved. */
  private sinceHalving = 0

  constructor(counts: Counts, most: number) {
    this.counts = counts
    this.most = most
    this.byItems = new AdjustedReading(this, this.items)
    this.byBytes = new AdjustedReading(this, this.bytes)
  }

  /** In points; `null`: nothing was asked for yet. */
  get told(): Curve | null {
    const { requests } = this
    if (requests === 0) return null
    const error = this.measured === this.asked ? 0 : ERROR
    return { requests: Math.round(requests), error, byItems: pointsOf(this.byItems), byBytes: pointsOf(this.byBytes) }
  }

  /** That it speaks for. */
  get requests(): number {
    const present = Number.isNaN(this.since) ? 0 : (this.asked - this.since) * this.stands
    return Math.max(0, this.seen + present - this.untold)
  }

  /** Keeps what was asked for of late by itself, too, or no longer. */
  watch(on: boolean): void {
    if (!on) this.recent = null
    else this.recent ??= new RecentRequests(this.counts, Number.isNaN(this.since))
  }

  /** Keys that it may follow from now on, at most. */
  limit(most: number): void {
    this.most = most
    this.fit(most)
  }

  /** A request for a key whose hash is within the threshold, after it was counted. */
  requested(hash: number, at: number, isHit: boolean): void {
    if (Number.isNaN(this.since)) {
      if (this.asked < this.resumesAt) return
      this.resume()
    }
    this.measured++
    const member = this.memberOf.get(hash)
    const { stack, weight } = this
    if (member === undefined) {
      // There before it was followed: nobody knows since when.
      if (isHit) {
        this.untold += weight * this.stands
        this.recent?.unknown(weight)
      } else this.count(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY)
    } else if (!isHit && (this.expiresAt[member] as number) <= at) {
      this.drop(member)
      this.count(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY)
    } else {
      stack.measure(member)
      // The middle of what so many keys followed stand for.
      this.count((stack.depth - 0.5) * weight + 0.5, (stack.weight - 0.5) * weight + 0.5)
      stack.renew(member)
    }
    if (stack.length > ENOUGH_KEYS && this.isTooMuch) this.fit(Math.max(ENOUGH_KEYS, stack.length * KEPT))
    if (this.asked >= this.restsAt) this.rest()
  }

  /** A value was stored. */
  stored(hash: number, size: number, expiresAt: number): void {
    if (hash > this.followed || Number.isNaN(this.since)) return
    let member = this.memberOf.get(hash)
    if (member === undefined) {
      member = this.stack.push(size)
      this.memberOf.set(hash, member)
      if (this.stack.capacity > this.hashes.length) this.grow()
      this.hashes[member] = hash
    } else {
      this.stack.renew(member)
      this.stack.reweigh(member, size)
    }
    this.expiresAt[member] = expiresAt
    if (this.stack.length > this.most) this.fit(this.most)
  }

  /** What is charged for it changed without a use. */
  resized(hash: number, size: number): void {
    if (hash > this.followed) return
    const member = this.memberOf.get(hash)
    if (member !== undefined) this.stack.reweigh(member, size)
  }

  /** It left, and not for want of room: no size would have kept it. */
  removed(hash: number): void {
    if (hash > this.followed) return
    const member = this.memberOf.get(hash)
    if (member !== undefined) this.drop(member)
  }

  private get asked(): number {
    return this.counts.hits + this.counts.misses
  }

  /** Whether it has measured more than its share. */
  private get isTooMuch(): boolean {
    return this.measured - AT_FIRST > this.asked / REQUESTS_A_MEASUREMENT
  }

  private count(items: number, bytes: number): void {
    const weight = this.weight * this.stands
    this.items.count(items, weight)
    this.bytes.count(bytes, weight)
    this.recent?.count(items, bytes, this.weight)
  }

  private drop(member: number): void {
    this.stack.remove(member)
    this.memberOf.delete(this.hashes[member] as number)
  }

  /** The end of a time of measuring: if it was more than its share, keys are let go, or it pauses. */
  private rest(): void {
    const told = this.asked
    this.seen += (told - this.since) * this.stands
    this.begin()
    if (this.seen - this.sinceHalving > MEMORY) this.halve()
    if (!this.isTooMuch) return
    this.resumesAt = (this.measured - AT_FIRST) * REQUESTS_A_MEASUREMENT
    this.since = Number.NaN
    this.pausedAt = told
    this.recent?.pause()
    this.threshold = LEAST_HASH + Math.floor((this.followed - LEAST_HASH) * WATCHED)
  }

  private resume(): void {
    const pause = this.asked - this.pausedAt
    this.begin()
    this.stands = (this.restsAt - this.since + pause) / (this.restsAt - this.since)
    this.threshold = this.followed
    this.recent?.resume()
  }

  private begin(): void {
    const requests = Math.max(LEAST_REQUESTS, REQUESTS_A_KEY * this.stack.length * this.weight)
    this.since = this.asked
    this.restsAt = this.since + requests
    this.stands = 1
  }

  private halve(): void {
    this.items.halve()
    this.bytes.halve()
    this.seen /= 2
    this.untold /= 2
    this.sinceHalving = this.seen
  }

  /** Follows fewer keys, while they are too many. */
  private fit(most: number): void {
    while (this.stack.length > most) {
      this.weight /= KEPT
      this.followed = LEAST_HASH + Math.floor(HASHES / this.weight)
      for (const [hash, member] of this.memberOf) if (hash > this.followed) this.drop(member)
    }
    this.threshold = Number.isNaN(this.since)
      ? LEAST_HASH + Math.floor((this.followed - LEAST_HASH) * WATCHED)
      : this.followed
  }

  private grow(): void {
    const { capacity } = this.stack
    const hashes = new Int32Array(capacity)
    hashes.set(this.hashes)
    this.hashes = hashes
    const expiresAt = new Float64Array(capacity)
    expiresAt.set(this.expiresAt)
    this.expiresAt = expiresAt
  }
}
