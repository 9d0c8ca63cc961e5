import { describe, expect, test } from 'vitest'
import { bed, tightBed } from '../support/manager-bed.ts'

describe('stats()', () => {
  test('of a manager that has done nothing', () => {
    const { memory } = bed({ maxMemory: '1MB' })
    expect(memory.stats()).toMatchObject({
      runId: memory.runId,
      currentMemoryBytes: 0,
      maxMemoryBytes: 1024 ** 2,
      memoryUsagePercent: 0,
      heapUsagePercent: 0,
      peakMemoryBytes: 0,
      cacheItemCount: 0,
      maxCacheSize: 1000,
      tenantCacheCount: 0,
      mimirCacheCount: 0,
      evictionCount: 0,
      evictedItems: 0,
      memoryWarnings: 0,
      lastEviction: null,
      lastMemoryCheck: null,
      lastReset: null,
      evictionPolicy: 'lru',
      evictionThreshold: 0.9,
      memoryThreshold: 0.8,
      hitRate: null,
      evictionRate: 0,
      alertLevel: 'normal',
      evictionAge: { median: null, p90: null },
      caches: [],
      imbalances: 0,
      observerErrors: 0,
      audit: null,
      lifetime: null,
    })
    expect(memory.history).toBeNull()
  })

  test('has the figures of the process', () => {
    const { rss, heapUsed, heapLimit } = bed().memory.stats().process
    expect(rss).toBeGreaterThan(heapUsed)
    expect(heapLimit).toBeGreaterThan(heapUsed)
    expect(heapUsed).toBeGreaterThan(1_000_000)
  })

  test('counts the two caches that have keys of their own', () => {
    const { memory } = bed({ caches: { tenant: { maxItems: 500 }, mimir: { maxItems: 400 } } })
    for (const key of ['a', 'b', 'c']) memory.cache('tenant').set(key, 1)
    memory.cache('mimir').set('a', 1)
    memory.cache('general').set('a', 1)
    expect(memory.stats()).toMatchObject({
      cacheItemCount: 5,
      tenantCacheCount: 3,
      maxTenantCacheSize: 500,
      mimirCacheCount: 1,
      maxMimirCacheSize: 400,
    })
  })

  test('shows usage in percent with one decimal', () => {
    const { memory } = tightBed(3_000, { maxHeap: 1_500 })
    memory.cache('c').set('k', 1, { size: 1_000 })
    expect(memory.stats()).toMatchObject({
      currentMemoryBytes: 1_000,
      memoryUsagePercent: 33.3,
      heapBytes: 1_000,
      maxHeapBytes: 1_500,
      heapUsagePercent: 66.7,
    })
  })

  test('keeps the peak, and when it was', () => {
    const { memory, clock } = tightBed(1_000)
    memory.cache('c').set('a', 1, { size: 400 })
    clock.time += 10
    memory.cache('c').set('b', 1, { size: 300 })
    const at = clock.time
    clock.time += 10
    memory.cache('c').clear()
    memory.cache('c').set('c', 1, { size: 5 })
    expect(memory.stats()).toMatchObject({
      currentMemoryBytes: 5,
      peakMemoryBytes: 700,
      peakMemoryAt: at,
      peakItems: 2,
    })
  })

  test('counts cycles and entries apart, and the last eviction whatever its cause', () => {
    const { memory, clock } = tightBed(100, { maxItems: 3 })
    const cache = memory.cache('c')
    for (const key of ['a', 'b', 'c', 'd', 'e']) cache.set(key, 1, { size: 20 })
    expect(memory.stats()).toMatchObject({
      evictionCount: 0,
      evictedItems: 2,
      evictedBytes: 40,
      lastEviction: clock.time,
    })
    clock.time += 60_000
    memory.evict({ target: 20 })
    expect(memory.stats()).toMatchObject({
      evictionCount: 1,
      evictedItems: 4,
      evictedBytes: 80,
      lastEviction: clock.time,
      evictedByCause: { items: 2, forced: 2 },
    })
  })

  test('has hit rates over all and by cache', () => {
    const { memory, clock } = bed()
    const [a, b] = [memory.cache('a'), memory.cache('b')]
    a.set('k', 1)
    for (const key of ['k', 'k', 'k', 'x']) a.get(key)
    b.get('y')
    expect(memory.stats()).toMatchObject({
      hits: 3,
      misses: 2,
      hitRate: 0.6,
      caches: [
        { name: 'a', hits: 3, misses: 1, hitRate: 0.75, lastUpdated: clock.time },
        { name: 'b', hits: 0, misses: 1, hitRate: 0, lastUpdated: null },
      ],
    })
  })

  test('has a row per cache', () => {
    const { memory, clock } = bed({ caches: { c: { maxItems: 2, maxMemory: 1_000, ttl: '1m' } } })
    const cache = memory.cache('c')
    for (const key of ['a', 'b', 'c', 'c']) cache.set(key, 1, { size: 10 })
    cache.delete('b')
    cache.set('huge', 1, { size: 1_001 })
    cache.set('d', 1, { size: 10, ttl: 5 })
    clock.time += 5
    cache.get('d')
    expect(memory.stats().caches).toEqual([
      {
        name: 'c',
        items: 1,
        bytes: 10,
        maxItems: 2,
        maxMemoryBytes: 1_000,
        ttl: 60_000,
        hits: 0,
        misses: 1,
        hitRate: 0,
        added: 4,
        updated: 1,
        evictedItems: 1,
        evictedBytes: 10,
        evictedByCause: { 'cache-items': 1 },
        expiredItems: 1,
        removedItems: 1,
        rejectedItems: 1,
        regrettedMisses: 0,
        mode: null,
        share: null,
        lastUpdated: clock.time - 5,
      },
    ])
  })

  test('has the eviction rate per minute over the last five', () => {
    const { memory, clock } = bed({ maxItems: 1 })
    for (let i = 0; i < 31; i++) memory.cache('c').set(`k${i}`, 1)
    expect(memory.stats().evictionRate).toBe(6)
    clock.time += 4 * 60_000
    for (let i = 0; i < 10; i++) memory.cache('c').set(`m${i}`, 1)
    expect(memory.stats().evictionRate).toBe(8)
    clock.time += 2 * 60_000
    expect(memory.stats().evictionRate).toBe(2)
    clock.time += 24 * 3_600_000
    expect(memory.stats().evictionRate).toBe(0)
  })

  test('has the ages at eviction, to within a quarter', () => {
    const { memory, clock } = tightBed(1_000)
    for (let i = 0; i < 100; i++) {
      memory.cache('c').set(`k${i}`, 1, { size: 1 })
      clock.time += 100
    }
    memory.evict({ target: 0 })
    const { median, p90 } = memory.stats().evictionAge
    expect(median).toBeGreaterThanOrEqual(5_000)
    expect(median).toBeLessThanOrEqual(6_250)
    expect(p90).toBeGreaterThanOrEqual(9_000)
    expect(p90).toBeLessThanOrEqual(11_250)
  })

  test('is a picture of the present that later calls do not change', () => {
    const { memory } = bed()
    memory.cache('c').set('a', 1)
    const before = memory.stats()
    const copy = structuredClone(before)
    memory.cache('c').set('b', 1)
    memory.check()
    memory.evict({ target: 0 })
    expect(before).toEqual(copy)
  })
})
