import type { Settings } from '../base/settings.ts'

/** What pressure leaves of the budgets. */
type Ceiling = Pick<Settings, 'maxMemory' | 'maxHeap'>

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
  private watched = Number.POSITIVE_INFINITY
  /** Bytes that a cycle evicts down to. */
  targetBytes = 0
  targetHeapBytes = 0
  /** Bytes from which the level is `warning`: of the stated budgets, whatever pressure leaves of them. */
  warningBytes = 0
  warningHeapBytes = 0

  /**
   * An add that reaches this many bytes goes the long way, on which the process is looked at. That is knowledge of nothing:
   * the long way comes to the same end.
   */
  watchFrom(bytes: number): void {
    this.watched = bytes
    this.calmBytes = Math.min(this.maxMemory, this.cycleBytes, bytes)
  }

  constructor(settings: Settings, ceiling: Ceiling) {
    this.set(settings, ceiling)
  }

  set(settings: Settings, ceiling: Ceiling): void {
    const { onFull, maxItems, evictionThreshold, evictionTarget, memoryThreshold } = settings
    const maxMemory = Math.min(settings.maxMemory, ceiling.maxMemory)
    const maxHeap = Math.min(settings.maxHeap, ceiling.maxHeap)
    const cycle = evictionThreshold < 1 ? evictionThreshold : Number.POSITIVE_INFINITY
    this.evicts = onFull === 'evict'
    this.maxItems = maxItems
    this.maxMemory = Math.min(maxMemory, Number.MAX_SAFE_INTEGER)
    this.maxHeap = Math.min(maxHeap, Number.MAX_SAFE_INTEGER)
    this.cycleBytes = cycle * maxMemory
    this.cycleHeapBytes = cycle * maxHeap
    this.calmBytes = Math.min(this.maxMemory, this.cycleBytes, this.watched)
    this.calmHeapBytes = Math.min(this.maxHeap, this.cycleHeapBytes)
    this.targetBytes = Math.floor(evictionTarget * maxMemory)
    this.targetHeapBytes = Math.floor(evictionTarget * maxHeap)
    this.warningBytes = memoryThreshold * settings.maxMemory
    this.warningHeapBytes = memoryThreshold * settings.maxHeap
  }
}
