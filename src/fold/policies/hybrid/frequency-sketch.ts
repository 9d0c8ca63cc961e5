import { avalanche } from '../../hash.ts'

/** Largest count that four bits hold. */
export const MOST_FREQUENT = 15
/** Words (of eight 4-bit counters) in a block: 64 bytes, a cache line. */
const BLOCK_WORDS = 16
const ROWS = 4
const ROW_WORDS = BLOCK_WORDS / ROWS
/** Bits of a byte of the spread hash that tell a row's counter: the word in the row, and the counter's place in the word. */
const IN_ROW = 0b00011
const SHIFT = 0b11100
/** Keys that share a block: 8 bytes a key, as Caffeine has. */
const KEYS_PER_BLOCK = 8
const SMALLEST_BLOCKS = 8
/** Clears what a shift right brings over from the neighbouring counter. */
const HALVED = 0x77777777

/**
 * How often keys that are *not* resident were asked for, 0–15: a count-min sketch (Cormode & Muthukrishnan, 2005) of
 * four rows of 4-bit counters, a key's four in one cache line, halved as in TinyLFU (Einziger, Friedman & Manes, 2017).
 * A resident's count is a byte column, written back here when it leaves: no sketch access per hit. 8–16 bytes an entry.
 */
export class FrequencySketch {
  private table = new Int32Array(SMALLEST_BLOCKS * BLOCK_WORDS)
  private blockMask = SMALLEST_BLOCKS - 1

  /** Makes room for so many keys. Counts survive: a grown table repeats the old one, whose index is its low bits. */
  ensureCapacity(keys: number): void {
    while ((this.blockMask + 1) * KEYS_PER_BLOCK < keys) {
      const doubled = new Int32Array(this.table.length * 2)
      doubled.set(this.table)
      doubled.set(this.table, this.table.length)
      this.table = doubled
      this.blockMask = this.blockMask * 2 + 1
    }
  }

  estimate(hash: number): number {
    const { table } = this
    let word = (hash & this.blockMask) * BLOCK_WORDS
    let place = avalanche(hash)
    let least = MOST_FREQUENT
    for (let row = 0; row < ROWS; row++, word += ROW_WORDS, place >>>= 8) {
      const count = ((table[word + (place & IN_ROW)] as number) >>> (place & SHIFT)) & MOST_FREQUENT
      if (count < least) least = count
    }
    return least
  }

  /** Raises a key's counters to at least `count`. */
  raise(hash: number, count: number): void {
    const { table } = this
    let word = (hash & this.blockMask) * BLOCK_WORDS
    let place = avalanche(hash)
    for (let row = 0; row < ROWS; row++, word += ROW_WORDS, place >>>= 8) {
      const at = word + (place & IN_ROW)
      const shift = place & SHIFT
      const counters = table[at] as number
      if (((counters >>> shift) & MOST_FREQUENT) < count)
        table[at] = (counters & ~(MOST_FREQUENT << shift)) | (count << shift)
    }
  }

  halve(): void {
    const table = this.table
    for (let word = 0; word < table.length; word++) table[word] = ((table[word] as number) >>> 1) & HALVED
  }
}
