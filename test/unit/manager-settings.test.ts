import { describe, expect, test } from 'vitest'
import { type LimitOptions, OptionError, type PolicyName, TooManyCachesError } from '../../src/muninn.ts'
import { type Bed, bed, thrownBy } from '../support/manager-bed.ts'

function used(): Bed {
  const made = bed({ maxMemory: 1_000, maxItems: 50, caches: { own: { maxItems: 5, ttl: 1_000 } } })
  for (let i = 0; i < 4; i++) {
    made.memory.cache('c').set(`c${i}`, i, { size: 50 })
    made.memory.cache('own').set(`own${i}`, i, { size: 50 })
  }
  made.memory.cache('c').get('c0')
  return made
}

describe('setLimits()', () => {
  test('changes what is named and nothing else; contents stay', () => {
    const test = used()
    const contents = [...test.memory.cache('c').entries()]
    test.memory.setLimits({ maxMemory: '2KB', maxItems: Number.POSITIVE_INFINITY, actor: 'operator' })
    expect(test.memory.stats()).toMatchObject({ maxMemoryBytes: 2_048, maxCacheSize: Number.POSITIVE_INFINITY })
    expect([...test.memory.cache('c').entries()]).toEqual(contents)
    expect(test.of('configured').at(-1)).toMatchObject({
      reason: 'limits',
      from: { maxMemory: 1_000, maxItems: 50 },
      to: { maxMemory: 2_048, maxItems: Number.POSITIVE_INFINITY },
      actor: 'operator',
    })
    test.memory.setLimits({ caches: { own: { maxItems: 7 } } })
    expect(test.memory.settings.caches.own).toEqual({ maxItems: 7, maxMemory: Number.POSITIVE_INFINITY, ttl: 1_000 })
    test.memory.setLimits({ memoryThreshold: 0.5, evictionThreshold: 0.7, evictionTarget: 0.6 })
    expect(test.memory.stats()).toMatchObject({ memoryThreshold: 0.5, evictionThreshold: 0.7, evictionTarget: 0.6 })
  })

  test('with what holds already is no change', () => {
    const test = used()
    test.forget()
    test.memory.setLimits({ maxItems: 50, maxMemory: 1_000, caches: { own: { maxItems: 5 } } })
    test.memory.setLimits({})
    expect(test.events).toEqual([])
  })

  test('makes a cache that it names', () => {
    const test = used()
    test.memory.setLimits({ caches: { fresh: { maxItems: 1 } } })
    for (const key of ['a', 'b']) test.memory.cache('fresh').set(key, 1)
    expect(test.memory.cache('fresh').size).toBe(1)
  })

  test('keeps a heap budget that was stated when the memory budget changes', () => {
    const { memory } = bed({ maxMemory: 1_000, maxHeap: 500 })
    memory.setLimits({ maxMemory: 2_000 })
    expect(memory.stats()).toMatchObject({ maxMemoryBytes: 2_000, maxHeapBytes: 500 })
  })

  test('moves a heap budget that was not stated with the memory budget', () => {
    const { memory } = bed({ maxMemory: 1_000 })
    memory.setLimits({ maxMemory: 2_000 })
    expect(memory.stats()).toMatchObject({ maxMemoryBytes: 2_000, maxHeapBytes: 2_000 })
  })

  test('to more than the process may use is taken, and logged', () => {
    const test = bed()
    const { bytes } = test.memory.stats().mayUse
    test.memory.setLimits({ maxMemory: 2 * bytes })
    expect(test.memory.stats().maxMemoryBytes).toBe(2 * bytes)
    expect(test.logged.filter(({ level }) => level === 'warn')).toMatchObject([
      { fields: { max: 2 * bytes, may_use: bytes } },
    ])
  })

  const refused: readonly [string, object | null][] = [
    ['limits', null],
    ['maxmemory', { maxmemory: 5 }],
    ['maxMemory', { maxMemory: 0 }],
    ['maxMemory', { maxMemory: '5 parsecs' }],
    ['maxItems', { maxItems: 0 }],
    ['maxItems', { maxItems: 1.5 }],
    ['maxItems', { maxMemory: 2_000, maxHeap: 2_000, maxItems: Number.NaN }],
    ['maxHeap', { maxHeap: -1 }],
    ['memoryThreshold', { memoryThreshold: 0.91 }],
    ['evictionThreshold', { evictionThreshold: 1.1 }],
    ['evictionTarget', { evictionTarget: 0.9 }],
    ['evictionTarget', { evictionThreshold: 0.5, evictionTarget: 0.5 }],
    ['caches.own.maxItems', { maxItems: 10, caches: { c: { maxItems: 1 }, own: { maxItems: -1 } } }],
    ['caches.own.ttl', { caches: { own: { ttl: 0 } } }],
    ['caches.own.size', { caches: { own: { size: 1 } } }],
    ['caches.own', { caches: { own: 5 } }],
    ['caches', { caches: 5 }],
    ['cache', { caches: { '': {} } }],
    ['actor', { maxItems: 10, actor: 5 }],
  ]
  test.each(refused)('refuses a bad %s before anything changes: %o', (option, limits) => {
    const test = used()
    test.expectUnchanged(() => {
      const error = thrownBy(() => test.memory.setLimits(limits as LimitOptions))
      expect(error).toBeInstanceOf(OptionError)
      expect(error).toMatchObject({ code: 'ERR_MUNINN_OPTION', option })
    })
  })

  test('refuses one cache more than maxCaches before anything changes', () => {
    const test = bed({ maxCaches: 2, caches: { a: {} } })
    test.memory.cache('b')
    test.expectUnchanged(() => {
      const error = thrownBy(() => test.memory.setLimits({ maxItems: 5, caches: { a: { maxItems: 1 }, c: {} } }))
      expect(error).toBeInstanceOf(TooManyCachesError)
    })
  })
})

