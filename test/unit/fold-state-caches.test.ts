import { describe, expect, test } from 'vitest'
import type { EvictionCause } from '../../src/event/vocabulary.ts'
import type { MissRatioCurve } from '../../src/fold/curve/miss-ratio-curve.ts'
import { MadeState } from '../support/made-state.ts'

const NEVER = Number.POSITIVE_INFINITY
const UNLIMITED = { maxItems: NEVER, maxMemory: NEVER, ttl: NEVER }

/** Keys that a curve may follow. */
const mostOf = (curve: MissRatioCurve | null) => curve && Reflect.get(curve, 'most')

describe('curves', () => {
  test.each([
    [1, 8_192],
    [2, 8_192],
    [3, 4_096],
    [4, 4_096],
    [5, 2_048],
    [8, 2_048],
    [9, 2_048],
  ])('of %i caches are those of the first eight, with %i keys each', (count, most) => {
    const names = Array.from({ length: count }, (_, n) => `c${n}`)
    const { state } = new MadeState({}, names)
    expect(state.cacheList.map(({ curve }) => mostOf(curve))).toEqual(names.map((_, n) => (n < 8 ? most : null)))
  })

  test('are told of requests, stores, new sizes and departures, but not of evictions', () => {
    const made = new MadeState()
    const curve = made.cache().curve as MissRatioCurve
    const ask = (key: string): void => {
      if (made.handleOf(key) >= 0) made.tell('accessed', { cache: 'c', key })
      else {
        made.tell('missed', { cache: 'c', key })
        made.add(key, 10)
      }
    }
    for (const key of ['a', 'b', 'a']) ask(key)
    expect([curve.requests, ...curve.byItems.at([1, 2])]).toEqual([3, 0, 1 / 3])
    made.tell('remeasured', { entries: [{ cache: 'c', key: 'b', size: 30, offHeap: 0, previousSize: 10 }] })
    made.tell('updated', { cache: 'c', key: 'a', size: 20 })
    ask('b')
    expect(curve.byBytes.at([49, 50])).toEqual([1 / 4, 2 / 4])
    made.tell('evicted', { cache: 'c', key: 'a', cycle: null })
    ask('a')
    expect(curve.byItems.at([2])).toEqual([3 / 5])
    made.tell('removed', { cache: 'c', key: 'a' })
    ask('a')
    expect(curve.byItems.at([2])).toEqual([3 / 6])
  })
})

describe('how caches divide their room', () => {
  const evictAs = (made: MadeState, cause: EvictionCause, times: number): void => {
    for (let i = 0; i < times; i++) {
      made.add(`${cause}${i}`, 10, { cache: 'a' })
      made.tell('evicted', { cache: 'a', key: `${cause}${i}`, cause, cycle: null })
    }
  }

  test('is compared every 4,096 events, by what evictions were for want of since the last time', () => {
    const made = new MadeState({ policy: 'hybrid' }, ['a', 'b'])
    const compared = (): string | undefined => {
      made.run.seq = (made.state.division?.comparesAt as number) - 2
      const before = made.state.division?.comparesAt as number
      made.add(`x${before}`, 1, { cache: 'b' })
      expect(made.state.division?.comparesAt).toBe(before)
      made.add(`y${before}`, 1, { cache: 'b' })
      expect(made.state.division?.comparesAt).toBe(before + 4_096)
      return made.state.division?.unit
    }
    evictAs(made, 'memory', 2)
    evictAs(made, 'items', 1)
    expect(compared()).toBe('bytes')
    evictAs(made, 'items', 2)
    evictAs(made, 'threshold', 1)
    expect(compared()).toBe('items')
    // What one cache alone is in want of says nothing.
    evictAs(made, 'cache-items', 5)
    evictAs(made, 'cache-memory', 5)
    evictAs(made, 'heap', 1)
    expect(compared()).toBe('bytes')
    evictAs(made, 'cache-items', 5)
    evictAs(made, 'cache-memory', 9)
    evictAs(made, 'items', 1)
    expect(compared()).toBe('items')
    // Nothing was wanting: it stays as it was.
    expect(compared()).toBe('items')
    evictAs(made, 'items', 1)
    evictAs(made, 'memory', 1)
    expect(compared()).toBe('bytes')
  })

  test('is theirs while there are several under a policy that adapts', () => {
    const made = new MadeState({ policy: 'hybrid' }, ['a'])
    const names = () => made.state.division?.claims.map(({ cache }) => cache.name) ?? null
    const configure = (to: object) => made.tell('configured', { to })
    expect(names()).toBeNull()
    configure({ caches: { b: UNLIMITED } })
    expect(names()).toEqual(['a', 'b'])
    const recent = made.cache('a').curve?.recent
    expect(recent).not.toBeNull()
    const { division } = made.state
    configure({ maxItems: 5 })
    expect(made.state.division).toBe(division)
    made.tell('divided', { shares: [{ cache: 'a', from: 0.5, to: 0.9, wished: 1, requests: 1, hitRatio: 0 }] })
    expect(made.state.division?.shareOf(made.cache('a'))).toBe(0.9)
    configure({ policy: 'lru' })
    expect([names(), made.cache('a').curve?.recent]).toEqual([null, null])
    configure({ policy: 'hybrid' })
    expect(names()).toEqual(['a', 'b'])
    configure({ caches: { b: null } })
    expect(names()).toBeNull()
  })
})

