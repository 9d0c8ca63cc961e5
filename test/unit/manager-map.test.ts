import { describe, expect, test } from 'vitest'
import type { Cache } from '../../src/muninn.ts'
import { type Bed, bed, tightBed } from '../support/manager-bed.ts'

function abc(): { made: Bed; cache: Cache<number> } {
  const made = bed()
  const cache = made.memory.cache<number>('c')
  for (const [i, key] of ['a', 'b', 'c'].entries()) cache.set(key, i)
  made.forget()
  return { made, cache }
}

describe('a cache is like a Map', () => {
  test('in keys, values, entries, forEach and iteration, in the order of insertion', () => {
    const { cache } = abc()
    cache.get('a')
    cache.set('b', 10)
    const entries = [
      ['a', 0],
      ['b', 10],
      ['c', 2],
    ]
    expect([...cache.keys()]).toEqual(['a', 'b', 'c'])
    expect([...cache.values()]).toEqual([0, 10, 2])
    expect([...cache.entries()]).toEqual(entries)
    expect([...cache]).toEqual(entries)
    expect(new Map(cache)).toEqual(new Map([...cache]))
    const seen: unknown[] = []
    const self = {}
    cache.forEach(function (this: unknown, ...args) {
      seen.push([this, ...args])
    }, self)
    expect(seen).toEqual(entries.map(([key, value]) => [self, value, key, cache]))
  })

  test('in what is deleted and added again going to the end', () => {
    const { cache } = abc()
    expect(cache.delete('a')).toBe(true)
    cache.set('a', 5)
    expect([...cache.keys()]).toEqual(['b', 'c', 'a'])
  })

  test('in size, delete and clear', () => {
    const { made, cache } = abc()
    expect(cache.size).toBe(3)
    expect([cache.delete('b'), cache.delete('b'), cache.delete('never')]).toEqual([true, false, false])
    expect([cache.size, cache.has('b'), cache.get('b')]).toEqual([2, false, undefined])
    const { bytes } = cache
    expect(cache.clear()).toBeUndefined()
    expect([cache.size, cache.bytes, [...cache]]).toEqual([0, 0, []])
    expect(made.of('removed')).toMatchObject([{ key: 'b', cause: 'deleted' }])
    expect(made.of('cleared')).toMatchObject([{ cache: 'c', count: 2, bytes }])
  })

  test('in any value but undefined: falsy ones, objects by identity', () => {
    const { memory } = bed()
    const cache = memory.cache('c')
    const object = { deep: [1] }
    for (const value of [null, 0, '', false, Number.NaN, object, () => 1, Symbol.iterator, 10n]) {
      expect(cache.set('k', value)).toBe(true)
      expect(cache.has('k')).toBe(true)
      expect(cache.get('k')).toBe(value)
      expect(cache.getOrInsert('k', () => 'made')).toBe(value)
    }
  })

  test('in keys that a plain object would trip over', () => {
    const { memory } = bed()
    const [cache, map] = [memory.cache('c'), new Map<string, unknown>()]
    const keys = [
      '__proto__',
      'constructor',
      'toString',
      'hasOwnProperty',
      '',
      ' ',
      '0',
      '-0',
      '1e3',
      '\0',
      'a\0b',
      '\u00e9',
      'e\u0301',
    ]
    for (const [i, key] of keys.entries()) {
      expect(cache.has(key)).toBe(false)
      cache.set(key, i)
      map.set(key, i)
    }
    expect([...cache]).toEqual([...map])
  })
})

