import { NONE } from '../../columns.ts'
import { RecencyList } from '../../recency-list.ts'
import { FrequencySketch, MOST_FREQUENT } from './frequency-sketch.ts'

const SMALLEST = 32
/** Least frequency that is remembered when a key is dropped. */
const WORTH_KEEPING = 2

/**
 * The keys that the shadows of one cache know, as columns: when and how often each was asked for, which is the same
 * whatever the mode, and how many shadows hold it. Those that none holds wait in a list, the one given up first is
 * dropped first. Expiry counts: a shadow must not hit what would have expired.
 */
export class Directory {
  hash = new Int32Array(SMALLEST)
  usedSeq = new Float64Array(SMALLEST)
  expiresAt = new Float64Array(SMALLEST)
  frequency = new Uint8Array(SMALLEST)
  private holders = new Uint8Array(SMALLEST)
  /** Links of the list of keys that nobody holds. */
  previous = new Int32Array(SMALLEST)
  next = new Int32Array(SMALLEST)
  private readonly unheld = new RecencyList(this)
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

  /** A place for a new key, held by nobody yet and not in the list of those. `NONE` if that wants `grow` first. */
  make(hash: number): number {
    const place = this.free.pop() ?? (this.used < this.places ? this.used++ : NONE)
    if (place === NONE) return NONE
    this.hash[place] = hash
    this.usedSeq[place] = NONE
    this.expiresAt[place] = Number.POSITIVE_INFINITY
    this.frequency[place] = this.sketch.estimate(hash)
    this.holders[place] = 0
    this.placeOf.set(hash, place)
    return place
  }

  /** A key that nobody holds is asked for: it can't be dropped meanwhile. */
  pin(place: number): void {
    if (this.holders[place] === 0) this.unheld.remove(place)
    this.holders[place] = (this.holders[place] as number) + 1
  }

  /** Counts one holder, or the pin, less. */
  release(place: number): void {
    const holders = (this.holders[place] as number) - 1
    this.holders[place] = holders
    if (holders === 0) this.unheld.push(place)
  }

  /** Makes a new place one that is held. */
  hold(place: number): void {
    this.holders[place] = (this.holders[place] as number) + 1
  }

  count(place: number): void {
    const frequency = this.frequency[place] as number
    if (frequency < MOST_FREQUENT) this.frequency[place] = frequency + 1
  }

  /** The hash of the key that was given up first, if more than so many are held by nobody; it is dropped. */
  dropBeyond(most: number): number | null {
    if (this.unheld.length <= most) return null
    const place = this.unheld.last
    this.unheld.remove(place)
    return this.forget(place)
  }

  /** Drops a key that is in no list; returns its hash. */
  private forget(place: number): number {
    const hash = this.hash[place] as number
    const frequency = this.frequency[place] as number
    if (frequency >= WORTH_KEEPING) this.sketch.raise(hash, frequency)
    this.placeOf.delete(hash)
    this.free.push(place)
    return hash
  }

  /** Drops a key that nobody holds. */
  drop(place: number): void {
    this.unheld.remove(place)
    this.forget(place)
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
    this.holders = copied(this.holders, new Uint8Array(places))
    this.previous = copied(this.previous, new Int32Array(places))
    this.next = copied(this.next, new Int32Array(places))
    this.sketch.ensureCapacity(places)
  }
}

export function copied<T extends Int32Array | Float64Array | Uint8Array>(from: T, to: T): T {
  to.set(from)
  return to
}
