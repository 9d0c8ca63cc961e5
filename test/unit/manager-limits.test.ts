import { describe, expect, test } from 'vitest'
import { POLICIES } from '../../src/base/settings.ts'
import { chance } from '../support/chance.ts'
import { bed, tightBed } from '../support/manager-bed.ts'

describe('an item limit', () => {
  test('is 1000 over all caches by default, and evicts one entry for one', () => {
    const { memory } = bed()
    const [a, b] = [memory.cache('a'), memory.cache('b')]
    for (let i = 0; i < 600; i++) a.set(`k${i}`, i)
    for (let i = 0; i < 600; i++) b.set(`k${i}`, i)
    expect(memory.stats()).toMatchObject({ cacheItemCount: 1000, maxCacheSize: 1000, evictedByCause: { items: 200 } })
    expect([a.size, b.size]).toEqual([400, 600])
  })

  test('is lifted by Infinity', () => {
    const { memory } = bed({ maxItems: Number.POSITIVE_INFINITY })
    const cache = memory.cache('c')
    for (let i = 0; i < 1500; i++) cache.set(`k${i}`, i)
    expect(cache.size).toBe(1500)
  })

  test('of a cache takes from that cache alone', () => {
    const test = bed({ maxItems: 10, caches: { small: { maxItems: 2 } } })
    const [small, other] = [test.memory.cache('small'), test.memory.cache('other')]
    other.set('oldest', 1)
    for (const key of ['a', 'b', 'c']) small.set(key, 1)
    expect(test.evictedKeys).toEqual(['a'])
    expect(test.of('evicted')).toMatchObject([{ cache: 'small', cause: 'cache-items', cycle: null }])
    expect(other.has('oldest')).toBe(true)
  })

  test('says in the event who needed room, and who would have gone next', () => {
    const test = bed({ maxItems: 2 })
    const cache = test.memory.cache('c')
    cache.set('a', 1, { size: 10, cost: 3, ttl: 5_000, actor: 'loader' })
    test.clock.time += 100
    cache.get('a')
    cache.set('b', 1, { size: 20 })
    test.clock.time += 50
    test.memory.cache('d').set('c', 1, { size: 30 })
    expect(test.of('evicted')).toEqual([
      {
        seq: expect.any(Number),
        at: test.clock.time,
        type: 'evicted',
        cache: 'c',
        key: 'a',
        age: 150,
        hits: 1,
        size: 10,
        cause: 'items',
        policy: 'lru',
        storedAt: test.clock.time - 150,
        storedBy: 'loader',
        idle: 50,
        ttlLeft: 4_850,
        cost: 3,
        score: expect.any(Number),
        runnerUp: 'b',
        runnerUpScore: expect.any(Number),
        mode: null,
        modeSince: null,
        trigger: { cache: 'd', key: 'c', size: 30 },
        cycle: null,
      },
    ])
  })

  test('is no reason to evict for an overwrite', () => {
    const test = bed({ maxItems: 2 })
    const cache = test.memory.cache('c')
    for (const key of ['a', 'b', 'a', 'b']) expect(cache.set(key, key)).toBe(true)
    expect(test.of('evicted')).toEqual([])
    expect(cache.size).toBe(2)
  })

  test('that bites under half of the memory budget is logged once, with the setting to change', async () => {
    const test = bed({ maxItems: 2 })
    for (const key of ['a', 'b', 'c', 'd', 'e']) test.memory.cache('c').set(key, 1)
    await null
    const lines = test.logged.filter(({ level }) => level === 'warn')
    expect(lines).toHaveLength(1)
    expect(lines[0]?.message).toMatch(/maxItems.*CACHE_MAX_ITEMS/)
  })

  // It was said in the middle of the add: a logger that stored the same key had it stored twice.
  test('that bites is not said in the middle of the add that it bites', async () => {
    const call: { run: (() => unknown) | null } = { run: null }
    const test = bed({ maxItems: 2, logger: { debug() {}, info() {}, warn: () => call.run?.(), error() {} } })
    const cache = test.memory.cache<string>('c')
    cache.set('a', 'a')
    cache.set('b', 'b')
    call.run = () => {
      call.run = null
      cache.set('k', "the logger's")
    }
    cache.set('k', "the caller's")
    expect([...cache]).toEqual([
      ['b', 'b'],
      ['k', "the caller's"],
    ])
    await null
    expect([...cache]).toEqual([
      ['b', 'b'],
      ['k', "the logger's"],
    ])
  })

  test('that bites above half of the memory budget is not worth a word', () => {
    const test = tightBed(100, { maxItems: 10 })
    for (let i = 0; i < 11; i++) test.memory.cache('c').set(`k${i}`, 1, { size: 6 })
    expect(test.of('evicted')).toMatchObject([{ cause: 'items' }])
    expect(test.logged.filter(({ message }) => message.includes('item limit'))).toEqual([])
  })
})

