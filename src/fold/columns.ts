import { copied, Links } from './links.ts'

/** No entry: what handles are compared with. */
export const NONE = -1

/** Columns are made for this many entries at once at most; beyond it they grow by a quarter. */
const PREALLOCATED = 1 << 12
const SMALLEST = 64

/**
 * The entries of all caches as a struct of arrays: an entry is a handle, an attribute a column. Handles are reused.
 * Columns are read afresh at each use (`columns.size[h]`), since growing replaces them: a copy of some 100 bytes an
 * entry, 3 ms at 100,000 entries.
 */
export class Columns {
  capacity: number
  keys: string[] = []
  /** `KeyHasher.hash` of the key under the run's seed. */
  hash: Int32Array
  /** A second hash of the key, which `Regrets` compares; kept, since the key of an entry that leaves is in no CPU cache. */
  check: Int32Array
  /** Bytes charged. */
  size: Float64Array
  /** Epoch ms; `Infinity`: never. */
  expiresAt: Float64Array
  storedAt: Float64Array
  /** `seq` of the event that made the entry: the order of iteration, which overwriting keeps. */
  addedSeq: Float64Array
  usedAt: Float64Array
  /** `seq` of the last use: recency, whatever the policy. */
  usedSeq: Float64Array
  /** Hits since the value was stored. */
  hits: Float64Array
  /** Uses before the value was stored, that store included; uses are `carried + hits`. At most 2^32 − 1. */
  carried: Uint32Array
  /** Links of the list that the entry is in; of free handles, `next` is the next free one. */
  readonly links: Links
  /** Link of the chain in the cache's `KeyIndex`: handle + 1, or 0. */
  chain: Int32Array

  // What only some users need exists (has `capacity` elements) from first use.

  /** Links in the slots of a timer wheel. */
  wheelPrevious = new Int32Array(0)
  wheelNext = new Int32Array(0)
  /** Whether any entry ever had one of the next four. */
  hasExtras = false
  /** Bytes of `size` outside the V8 heap. */
  offHeap = new Float64Array(0)
  cost = new Float64Array(0)
  tags: (readonly string[] | null)[] = []
  storedBy: (string | null)[] = []
  /** Estimated uses, 0–15, aged; and the segment: of `hybrid`. */
  frequency = new Uint8Array(0)
  segment = new Uint8Array(0)
  /** Number of the cache, as its policy counts them; 0 of nobody. */
  owner = new Uint16Array(0)

  private firstFree: number = NONE
  private used = 0

  constructor(expectedItems: number) {
    const capacity = Math.max(SMALLEST, Math.min(expectedItems, PREALLOCATED))
    this.capacity = capacity
    this.hash = new Int32Array(capacity)
    this.check = new Int32Array(capacity)
    this.size = new Float64Array(capacity)
    this.expiresAt = new Float64Array(capacity)
    this.storedAt = new Float64Array(capacity)
    this.addedSeq = new Float64Array(capacity)
    this.usedAt = new Float64Array(capacity)
    this.usedSeq = new Float64Array(capacity)
    this.hits = new Float64Array(capacity)
    this.carried = new Uint32Array(capacity)
    this.links = new Links(capacity)
    this.chain = new Int32Array(capacity)
  }

  /** A handle for a new entry. */
  take(): number {
    const free = this.firstFree
    if (free !== NONE) {
      this.firstFree = this.links.next[free] as number
      return free
    }
    if (this.used === this.capacity) this.grow()
    return this.used++
  }

  /** Gives a handle back. */
  free(h: number): void {
    this.keys[h] = ''
    if (this.hasExtras) this.setExtras(h, 0, 0, null, null)
    this.links.next[h] = this.firstFree
    this.firstFree = h
  }

  /** Handles that were ever in use: all entries have one below. */
  get extent(): number {
    return this.used
  }

  /** Uses of an entry: the store that made it, overwrites and hits. */
  uses(h: number): number {
    return (this.carried[h] as number) + (this.hits[h] as number)
  }

  /** Whether `a`, of the score `scoreA`, comes before `b`: by the lower score, ties by the less recent use. */
  precedes(scoreA: number, a: number, scoreB: number, b: number): boolean {
    return scoreA !== scoreB ? scoreA < scoreB : (this.usedSeq[a] as number) < (this.usedSeq[b] as number)
  }

  needWheel(): void {
    if (this.wheelNext.length !== 0) return
    this.wheelPrevious = new Int32Array(this.capacity)
    this.wheelNext = new Int32Array(this.capacity)
  }

  /** What only some entries have. */
  setExtras(h: number, offHeap: number, cost: number, tags: readonly string[] | null, actor: string | null): void {
    this.hasExtras = true
    this.setOffHeap(h, offHeap)
    if (cost !== 0 && this.cost.length === 0) this.cost = new Float64Array(this.capacity)
    if (this.cost.length !== 0) this.cost[h] = cost
    if (tags !== null || h < this.tags.length) this.tags[h] = tags
    if (actor !== null || h < this.storedBy.length) this.storedBy[h] = actor
  }

  setOffHeap(h: number, offHeap: number): void {
    if (offHeap !== 0 && this.offHeap.length === 0) {
      this.offHeap = new Float64Array(this.capacity)
      this.hasExtras = true
    }
    if (this.offHeap.length !== 0) this.offHeap[h] = offHeap
  }

  needFrequency(): void {
    if (this.frequency.length !== 0) return
    this.frequency = new Uint8Array(this.capacity)
    this.segment = new Uint8Array(this.capacity)
    this.owner = new Uint16Array(this.capacity)
  }

  private grow(): void {
    const capacity = this.capacity + Math.max(SMALLEST, this.capacity >> 2)
    this.capacity = capacity
    this.hash = copied(this.hash, new Int32Array(capacity))
    this.check = copied(this.check, new Int32Array(capacity))
    this.size = copied(this.size, new Float64Array(capacity))
    this.expiresAt = copied(this.expiresAt, new Float64Array(capacity))
    this.storedAt = copied(this.storedAt, new Float64Array(capacity))
    this.addedSeq = copied(this.addedSeq, new Float64Array(capacity))
    this.usedAt = copied(this.usedAt, new Float64Array(capacity))
    this.usedSeq = copied(this.usedSeq, new Float64Array(capacity))
    this.hits = copied(this.hits, new Float64Array(capacity))
    this.carried = copied(this.carried, new Uint32Array(capacity))
    this.links.grow(capacity)
    this.chain = copied(this.chain, new Int32Array(capacity))
    if (this.wheelNext.length !== 0) {
      this.wheelPrevious = copied(this.wheelPrevious, new Int32Array(capacity))
      this.wheelNext = copied(this.wheelNext, new Int32Array(capacity))
    }
    if (this.offHeap.length !== 0) this.offHeap = copied(this.offHeap, new Float64Array(capacity))
    if (this.cost.length !== 0) this.cost = copied(this.cost, new Float64Array(capacity))
    if (this.frequency.length !== 0) {
      this.frequency = copied(this.frequency, new Uint8Array(capacity))
      this.segment = copied(this.segment, new Uint8Array(capacity))
      this.owner = copied(this.owner, new Uint16Array(capacity))
    }
  }
}
