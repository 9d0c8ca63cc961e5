import { NONE } from '../../columns.ts'
import type { Comparator } from './comparator.ts'
import { Directory } from './directory.ts'
import { MODES } from './modes.ts'
import { Shadow } from './shadow.ts'
import { Standings } from './standings.ts'

/** Entries of a shadow at least, and at most just below twice as many: then half of the keys are sampled. */
const LEAST = 125
/** The same at first: the first choices are made of the fewest requests. */
const LEAST_AT_FIRST = 250
/** Requests for each entry, from when the cache is full, that count as first. */
const FIRST_REQUESTS = 32
/** Keys that no shadow holds, but are remembered, for each entry of a shadow. */
const UNHELD = 4
/** Requests per entry after which the frequencies are halved; as those of the real entries. */
const MEMORY = 80

/**
 * What every mode would do, on a sample of the keys and a cache as much smaller (spatial sampling: Waldspurger, Park,
 * Garthwaite & Ahmad, 2015; and 2017 for simulating a cache by it): those whose hash begins with so many zero bits. All modes
 * share one directory of keys, so that a request is looked up once. Some 200 KB a cache, at most 370.
 */
export class Shadows {
  readonly standings = new Standings()
  /** Zero bits that a sampled key's hash begins with. */
  bits = 0
  private readonly directory = new Directory()
  private readonly shadows: readonly Shadow[]
  private now = 0
  private sample = 0
  private capacity = Number.POSITIVE_INFINITY
  private least = LEAST_AT_FIRST
  /** Requests so far, as the sampled ones stand for them, since the cache is full. */
  private requests = 0
  /** Requests that a sampled one stands for. */
  private weight = 1
  /** The key that was just missed, and its use before: the store that follows is the same request. */
  private missed: number | null = null
  private beforeMiss = NONE

  constructor(comparators: readonly Comparator[]) {
    this.shadows = MODES.map((_, modeAt) => new Shadow(this.directory, modeAt, comparators))
  }

  /** A hit of a sampled key. */
  hit(hash: number, expiresAt: number): void {
    const { directory } = this
    let place = directory.find(hash)
    if (place === NONE) {
      place = this.make(hash)
      directory.expiresAt[place] = expiresAt
    }
    this.compare(hash, place)
    this.use(place, this.touch(place))
  }

  /** A miss of a sampled key; whether it will be stored isn't known. */
  miss(hash: number, at: number): void {
    const { directory, shadows } = this
    const place = directory.find(hash)
    this.missed = null
    if (place === NONE) {
      this.standings.count(0)
      this.requests += this.weight
      return
    }
    if ((directory.expiresAt[place] as number) <= at) this.removeFrom(place)
    const holders = directory.heldBy[place] as number
    this.compare(hash, place)
    const previous = this.touch(place)
    if (holders !== 0)
      for (let i = 0; i < shadows.length; i++)
        if ((holders & (1 << i)) !== 0) (shadows[i] as Shadow).use(place, previous)
    this.settle(place)
    this.missed = hash
    this.beforeMiss = previous
  }

  /** A sampled key was stored, anew or again, in a cache that has so many entries. */
  store(hash: number, expiresAt: number, entries: number, full: boolean): void {
    this.fit(entries, full)
    const { directory } = this
    const known = directory.find(hash)
    const place = known === NONE ? this.make(hash) : known
    directory.expiresAt[place] = expiresAt
    if (this.missed !== hash) this.use(place, this.touch(place))
    else this.fill(place)
    this.missed = null
  }

  /** A sampled key that is there while this begins. */
  adopt(hash: number, expiresAt: number, frequency: number, entries: number): void {
    this.fit(entries, false)
    const place = this.make(hash)
    this.touch(place)
    this.directory.frequency[place] = frequency
    this.directory.expiresAt[place] = expiresAt
    for (const shadow of this.shadows) shadow.adopt(place)
    this.settle(place)
  }

  /** A key left by another way than being given up. */
  remove(hash: number): void {
    const place = this.directory.find(hash)
    if (place !== NONE) this.removeFrom(place)
  }

  /** Counts who would have hit, and settles the key's meetings. */
  private compare(hash: number, place: number): void {
    const { heldBy, met } = this.directory
    this.standings.count(heldBy[place] as number)
    this.requests += this.weight
    if (met[place] === 0) return
    const { shadows } = this
    for (let i = 0; i < shadows.length; i++)
      if (((met[place] as number) & (1 << i)) !== 0) (shadows[i] as Shadow).settle(hash)
    met[place] = 0
  }

  /** Counts a use, and pins the place; returns the use before. */
  private touch(place: number): number {
    const { directory } = this
    directory.pin(place)
    const previous = directory.usedSeq[place] as number
    directory.usedSeq[place] = ++this.now
    directory.count(place)
    if (++this.sample >= MEMORY * Math.min(this.capacity, 2 * this.least)) {
      this.sample = 0
      directory.halve()
    }
    return previous
  }

  /** All shadows hold it afterwards; ends what `touch` began. */
  private use(place: number, previous: number): void {
    const { shadows, capacity } = this
    const holders = this.directory.heldBy[place] as number
    for (let i = 0; i < shadows.length; i++) {
      const shadow = shadows[i] as Shadow
      if ((holders & (1 << i)) !== 0) shadow.use(place, previous)
      else shadow.add(place, previous, capacity)
    }
    this.settle(place)
  }

  /** The shadows that missed it, too, take it in. */
  private fill(place: number): void {
    const { shadows, capacity, beforeMiss, directory } = this
    directory.pin(place)
    const holders = directory.heldBy[place] as number
    for (let i = 0; i < shadows.length; i++)
      if ((holders & (1 << i)) === 0) (shadows[i] as Shadow).add(place, beforeMiss, capacity)
    this.settle(place)
  }

  private settle(place: number): void {
    const { directory } = this
    directory.unpin(place)
    if (this.capacity === Number.POSITIVE_INFINITY) return
    const most = UNHELD * this.capacity
    for (let last = directory.beyond(most); last !== NONE; last = directory.beyond(most)) this.drop(last)
  }

  private drop(place: number): void {
    const { directory } = this
    if (directory.met[place] !== 0) for (const shadow of this.shadows) shadow.forget(directory.hash[place] as number)
    directory.drop(place)
  }

  private make(hash: number): number {
    const { directory } = this
    const place = directory.make(hash)
    if (place !== NONE) return place
    directory.grow()
    for (const shadow of this.shadows) shadow.grow()
    return directory.make(hash)
  }

  private removeFrom(place: number): void {
    const holders = this.directory.heldBy[place] as number
    for (const shadow of this.shadows) if ((holders & shadow.bit) !== 0) shadow.remove(place)
  }

  /** Follows the size of the cache: by the capacity, and where that gets too large or small by the share of keys sampled. */
  private fit(entries: number, full: boolean): void {
    if (!full) this.requests = 0
    else if (this.requests > FIRST_REQUESTS * entries) this.least = LEAST
    if (entries >>> this.bits >= 2 * this.least) {
      this.bits++
      for (const place of this.directory.all()) {
        if (Math.clz32(this.directory.hash[place] as number) >= this.bits) continue
        this.removeFrom(place)
        this.drop(place)
      }
      this.missed = null
    } else if (this.bits !== 0 && entries >>> this.bits < this.least / 2) {
      this.bits--
    }
    this.weight = 2 ** this.bits
    const capacity = Math.max(1, Math.round(entries / this.weight))
    this.capacity = full ? capacity : Number.POSITIVE_INFINITY
    this.standings.capacity = capacity
    this.standings.sampled = 1 / this.weight
  }
}
