import { EVICTION_CAUSES, type EvictionCause } from '../event/vocabulary.ts'

/** What one cache did, counted since the run started; a reset of the statistics only moves `CacheCounts` base. */
export class Counts {
  hits = 0
  misses = 0
  regrettedMisses = 0
  regrettedEvictions = 0
  added = 0
  updated = 0
  bytesAdded = 0
  evicted = 0
  evictedBytes = 0
  expired = 0
  removed = 0
  cleared = 0
  rejected = 0
  /** Bytes that left, by whatever way; an overwrite's older bytes included. */
  bytesLeft = 0
  readonly evictedByCause = new Float64Array(EVICTION_CAUSES.length)
  /** The last cause and its place: evictions come in runs of one cause, and looking it up costs 30 ns. */
  private recentCause: EvictionCause = 'memory'
  private recentPlace = EVICTION_CAUSES.indexOf('memory')

  countEviction(cause: EvictionCause, size: number): void {
    this.evicted++
    this.evictedBytes += size
    if (cause !== this.recentCause) {
      this.recentCause = cause
      this.recentPlace = EVICTION_CAUSES.indexOf(cause)
    }
    const i = this.recentPlace
    this.evictedByCause[i] = (this.evictedByCause[i] as number) + 1
  }

  evictedFor(cause: EvictionCause): number {
    return this.evictedByCause[EVICTION_CAUSES.indexOf(cause)] as number
  }

  copy(): Counts {
    const copy = Object.assign(new Counts(), this, { evictedByCause: undefined })
    return Object.assign(copy, { evictedByCause: this.evictedByCause.slice() })
  }

  /** What was counted since `base`. */
  since(base: Counts): Counts {
    const difference = new Counts()
    difference.add(this, 1)
    difference.add(base, -1)
    return difference
  }

  add(other: Counts, sign: 1 | -1): void {
    this.hits += sign * other.hits
    this.misses += sign * other.misses
    this.regrettedMisses += sign * other.regrettedMisses
    this.regrettedEvictions += sign * other.regrettedEvictions
    this.added += sign * other.added
    this.updated += sign * other.updated
    this.bytesAdded += sign * other.bytesAdded
    this.evicted += sign * other.evicted
    this.evictedBytes += sign * other.evictedBytes
    this.expired += sign * other.expired
    this.removed += sign * other.removed
    this.cleared += sign * other.cleared
    this.rejected += sign * other.rejected
    this.bytesLeft += sign * other.bytesLeft
    for (let i = 0; i < this.evictedByCause.length; i++) {
      this.evictedByCause[i] = (this.evictedByCause[i] as number) + sign * (other.evictedByCause[i] as number)
    }
  }

  /** Only the causes that occurred. */
  causes(): Partial<Record<EvictionCause, number>> {
    return Object.fromEntries(
      EVICTION_CAUSES.map((cause, i) => [cause, this.evictedByCause[i]]).filter(([, n]) => n !== 0),
    )
  }
}

/** ms of one bucket of the eviction rate, and how many make the 5 minutes that it looks back. */
const BUCKET = 10_000
const BUCKETS = 30

/** Evictions in the last five minutes, to within 10 s. */
export class EvictionRate {
  private readonly counts = new Float64Array(BUCKETS)
  private latest = 0
  /** Where the latest bucket is counted, and the time from which another is the latest: dividing would cost 10 ns. */
  private place = 0
  private end = BUCKET

  count(at: number): void {
    if (at >= this.end) this.turnTo(Math.floor(at / BUCKET))
    this.counts[this.place] = (this.counts[this.place] as number) + 1
  }

  /** Entries per minute; a rate computed at reading time, which changes nothing. */
  perMinute(at: number): number {
    const now = Math.floor(at / BUCKET)
    let sum = 0
    for (let bucket = Math.max(0, now - BUCKETS + 1); bucket <= this.latest; bucket++) {
      if (bucket > this.latest - BUCKETS) sum += this.counts[bucket % BUCKETS] as number
    }
    return sum / ((BUCKETS * BUCKET) / 60_000)
  }

  private turnTo(bucket: number): void {
    for (let stale = Math.max(this.latest + 1, bucket - BUCKETS + 1); stale <= bucket; stale++)
      this.counts[stale % BUCKETS] = 0
    this.latest = bucket
    this.place = bucket % BUCKETS
    this.end = (bucket + 1) * BUCKET
  }
}

/** Linear steps of the histogram per doubling: a quantile is at most a quarter too high. */
const STEPS = 4
const DOUBLINGS = 50
/** Ages from here on, in ms (12 days), are halved until they fit 31 bits. */
const LARGE = 2 ** 30

/** Bucket of an age: its highest bit and the two below; ages below 4 have one each. */
function bucketOf(age: number): number {
  if (age >= LARGE) return STEPS + bucketOf(age / 2)
  const bits = age | 0
  if (bits < STEPS) return bits
  const highest = 31 - Math.clz32(bits)
  return (highest - 1) * STEPS + ((bits >>> (highest - 2)) & (STEPS - 1))
}

/** The highest age that falls into a bucket. */
function highestOf(bucket: number): number {
  if (bucket < STEPS) return bucket
  const highest = Math.floor(bucket / STEPS) + 1
  return 2 ** highest + ((bucket % STEPS) + 1) * 2 ** (highest - 2) - 1
}

/** How old entries were when they were evicted, in ms: a histogram with geometric buckets. */
export class AgeHistogram {
  private readonly counts = new Float64Array(STEPS * DOUBLINGS)
  private total = 0

  count(age: number): void {
    const i = bucketOf(age)
    this.counts[i] = (this.counts[i] as number) + 1
    this.total++
  }

  /** The age that a share `q` of the evicted did not exceed, an upper bound; `null` before the first. */
  quantile(q: number): number | null {
    if (this.total === 0) return null
    let seen = 0
    for (let i = 0; i < this.counts.length; i++) {
      seen += this.counts[i] as number
      if (seen >= q * this.total) return highestOf(i)
    }
    return null
  }
}
