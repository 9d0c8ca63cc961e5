import type { Settings } from '../base/settings.ts'

/**
 * The settings' numbers as each add compares them: in bytes, multiplied out once, in one object of one shape. No limit is
 * the largest that sums of bytes keep exactly.
 */
export class Limits {
  /** Whether an add at a limit evicts; else it is refused. */
  evicts = true
  maxItems = 0
  maxMemory = 0
  maxHeap = 0
  /** Bytes from which an eviction cycle starts; `Infinity` where cycles are off. */
  cycleBytes = 0
  cycleHeapBytes = 0
  /** Below these no add reaches a limit or starts a cycle: one comparison each, in place of four. */
  calmBytes = 0
  calmHeapBytes = 0
  /** Bytes that a cycle evicts down to. */
  targetBytes = 0
  targetHeapBytes = 0
  /** Bytes from which the level is `warning`. */
  warningBytes = 0
  warningHeapBytes = 0

  constructor(settings: Settings) {
    this.set(settings)
  }

  set({ onFull, maxItems, maxMemory, maxHeap, evictionThreshold, evictionTarget, memoryThreshold }: Settings): void {
    const cycle = evictionThreshold < 1 ? evictionThreshold : Number.POSITIVE_INFINITY
    this.evicts = onFull === 'evict'
    this.maxItems = maxItems
    this.maxMemory = Math.min(maxMemory, Number.MAX_SAFE_INTEGER)
    this.maxHeap = Math.min(maxHeap, Number.MAX_SAFE_INTEGER)
    this.cycleBytes = cycle * maxMemory
    this.cycleHeapBytes = cycle * maxHeap
    this.calmBytes = Math.min(this.maxMemory, this.cycleBytes)
    this.calmHeapBytes = Math.min(this.maxHeap, this.cycleHeapBytes)
    this.targetBytes = Math.floor(evictionTarget * maxMemory)
    this.targetHeapBytes = Math.floor(evictionTarget * maxHeap)
    this.warningBytes = memoryThreshold * maxMemory
    this.warningHeapBytes = memoryThreshold * maxHeap
  }
}