describe('setPolicy()', () => {
  test('with a threshold moves the target with it where that was not stated', () => {
    const test = used()
    test.memory.setPolicy('lfu', 0.45)
    expect(test.memory.stats()).toMatchObject({ evictionPolicy: 'lfu', evictionThreshold: 0.45 })
    expect(test.memory.stats().evictionTarget).toBeCloseTo(0.4, 12)
    expect(test.of('configured').at(-1)).toMatchObject({
      reason: 'policy',
      from: { policy: 'lru', evictionThreshold: 0.9 },
    })
  })

  test.each([0.6, 0.8])('with a threshold keeps a target of %d that was stated', (evictionTarget) => {
    const { memory } = bed({ evictionThreshold: 0.9, evictionTarget })
    memory.setPolicy('lru', 0.85)
    expect(memory.stats()).toMatchObject({ evictionThreshold: 0.85, evictionTarget })
    memory.setLimits({ evictionThreshold: 0.9 })
    expect(memory.stats()).toMatchObject({ evictionThreshold: 0.9, evictionTarget })
  })

  test('with 1 switches cycles off', () => {
    const test = used()
    test.memory.setPolicy('lru', 1)
    for (let i = 0; i < 50; i++) test.memory.cache('c').set(`more${i}`, i, { size: 50 })
    expect(test.of('cycle-started')).toEqual([])
  })

  test.each([
    ['policy', ['LRU']],
    ['policy', [undefined]],
    ['policy', ['toString', 0.5]],
    ['evictionThreshold', ['lfu', 0]],
    ['evictionThreshold', ['lfu', Number.NaN]],
    ['evictionThreshold', ['lfu', '0.5']],
    ['evictionTarget', ['lfu', 0.6]],
    ['actor', ['lfu', 0.85, { actor: 5 }]],
  ])('refuses a bad %s before anything changes: %j', (option, args) => {
    const test = bed({ evictionTarget: 0.7 })
    test.memory.cache('c').set('a', 1)
    test.expectUnchanged(() => {
      const error = thrownBy(() => test.memory.setPolicy(...(args as [PolicyName, number])))
      expect(error).toMatchObject({ code: 'ERR_MUNINN_OPTION', option })
    })
  })
})

describe('memory.cache() and drop()', () => {
  test('make a cache on first use, give the same one from then on, and change its options', () => {
    const test = bed()
    const made = test.memory.cache('c', { maxItems: 2 })
    expect(test.memory.cache('c')).toBe(made)
    expect(test.memory.cache('c', { ttl: 50 })).toBe(made)
    expect(test.memory.settings.caches.c).toEqual({ maxItems: 2, maxMemory: Number.POSITIVE_INFINITY, ttl: 50 })
    expect(test.of('configured').map(({ reason }) => reason)).toEqual(['cache-created', 'limits'])
    expect(test.memory.cacheNames()).toEqual(['c'])
  })

  test('drop clears and forgets; what held on to the cache misses and stores nothing', () => {
    const test = bed()
    const held = test.memory.cache('c')
    held.set('a', 1)
    expect(test.memory.drop('c')).toBe(true)
    expect(test.memory.drop('c')).toBe(false)
    expect(test.types.slice(-2)).toEqual(['cleared', 'configured'])
    expect([held.get('a'), held.set('b', 1), held.delete('a'), held.size, held.bytes]).toEqual([
      undefined,
      false,
      false,
      0,
      0,
    ])
    const fresh = test.memory.cache('c')
    expect(fresh).not.toBe(held)
    expect(fresh.set('a', 2)).toBe(true)
    expect(held.get('a')).toBeUndefined()
    expect(test.memory.stats()).toMatchObject({ cacheItemCount: 1, caches: [{ name: 'c', items: 1 }] })
    test.memory.check()
    expect(test.memory.stats().imbalances).toBe(0)
  })

  test('refuse one more than maxCaches, whose default is 1,000, until one is dropped', () => {
    const test = bed()
    for (let i = 0; i < 1_000; i++) test.memory.cache(`c${i}`)
    test.expectUnchanged(() => {
      const error = thrownBy(() => test.memory.cache('one more'))
      expect(error).toBeInstanceOf(TooManyCachesError)
      expect(error).toMatchObject({
        code: 'ERR_MUNINN_TOO_MANY_CACHES',
        message: expect.stringMatching(/one more.*1000/),
      })
    })
    test.memory.drop('c5')
    expect(test.memory.cache('one more').set('a', 1)).toBe(true)
  })
})
