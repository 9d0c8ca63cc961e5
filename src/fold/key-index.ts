import { randomInt } from 'node:crypto'
import { type Columns, NONE } from './columns.ts'
import { hashWholeKey } from './hash.ts'

/** Slots at first; a power of two. */
const SMALLEST = 64
/** Largest table made at once for an expected number of entries. */
const PREALLOCATED = 1 << 19
/**
 * A chance insertion probes fewer slots than this even at 2^24 entries (at load ½ the longest cluster grows with some
 * 5 × ln n); more means keys that collide: an attack, or keys that differ where `KeyHasher` doesn't look.
 */
const LONGEST_PROBE = 128
/** Slots of the old table moved by one insertion while growing; 2 would just do. */
const MOVED_PER_INSERT = 16
/** Marks a slot of the old table whose entry has gone. */
const GONE = -1

/**
 * Key → handle: open addressing with linear probing over (hash, handle + 1) pairs at load ≤ ½, with backward-shift
 * deletion (Knuth, TAOCP 3, 6.4 R). Its own because V8's `Map` stalls for 30–450 ms when a large one rehashes, and
 * costs a quarter more per hit. It grows in portions: no insertion pauses for the whole. Where keys collide on purpose
 * it goes over, once, to hashing whole keys under a secret of its own, which decides nothing and is in no event.
 */
export class KeyIndex {
  private readonly columns: Columns
  private table: Int32Array
  private mask: number
  private old: Int32Array | null = null
  private moved = 0
  /** 0 until hardened. */
  private secret = 0
  count = 0

  constructor(columns: Columns, expectedItems: number) {
    this.columns = columns
    let slots = SMALLEST
    while (slots < 2 * expectedItems && slots < PREALLOCATED) slots *= 2
    this.table = new Int32Array(2 * slots)
    this.mask = 2 * slots - 1
  }

  /** The key's handle, or `NONE`; `hash` is its `KeyHasher.hash`. */
  find(key: string, hash: number): number {
    const sought = this.secret === 0 ? hash : hashWholeKey(key, this.secret)
    const table = this.table
    const mask = this.mask
    const keys = this.columns.keys
    for (let at = (sought << 1) & mask; ; at = (at + 2) & mask) {
      const held = table[at + 1] as number
      if (held === 0) break
      if ((table[at] as number) === sought && keys[held - 1] === key) return held - 1
    }
    return this.old === null ? NONE : this.findOld(this.old, key, sought)
  }

  /** Adds a handle whose key and hash are in the columns already, and whose key isn't in the index. */
  insert(h: number): void {
    if (this.old !== null) this.move(this.old, MOVED_PER_INSERT)
    if (4 * ++this.count > this.table.length) this.grow()
    if (this.place(this.hashOf(h), h) > LONGEST_PROBE && this.secret === 0) this.harden()
  }

  remove(h: number): void {
    this.count--
    const hash = this.hashOf(h)
    if (!this.removeFrom(this.table, this.mask, hash, h) && this.old !== null) this.bury(this.old, hash, h)
  }

  /** All handles, in no order that means anything. */
  handles(): number[] {
    if (this.old !== null) this.move(this.old, this.old.length)
    const handles: number[] = []
    for (let at = 1; at < this.table.length; at += 2)
      if (this.table[at] !== 0) handles.push((this.table[at] as number) - 1)
    return handles
  }

  /** Handles of some entries, at most `most`, evenly from over the table: keys are there in no order. */
  some(most: number): number[] {
    if (this.count <= most) return this.handles()
    if (this.old !== null) this.move(this.old, this.old.length)
    const slots = this.table.length / 2
    const handles: number[] = []
    // Odd, so that it visits every slot of a table of 2^n; far apart, since neighbours came into the table together.
    const stride = (slots * 0.618) | 1
    for (let looked = 0, slot = 0; looked < slots && handles.length < most; looked++, slot = (slot + stride) % slots) {
      const held = this.table[2 * slot + 1] as number
      if (held !== 0) handles.push(held - 1)
    }
    return handles
  }

  private hashOf(h: number): number {
    return this.secret === 0
      ? (this.columns.hash[h] as number)
      : hashWholeKey(this.columns.keys[h] as string, this.secret)
  }

  /** Returns how many slots it probed. */
  private place(hash: number, h: number): number {
    const table = this.table
    const mask = this.mask
    let probes = 0
    let at = (hash << 1) & mask
    for (; table[at + 1] !== 0; at = (at + 2) & mask) probes++
    table[at] = hash
    table[at + 1] = h + 1
    return probes
  }

  private removeFrom(table: Int32Array, mask: number, hash: number, h: number): boolean {
    let hole = (hash << 1) & mask
    for (; table[hole + 1] !== h + 1; hole = (hole + 2) & mask) {
      if (table[hole + 1] === 0) return false
    }
    // Whoever stands behind the hole, and could stand in it, moves up.
    for (let at = (hole + 2) & mask; table[at + 1] !== 0; at = (at + 2) & mask) {
      const home = ((table[at] as number) << 1) & mask
      if (((at - home) & mask) >= ((at - hole) & mask)) {
        table[hole] = table[at] as number
        table[hole + 1] = table[at + 1] as number
        hole = at
      }
    }
    table[hole] = 0
    table[hole + 1] = 0
    return true
  }

  private grow(): void {
    if (this.old !== null) this.move(this.old, this.old.length)
    this.old = this.table
    this.moved = 0
    this.table = new Int32Array(2 * this.old.length)
    this.mask = this.table.length - 1
  }

  /** Moves the entries of some slots of the old table; they stay there as `GONE`, so that probes pass them. */
  private move(old: Int32Array, slots: number): void {
    const end = Math.min(old.length, this.moved + 2 * slots)
    for (; this.moved < end; this.moved += 2) {
      const held = old[this.moved + 1] as number
      if (held <= 0) continue
      old[this.moved + 1] = GONE
      this.place(old[this.moved] as number, held - 1)
    }
    if (this.moved === old.length) this.old = null
  }

  private findOld(old: Int32Array, key: string, hash: number): number {
    const mask = old.length - 1
    for (let at = (hash << 1) & mask; old[at + 1] !== 0; at = (at + 2) & mask) {
      const held = old[at + 1] as number
      if (held !== GONE && old[at] === hash && this.columns.keys[held - 1] === key) return held - 1
    }
    return NONE
  }

  private bury(old: Int32Array, hash: number, h: number): void {
    const mask = old.length - 1
    let at = (hash << 1) & mask
    while (old[at + 1] !== h + 1) at = (at + 2) & mask
    old[at + 1] = GONE
  }

  private harden(): void {
    if (this.old !== null) this.move(this.old, this.old.length)
    const before = this.table
    this.secret = randomInt(1, 2 ** 31)
    this.table = new Int32Array(before.length)
    for (let at = 1; at < before.length; at += 2) {
      const held = before[at] as number
      if (held !== 0) this.place(this.hashOf(held - 1), held - 1)
    }
  }
}
