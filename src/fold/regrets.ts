import { rememberedEvictions } from '../base/remembered.ts'

/** Longest walk along a chain, against keys made to collide; at random one is longer once in millions. */
const LONGEST_CHAIN = 12

const NONE = -1

/**
 * The last evictions, so that a later miss can say which one it regrets: a ring in which the newest displaces the
 * oldest, and hash chains through it, newest first, as LZ77's (Deutsch, RFC 1951, 4): what a chain leads to beyond the
 * ring's oldest is its end, so that nothing need be unlinked. (A key that is stored again stays in it: whichever way it
 * leaves then will see to that.) The chain's bucket and a 32-bit hash stand for a key, so that a look-up mistakes two keys
 * for each other once in 2^32 times at most. 20 bytes an eviction.
 */
export class Regrets {
  /** One less than the slots, a power of two. */
  private readonly mask: number
  /** By slot, two each: the second hash of the key, and the number of the eviction before in its chain; */
  private ring = new Int32Array(0)
  /** `seq` of the eviction, 0: forgotten, negative: a miss has regretted it already. */
  private evictedSeq = new Float64Array(0)
  /** By bucket: the number of its newest eviction. */
  private heads = new Int32Array(0)
  /** Number of the newest eviction, in 32 bits; the lowest ones are its slot. */
  private newest = 0

  constructor(expectedItems: number) {
    this.mask = rememberedEvictions(expectedItems) - 1
  }

  remember(hash: number, check: number, seq: number): void {
    if (this.heads.length === 0) this.allocate()
    const { mask, ring, heads } = this
    const number = (this.newest + 1) | 0
    const slot = number & mask
    const bucket = hash & mask
    this.newest = number
    ring[2 * slot] = check
    ring[2 * slot + 1] = heads[bucket] as number
    heads[bucket] = number
    this.evictedSeq[slot] = seq
  }

  /** `seq` of the last eviction of this key, negative if that was regretted before; 0 if it isn't remembered. */
  find(hash: number, check: number): number {
    if (this.heads.length === 0) return 0
    const slot = this.slotOf(hash, check)
    return slot === NONE ? 0 : (this.evictedSeq[slot] as number)
  }

  /** The miss was told: whether it is the first of its eviction. @param seq of the eviction, negative or not. */
  regretted(hash: number, seq: number): boolean {
    const evicted = Math.abs(seq)
    const { evictedSeq } = this
    let slot = this.first(hash)
    for (let steps = 0; slot !== NONE && steps < LONGEST_CHAIN; steps++) {
      const known = evictedSeq[slot] as number
      if (Math.abs(known) === evicted) {
        evictedSeq[slot] = -evicted
        return known > 0
      }
      slot = this.next(slot)
    }
    return false
  }

  /** The key left by another way since. */
  forget(hash: number, check: number): void {
    if (this.heads.length === 0) return
    const slot = this.slotOf(hash, check)
    if (slot !== NONE) this.evictedSeq[slot] = 0
  }

  /** Slot of the key's last eviction, or `NONE`. */
  private slotOf(hash: number, check: number): number {
    let slot = this.first(hash)
    for (let steps = 0; slot !== NONE && steps < LONGEST_CHAIN; steps++) {
      if (this.ring[2 * slot] === check) return slot
      slot = this.next(slot)
    }
    return NONE
  }

  private first(hash: number): number {
    return this.slotIn(this.heads[hash & this.mask] as number)
  }

  private next(slot: number): number {
    return this.slotIn(this.ring[2 * slot + 1] as number)
  }

  /** Slot of an eviction, by its number; `NONE` once a newer one has displaced it. */
  private slotIn(number: number): number {
    return ((this.newest - number) & 0x7fffffff) > this.mask ? NONE : number & this.mask
  }

  private allocate(): void {
    const slots = this.mask + 1
    this.ring = new Int32Array(2 * slots)
    this.evictedSeq = new Float64Array(slots)
    this.heads = new Int32Array(slots)
    // A head of 0 then leads beyond the ring.
    this.newest = slots
  }
}
