import { describe, expect, test } from 'vitest'
import type { Settings } from '../../src/base/settings.ts'
import {
  brokenLimit,
  exceedsCommonLimit,
  limitValue,
  onlyItemsMatter,
  overhangOf,
  reachesThreshold,
} from '../../src/decide/room.ts'
import type { CacheState } from '../../src/fold/cache-state.ts'
import { State } from '../../src/fold/state.ts'
import { SETTINGS } from '../support/events.ts'

const NOBODY = -1
const NO_LIMIT = Number.POSITIVE_INFINITY

/** A state of one cache, `c`, and of entries that are there, each with its bytes and those of them that lie off the heap. */
class Room {
  readonly state: State
  readonly cache: CacheState
  private seq = 1

  constructor(settings: Partial<Settings>, entries: readonly (readonly [size: number, offHeap: number])[] = []) {
    const caches = { c: { maxItems: NO_LIMIT, maxMemory: NO_LIMIT, ttl: NO_LIMIT } }
    this.state = new State({ seed: 1, at: 0, settings: { ...SETTINGS, maxMemory: NO_LIMIT, caches, ...settings } })
    this.cache = this.state.caches.get('c') as CacheState
    for (const [size, offHeap] of entries) this.store(size, offHeap)
  }

  /** The handle of the first entry. */
  readonly first = 0

  broken(size: number, offHeap: number, replaced = NOBODY): string | null {
    return brokenLimit(this.state, this.cache, size, offHeap, replaced, overhangOf(this.state))
  }

  reaches(size: number, offHeap: number, replaced = NOBODY): boolean {
    return reachesThreshold(this.state, size, offHeap, replaced)
  }

  isCalm(size: number, offHeap: number): boolean {
    return onlyItemsMatter(this.state, this.cache, size, offHeap, 0)
  }

  private store(size: number, offHeap: number): void {
    const { hasher } = this.state
    const key = `k${this.seq}`
    const hash = hasher.hash(key)
    const said = { expiresAt: NO_LIMIT, cost: 0, tags: null, prefix: null, actor: null, traceId: null }
    this.state.added(++this.seq, 0, this.cache, key, hash, hasher.checkOf(key), { size, offHeap, ...said })
  }
}

describe('what lies off the heap', () => {
  const heap = { maxHeap: 100, evictionThreshold: 1 }

  test('breaks no heap limit, as a newcomer', () => {
    expect(new Room(heap).broken(1_000, 900)).toBeNull()
    expect(new Room(heap).broken(1_000, 899)).toBe('heap')
  })

  test('is not free on the heap when it is overwritten', () => {
    const room = new Room(heap, [
      [500, 450],
      [50, 0],
    ])
    expect(room.broken(50, 0, room.first)).toBeNull()
    expect(room.broken(51, 0, room.first)).toBe('heap')
    expect(room.broken(1, 0)).toBe('heap')
  })

  test('starts no cycle by heap, as a newcomer or overwritten', () => {
    const cycles = { maxHeap: 100, evictionThreshold: 0.9, evictionTarget: 0.8 }
    expect(new Room(cycles, [[80, 0]]).reaches(500, 491)).toBe(false)
    expect(new Room(cycles, [[80, 0]]).reaches(500, 490)).toBe(true)
    const room = new Room(cycles, [
      [500, 450],
      [30, 0],
    ])
    expect(room.reaches(59, 0, room.first)).toBe(false)
    expect(room.reaches(60, 0, room.first)).toBe(true)
  })

  test('leaves the short way open, where what lies on the heap does', () => {
    expect(new Room(heap, [[80, 0]]).isCalm(500, 481)).toBe(true)
    expect(new Room(heap, [[80, 0]]).isCalm(500, 480)).toBe(false)
  })
})

describe('the threshold', () => {
  const cycles = { maxMemory: 1_000, evictionThreshold: 0.9, evictionTarget: 0.8 }

  test('is reached from exactly its bytes on, overwritten ones not counted', () => {
    const room = new Room(cycles, [[400, 0]])
    expect([room.reaches(499, 0), room.reaches(500, 0)]).toEqual([false, true])
    const over = new Room(cycles, [
      [400, 0],
      [300, 0],
    ])
    expect([over.reaches(599, 0, over.first), over.reaches(600, 0, over.first)]).toEqual([false, true])
  })

  test('is not reached by what is larger than the target, in bytes or on the heap: no eviction would get there', () => {
    const room = new Room({ ...cycles, maxHeap: 500 }, [[300, 300]])
    expect([room.reaches(800, 400), room.reaches(801, 401)]).toEqual([true, false])
    expect([room.reaches(700, 300), room.reaches(701, 300)]).toEqual([true, false])
  })
})

describe('a limit', () => {
  test('says its value', () => {
    const caches = { c: { maxItems: 3, maxMemory: 40, ttl: NO_LIMIT } }
    const { state, cache } = new Room({ maxMemory: 10, maxHeap: 20, maxItems: 30, caches })
    const names = ['memory', 'heap', 'items', 'cache-items', 'cache-memory'] as const
    expect(names.map((name) => limitValue(state, cache, name))).toEqual([10, 20, 30, 3, 40])
  })

  test.each([
    ['items', { maxItems: 1 }],
    ['bytes', { maxMemory: 99 }],
    ['bytes on the heap', { maxHeap: 49 }],
  ])('over all caches is exceeded by %s alone', (_, settings) => {
    const entries = [
      [50, 25],
      [50, 25],
    ] as const
    expect(exceedsCommonLimit(new Room(settings, entries).state)).toBe(true)
    expect(exceedsCommonLimit(new Room({ maxItems: 2, maxMemory: 100, maxHeap: 50 }, entries).state)).toBe(false)
  })
})