describe('a byte limit', () => {
  test('evicts one at a time, for no cycle, until the newcomer fits', () => {
    const test = tightBed(100)
    const cache = test.memory.cache('c')
    for (const key of ['a', 'b', 'c', 'd']) cache.set(key, 1, { size: 25 })
    test.forget()
    expect(cache.set('e', 1, { size: 60 })).toBe(true)
    expect(test.evictedKeys).toEqual(['a', 'b', 'c'])
    expect(test.of('evicted').map(({ cause, cycle }) => [cause, cycle])).toEqual(Array(3).fill(['memory', null]))
    expect(test.types).toEqual(['evicted', 'evicted', 'evicted', 'added'])
  })

  test('is reached exactly, not approached', () => {
    const test = tightBed(100)
    const cache = test.memory.cache('c')
    for (const key of ['a', 'b', 'c', 'd']) cache.set(key, 1, { size: 25 })
    expect(cache.bytes).toBe(100)
    expect(test.of('evicted')).toEqual([])
  })

  test('of a cache takes from that cache alone', () => {
    const test = tightBed(1000, { caches: { small: { maxMemory: '100B' } } })
    test.memory.cache('other').set('oldest', 1, { size: 100 })
    const small = test.memory.cache('small')
    small.set('a', 1, { size: 60 })
    small.set('b', 1, { size: 60 })
    expect(test.of('evicted')).toMatchObject([{ cache: 'small', key: 'a', cause: 'cache-memory', cycle: null }])
  })

  test('of the heap holds for the whole of an entry whose size was stated', () => {
    const test = tightBed(1000, { maxHeap: 100 })
    const cache = test.memory.cache('c')
    cache.set('a', Buffer.alloc(8), { size: 60 })
    cache.set('b', Buffer.alloc(8), { size: 60 })
    expect(test.of('evicted')).toMatchObject([{ key: 'a', cause: 'heap', cycle: null }])
  })

  test('of the heap leaves the memory behind Buffers out', () => {
    const test = tightBed(2_000_000, { maxHeap: 10_000 })
    const cache = test.memory.cache('c')
    expect(cache.set('a', Buffer.alloc(500_000))).toBe(true)
    expect(cache.set('b', new Float64Array(50_000))).toBe(true)
    const { heapBytes, currentMemoryBytes } = test.memory.stats()
    expect(currentMemoryBytes).toBeGreaterThan(900_000)
    expect(heapBytes).toBeLessThan(2_000)
    expect(cache.set('c', 'x'.repeat(11_000))).toBe(false)
    expect(test.of('rejected')).toMatchObject([{ reason: 'too-large', limitName: 'heap', limit: 10_000 }])
  })

  test('refuses what would not fit into an empty cache before anything is evicted', () => {
    const test = tightBed(100, { caches: { small: { maxMemory: 50 } } })
    const [cache, small] = [test.memory.cache('c'), test.memory.cache('small')]
    cache.set('a', 1, { size: 50 })
    small.set('b', 1, { size: 50 })
    test.forget()
    expect(cache.set('x', 1, { size: 101 })).toBe(false)
    expect(small.set('y', 1, { size: 51 })).toBe(false)
    expect(test.told).toMatchObject([
      { type: 'rejected', key: 'x', size: 101, reason: 'too-large', limitName: 'memory', limit: 100 },
      { type: 'rejected', key: 'y', size: 51, reason: 'too-large', limitName: 'cache-memory', limit: 50 },
    ])
    expect([...cache.keys(), ...small.keys()]).toEqual(['a', 'b'])
    expect(cache.put('x', 1, { size: 101 })).toEqual({ stored: false, reason: 'too-large', limit: 'memory' })
  })

  test('counts what is overwritten as free, and never evicts it for its successor', () => {
    const test = tightBed(100)
    const cache = test.memory.cache('c')
    cache.set('a', 1, { size: 50 })
    cache.set('b', 1, { size: 50 })
    expect(cache.set('a', 2, { size: 50 })).toBe(true)
    expect(test.of('evicted')).toEqual([])
    // `b` is now the least recent; `a` grows at its cost and not at its own.
    expect(cache.set('a', 3, { size: 100 })).toBe(true)
    expect(test.evictedKeys).toEqual(['b'])
    expect(cache.set('a', 4, { size: 100 })).toBe(true)
    expect(test.of('evicted')).toHaveLength(1)
    expect(test.of('updated').map(({ previousSize }) => previousSize)).toEqual([50, 50, 100])
  })

  test('refusing an overwrite removes the older value, which would be stale', () => {
    const test = tightBed(100)
    const cache = test.memory.cache('c')
    cache.set('a', 'old', { size: 10 })
    cache.set('b', 1, { size: 10 })
    test.forget()
    expect(cache.set('a', 'new', { size: 101, actor: 'writer' })).toBe(false)
    expect(test.told).toMatchObject([
      { type: 'removed', key: 'a', cause: 'replaced', size: 10, actor: 'writer' },
      { type: 'rejected', key: 'a', reason: 'too-large', actor: 'writer' },
    ])
    expect(cache.get('a')).toBeUndefined()
    expect(cache.bytes).toBe(10)
  })
})

describe('all limits', () => {
  test.each(POLICIES)('hold after every call, under %s', (policy) => {
    const { memory, clock } = bed({
      policy,
      maxMemory: 5_000,
      maxHeap: 4_000,
      maxItems: 60,
      caches: { a: { maxItems: 20 }, b: { maxMemory: 1_500 } },
    })
    const below = chance(7)
    let stored = 0
    for (let i = 0; i < 4_000; i++) {
      const cache = memory.cache(['a', 'b', 'c'][below(3)] as string)
      const key = `k${below(80)}`
      clock.time += below(20)
      if (below(3) === 0) cache.get(key)
      else if (cache.set(key, i, { size: below(400), ttl: 1 + below(2_000) })) stored++
      const stats = memory.stats()
      const [a, b] = [memory.cache('a'), memory.cache('b')]
      expect(stats.currentMemoryBytes).toBeLessThanOrEqual(5_000)
      expect(stats.heapBytes).toBeLessThanOrEqual(4_000)
      expect(stats.cacheItemCount).toBeLessThanOrEqual(60)
      expect(a.size).toBeLessThanOrEqual(20)
      expect(b.bytes).toBeLessThanOrEqual(1_500)
    }
    memory.check()
    expect(stored).toBeGreaterThan(1_000)
    expect(memory.stats()).toMatchObject({ imbalances: 0, observerErrors: 0 })
    expect(memory.stats().evictedItems).toBeGreaterThan(100)
  })
})
