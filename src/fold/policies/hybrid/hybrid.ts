import type { Settings } from '../../../base/settings.ts'
import { type EvictionCause, PER_BYTE } from '../../../event/vocabulary.ts'
import { type Columns, NONE } from '../../columns.ts'
import { avalanche } from '../../hash.ts'
import type { Adapting, Order, Policy } from '../policy.ts'
import { Comparator } from './comparator.ts'
import { Frequencies } from './frequencies.ts'
import { Ghosts } from './ghosts.ts'
import { Meetings } from './meetings.ts'
import { FIRST_MODE, MODES, ONLY_MODE } from './modes.ts'
import { Segments } from './segments.ts'
import { Shadows } from './shadows.ts'
import type { Standings } from './standings.ts'
import { Weights } from './weights.ts'

/** An entry with less than this share of its life before it goes before a victim that is worth as much. */
const NEARLY_EXPIRED = 1 / 8
/** Caches that have shadows, at most: some 1 MB for all of them. */
const MOST_SHADOWS = 4
/** Entries drawn to find who is worth least. */
const SAMPLE = 64
/** Caches that a number tells apart. */
const MOST_ORDERS = 0xffff
/** Bit of a segment byte: its key is in an open meeting, or was. */
const MET = 0b100
/** Above it, how many zero bits the key's hash begins with: whether it is sampled is seen without reading the hash. */
const ZEROS_SHIFT = 3
const MOST_ZEROS = 31
/** Zero bits of the keys whose meetings are noted, at most. */
const MOST_ENOUGH = 3

/**
 * The adaptive policy (docs/hybrid.md): one store of a window and a segmented main region, run by the rules of one of five
 * modes, from LRU over LIRS to W-TinyLFU. Shadows of all five, on a sample of the keys, tell which does best; `decide/`
 * chooses, and the choice is an event. The score is the frequency, 0–15.
 */
export class Hybrid implements Policy {
  readonly name = 'hybrid'
  private readonly columns: Columns
  private readonly frequencies: Frequencies
  private readonly weights: Weights
  private shadowed = 0
  private orders = 0

  constructor(columns: Columns, { optimize }: Pick<Settings, 'optimize'>) {
    columns.needFrequency()
    // Under another policy entries have come and gone without a word to the one that was here before.
    columns.owner.fill(0)
    this.columns = columns
    this.frequencies = new Frequencies(columns)
    this.weights = new Weights(columns, optimize)
  }

  order(salt: number, soonest: () => number): Order {
    // Numbers go round after so many caches: a sample may then hold another's entry, which `victim` passes over.
    this.orders = (this.orders % MOST_ORDERS) + 1
    const mayHaveShadows = (): boolean => this.shadowed++ < MOST_SHADOWS
    return new AdaptiveOrder(this.columns, this.frequencies, this.weights, this.orders, salt, mayHaveShadows, soonest)
  }

  before(a: number, b: number): boolean {
    return this.columns.precedes(this.score(a), a, this.score(b), b)
  }

  score(h: number): number {
    return this.weights.inUse === 0 ? (this.columns.frequency[h] as number) : this.weights.worth(h)
  }
}

class AdaptiveOrder implements Order, Adapting {
  private readonly columns: Columns
  private readonly frequencies: Frequencies
  private readonly weights: Weights
  private readonly number: number
  private readonly salt: number
  private readonly mayHaveShadows: () => boolean
  private readonly soonest: () => number
  private readonly ghosts: Ghosts
  private readonly comparators: readonly Comparator[] = MODES.map(() => new Comparator())
  private readonly meetings = new Meetings(this.comparators)
  private readonly segments: Segments
  /** From the first entry, if it may have them. */
  private shadows: Shadows | null | undefined = undefined
  /** A segment byte from here on is that of a sampled key. */
  private sampledFrom = Number.POSITIVE_INFINITY
  /** Whether an entry was ever given up: before, nobody knows how many there is room for. */
  private full = false
  since: number | null = null
  sinceBytes = 0
  private perByte = false
  /** Departures so far: the samples' seed. */
  private departed = 0

