import { describe, expect, test } from 'vitest'
import { POLICIES, type PolicyName } from '../../src/base/settings.ts'
import type { Cache } from '../../src/muninn.ts'
import { type Bed, tightBed } from '../support/manager-bed.ts'

/** In which order everything that is there goes. */
function order(made: Bed): string[] {
  made.forget()
  made.memory.evict({ target: 0 })
  return made.evictedKeys
}

function filled(policy: PolicyName, fill: (cache: Cache, made: Bed) => void): Bed {
  const made = tightBed(1_000_000, { policy })
  fill(made.memory.cache('c'), made)
  return made
}

describe('lru gives up', () => {
  test('the least recently used first, where a hit and a set are uses and a peek is none', () => {
    const test = filled('lru', (cache) => {
      for (const key of ['a', 'b', 'c', 'd', 'e']) cache.set(key, key)
      cache.get('a')
      cache.set('b', 'again')
      cache.getOrInsert('c', () => 'never')
      cache.peek('d')
      cache.has('d')
      cache.info('d')
      for (const _ of cache) expect(_).toHaveLength(2)
    })
    expect(order(test)).toEqual(['d', 'e', 'a', 'b', 'c'])
  })

  test('by the order of uses, not by milliseconds', () => {
    const test = filled('lru', (cache) => {
      for (const key of ['a', 'b', 'c']) cache.set(key, key)
      cache.get('a')
    })
    expect(new Set(test.told.map(({ at }) => at)).size).toBe(1)
    expect(order(test)).toEqual(['b', 'c', 'a'])
  })
})

describe('lfu gives up', () => {
  test('the least frequently used first, ties by least recent', () => {
    const test = filled('lfu', (cache) => {
      for (const key of ['a', 'b', 'c', 'd']) cache.set(key, key)
      for (const key of ['a', 'a', 'b', 'd', 'b', 'd']) cache.get(key)
    })
    expect(order(test)).toEqual(['c', 'a', 'b', 'd'])
  })

  test('counting an overwrite as one more use, on top of those before it', () => {
    const test = filled('lfu', (cache) => {
      for (const key of ['a', 'b', 'c']) cache.set(key, key)
      cache.get('a')
      cache.get('a')
      cache.set('a', 'again')
      for (const _ of [1, 2]) cache.get('b')
      cache.get('c')
      expect(cache.info('a')?.hits).toBe(0)
      expect(cache.info('a')?.score).toBe(4)
    })
    expect(order(test)).toEqual(['c', 'b', 'a'])
  })

  test('counting anew what has left and come back', () => {
    const test = filled('lfu', (cache) => {
      cache.set('a', 1)
      for (let i = 0; i < 9; i++) cache.get('a')
      cache.delete('a')
      cache.set('b', 1)
      cache.get('b')
      cache.set('a', 1)
    })
    expect(order(test)).toEqual(['a', 'b'])
  })
})

describe('ttl gives up', () => {
  test('the nearest expiry first, to the millisecond, those without one last, ties by least recent', () => {
    const test = filled('ttl', (cache) => {
      cache.set('never1', 1)
      cache.set('far', 1, { ttl: 100_000_001 })
      cache.set('nearer', 1, { ttl: 100_000_000 })
      cache.set('near1', 1, { ttl: 500 })
      cache.set('never2', 1)
      cache.set('near2', 1, { ttl: 500 })
      cache.get('near1')
      cache.get('never1')
    })
    expect(order(test)).toEqual(['near2', 'near1', 'nearer', 'far', 'never2', 'never1'])
  })

  test('by the expiry of the value that is there', () => {
    const test = filled('ttl', (cache) => {
      cache.set('a', 1, { ttl: 100 })
      cache.set('b', 1, { ttl: 200 })
      cache.set('a', 1, { ttl: 300 })
    })
    expect(order(test)).toEqual(['b', 'a'])
  })
})

