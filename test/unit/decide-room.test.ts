import { describe, expect, test } from 'vitest'
import type { Settings } from '../../src/base/settings.ts'
import {
  brokenItemLimit,
  brokenLimit,
  exceedsCommonLimit,
  exceedsOwnLimit,
  impossibleLimit,
  isLowered,
  isOwnLimit,
  limitValue,
  onlyItemsMatter,
  overhangOf,
  reachesThreshold,
} from '../../src/decide/room.ts'
import type { CacheState } from '../../src/fold/cache-state.ts'
import { State } from '../../src/fold/state.ts'
import { chance } from '../support/chance.ts'
import { SETTINGS } from '../support/events.ts'
import { MadeState } from '../support/made-state.ts'

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

describe('an add', () => {
  /** Limits small enough to be met by chance; each may be none. */
  function drawn(below: (n: number) => number) {
    const limit = (most: number): number => (below(3) === 0 ? NO_LIMIT : 1 + below(most))
    const own = { maxItems: limit(4), maxMemory: limit(60), ttl: NO_LIMIT }
    return { maxItems: limit(4), maxMemory: limit(60), maxHeap: limit(40), caches: { c: own } }
  }

  test('breaks the first limit that what would be there then exceeds, and none where it would not', () => {
    const below = chance(11)
    const met = new Set<string | null>()
    for (let run = 0; run < 400; run++) {
      const settings = drawn(below)
      const entries = Array.from({ length: below(4) }, () => [below(30), 0] as [number, number])
      for (const entry of entries) entry[1] = below(entry[0] + 1)
      const room = new Room(settings, entries)
      const size = below(40)
      const offHeap = below(size + 1)
      const replaced = entries.length > 0 && below(2) === 0 ? room.first : NOBODY
      const after = [...entries.slice(replaced === NOBODY ? 0 : 1), [size, offHeap] as const]
      const bytes = after.reduce((sum, [of]) => sum + of, 0)
      const heap = bytes - after.reduce((sum, [, off]) => sum + off, 0)
      const { c } = settings.caches
      const exceeded = [
        after.length > c.maxItems && 'cache-items',
        bytes > c.maxMemory && 'cache-memory',
        after.length > settings.maxItems && 'items',
        bytes > settings.maxMemory && 'memory',
        heap > settings.maxHeap && 'heap',
      ].filter((name) => name !== false)
      expect(room.broken(size, offHeap, replaced)).toBe(exceeded[0] ?? null)
      met.add(exceeded[0] ?? null)
      const byItems = exceeded.filter((name) => name === 'cache-items' || name === 'items')
      expect(brokenItemLimit(room.state, room.cache, replaced)).toBe(byItems[0] ?? null)
      // The short way says that nothing but items matters only where that is so.
      if (room.isCalm(size, offHeap)) expect(exceeded).toEqual(byItems)
      const alone = [
        size > c.maxMemory && 'cache-memory',
        size > settings.maxMemory && 'memory',
        size - offHeap > settings.maxHeap && 'heap',
      ].filter((name) => name !== false)
      expect(impossibleLimit(room.state, room.cache, size, offHeap)).toBe(alone[0] ?? null)
    }
    expect(met).toEqual(new Set([null, 'cache-items', 'cache-memory', 'items', 'memory', 'heap']))
  })

  test.each([
    ['in bytes', { maxMemory: 1_000, evictionThreshold: 1 }, 99, 100],
    ['that starts a cycle', { maxMemory: 1_000, evictionThreshold: 0.95 }, 49, 50],
    ['of the cache', { caches: { c: { maxItems: NO_LIMIT, maxMemory: 980, ttl: NO_LIMIT } } }, 80, 81],
  ])('goes the short way below a limit %s', (_, settings, calm, not) => {
    const room = new Room(settings, [[900, 0]])
    expect([room.isCalm(calm, 0), room.isCalm(not, 0)]).toEqual([true, false])
  })

  test('goes the long way where something is past its time, or a cycle runs', () => {
    const made = new MadeState()
    const isCalm = (at: number): boolean => onlyItemsMatter(made.state, made.cache(), 1, 0, at)
    made.add('k', 1, { expiresAt: 5_000 })
    expect([isCalm(4_999), isCalm(5_000)]).toEqual([true, false])
    made.tell('cycle-started', { trigger: 'threshold' })
    expect(isCalm(4_999)).toBe(false)
  })
})

describe('a limit of one cache', () => {
  test('is told from those of all', () => {
    const names = ['memory', 'heap', 'items', 'cache-items', 'cache-memory'] as const
    expect(names.filter(isOwnLimit)).toEqual(['cache-items', 'cache-memory'])
  })

  test.each([
    ['items', { maxItems: 1, maxMemory: NO_LIMIT }, true],
    ['bytes', { maxItems: NO_LIMIT, maxMemory: 99 }, true],
    ['neither', { maxItems: 2, maxMemory: 100 }, false],
  ])('is exceeded by %s', (_, limits, exceeded) => {
    const room = new Room({ caches: { c: { ...limits, ttl: NO_LIMIT } } }, [
      [50, 0],
      [50, 0],
    ])
    expect(exceedsOwnLimit(room.cache)).toBe(exceeded)
  })
})

describe('pressure', () => {
  const stated = { maxMemory: 1_000, maxHeap: 800 }

  test('lowers the budgets of bytes and of the heap, each by itself', () => {
    const lowered = (to: typeof stated) => {
      const made = new MadeState(stated)
      made.tell('budget-changed', { stated, to })
      return (['memory', 'heap', 'items', 'cache-items', 'cache-memory'] as const).filter((limit) =>
        isLowered(made.state, limit),
      )
    }
    expect(lowered(stated)).toEqual([])
    expect(lowered({ ...stated, maxMemory: 999 })).toEqual(['memory'])
    expect(lowered({ ...stated, maxHeap: 799 })).toEqual(['heap'])
  })

  test('lets what is held hang over while its cycle gives it back, and no more: no other cycle does', () => {
    const made = new MadeState(stated)
    made.add('k', 500, { offHeap: 100 })
    expect(overhangOf(made.state)).toEqual({ bytes: 0, heapBytes: 0 })
    made.tell('budget-changed', { stated, to: { maxMemory: 300, maxHeap: 200 } })
    made.tell('cycle-started', { cycle: 'one', trigger: 'pressure' })
    const overhang = overhangOf(made.state)
    expect(overhang).toEqual({ bytes: 500, heapBytes: 400 })
    const broken = (size: number, offHeap: number, replaced = NOBODY) =>
      brokenLimit(made.state, made.cache(), size, offHeap, replaced, overhang)
    expect([broken(0, 0), broken(1, 1), broken(1, 0)]).toEqual([null, 'memory', 'memory'])
    const k = made.handleOf('k')
    expect([broken(500, 100, k), broken(500, 99, k), broken(501, 101, k)]).toEqual([null, 'heap', 'memory'])
    expect(brokenLimit(made.state, made.cache(), 0, 0, NOBODY, { bytes: 0, heapBytes: 0 })).toBe('memory')
    made.tell('cycle-completed', { cycle: 'one' })
    made.tell('cycle-started', { cycle: 'two', trigger: 'threshold' })
    expect(overhangOf(made.state)).toEqual({ bytes: 0, heapBytes: 0 })
  })
})