  constructor(
    columns: Columns,
    frequencies: Frequencies,
    weights: Weights,
    number: number,
    salt: number,
    mayHaveShadows: () => boolean,
    soonest: () => number,
  ) {
    this.columns = columns
    this.weights = weights
    this.number = number
    this.salt = salt
    this.frequencies = frequencies
    this.mayHaveShadows = mayHaveShadows
    this.soonest = soonest
    this.ghosts = new Ghosts(frequencies.sketch, salt)
    this.segments = new Segments(columns, FIRST_MODE, this.comparators)
  }

  get standings(): Standings | null {
    return this.shadows?.standings ?? null
  }

  get adapting(): Adapting {
    return this
  }

  get mode(): string {
    return this.perByte ? PER_BYTE : this.segments.mode.name
  }

  get listMode(): string {
    return this.segments.mode.name
  }

  get spread(): number {
    return this.weights.spread
  }

  added(h: number, now: number): void {
    const { columns, ghosts, frequencies } = this
    const hash = columns.hash[h] as number
    ghosts.age(frequencies.halvings)
    const remembered = ghosts.take(hash)
    if (remembered && ghosts.met) this.meetings.requested(hash)
    frequencies.enter(h, remembered ? ghosts.frequency : frequencies.sketch.estimate(hash ^ this.salt))
    this.weights.enter(columns.size[h] as number)
    this.weights.now = now
    this.label(h, hash)
    this.segments.add(h, remembered ? ghosts.lastUse(now) : NONE)
    if (this.shadows === undefined) this.begin()
    if ((columns.segment[h] as number) >= this.sampledFrom) this.stored(h, hash)
  }

  used(h: number, previous: number): void {
    this.frequencies.use(h)
    const label = this.columns.segment[h] as number
    if (label >= this.sampledFrom || (label & MET) !== 0) this.requested(h, label)
    this.segments.use(h, previous)
  }

  missed(hash: number, at: number): void {
    if (this.shadows && Math.clz32(hash) >= this.shadows.bits) this.shadows.miss(hash, at)
  }

  updating(h: number): void {
    this.weights.leave(this.columns.size[h] as number)
  }

  updated(h: number, previous: number): void {
    this.weights.enter(this.columns.size[h] as number)
    this.frequencies.use(h)
    this.segments.use(h, previous)
    if ((this.columns.segment[h] as number) >= this.sampledFrom) this.stored(h, this.columns.hash[h] as number)
  }

  resized(previous: number, size: number): void {
    this.weights.leave(previous)
    this.weights.enter(size)
  }

  left(h: number, cause: EvictionCause | null): void {
    const { columns, frequencies } = this
    const hash = columns.hash[h] as number
    const frequency = columns.frequency[h] as number
    frequencies.leave()
    this.weights.leave(columns.size[h] as number)
    this.departed++
    columns.owner[h] = 0
    if (cause !== null) {
      this.full = true
      this.sinceBytes = isForBytes(cause) ? 0 : this.sinceBytes + 1
      if (!this.perByte) this.meet(h)
      this.ghosts.age(frequencies.halvings)
      const met = ((columns.segment[h] as number) & MET) !== 0
      this.ghosts.remember(hash, columns.usedSeq[h] as number, frequency, met, this.segments.length)
    } else {
      const label = columns.segment[h] as number
      frequencies.sketch.raise(hash ^ this.salt, frequency)
      if ((label & MET) !== 0) this.meetings.forget(hash)
      if (label >= this.sampledFrom) this.shadows?.remove(hash)
    }
    this.segments.remove(h)
  }

  adopted(h: number): void {
    const { columns } = this
    const hash = columns.hash[h] as number
    this.frequencies.adopt(h)
    this.weights.enter(columns.size[h] as number)
    this.label(h, hash)
    this.segments.adopt(h)
    if (this.shadows === undefined) this.begin()
    if ((columns.segment[h] as number) < this.sampledFrom) return
    const { expiresAt, frequency } = columns
    this.shadows?.adopt(hash, expiresAt[h] as number, frequency[h] as number, this.segments.length)
    this.resample()
  }

  victim(except: number, at: number): number {
    const first = this.segments.victim(except)
    const victim = this.perByte && first !== NONE ? this.leastWorth(first, except) : first
    const dying = this.soonest()
    if (victim === NONE || dying === NONE || dying === except || !this.isNearlyExpired(dying, at)) return victim
    return this.worth(dying) <= this.worth(victim) ? dying : victim
  }