describe('settings', () => {
  test('change as they are told, and are a copy of it', () => {
    const made = new MadeState({}, ['a'])
    const { state } = made
    const to = {
      maxItems: 7,
      memoryThreshold: 0.5,
      caches: { a: { ...UNLIMITED, maxItems: 3 }, b: { ...UNLIMITED, maxItems: 4 } },
    }
    made.tell('configured', { to })
    to.caches.a.maxItems = 99
    to.caches.b.maxItems = 99
    expect(state.settings).toMatchObject({ maxItems: 7, caches: { a: { maxItems: 3 }, b: { maxItems: 4 } } })
    expect([made.cache('a').settings.maxItems, made.cache('b').settings.maxItems]).toEqual([3, 4])
    expect([state.limits.maxItems, state.levels.thresholds[1]]).toEqual([7, 0.5])
    expect([...state.caches.keys()]).toEqual(state.cacheList.map(({ name }) => name))
    const { policy } = state
    made.tell('configured', { to: { policy: 'lru' } })
    expect(state.policy).toBe(policy)
    made.tell('configured', { to: { policy: 'lfu' } })
    expect(state.policy.name).toBe('lfu')
    expect(state.settings.maxItems).toBe(7)
  })

  test('of a cache that is dropped go with it, and what it counted is kept', () => {
    const made = new MadeState({}, ['a', 'b'])
    made.tell('missed', { cache: 'a', key: 'x' })
    made.tell('configured', { to: { caches: { a: null, nowhere: null } } })
    expect([made.state.dropped.misses, [...made.state.caches.keys()], Object.keys(made.state.settings.caches)]).toEqual(
      [1, ['b'], ['b']],
    )
    expect(made.state.cacheList.map(({ name }) => name)).toEqual(['b'])
  })

  test('of pressure hold until they are as stated again; levels go by the stated ones', () => {
    const made = new MadeState({ maxMemory: 1_000, maxHeap: 800 })
    const { state } = made
    made.add('k', 850, { offHeap: 400 })
    made.tell('warned', { level: 'warning', from: 'normal', to: 'warning' })
    expect([state.usage, state.warnings]).toEqual([0.85, 1])
    const stated = { maxMemory: 1_100, maxHeap: 800 }
    made.run.at += 5
    made.tell('budget-changed', { stated, to: { maxMemory: 600, maxHeap: 800 } })
    expect(state.effective).toEqual({ maxMemory: 600, maxHeap: 800 })
    expect(state.ceiling).toEqual({ maxMemory: 600, maxHeap: NEVER })
    expect(state.levels.belowSince[1]).toBe(made.run.at)
    made.tell('configured', { to: { maxMemory: 500 } })
    expect([state.effective.maxMemory, state.levels.belowSince[1]]).toEqual([500, NEVER])
    made.tell('budget-changed', { stated, to: stated })
    expect([state.effective, state.ceiling]).toEqual([stated, { maxMemory: NEVER, maxHeap: NEVER }])
  })
})

test('caches are salted, each otherwise', () => {
  const { state } = new MadeState({}, ['a', 'b', 'c'])
  expect(new Set(state.cacheList.map(({ salt }) => salt)).size).toBe(3)
})
