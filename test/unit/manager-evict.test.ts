import { describe, expect, test } from 'vitest'
import { OptionError } from '../../src/muninn.ts'
import { type Bed, thrownBy, tightBed } from '../support/manager-bed.ts'

/** Ten entries of 10 bytes each in each of two caches, one of which has a budget of its own. */
function twenty(): Bed {
  const made = tightBed(1_000, { caches: { own: { maxMemory: 200 } } })
  for (let i = 0; i < 10; i++) {
    made.memory.cache('c').set(`c${i}`, i, { size: 10 })
    made.memory.cache('own').set(`own${i}`, i, { size: 10 })
  }
  made.forget()
  return made
}

describe('evict()', () => {
  test('without a target goes to 90 % of present usage, where that is below the eviction target', () => {
    const test = twenty()
    expect(test.memory.evict()).toEqual({
      cycle: expect.stringMatching(/^[\w-]{21}$/),
      trigger: 'forced',
      policy: 'lru',
      cache: null,
      count: 2,
      bytes: 20,
      usageBefore: 0.2,
      usageAfter: 0.18,
      duration: 0,
    })
    expect(test.evictedKeys).toEqual(['c0', 'own0'])
  })

  test('without a target goes to the eviction target, where that is lower', () => {
    const test = tightBed(1_000, { evictionTarget: 0.5 })
    for (let i = 0; i < 100; i++) test.memory.cache('c').set(`k${i}`, i, { size: 10 })
    expect(test.memory.evict()).toMatchObject({ count: 50, usageBefore: 1, usageAfter: 0.5 })
  })

  test.each([
    [0.1, 100],
    ['10%', 100],
    [100, 100],
    ['100B', 100],
    [0, 0],
    [1, 200],
    ['1KB', 200],
  ])('with the target %j leaves %i bytes', (target, left) => {
    const test = twenty()
    const summary = test.memory.evict({ target })
    expect(test.memory.stats().currentMemoryBytes).toBe(left)
    expect(summary).toMatchObject({ bytes: 200 - left, usageAfter: left / 1_000 })
  })

  test('of one cache takes from no other; its share is of its own budget', () => {
    const test = twenty()
    expect(test.memory.evict({ cache: 'own', target: 0.25 })).toMatchObject({ cache: 'own', count: 5, bytes: 50 })
    expect(test.keys('own')).toEqual(['own5', 'own6', 'own7', 'own8', 'own9'])
    expect(test.memory.cache('c').size).toBe(10)
    expect(test.memory.evict({ cache: 'c', target: 0.05 })).toMatchObject({ cache: 'c', count: 5 })
    expect(test.memory.evict({ cache: 'c' })).toMatchObject({ cache: 'c', count: 1, bytes: 10 })
  })

  test('tells its start, each entry and its end', () => {
    const test = twenty()
    const { cycle } = test.memory.evict({ target: 170, actor: 'operator' })
    expect(test.told).toMatchObject([
      { type: 'cycle-started', cycle, trigger: 'forced', actor: 'operator', bytes: 200, items: 20, targetBytes: 170 },
      { type: 'evicted', cause: 'forced', cycle, trigger: null },
      { type: 'evicted', cause: 'forced', cycle },
      { type: 'evicted', cause: 'forced', cycle },
      { type: 'cycle-completed', cycle, count: 3, bytes: 30 },
    ])
    expect(test.memory.stats()).toMatchObject({ evictionCount: 1, evictedItems: 3, evictedByCause: { forced: 3 } })
  })

  test('runs to the end in the call, however many entries that takes', () => {
    const test = tightBed(10_000)
    for (let i = 0; i < 3_000; i++) test.memory.cache('c').set(`k${i}`, i, { size: 1 })
    expect(test.memory.evict({ target: 0 })).toMatchObject({ count: 3_000, usageAfter: 0 })
    expect(test.memory.cache('c').size).toBe(0)
    expect(test.of('evicted')).toHaveLength(3_000)
    expect(test.of('cycle-continued')).toEqual([])
  })

  test('counts in its summary what its events count', () => {
    const test = twenty()
    for (let i = 0; i < 5; i++) test.memory.cache('c').set(`short${i}`, i, { size: 10, ttl: 5 })
    test.clock.time += 5
    const { cycle, count, bytes } = test.memory.evict({ target: 100 })
    const evicted = test.of('evicted').filter((event) => event.cycle === cycle)
    expect(test.of('expired')).toHaveLength(5)
    expect({ count, bytes }).toEqual({ count: evicted.length, bytes: evicted.reduce((sum, { size }) => sum + size, 0) })
  })

  test('refuses a cache that is not there and a target that is none, and changes nothing', () => {
    const test = twenty()
    test.expectUnchanged(() => {
      expect(() => test.memory.evict({ cache: 'nobody' })).toThrow(OptionError)
      for (const target of [-1, Number.NaN, 1.5, '0%', '101%', 'half', '']) {
        const error = thrownBy(() => test.memory.evict({ target }))
        expect(error, String(target)).toMatchObject({ code: 'ERR_MUNINN_OPTION', option: 'target' })
      }
    })
  })
})

describe('a lowered limit', () => {
  test('of bytes evicts to it at once, in a cycle', () => {
    const test = twenty()
    test.memory.setLimits({ maxMemory: 50 })
    expect(test.memory.stats()).toMatchObject({ currentMemoryBytes: 50, maxMemoryBytes: 50, evictionCount: 1 })
    const [started] = test.of('cycle-started')
    expect(started).toMatchObject({ trigger: 'limit-lowered', targetBytes: 50 })
    expect(new Set(test.of('evicted').map(({ cause, cycle }) => `${cause} ${cycle}`))).toEqual(
      new Set([`limit-lowered ${started?.cycle}`]),
    )
    expect(test.of('cycle-completed')).toMatchObject([{ count: 15, bytes: 150 }])
    expect(test.types[0]).toBe('configured')
  })

  test('of items, of the heap, or of one cache likewise', () => {
    const test = twenty()
    test.memory.setLimits({ caches: { own: { maxItems: 7 } } })
    expect([test.memory.cache('own').size, test.memory.cache('c').size]).toEqual([7, 10])
    test.memory.setLimits({ caches: { own: { maxMemory: 60 } } })
    expect([test.memory.cache('own').size, test.memory.cache('c').size]).toEqual([6, 10])
    test.memory.setLimits({ maxItems: 12 })
    expect(test.memory.stats().cacheItemCount).toBe(12)
    test.memory.setLimits({ maxHeap: 80 })
    expect(test.memory.stats()).toMatchObject({ heapBytes: 80, evictionCount: 4 })
  })

  test('given again by memory.cache(name, options) likewise', () => {
    const test = twenty()
    test.memory.cache('c', { maxItems: 3 })
    expect(test.keys()).toEqual(['c7', 'c8', 'c9'])
  })

  test('above present contents evicts nothing and starts no cycle', () => {
    const test = twenty()
    test.memory.setLimits({ maxMemory: 200, maxItems: 20 })
    expect(test.types).toEqual(['configured'])
  })
})
