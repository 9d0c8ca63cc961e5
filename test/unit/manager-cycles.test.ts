import { setImmediate as idle } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { type Bed, bed } from '../support/manager-bed.ts'

/** `count` entries of `size` bytes each in one cache. */
function fill(made: Bed, count: number, size: number): void {
  const cache = made.memory.cache('c')
  for (let i = 0; i < count; i++) cache.set(`k${i}`, i, { size })
}

const roomy = { maxItems: Number.POSITIVE_INFINITY }

describe('a threshold cycle', () => {
  test('starts when bytes reach 90 % of the budget and goes down to 80 %', () => {
    const test = bed({ ...roomy, maxMemory: 1_000 })
    fill(test, 89, 10)
    expect(test.of('cycle-started')).toEqual([])
    test.memory.cache('c').set('last', 1, { size: 10 })
    expect(test.of('cycle-started')).toMatchObject([
      { trigger: 'threshold', policy: 'lru', cache: null, bytes: 890, items: 89, usage: 0.89, targetBytes: 800 },
    ])
    const [completed] = test.of('cycle-completed')
    expect(completed).toMatchObject({
      trigger: 'threshold',
      count: 10,
      bytes: 100,
      usageBefore: 0.89,
      usageAfter: 0.79,
    })
    expect(test.memory.stats()).toMatchObject({ currentMemoryBytes: 800, evictionCount: 1, evictedItems: 10 })
  })

  test('tells each eviction what is its own: an observer that changes one changes no other', () => {
    const test = bed({ ...roomy, maxMemory: 1_000 })
    const keys: (string | undefined)[] = []
    test.memory.on('evicted', ({ trigger }) => {
      keys.push(trigger?.key)
      Reflect.set(trigger ?? {}, 'key', 'changed')
    })
    fill(test, 90, 10)
    expect(keys).toEqual(Array(10).fill('k89'))
  })

  test('marks its evictions with its id, its cause and the write that paid for them', () => {
    const test = bed({ ...roomy, maxMemory: 1_000 })
    fill(test, 90, 10)
    const id = test.of('cycle-started')[0]?.cycle
    expect(id).toMatch(/^[\w-]{21}$/)
    expect(test.of('cycle-completed')).toMatchObject([{ cycle: id }])
    for (const evicted of test.of('evicted')) {
      expect(evicted).toMatchObject({ cause: 'threshold', cycle: id, trigger: { cache: 'c', key: 'k89', size: 10 } })
    }
    expect(test.evictedKeys).toEqual(Array.from({ length: 10 }, (_, i) => `k${i}`))
  })

  test('has a target that is 8/9 of the threshold where none is stated', () => {
    const test = bed({ ...roomy, maxMemory: 900, evictionThreshold: 0.5 })
    expect(test.memory.stats().evictionTarget).toBeCloseTo(4 / 9, 12)
    fill(test, 45, 10)
    expect(test.memory.stats().currentMemoryBytes).toBe(400)
  })

  test('starts for the heap budget, too, and aims at its share of it', () => {
    const test = bed({ ...roomy, maxMemory: 10_000, maxHeap: 1_000 })
    fill(test, 90, 10)
    expect(test.of('cycle-started')).toMatchObject([{ trigger: 'threshold', targetHeapBytes: 800 }])
    expect(test.memory.stats()).toMatchObject({ heapBytes: 800, memoryUsagePercent: 8, heapUsagePercent: 80 })
  })

  test('does not start for items, which have no threshold', () => {
    const test = bed({ maxItems: 100, maxMemory: 1_000_000 })
    fill(test, 300, 10)
    expect(test.of('cycle-started')).toEqual([])
    expect(test.memory.stats().cacheItemCount).toBe(100)
  })

  test('is off at an eviction threshold of 1', () => {
    const test = bed({ ...roomy, maxMemory: 1_000, evictionThreshold: 1 })
    fill(test, 300, 10)
    expect(test.of('cycle-started')).toEqual([])
    expect(test.memory.stats()).toMatchObject({ currentMemoryBytes: 1_000, evictedByCause: { memory: 200 } })
  })

  test('is not started by an overwrite that frees as much as it takes', () => {
    const test = bed({ ...roomy, maxMemory: 1_000 })
    fill(test, 89, 10)
    for (let i = 0; i < 50; i++) test.memory.cache('c').set('k5', i, { size: 10 })
    expect(test.of('cycle-started')).toEqual([])
  })

  test('frees what is past its time before anything live', () => {
    const test = bed({ ...roomy, maxMemory: 1_000 })
    const cache = test.memory.cache('c')
    fill(test, 79, 10)
    for (let i = 0; i < 10; i++) cache.set(`short${i}`, i, { size: 10, ttl: 5 })
    test.clock.time += 5
    cache.set('last', 1, { size: 10 })
    expect(test.of('expired')).toHaveLength(10)
    expect(test.of('evicted')).toEqual([])
    expect(cache.size).toBe(80)
  })
})

