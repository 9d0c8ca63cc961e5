import { describe, expect, test } from 'vitest'
import { chance } from '../support/chance.ts'
import { bed } from '../support/manager-bed.ts'
import { zipf } from '../support/workloads.ts'

const hybrid = { policy: 'hybrid', evictionThreshold: 1, checkInterval: 0 } as const

describe('hybrid', () => {
  test('gives up what has hardly any time left before what was used as often', () => {
    const test = bed({ ...hybrid, maxItems: 20 })
    const cache = test.memory.cache('c')
    for (let i = 0; i < 10; i++) cache.set(`live:${i}`, i, { ttl: 1_000_000 })
    cache.set('dying', 1, { ttl: 1_600 })
    for (let i = 10; i < 19; i++) cache.set(`live:${i}`, i)
    test.clock.time += 1_390
    cache.set('another', 1)
    expect(test.evictedKeys).not.toContain('dying')
    test.clock.time += 20
    cache.set('one more', 1)
    expect(test.evictedKeys.at(-1)).toBe('dying')
  })

  test('counts how often an entry is used before how long it has left: room that frees itself need not be freed', () => {
    const test = bed({ ...hybrid, maxItems: 20 })
    const cache = test.memory.cache('c')
    cache.set('popular', 1, { ttl: 1_600 })
    for (let i = 0; i < 19; i++) cache.set(`once:${i}`, i, { ttl: 1_000_000 })
    for (let i = 0; i < 10; i++) cache.get('popular')
    test.clock.time += 1_599
    for (let i = 0; i < 10; i++) cache.set(`another:${i}`, 1)
    expect(test.evictedKeys).toHaveLength(10)
    expect(cache.has('popular')).toBe(true)
    test.clock.time++
    cache.set('one more', 1)
    expect(test.evictedKeys).toHaveLength(10)
    expect(cache.has('popular')).toBe(false)
  })

  test('keeps what is used through a scan of keys that are asked for once', () => {
    const test = bed({ ...hybrid, maxItems: 100 })
    const cache = test.memory.cache('c')
    const used = Array.from({ length: 50 }, (_, i) => `used:${i}`)
    for (let round = 0; round < 5; round++) for (const key of used) cache.getOrInsert(key, () => 1)
    for (let i = 0; i < 1_000; i++) cache.set(`scan:${i}`, i)
    expect(used.filter((key) => cache.has(key)).length).toBeGreaterThan(45)
  })

  test('learns anew when popularity shifts', () => {
    const test = bed({ ...hybrid, maxItems: 100 })
    const cache = test.memory.cache('c')
    for (let round = 0; round < 50; round++) for (let i = 0; i < 80; i++) cache.getOrInsert(`old:${i}`, () => 1)
    let hits = 0
    for (let round = 0; round < 200; round++) {
      for (let i = 0; i < 80; i++) {
        if (cache.get(`new:${i}`) === undefined) cache.set(`new:${i}`, i)
        else if (round >= 150) hits++
      }
    }
    expect(hits / (50 * 80)).toBeGreaterThan(0.9)
  })

  test('says by which mode it runs a cache, since when and why', () => {
    const test = bed({ ...hybrid, maxItems: 100 })
    const cache = test.memory.cache('c')
    const below = chance(1)
    expect(test.memory.stats().caches[0]?.mode).toBe('lirs-lfu')
    for (let i = 0; i < 5_000; i++) {
      test.clock.time++
      cache.getOrInsert(`k:${Math.floor(i / 3) + below(120)}`, () => 1)
    }
    const [adapted] = test.of('adapted')
    expect(adapted).toMatchObject({ policy: 'hybrid', cache: 'c', from: 'lirs-lfu', to: 'lru' })
    expect(adapted?.reason).toMatch(/^\d+ hits more in \d+ sampled requests/)
    expect(test.memory.stats().caches[0]?.mode).toBe('lru')
    expect(test.of('evicted').at(-1)).toMatchObject({ mode: 'lru', modeSince: adapted?.at })
    expect(test.of('evicted')[0]).toMatchObject({ mode: 'lirs-lfu', modeSince: null })
  })

  test('of many caches only the first four to fill are compared: the rest stay in one mode', () => {
    const test = bed({ ...hybrid, maxItems: 1_000 })
    for (let c = 0; c < 5; c++) test.memory.cache(`c${c}`).set('k', 1)
    expect(test.memory.stats().caches.map(({ mode }) => mode)).toEqual([...Array(4).fill('lirs-lfu'), 'lfu-1'])
  })

  test('goes over to what is worth least for its bytes where bytes bind and sizes differ, and back', () => {
    const test = bed({ ...hybrid, maxItems: 1_000, maxMemory: 10_000, maxHeap: 10_000 })
    const cache = test.memory.cache('c')
    for (let i = 0; i < 2_000; i++) cache.getOrInsert(`k:${i % 300}`, () => 1, { size: i % 3 === 0 ? 100 : 10 })
    expect(test.of('adapted').map(({ to }) => to)).toContain('per-byte')
    expect(test.memory.stats().caches[0]?.mode).toBe('per-byte')
    expect(test.of('evicted').at(-1)).toMatchObject({ size: 100, mode: 'per-byte' })
    test.memory.setLimits({ maxItems: 50 })
    for (let i = 0; i < 1_000; i++) cache.set(`one-size:${i}`, 1, { size: 10 })
    expect(test.memory.stats().caches[0]?.mode).not.toBe('per-byte')
  })

  test('stays with its lists where bytes bind, but sizes are alike', () => {
    const test = bed({ ...hybrid, maxItems: 1_000, maxMemory: 10_000, maxHeap: 10_000 })
    const cache = test.memory.cache('c')
    for (let i = 0; i < 2_000; i++) cache.getOrInsert(`k:${i % 300}`, () => 1, { size: 95 + (i % 10) })
    expect(test.of('adapted').map(({ to }) => to)).not.toContain('per-byte')
  })

  test('makes as many hits, bytes hit or costs saved as it can: each option is best at its own', () => {
    const found = (['hits', 'bytes', 'cost'] as const).map((optimize) => {
      const { memory } = bed({ ...hybrid, optimize, maxItems: 10_000, maxMemory: 20_000, maxHeap: 20_000 })
      const cache = memory.cache('c')
      const { next } = zipf(2_000, 0.8, 1)
      const sum = { hits: 0, bytes: 0, cost: 0 }
      for (let i = 0; i < 40_000; i++) {
        const key = next()
        const size = 1 + (key % 10) ** 2
        const cost = 1 + (key % 7) ** 3
        if (cache.get(`k${key}`) === undefined) cache.set(`k${key}`, 1, { size, cost })
        else {
          sum.hits++
          sum.bytes += size
          sum.cost += cost
        }
      }
      return sum
    })
    for (const [i, goal] of (['hits', 'bytes', 'cost'] as const).entries()) {
      const best = found[i]?.[goal] as number
      for (const [j, other] of found.entries()) if (j !== i) expect(best).toBeGreaterThan(1.01 * other[goal])
    }
  })

  test('takes over frequencies when a manager goes over to it', () => {
    const test = bed({ ...hybrid, policy: 'lru', maxItems: 20 })
    const cache = test.memory.cache('c')
    for (let i = 0; i < 20; i++) cache.set(`k:${i}`, i)
    for (let round = 0; round < 5; round++) for (let i = 0; i < 10; i++) cache.get(`k:${i}`)
    test.memory.setPolicy('hybrid')
    for (let i = 0; i < 8; i++) cache.set(`new:${i}`, i)
    for (let i = 0; i < 10; i++) expect(cache.has(`k:${i}`), `k:${i}`).toBe(true)
  })
})