  change(mode: string, at: number): void {
    this.since = at
    const perByte = mode === PER_BYTE
    if (perByte !== this.perByte) this.weights.inUse += perByte ? 1 : -1
    this.perByte = perByte
    if (perByte) return
    const modeAt = MODES.findIndex(({ name }) => name === mode)
    this.segments.change(modeAt)
    this.shadows?.standings.change(modeAt)
  }

  private begin(): void {
    this.shadows = this.mayHaveShadows() ? new Shadows(this.comparators) : null
    if (this.shadows === null) this.segments.change(ONLY_MODE)
    else this.resample()
  }

  private label(h: number, hash: number): void {
    this.columns.owner[h] = this.number
    this.columns.segment[h] = Math.min(MOST_ZEROS, Math.clz32(hash)) << ZEROS_SHIFT
  }

  /** A sampled key was stored: as few of them as keeps this off the path of all others. */
  private stored(h: number, hash: number): void {
    this.shadows?.store(hash, this.columns.expiresAt[h] as number, this.segments.length, this.full)
    this.resample()
  }

  private resample(): void {
    if (this.shadows) this.sampledFrom = this.shadows.bits << ZEROS_SHIFT
  }

  /** A hit of a key that is sampled, or in an open meeting. */
  private requested(h: number, label: number): void {
    const { columns } = this
    const hash = columns.hash[h] as number
    if ((label & MET) !== 0) {
      this.meetings.requested(hash)
      columns.segment[h] = label & ~MET
    }
    if (label >= this.sampledFrom) this.shadows?.hit(hash, columns.expiresAt[h] as number)
  }

  /** Who has just lost or won a contest for its place, if that was found by one: `h` is given up, the other is kept. */
  private meet(h: number): void {
    const { segments } = this
    if (!segments.contests) return
    const candidate = segments.candidate(NONE)
    const oldest = segments.oldest(NONE)
    if (candidate === NONE || oldest === NONE || (h !== candidate && h !== oldest)) return
    if (segments.mode.contest === 'learned') this.note(candidate, oldest)
    if (h === candidate) segments.rotate(oldest)
  }

  /** Of large caches an eighth of the keys is enough to learn from. */
  private note(candidate: number, oldest: number): void {
    const { columns, segments } = this
    const { frequency, hash, segment } = columns
    const enough = Math.min(MOST_ENOUGH, this.shadows?.bits ?? 0)
    if ((segment[candidate] as number) >>> ZEROS_SHIFT < enough) return
    const { comparator, modeAt, length } = segments
    const cell = comparator.cellOf(frequency[candidate] as number, frequency[oldest] as number)
    if (!this.meetings.note(hash[candidate] as number, hash[oldest] as number, cell, modeAt, length)) return
    segment[candidate] = (segment[candidate] as number) | MET
    segment[oldest] = (segment[oldest] as number) | MET
  }

  /** Of a sample of the cache's entries, and of who would go by the lists, the one that is worth least; ties by age. */
  private leastWorth(first: number, except: number): number {
    const { columns, weights, number } = this
    const { owner, usedSeq, extent } = columns
    let least = first
    let worth = weights.worth(first)
    let random = avalanche(this.departed)
    for (let i = 0; i < SAMPLE; i++) {
      // A linear congruential generator (Numerical Recipes), whose high bits are good.
      random = (Math.imul(random, 1_664_525) + 1_013_904_223) | 0
      const h = extent <= SAMPLE ? i % extent : Math.floor(((random >>> 0) / 2 ** 32) * extent)
      if (owner[h] !== number || h === except) continue
      const other = weights.worth(h)
      if (other < worth || (other === worth && (usedSeq[h] as number) < (usedSeq[least] as number))) {
        least = h
        worth = other
      }
    }
    return least
  }

  private isNearlyExpired(h: number, at: number): boolean {
    const { columns } = this
    const storedAt = columns.storedAt[h] as number
    const expiresAt = columns.expiresAt[h] as number
    return expiresAt - at < (expiresAt - storedAt) * NEARLY_EXPIRED
  }

  private worth(h: number): number {
    return this.perByte ? this.weights.worth(h) : (this.columns.frequency[h] as number)
  }
}

/** Whether an eviction is for want of bytes, not of room for one more. */
function isForBytes(cause: EvictionCause): boolean {
  return cause !== 'items' && cause !== 'cache-items'
}
