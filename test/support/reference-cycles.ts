import assert from 'node:assert/strict'
import type { CycleStarted, EvictionTrigger } from '../../src/event/catalogue.ts'
import type { EventCursor } from './event-cursor.ts'
import { type Given, nothingGiven, ReferenceDepartures, type Why } from './reference-departures.ts'
import type { Entry } from './reference-entries.ts'

/** Entries of one slice of a cycle. */
export const SLICE = 128

interface Cycle {
  readonly started: CycleStarted
  readonly given: Given
}

/** The eviction cycles of the reference model. */
export class ReferenceCycles extends ReferenceDepartures {
  /** The one that goes on between calls. */
  cycle: Cycle | null = null

  /** A whole cycle: down to targets, or with `null` to the limits. Returns its completion. */
  runWhole(
    cursor: EventCursor,
    cache: string | null,
    target: { bytes: number; heap: number } | null,
    by: string | null,
  ) {
    const trigger = target === null ? 'limit-lowered' : 'forced'
    const { maxMemory, maxHeap, policy } = this.settings
    const before = { items: this.entries.length, bytes: this.bytes(), usage: this.usage() }
    const { items, bytes, usage } = before
    this.since.cycles++
    const started = cursor.next('cycle-started', {
      at: this.now,
      trigger,
      policy,
      cache,
      items,
      bytes,
      usage,
      actor: by,
    })
    const { cycle, targetBytes, targetHeapBytes } = started
    assertNear(targetBytes, target === null ? maxMemory : target.bytes, 'the target in bytes')
    assertNear(targetHeapBytes, target === null ? maxHeap : target.heap, 'the target in heap bytes')
    const why: Why = { cause: trigger, trigger: null, cycle }
    const given = nothingGiven()
    if (target === null) this.evictToLimits(cursor, why, given)
    const reached = (): boolean =>
      this.bytes(cache) <= targetBytes && (cache !== null || this.heapBytes() <= targetHeapBytes)
    while (!reached() && this.free(cursor, cache, undefined, why, given)) {}
    const completed = cursor.next('cycle-completed', {
      cycle,
      trigger,
      policy,
      cache,
      usageBefore: usage,
      usageAfter: this.usage(),
      at: this.now,
    })
    assertGiven(completed, given)
    return completed
  }

  /** Ends the cycle that goes on between calls, if there is one. */
  completeCycle(cursor: EventCursor): void {
    if (this.cycle === null) return
    const { started, given } = this.cycle
    const { cycle, trigger, policy, usage } = started
    const completed = cursor.next('cycle-completed', {
      cycle,
      trigger,
      policy,
      cache: null,
      usageBefore: usage,
      usageAfter: this.usage(),
      at: this.now,
    })
    assertGiven(completed, given)
    this.cycle = null
  }

  startCycle(cursor: EventCursor): void {
    const { policy, evictionTarget, maxMemory, maxHeap } = this.settings
    this.since.cycles++
    const started = cursor.next('cycle-started', {
      at: this.now,
      trigger: 'threshold',
      policy,
      cache: null,
      bytes: this.bytes(),
      items: this.entries.length,
      usage: this.usage(),
    })
    assertNear(started.targetBytes, evictionTarget * maxMemory, 'the target in bytes')
    assertNear(started.targetHeapBytes, evictionTarget * maxHeap, 'the target in heap bytes')
    this.cycle = { started, given: nothingGiven() }
  }

  /**
   * At most a slice of the cycle that runs; what is to be stored counts as there already.
   */
  slice(
    cursor: EventCursor,
    bytes: number,
    heapBytes: number,
    replaced: Entry | undefined,
    trigger: EvictionTrigger | null,
  ): void {
    const { started, given } = this.cycle as Cycle
    const { targetBytes, targetHeapBytes } = started
    const reached = (): boolean =>
      this.bytes() + bytes <= targetBytes && this.heapBytes() + heapBytes <= targetHeapBytes
    const why: Why = { cause: 'threshold', trigger, cycle: started.cycle }
    for (let freed = 0; freed < SLICE && !reached(); freed++) {
      if (!this.free(cursor, null, replaced, why, given)) break
    }
    if (reached() || this.entries.length === 0) this.completeCycle(cursor)
  }

  continueCycle(cursor: EventCursor): void {
    assert.ok(this.cycle !== null, 'a cycle runs')
    const { cycle } = this.cycle.started
    const continued = cursor.next('cycle-continued', { cycle, at: this.now, usage: this.usage() })
    assertGiven(continued, this.cycle.given)
    this.slice(cursor, 0, 0, undefined, null)
  }

  private evictToLimits(cursor: EventCursor, why: Why, given: Given): void {
    // The caches' own limits first, then the common ones.
    for (const own of [true, false]) {
      for (const cache of this.caches.keys()) {
        for (let limit = this.exceeded(cache); limit?.startsWith('cache-') === own; limit = this.exceeded(cache)) {
          if (!this.free(cursor, own ? cache : null, undefined, why, given)) break
        }
      }
    }
  }
}

/** A cycle says what it evicted; what was past its time is not counted. */
function assertGiven(told: Readonly<Given>, { count, bytes }: Given): void {
  assert.deepEqual([told.count, told.bytes], [count, bytes], 'entries and bytes that a cycle evicted')
}

/** Shares of a budget are rounded to whole bytes. */
function assertNear(told: number, expected: number, what: string): void {
  assert.ok(told === expected || Math.abs(told - expected) <= 1, `${what}: ${told}, not some ${expected}`)
}
