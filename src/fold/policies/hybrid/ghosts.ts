import { avalanche } from '../../hash.ts'
import { type FrequencySketch, MOST_FREQUENT } from './frequency-sketch.ts'

/** Keys in a set: 64 bytes of hashes and times, a cache line. */
const WAYS = 8
/** Evicted keys that are remembered for each entry. */
const PER_ENTRY = 4
const SET_WORDS = 2 * WAYS
/** Least frequency that is remembered further when a ghost is displaced: keys that came once would fill the sketch. */
const WORTH_KEEPING = 2

/** Bit of a frequency byte: in an open meeting. */
const MET = 0x10

/** Hash and time of each place, side by side, and its frequency. */
class Table {
  readonly sets: number
  readonly words: Int32Array
  readonly frequency: Uint8Array

  constructor(entries: number) {
    this.sets = Math.max(1, Math.ceil((PER_ENTRY * entries) / WAYS))
    this.words = new Int32Array(this.sets * SET_WORDS)
    this.frequency = new Uint8Array(this.sets * WAYS)
  }

  /** First word of the set of a hash. */
  setOf(hash: number): number {
    return Math.floor(((avalanche(hash ^ 0x5bd1e995) >>> 0) / 2 ** 32) * this.sets) * SET_WORDS
  }

  /** First word of a key's place, or −1. */
  find(hash: number): number {
    const { words } = this
    const set = this.setOf(hash)
    for (let at = set; at < set + SET_WORDS; at += 2) if (words[at] === hash && words[at + 1] !== 0) return at
    return -1
  }
}

/**
 * Keys that were given up lately: when each was last used, and how often. Set-associative, the one not used for longest
 * of eight gives way: no list, no index, one cache line a look-up. 36 bytes an entry.
 */
export class Ghosts {
  private readonly sketch: FrequencySketch
  private readonly salt: number
  private entries = 0
  private table = new Table(0)
  /** The smaller table that was here before, until as many have come as it holds. */
  private old: Table | null = null
  private sinceGrown = 0
  private halvings = 0
  /** Of the key that `take` has found: the `seq` of its last use, as 32 bits, and its frequency. */
  private usedSeq = 0
  frequency = 0
  /** Whether it was in an open meeting. */
  met = false

  /** @param sketch takes the frequencies of ghosts that are displaced, where `salt` tells the cache's keys from another's. */
  constructor(sketch: FrequencySketch, salt: number) {
    this.sketch = sketch
    this.salt = salt
  }

  /** @param met whether its key is in an open meeting. */
  remember(hash: number, usedSeq: number, frequency: number, met: boolean, entries: number): void {
    if (entries > this.entries) this.grow(entries)
    const { table } = this
    const { words } = table
    const set = table.setOf(hash)
    let place = set
    for (let at = set; at < set + SET_WORDS; at += 2) {
      if (words[at + 1] === 0 || words[at] === hash) {
        place = at
        break
      }
      // As a difference: the times are 32 bits of `seq`, and go round.
      if ((((words[at + 1] as number) - (words[place + 1] as number)) | 0) < 0) place = at
    }
    const displaced = (table.frequency[place >> 1] as number) & MOST_FREQUENT
    if (words[place + 1] !== 0 && words[place] !== hash && displaced >= WORTH_KEEPING)
      this.sketch.raise((words[place] as number) ^ this.salt, displaced)
    words[place] = hash
    words[place + 1] = usedSeq | 0 || 1
    table.frequency[place >> 1] = met ? frequency | MET : frequency
    if (this.old !== null && ++this.sinceGrown > this.old.sets * WAYS) this.old = null
  }

  /** Whether a key is remembered; it is forgotten then, and told by `frequency` and `lastUse`. */
  take(hash: number): boolean {
    return this.takeFrom(this.table, hash) || (this.old !== null && this.takeFrom(this.old, hash))
  }

  /** When the key that `take` has found was last used; `now` is any later `seq`. */
  lastUse(now: number): number {
    return now - ((now - this.usedSeq) >>> 0)
  }

  /** Halves the frequencies as often as those of the entries were. */
  age(halvings: number): void {
    for (; this.halvings < halvings; this.halvings++) {
      halve(this.table.frequency)
      if (this.old !== null) halve(this.old.frequency)
    }
  }

  private takeFrom(table: Table, hash: number): boolean {
    const at = table.find(hash)
    if (at === -1) return false
    this.usedSeq = table.words[at + 1] as number
    const frequency = table.frequency[at >> 1] as number
    this.frequency = frequency & MOST_FREQUENT
    this.met = (frequency & MET) !== 0
    table.words[at + 1] = 0
    return true
  }

  private grow(entries: number): void {
    if (this.entries !== 0) {
      this.old = this.table
      this.sinceGrown = 0
    }
    // A quarter more than there are, unless it is the first: a cache whose limit is in items doesn't grow any more.
    this.entries = this.entries === 0 ? entries : Math.ceil(entries * 1.25)
    this.table = new Table(this.entries)
  }
}

function halve(frequency: Uint8Array): void {
  for (let i = 0; i < frequency.length; i++) {
    const was = frequency[i] as number
    frequency[i] = (was & MET) | ((was & MOST_FREQUENT) >> 1)
  }
}
