import { rememberedEvictions } from '../base/remembered.ts'

/** Longest walk along a chain, against keys made to collide; at random one is longer once in millions. */
const LONGEST_CHAIN = 12

/** No slot: slots count from 1 in links, so that tables of zeros are empty. */
const NONE = 0

/**
 * The last evictions, so that a later miss can say which one it regrets: a ring in which the newest displaces the
 * oldest, and hash chains through it. (A key that is stored again stays in it: whichever way it leaves then will see to
 * that.) Two 32-bit hashes stand for a key, so that a look-up mistakes two keys for each other once in 2^48 times at most.
 * 28 bytes an eviction.
 */
export class Regrets {
  private readonly slots: number
  private readonly mask: number
  /** Both hashes of a slot, side by side. */
  private hashes = new Int32Array(0)
  /** `seq` of the eviction; 0: nothing remembered; negative: a miss has regretted it already. */
  private evictedSeq = new Float64Array(0)
  /** Chains of one bucket each, newest first: their beginnings, and links both ways. */
  private heads = new Int32Array(0)
  private next = new Int32Array(0)
  private previous = new Int32Array(0)
  private newest = 0
  private remembered = 0

  constructor(expectedItems: number) {
    this.slots = rememberedEvictions(expectedItems)
    this.mask = this.slots - 1
  }

  remember(hash: number, check: number, seq: number): void {
    if (this.heads.length === 0) this.allocate()
    const known = this.slotOf(hash, check)
    if (known !== NONE) this.remove(known)
    this.newest = this.newest === this.slots ? 1 : this.newest + 1
    const slot = this.newest
    if (this.evictedSeq[slot] !== 0) this.remove(slot)
    this.hashes[2 * slot] = hash
    this.hashes[2 * slot + 1] = check
    this.evictedSeq[slot] = seq
    this.remembered++
    const bucket = hash & this.mask
    const second = this.heads[bucket] as number
    this.heads[bucket] = slot
    this.next[slot] = second
    this.previous[slot] = NONE
    if (second !== NONE) this.previous[second] = slot
  }

  /** `seq` of the eviction of this key, negative if that was regretted before; 0 if it isn't remembered. */
  find(hash: number, check: number): number {
    if (this.remembered === 0) return 0
    const slot = this.slotOf(hash, check)
    return slot === NONE ? 0 : (this.evictedSeq[slot] as number)
  }

  /** The miss was told. @param seq of the eviction that it regrets, negative or not. */
  regretted(hash: number, seq: number): void {
    const evicted = Math.abs(seq)
    let slot = this.heads[hash & this.mask] as number
    for (let steps = 0; slot !== NONE && steps < LONGEST_CHAIN; steps++, slot = this.next[slot] as number) {
      if (Math.abs(this.evictedSeq[slot] as number) !== evicted) continue
      this.evictedSeq[slot] = -evicted
      return
    }
  }

  /** The key left by another way since. */
  forget(hash: number, check: number): void {
    if (this.remembered === 0) return
    const slot = this.slotOf(hash, check)
    if (slot !== NONE) this.remove(slot)
  }

  private slotOf(hash: number, check: number): number {
    let slot = this.heads[hash & this.mask] as number
    for (let steps = 0; slot !== NONE && steps < LONGEST_CHAIN; steps++, slot = this.next[slot] as number) {
      if (this.hashes[2 * slot] === hash && this.hashes[2 * slot + 1] === check) return slot
    }
    return NONE
  }

  private remove(slot: number): void {
    const next = this.next[slot] as number
    const previous = this.previous[slot] as number
    if (previous === NONE) this.heads[(this.hashes[2 * slot] as number) & this.mask] = next
    else this.next[previous] = next
    if (next !== NONE) this.previous[next] = previous
    this.evictedSeq[slot] = 0
    this.remembered--
  }

  private allocate(): void {
    this.hashes = new Int32Array(2 * (this.slots + 1))
    this.evictedSeq = new Float64Array(this.slots + 1)
    this.next = new Int32Array(this.slots + 1)
    this.previous = new Int32Array(this.slots + 1)
    this.heads = new Int32Array(this.slots)
  }
}
