import { describe, expect, test } from 'vitest'
import { bed, tightBed } from '../support/manager-bed.ts'

describe('resetStats()', () => {
  test('starts statistics and peaks anew; contents and absolute counts stay', () => {
    const { memory, clock } = tightBed(100)
    const cache = memory.cache('c')
    for (const key of ['a', 'b', 'c']) cache.set(key, 1, { size: 48 })
    cache.get('c')
    cache.get('x')
    memory.evict({ target: 48 })
    memory.check()
    clock.time += 10
    const before = memory.stats()
    memory.resetStats()
    const after = memory.stats()
    expect([...cache.keys()]).toEqual(['c'])
    expect(after).toMatchObject({
      currentMemoryBytes: 48,
      peakMemoryBytes: 48,
      peakItems: 1,
      evictionCount: 0,
      evictedItems: 0,
      evictedByCause: {},
      memoryWarnings: 0,
      lastEviction: null,
      hits: 0,
      misses: 0,
      hitRate: null,
      evictionRate: 0,
      evictionAge: { median: null, p90: null },
      lastReset: clock.time,
      caches: [{ items: 1, bytes: 48, hits: 0, added: 0, evictedItems: 0, hitRate: null }],
    })
    expect(before.totals).toMatchObject({ evictionCycles: 1, memoryWarnings: 1, caches: [{ hits: 1, misses: 1 }] })
    expect(after.totals).toEqual(before.totals)
    memory.check()
    expect(memory.stats().imbalances).toBe(0)
  })

  test('counts from there on', () => {
    const test = bed()
    const cache = test.memory.cache('c')
    cache.set('a', 1)
    cache.get('a')
    test.memory.resetStats({ actor: 'operator' })
    for (const key of ['a', 'x', 'y', 'z']) cache.get(key)
    expect(test.memory.stats()).toMatchObject({ hits: 1, misses: 3, hitRate: 0.25 })
    expect(test.of('stats-reset')).toMatchObject([{ actor: 'operator' }])
  })
})

describe('a check', () => {
  test('tells the metrics, and what each cache did since the last', () => {
    const test = bed()
    const cache = test.memory.cache('c')
    cache.set('user:1', 1, { size: 30 })
    cache.get('user:1')
    cache.get('x')
    test.memory.check()
    cache.set('page/1', 1, { size: 20 })
    test.memory.check()
    const sample = { cache: 'c', items: 1, bytes: 30, hits: 1, misses: 1, bytesAdded: 30 }
    expect(test.of('checked')).toMatchObject([
      {
        bytes: 30,
        items: 1,
        level: 'normal',
        caches: [{ ...sample, writers: [{ prefix: 'user', bytes: 30, error: 0 }] }],
      },
      {
        bytes: 50,
        items: 2,
        caches: [{ hits: 0, misses: 0, bytesAdded: 20, writers: [{ prefix: 'page', bytes: 20 }] }],
      },
    ])
  })

  test('tells each metric that passed its peak, once, with the value and time of the peak', () => {
    const test = tightBed(1_000)
    const cache = test.memory.cache('c')
    for (let i = 0; i < 10; i++) cache.set(`k${i}`, 1, { size: 10 })
    const peakedAt = test.clock.time
    expect(test.of('peaked')).toEqual([])
    test.clock.time += 1_000
    cache.clear()
    test.memory.check()
    test.memory.check()
    expect(test.of('peaked').map(({ metric, value, previous, peakedAt: at }) => [metric, value, previous, at])).toEqual(
      [
        ['bytes', 100, 0, peakedAt],
        ['heap_bytes', 100, 0, peakedAt],
        ['items', 10, 0, peakedAt],
      ],
    )
    cache.set('large', 1, { size: 101 })
    test.memory.check()
    expect(test.of('peaked').slice(3)).toMatchObject([
      { metric: 'bytes', value: 101, previous: 100 },
      { metric: 'heap_bytes', value: 101, previous: 100 },
    ])
  })
})
