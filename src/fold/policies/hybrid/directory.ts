import { NONE } from '../../columns.ts'
import { copied, Links } from '../../links.ts'
import { RecencyList } from '../../recency-list.ts'
import { FrequencySketch, MOST_FREQUENT } from './frequency-sketch.ts'

const SMALLEST = 32
/** Least frequency that is remembered when a key is dropped. */
const WORTH_KEEPING = 2
/** Bit of `heldBy` beyond those of the shadows: in use at the moment, not to be dropped. */
const PINNED = 0x80

/**
 * The keys that the shadows of one cache know, as columns: when and how often each was asked for, which is the same
 * whatever the mode, and which shadows hold it. Those that none holds wait in a list; who was given up first is dropped
 * first.
 */
export class Directory {
  hash = new Int32Array(SMALLEST)
  usedSeq = new Float64Array(SMALLEST)
  /** A shadow must not hit what would have expired. */
  expiresAt = new Float64Array(SMALLEST)
  frequency = new Uint8Array(SMALLEST)
  /** A bit for each shadow that holds it. */
  heldBy = new Uint8Array(SMALLEST)
  /** A bit for each shadow in which it has met another, and that is not settled. */
  met = new Uint8Array(SMALLEST)
  private readonly links = new Links(SMALLEST)
  private readonly unheld = new RecencyList(this.links)
  private readonly placeOf = new Map<number, number>()
  private readonly sketch = new FrequencySketch()
  private readonly free: number[] = []
  private used = 0

  get places(): number {
    return this.hash.length
  }

  find(hash: number): number {
    return this.placeOf.get(hash) ?? NONE
  }

  /** A place for a new key, that nobody holds yet. `NONE` if that wants `grow` first. */
  make(hash: number): number {
    const place = this.free.pop() ?? (this.used < this.places ? this.used++ : NONE)
    if (place === NONE) return NONE
    this.hash[place] = hash
    this.usedSeq[place] = NONE
    this.expiresAt[place] = Number.POSITIVE_INFINITY
    this.frequency[place] = this.sketch.estimate(hash)
    this.heldBy[place] = 0
    this.met[place] = 0
    this.placeOf.set(hash, place)
    this.unheld.push(place)
    return place
  }

  /** Keeps it from being dropped until `unpin`. */
  pin(place: number): void {
    if (this.heldBy[place] === 0) this.unheld.remove(place)
    this.heldBy[place] = (this.heldBy[place] as number) | PINNED
  }

  unpin(place: number): void {
    this.release(place, PINNED)
  }

  /** One shadow, by its bit, holds it no longer. */
  release(place: number, bit: number): void {
    const rest = (this.heldBy[place] as number) & ~bit
    this.heldBy[place] = rest
    if (rest === 0) this.unheld.push(place)
  }

  count(place: number): void {
    const frequency = this.frequency[place] as number
    if (frequency < MOST_FREQUENT) this.frequency[place] = frequency + 1
  }

  /** Place of the key that was given up first, if more than so many are held by nobody, or `NONE`. */
  beyond(most: number): number {
    return this.unheld.length > most ? this.unheld.last : NONE
  }

  /** Drops a key that nobody holds. */
  drop(place: number): void {
    this.unheld.remove(place)
    const hash = this.hash[place] as number
    const frequency = this.frequency[place] as number
    if (frequency >= WORTH_KEEPING) this.sketch.raise(hash, frequency)
    this.placeOf.delete(hash)
    this.free.push(place)
  }

  halve(): void {
    this.sketch.halve()
    for (let place = 0; place < this.used; place++) this.frequency[place] = (this.frequency[place] as number) >> 1
  }

  /** Places of all keys. */
  all(): number[] {
    return [...this.placeOf.values()]
  }

  /** Twice the places. */
  grow(): void {
    const places = 2 * this.places
    this.hash = copied(this.hash, new Int32Array(places))
    this.usedSeq = copied(this.usedSeq, new Float64Array(places))
    this.expiresAt = copied(this.expiresAt, new Float64Array(places))
    this.frequency = copied(this.frequency, new Uint8Array(places))
    this.heldBy = copied(this.heldBy, new Uint8Array(places))
    this.met = copied(this.met, new Uint8Array(places))
    this.links.grow(places)
    this.sketch.ensureCapacity(places)
  }
}