describe('while it is iterated over', () => {
  test('what is deleted is not seen any more', () => {
    const { cache } = abc()
    const seen: string[] = []
    for (const [key] of cache) {
      seen.push(key)
      cache.delete('b')
    }
    expect(seen).toEqual(['a', 'c'])
  })

  test('what is overwritten is seen with its present value', () => {
    const { cache } = abc()
    const seen: number[] = []
    for (const [, value] of cache) {
      seen.push(value)
      cache.set('c', 99)
    }
    expect(seen).toEqual([0, 1, 99])
  })

  test('what is added is seen', () => {
    const { cache } = abc()
    const seen: string[] = []
    for (const key of cache.keys()) {
      seen.push(key)
      if (seen.length < 5) cache.set(`more${seen.length}`, 1)
    }
    expect(seen).toEqual(['a', 'b', 'c', 'more1', 'more2', 'more3', 'more4'])
  })

  test('a handle that another key got meanwhile is not mistaken for the old one', () => {
    const { cache } = abc()
    const seen: [string, number][] = []
    for (const entry of cache) {
      seen.push(entry)
      if (entry[0] !== 'a') continue
      cache.delete('b')
      cache.set('x', 42)
      cache.delete('c')
      cache.set('b', 43)
    }
    for (const [key, value] of seen) expect(cache.peek(key), key).toBe(value)
    expect(seen.map(([key]) => key)).not.toContain('c')
  })

  test('what runs out is not yielded', () => {
    const test = bed()
    const cache = test.memory.cache('c')
    for (const [key, ttl] of Object.entries({ a: 100, b: 10, c: 100, d: 11 })) cache.set(key, 1, { ttl })
    const seen: string[] = []
    for (const key of cache.keys()) {
      seen.push(key)
      test.clock.time += 5
    }
    expect(seen).toEqual(['a', 'b', 'c'])
  })

  test('what is cleared, dropped or closed ends it', async () => {
    for (const end of ['clear', 'drop', 'close'] as const) {
      const { made, cache } = abc()
      const seen: string[] = []
      for (const key of cache.keys()) {
        seen.push(key)
        if (end === 'clear') cache.clear()
        else if (end === 'drop') made.memory.drop('c')
        else await made.memory.close()
      }
      expect(seen, end).toEqual(['a'])
    }
  })
})

describe('peek, has, info, size, bytes, iteration, stats and canAdd', () => {
  test('change nothing and tell nothing, of a hit, a miss or what is past its time', () => {
    const { made, cache } = abc()
    cache.set('short', 3, { ttl: 5 })
    made.clock.time += 5
    made.forget()
    made.expectUnchanged(() => {
      for (const key of ['a', 'short', 'never']) [cache.peek(key), cache.has(key), cache.info(key)]
      for (const _ of cache) [cache.size, cache.bytes]
      made.memory.stats()
      made.memory.canAdd('c', 10)
    })
    expect(made.events).toEqual([])
    expect(made.memory.stats()).toMatchObject({ hits: 0, misses: 0 })
  })
})

describe('info', () => {
  test('says what is known of an entry', () => {
    const test = tightBed(1_000)
    const cache = test.memory.cache('c')
    const storedAt = test.clock.time
    cache.set('k', 1, { size: 12, ttl: 1_000, cost: 2.5, tags: ['x', 'y'] })
    test.clock.time += 100
    cache.get('k')
    cache.get('k')
    test.clock.time += 50
    expect(cache.info('k')).toEqual({
      size: 12,
      offHeap: 0,
      storedAt,
      expiresAt: storedAt + 1_000,
      hits: 2,
      lastAccess: storedAt + 100,
      lastUse: expect.any(Number),
      cost: 2.5,
      tags: ['x', 'y'],
      score: expect.any(Number),
    })
    cache.set('k', 1, { size: 13 })
    expect(cache.info('k')).toMatchObject({ size: 13, hits: 0, cost: 0, tags: [], storedAt: storedAt + 150 })
    expect(cache.info('never')).toBeUndefined()
  })

  test('is a copy: the caller can not change an entry by it, nor by what was given to set', () => {
    const { memory } = bed()
    const cache = memory.cache('c')
    const tags = ['own']
    cache.set('k', 1, { tags })
    tags.push('later')
    Reflect.set(cache.info('k')?.tags ?? [], 0, 'changed')
    expect(cache.info('k')?.tags).toEqual(['own'])
  })
})
