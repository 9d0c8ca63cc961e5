import { randomInt } from 'node:crypto'
import { type Columns, NONE } from './columns.ts'
import { hashWholeKey } from './hash.ts'

/** Buckets at first; a power of two. */
const SMALLEST = 64
/** Most buckets made at once for an expected number of entries. */
const PREALLOCATED = 1 << 13
/**
 * By chance a chain is shorter than this even at 2^24 entries (at load ½, one of 12 is expected once in 10^9 buckets);
 * a longer one means keys that collide: an attack, or keys that differ where `KeyHasher` doesn't look.
 */
const LONGEST_CHAIN = 24
/** Buckets of the old table moved by one insertion while growing; 2 would just do. */
const MOVED_PER_INSERT = 16

/**
 * Key → handle: a hash table with chains at load ≤ ½ (Knuth, TAOCP 3, 6.4 C), linked through the `chain` column, so that
 * an insertion or a removal mostly touches one bucket: open addressing took 65 ns for both, most of it in loops whose
 * ends no CPU predicts. Its own because V8's `Map` stalls for 30–450 ms when a large one rehashes, and costs a quarter more
 * per hit. It grows in portions: no insertion pauses for the whole. Where keys collide on purpose it goes over, once, to
 * hashing whole keys under a secret of its own, which decides nothing and is in no event.
 */
export class KeyIndex {
  private readonly columns: Columns
  /** By bucket: handle + 1 of the chain's first entry; 0: none. */
  private heads: Int32Array
  private mask: number
  /** While growing: the table of half as many buckets, those below `moved` empty. */
  private old: Int32Array | null = null
  private moved = 0
  /** 0 until hardened. */
  private secret = 0
  /** Whether a look-up met a chain that is not by chance. */
  private collides = false
  count = 0

  constructor(columns: Columns, expectedItems: number) {
    this.columns = columns
    let buckets = SMALLEST
    while (buckets < 2 * expectedItems && buckets < PREALLOCATED) buckets *= 2
    this.heads = new Int32Array(buckets)
    this.mask = buckets - 1
  }

  /** The key's handle, or `NONE`; `hash` is its `KeyHasher.hash`. */
  find(key: string, hash: number): number {
    const columns = this.columns
    const sought = this.secret === 0 ? hash : hashWholeKey(key, this.secret)
    let held = this.old === null ? (this.heads[sought & this.mask] as number) : this.headOf(this.old, sought)
    for (let steps = 0; held !== 0; steps++) {
      if (columns.hash[held - 1] === hash && columns.keys[held - 1] === key) return held - 1
      held = columns.chain[held - 1] as number
      if (steps === LONGEST_CHAIN) this.collides = true
    }
    return NONE
  }

  /** Adds a handle whose key and hash are in the columns already, and whose key isn't in the index. */
  insert(h: number): void {
    if (this.old !== null) this.move(this.old, MOVED_PER_INSERT)
    if (2 * ++this.count > this.heads.length) this.grow()
    const hash = this.hashOf(h)
    const heads = this.tableOf(hash)
    const bucket = hash & (heads.length - 1)
    this.columns.chain[h] = heads[bucket] as number
    heads[bucket] = h + 1
    if (this.collides) this.harden()
  }

  remove(h: number): void {
    this.count--
    const { chain } = this.columns
    const hash = this.hashOf(h)
    const heads = this.tableOf(hash)
    const bucket = hash & (heads.length - 1)
    let held = heads[bucket] as number
    if (held === h + 1) {
      heads[bucket] = chain[h] as number
      return
    }
    while (chain[held - 1] !== h + 1) held = chain[held - 1] as number
    chain[held - 1] = chain[h] as number
  }

  /** All handles, in no order that means anything. */
  handles(): number[] {
    return this.collect(this.count, 1)
  }

  /** Handles of some entries, at most `most`, evenly from over the table: keys are there in no order. */
  some(most: number): number[] {
    return this.count <= most ? this.handles() : this.collect(most, this.stride)
  }

  /** Buckets of the table, half of them empty or more. */
  get buckets(): number {
    return this.heads.length
  }

  /** Handles in the bucket that comes after so many others in the walk of `some`, which goes round and round. */
  bucket(step: number): number[] {
    this.moveAll()
    return this.collectFrom(Math.imul(step, this.stride) & this.mask, [])
  }

  /** Odd, so that it visits every bucket of 2^n; far apart, since neighbours came into the table together. */
  private get stride(): number {
    return (this.heads.length * 0.618) | 1
  }

  private moveAll(): void {
    if (this.old !== null) this.move(this.old, this.old.length)
  }

  private collect(most: number, stride: number): number[] {
    this.moveAll()
    const { heads, mask } = this
    const handles: number[] = []
    for (let looked = 0, bucket = 0; looked < heads.length && handles.length < most; looked++) {
      this.collectFrom(bucket, handles)
      bucket = (bucket + stride) & mask
    }
    if (handles.length > most) handles.length = most
    return handles
  }

  private collectFrom(bucket: number, handles: number[]): number[] {
    const { heads, columns } = this
    for (let held = heads[bucket] as number; held !== 0; held = columns.chain[held - 1] as number)
      handles.push(held - 1)
    return handles
  }

  private hashOf(h: number): number {
    return this.secret === 0
      ? (this.columns.hash[h] as number)
      : hashWholeKey(this.columns.keys[h] as string, this.secret)
  }

  /** Where a hash's bucket is: in the old table until it has been moved. */
  private tableOf(hash: number): Int32Array {
    const { old } = this
    return old === null || (hash & (old.length - 1)) < this.moved ? this.heads : old
  }

  private headOf(old: Int32Array, hash: number): number {
    const bucket = hash & (old.length - 1)
    return (bucket < this.moved ? this.heads[hash & this.mask] : old[bucket]) as number
  }

  private grow(): void {
    if (this.old !== null) this.move(this.old, this.old.length)
    this.old = this.heads
    this.moved = 0
    this.heads = new Int32Array(2 * this.old.length)
    this.mask = this.heads.length - 1
  }

  /** Moves the chains of some buckets of the old table. */
  private move(old: Int32Array, buckets: number): void {
    const end = Math.min(old.length, this.moved + buckets)
    for (; this.moved < end; this.moved++) this.place(old[this.moved] as number)
    if (this.moved === old.length) this.old = null
  }

  /** Spreads a chain over the table. */
  private place(first: number): void {
    const { heads, mask } = this
    const { chain } = this.columns
    for (let held = first; held !== 0; ) {
      const bucket = this.hashOf(held - 1) & mask
      const rest = chain[held - 1] as number
      chain[held - 1] = heads[bucket] as number
      heads[bucket] = held
      held = rest
    }
  }

  private harden(): void {
    this.collides = false
    if (this.secret !== 0) return
    if (this.old !== null) this.move(this.old, this.old.length)
    const before = this.heads
    this.secret = randomInt(1, 2 ** 31)
    this.heads = new Int32Array(before.length)
    for (const first of before) this.place(first)
  }
}