describe('size gives up', () => {
  test('the largest first, ties by least recent', () => {
    const test = filled('size', (cache) => {
      for (const [key, size] of Object.entries({ a: 5, b: 70, c: 6, d: 70, e: 1 })) cache.set(key, 1, { size })
      cache.get('b')
    })
    expect(order(test)).toEqual(['d', 'b', 'c', 'a', 'e'])
  })

  test('by the size of the value that is there', () => {
    const test = filled('size', (cache) => {
      cache.set('a', 1, { size: 10 })
      cache.set('b', 1, { size: 20 })
      cache.set('a', 1, { size: 30 })
    })
    expect(order(test)).toEqual(['a', 'b'])
  })
})

describe('hybrid', () => {
  test('keeps what is asked for often over a scan that passes once', () => {
    const test = tightBed(1_000_000, { policy: 'hybrid', maxItems: 200 })
    const cache = test.memory.cache('c')
    for (let round = 0; round < 20; round++) {
      for (let i = 0; i < 100; i++) if (cache.get(`hot${i}`) === undefined) cache.set(`hot${i}`, i)
    }
    for (let i = 0; i < 5_000; i++) cache.set(`scan${i}`, i)
    const kept = [...cache.keys()].filter((key) => key.startsWith('hot'))
    expect(kept.length).toBeGreaterThan(90)
  })
})

describe('a change of policy', () => {
  test('keeps contents and recency, and holds from the next eviction on', () => {
    const test = filled('lru', (cache) => {
      for (const [key, size] of Object.entries({ a: 10, b: 30, c: 20 })) cache.set(key, key, { size })
      cache.get('a')
    })
    test.forget()
    test.memory.setPolicy('size')
    expect(test.told).toMatchObject([
      { type: 'configured', reason: 'policy', from: { policy: 'lru' }, to: { policy: 'size' } },
    ])
    expect(test.memory.stats()).toMatchObject({ evictionPolicy: 'size', cacheItemCount: 3 })
    expect(test.memory.evict({ target: 30 })).toMatchObject({ policy: 'size', count: 1 })
    expect(test.keys()).toEqual(['a', 'c'])
    test.memory.cache('c').get('c')
    test.memory.setPolicy('lru')
    expect(order(test)).toEqual(['a', 'c'])
  })

  test.each(POLICIES)('through %s and back loses neither recency nor uses', (between) => {
    for (const policy of ['lru', 'lfu', 'ttl', 'size'] as const) {
      const fill = (cache: Cache): void => {
        for (const key of ['a', 'b', 'c', 'd', 'e']) cache.set(key, 1)
        for (const key of ['b', 'b', 'd', 'a', 'c', 'c', 'a']) cache.get(key)
      }
      const changed = filled(policy, fill)
      changed.memory.setPolicy(between)
      changed.memory.setPolicy(policy)
      expect(order(changed), policy).toEqual(order(filled(policy, fill)))
    }
  })

  test('to the present one is none', () => {
    const test = filled('lfu', () => {})
    test.forget()
    test.memory.setPolicy('lfu')
    expect(test.events).toEqual([])
  })
})

describe('several caches under one budget', () => {
  const expected: Record<Exclude<PolicyName, 'hybrid'>, string[]> = {
    lru: ['a1', 'b2', 'a2', 'b1'],
    lfu: ['a1', 'b2', 'a2', 'b1'],
    ttl: ['a2', 'a1', 'b1', 'b2'],
    size: ['b1', 'a2', 'b2', 'a1'],
  }
  test.each(Object.entries(expected))('under %s give up what is worst over all of them', (policy, keys) => {
    const test = tightBed(1_000_000, { policy: policy as PolicyName })
    const [a, b] = [test.memory.cache('a'), test.memory.cache('b')]
    a.set('a1', 1, { size: 1, ttl: 200 })
    b.set('b1', 1, { size: 40, ttl: 300 })
    a.set('a2', 1, { size: 30, ttl: 100 })
    b.set('b2', 1, { size: 20 })
    a.get('a2')
    b.get('b1')
    b.get('b1')
    expect(order(test)).toEqual(keys)
  })
})