describe('a long cycle', () => {
  /** 9,000 entries of 1 byte in 10,000: 1,000 have to go, and none has yet. */
  function longCycle(): Bed {
    const test = bed({ ...roomy, maxMemory: 10_000 })
    fill(test, 8_999, 1)
    test.forget()
    test.memory.cache('c').set('first', 1, { size: 1 })
    return test
  }

  test('runs in slices of 128: one in the call that starts it, one on each write after it', () => {
    const test = longCycle()
    expect(test.of('evicted')).toHaveLength(128)
    test.memory.cache('c').set('second', 1, { size: 1 })
    expect(test.of('evicted')).toHaveLength(256)
    test.memory.cache('c').get('second')
    expect(test.of('evicted')).toHaveLength(256)
    for (let i = 0; i < 6; i++) test.memory.cache('c').set(`more${i}`, 1, { size: 1 })
    expect(test.memory.stats().currentMemoryBytes).toBe(8_000)
    expect(test.of('cycle-completed')).toMatchObject([{ count: 1_007, bytes: 1_007 }])
    expect(test.of('cycle-started')).toHaveLength(1)
    expect(test.of('cycle-continued')).toEqual([])
  })

  test('goes on by itself when nobody writes, and says so', async () => {
    const test = longCycle()
    for (let turn = 0; turn < 12; turn++) await idle()
    const [started] = test.of('cycle-started')
    const continued = test.of('cycle-continued')
    expect(continued.map(({ count }) => count)).toEqual([128, 256, 384, 512, 640, 768, 896])
    for (const slice of continued)
      expect(slice).toMatchObject({ cycle: started?.cycle, trigger: 'threshold', policy: started?.policy })
    expect(test.of('cycle-completed')).toMatchObject([
      { cycle: started?.cycle, count: 1_000, bytes: 1_000, usageAfter: 0.8 },
    ])
    expect(test.of('evicted').at(-1)).toMatchObject({ cause: 'threshold', trigger: null, cycle: started?.cycle })
    expect(test.memory.stats()).toMatchObject({ currentMemoryBytes: 8_000, evictionCount: 1 })
  })

  test('ends when the manager closes', async () => {
    const test = longCycle()
    await test.memory.close()
    const at = test.of('evicted').length
    expect(test.types.slice(-3)).toEqual(['cycle-completed', 'checked', 'stopped'])
    for (let turn = 0; turn < 3; turn++) await idle()
    expect(test.of('evicted')).toHaveLength(at)
  })

  test('keeps the limits while it runs', () => {
    const test = longCycle()
    for (let i = 0; i < 20; i++) {
      test.memory.cache('c').set(`large${i}`, 1, { size: 900 })
      expect(test.memory.stats().currentMemoryBytes).toBeLessThanOrEqual(10_000)
    }
  })

  test('that a run repeats under the same seed has the same id', () => {
    expect(longCycle().of('cycle-started')[0]?.cycle).toBe(longCycle().of('cycle-started')[0]?.cycle)
  })
})
