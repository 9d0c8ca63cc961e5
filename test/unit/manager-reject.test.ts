import { describe, expect, test } from 'vitest'
import { type Bed, tightBed } from '../support/manager-bed.ts'

/** Two live entries of 40 bytes in 100. */
function full(options: object = {}): Bed {
  const made = tightBed(100, { onFull: 'reject', evictionThreshold: 0.5, ...options })
  made.memory.cache('c').set('a', 1, { size: 40 })
  made.memory.cache('c').set('b', 1, { size: 40 })
  made.forget()
  return made
}

describe("onFull: 'reject'", () => {
  test('refuses an add at a limit, evicting nothing and starting no cycle', () => {
    const test = full()
    expect(test.memory.cache('c').put('x', 1, { size: 21 })).toEqual({ stored: false, reason: 'full', limit: 'memory' })
    expect(test.told).toMatchObject([{ type: 'rejected', key: 'x', reason: 'full', limitName: 'memory', limit: 100 }])
    expect(test.keys()).toEqual(['a', 'b'])
    expect(test.memory.cache('c').set('y', 1, { size: 20 })).toBe(true)
  })

  test('refuses at an item limit likewise', () => {
    const test = full({ maxItems: 2 })
    expect(test.memory.cache('c').set('x', 1, { size: 1 })).toBe(false)
    expect(test.of('rejected')).toMatchObject([{ reason: 'full', limitName: 'items', limit: 2 }])
  })

  test('first frees what is past its time', () => {
    const test = full()
    const cache = test.memory.cache('c')
    cache.set('b', 1, { size: 40, ttl: 10 })
    test.clock.time += 10
    test.forget()
    expect(cache.set('x', 1, { size: 60 })).toBe(true)
    expect(test.types).toEqual(['expired', 'added'])
    expect(test.keys()).toEqual(['a', 'x'])
  })

  test('frees what is past its time even where that is not enough', () => {
    const test = full()
    const cache = test.memory.cache('c')
    cache.set('b', 1, { size: 40, ttl: 10 })
    test.clock.time += 10
    test.forget()
    expect(cache.set('x', 1, { size: 61 })).toBe(false)
    expect(test.types).toEqual(['expired', 'rejected'])
  })

  test('takes the older value of a refused overwrite away', () => {
    const test = full()
    const cache = test.memory.cache('c')
    expect(cache.set('a', 'new', { size: 61 })).toBe(false)
    expect(test.types).toEqual(['removed', 'rejected'])
    expect(cache.get('a')).toBeUndefined()
    expect(cache.set('b', 'new', { size: 100 })).toBe(true)
  })

  test('evicts all the same for evict() and for a lowered limit', () => {
    const test = full()
    expect(test.memory.evict({ target: 40 })).toMatchObject({ count: 1, trigger: 'forced' })
    expect(test.keys()).toEqual(['b'])
    test.memory.setLimits({ maxMemory: 30 })
    expect(test.keys()).toEqual([])
    expect(test.of('evicted').map(({ cause }) => cause)).toEqual(['forced', 'limit-lowered'])
  })
})

describe('canAdd', () => {
  test('says yes without evicting where there is room', () => {
    expect(full().memory.canAdd('c', 20)).toEqual({ allowed: true, wouldEvict: { bytes: 0, items: 0 } })
  })

  test('says what would have to go', () => {
    const test = tightBed(100, { maxItems: 2 })
    for (const key of ['a', 'b']) test.memory.cache('c').set(key, 1, { size: 40 })
    const verdict = test.memory.canAdd('c', 70)
    expect(verdict.allowed).toBe(true)
    expect(verdict.wouldEvict.bytes).toBeGreaterThanOrEqual(50)
    expect(verdict.wouldEvict.items).toBeGreaterThanOrEqual(1)
  })

  test('names the limit that is too small for the item, and of a cache that is not there yet', () => {
    const { memory } = tightBed(100, { caches: { small: { maxMemory: 50 } } })
    expect(memory.canAdd('c', 101)).toMatchObject({ allowed: false, reason: 'memory' })
    expect(memory.canAdd('small', 51)).toMatchObject({ allowed: false, reason: 'cache-memory' })
    expect(memory.canAdd('new', 100)).toMatchObject({ allowed: true })
    expect(memory.cacheNames()).toEqual(['small'])
  })

  test('changes nothing', () => {
    const test = full()
    test.memory.cache('c').set('short', 1, { size: 1, ttl: 5 })
    test.clock.time += 10
    test.expectUnchanged(() => {
      for (const size of [0, 19, 50, 1_000]) for (const cache of ['c', 'other']) test.memory.canAdd(cache, size)
    })
  })

  test('agrees with what an add then does where nothing may be evicted', () => {
    const test = full()
    expect(test.memory.canAdd('c', 21)).toMatchObject({ allowed: false, reason: 'memory' })
    expect(test.memory.cache('c').set('x', 1, { size: 21 })).toBe(false)
  })

  test('counts what is past its time as room, and only that', () => {
    const test = full()
    const cache = test.memory.cache('c')
    cache.set('b', 1, { size: 40, ttl: 10 })
    test.clock.time += 10
    expect(test.memory.canAdd('c', 60).allowed).toBe(true)
    expect(test.memory.canAdd('c', 61)).toMatchObject({ allowed: false, reason: 'memory' })
  })

  test('does not count what is past its time in another cache against a cache’s own limit', () => {
    const test = tightBed(1000, { onFull: 'reject', caches: { own: { maxItems: 1 } } })
    test.memory.cache('own').set('a', 1, { size: 1 })
    test.memory.cache('other').set('b', 1, { size: 1, ttl: 10 })
    test.clock.time += 10
    expect(test.memory.canAdd('own', 1)).toMatchObject({ allowed: false, reason: 'cache-items' })
    expect(test.memory.cache('own').set('c', 1, { size: 1 })).toBe(false)
  })
})
