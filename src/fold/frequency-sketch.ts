import { avalanche } from './hash.ts'

/** Largest count that four bits hold. */
export const MOST_FREQUENT = 15
/** Words (of eight 4-bit counters) in a block: 64 bytes, a cache line. */
const BLOCK_WORDS = 16
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
    const block = (hash & this.blockMask) * BLOCK_WORDS
    const spread = avalanche(hash)
    let least = MOST_FREQUENT
    for (let row = 0; row < 4; row++) {
      const byte = (spread >>> (row * 8)) & 0xff
      const count = ((this.table[block + row * 4 + (byte & 3)] as number) >>> (((byte >> 2) & 7) * 4)) & 0xf
      if (count < least) least = count
    }
    return least
  }

  /** Raises a key's counters to at least `count`. */
  raise(hash: number, count: number): void {
    const block = (hash & this.blockMask) * BLOCK_WORDS
    const spread = avalanche(hash)
    for (let row = 0; row < 4; row++) {
      const byte = (spread >>> (row * 8)) & 0xff
      const word = block + row * 4 + (byte & 3)
      const shift = ((byte >> 2) & 7) * 4
      const held = ((this.table[word] as number) >>> shift) & 0xf
      if (held < count) this.table[word] = ((this.table[word] as number) & ~(0xf << shift)) | (count << shift)
    }
  }

  halve(): void {
    const table = this.table
    for (let word = 0; word < table.length; word++) table[word] = ((table[word] as number) >>> 1) & HALVED
  }
}
