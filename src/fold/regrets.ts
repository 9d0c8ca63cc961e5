/** Evicted keys remembered at most and at least; 16 bytes each. In between, a quarter of the item limit: 4–8 bytes an entry. */
const MOST = 1 << 15
const SMALLEST = 1 << 9

/**
 * Which evicted keys are remembered, so that a later miss can say which eviction it regrets: a direct-mapped table, a
 * newer eviction displaces an older one of the same slot. (It isn't cleared when a key is stored again: whichever way the
 * key leaves then will see to that.) Two 32-bit hashes stand for a key, so that a look-up mistakes two keys for each other
 * once in 2^48 times at most.
 */
export class Regrets {
  private readonly slots: number
  private readonly mask: number
  /** Both hashes of a slot, side by side. */
  private hashes = new Int32Array(0)
  /** `seq` of the eviction; 0: nothing remembered; negative: a miss has regretted it already. */
  private evictedSeq = new Float64Array(0)
  private remembered = 0

  constructor(expectedItems: number) {
    let slots = SMALLEST
    while (slots < expectedItems / 4 && slots < MOST) slots *= 2
    this.mask = slots - 1
    this.slots = slots
  }

  remember(hash: number, check: number, seq: number): void {
    if (this.evictedSeq.length === 0) {
      this.hashes = new Int32Array(2 * this.slots)
      this.evictedSeq = new Float64Array(this.slots)
    }
    const slot = hash & this.mask
    this.hashes[2 * slot] = hash
    this.hashes[2 * slot + 1] = check
    if (this.evictedSeq[slot] === 0) this.remembered++
    this.evictedSeq[slot] = seq
  }

  /** `seq` of the eviction of this key, negative if that was regretted before; 0 if it isn't remembered. */
  find(hash: number, check: number): number {
    if (this.remembered === 0) return 0
    const slot = hash & this.mask
    if (this.hashes[2 * slot] !== hash || this.hashes[2 * slot + 1] !== check) return 0
    return this.evictedSeq[slot] as number
  }

  /** The miss was told. */
  regretted(hash: number): void {
    const slot = hash & this.mask
    this.evictedSeq[slot] = -Math.abs(this.evictedSeq[slot] as number)
  }

  /** The key left by another way since. */
  forget(hash: number): void {
    const slot = hash & this.mask
    if (this.remembered === 0 || this.hashes[2 * slot] !== hash || this.evictedSeq[slot] === 0) return
    this.evictedSeq[slot] = 0
    this.remembered--
  }
}