test('a prefix rule that calls the cache changes neither what its own call is charged nor a limit', () => {
  const { memory } = bed({
    maxMemory: 100,
    prefix: (key) => {
      if (key === 'outer') cache.set('inner', 1, { size: 1_000 })
      return 'p'
    },
  })
  const cache = memory.cache('c')
  expect(cache.set('outer', 1, { size: 50 })).toBe(true)
  expect(memory.stats()).toMatchObject({ currentMemoryBytes: 50, cacheItemCount: 1 })
})

test('options whose getters throw at a second reading are read once', () => {
  const { memory } = bed({ maxItems: 1 })
  const cache = memory.cache('c')
  let reads = 0
  const options = {
    get tags(): string[] {
      if (++reads > 1) throw new Error('read again')
      return ['t']
    },
  }
  expect(cache.set('k', 1, options)).toBe(true)
  expect(cache.info('k')?.tags).toEqual(['t'])
})

test('statistics keep what a dropped cache did', () => {
  const { memory } = bed({ maxItems: 2 })
  const cache = memory.cache('c')
  for (const key of ['a', 'b', 'c']) cache.set(key, 1)
  cache.get('c')
  memory.drop('c')
  expect(memory.stats()).toMatchObject({ evictedItems: 1, hits: 1, hitRate: 1 })
  memory.resetStats()
  expect(memory.stats()).toMatchObject({ evictedItems: 0, hits: 0, hitRate: null })
})

test('one call that evicts 20,000 entries has told all of it when it returns', () => {
  const test = bed({ ...hybrid, policy: 'lru', maxItems: Number.POSITIVE_INFINITY, maxMemory: 20_000 })
  const cache = test.memory.cache('c')
  for (let i = 0; i < 20_000; i++) cache.set(`k:${i}`, i, { size: 1 })
  test.forget()
  cache.set('large', 1, { size: 20_000 })
  expect(test.evictedKeys).toHaveLength(20_000)
})

test('the settings that are handed out are a copy', () => {
  const { memory } = bed({ maxItems: 10, caches: { a: { maxItems: 5 } } })
  Object.assign(memory.settings, { maxItems: 1 })
  Object.assign(memory.settings.caches.a ?? {}, { maxItems: 1 })
  expect(memory.settings).toMatchObject({ maxItems: 10, caches: { a: { maxItems: 5 } } })
})
