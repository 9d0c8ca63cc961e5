import { describe, expect, test } from 'vitest'
import type { Cache } from '../../src/muninn.ts'
import { bed, thrownBy } from '../support/manager-bed.ts'

const LONGEST = 64 * 1024

const calls: readonly [string, (cache: Cache, key: string) => unknown][] = [
  ['get', (cache, key) => cache.get(key)],
  ['peek', (cache, key) => cache.peek(key)],
  ['has', (cache, key) => cache.has(key)],
  ['info', (cache, key) => cache.info(key)],
  ['set', (cache, key) => cache.set(key, 1)],
  ['put', (cache, key) => cache.put(key, 1)],
  ['delete', (cache, key) => cache.delete(key)],
  ['getOrInsert', (cache, key) => cache.getOrInsert(key, () => expect.fail('made'))],
]

const bad: readonly [string, unknown][] = [
  ['a number', 5],
  ['NaN', Number.NaN],
  ['undefined', undefined],
  ['null', null],
  ['a symbol', Symbol('key')],
  ['a bigint', 5n],
  ['an object', {}],
  ['a String object', new String('key')],
  ['an object that pretends', { toString: () => 'key', length: 3 }],
  ['an array', ['key']],
  ['a proxy', new Proxy({}, { get: () => expect.fail('user code ran') })],
  ['64 KiB and a byte', 'x'.repeat(LONGEST + 1)],
  ['64 KiB and a byte in UTF-8', `${'é'.repeat(LONGEST / 2)}x`],
  ['64 KiB and two bytes of lone surrogates', '\ud800'.repeat(Math.ceil((LONGEST + 1) / 3))],
  ['a megabyte', 'x'.repeat(1024 ** 2)],
  ['64 MiB', 'x'.repeat(64 * 1024 ** 2)],
]

describe.each(bad)('%s as a key', (_, key) => {
  test.each(calls)('makes %s throw a TypeError with a code, and changes nothing', (_call, call) => {
    const test = bed()
    const cache = test.memory.cache('c')
    cache.set('there', 1)
    test.expectUnchanged(() => {
      const error = thrownBy(() => call(cache, key as string))
      expect(error).toBeInstanceOf(TypeError)
      expect(error).toMatchObject({ code: 'ERR_MUNINN_KEY', name: 'InvalidEntryError' })
      expect(error.message).toMatch(/a key is a string|at most 65536 bytes/)
      expect(error.message.length).toBeLessThan(200)
    })
  })

  test('makes getOrLoad reject without loading', async () => {
    const test = bed()
    const loading = test.memory.cache('c').getOrLoad(key as string, () => expect.fail('loaded'))
    await expect(loading).rejects.toMatchObject({ code: 'ERR_MUNINN_KEY' })
    expect(test.memory.stats()).toMatchObject({ hits: 0, misses: 0, cacheItemCount: 0 })
  })
})

describe('keys that are allowed', () => {
  test.each([
    ['64 KiB', 'x'.repeat(LONGEST)],
    ['64 KiB of UTF-8', 'é'.repeat(LONGEST / 2)],
    ['64 KiB of pairs', '\u{1F426}'.repeat(LONGEST / 4)],
    ['an empty string', ''],
    ['__proto__', '__proto__'],
    ['a NUL', '\0'],
  ])('%s', (_, key) => {
    const cache = bed().memory.cache('c')
    expect(cache.set(key, 'value')).toBe(true)
    expect([cache.get(key), [...cache.keys()], cache.delete(key), cache.size]).toEqual(['value', [key], true, 0])
  })

  test('lone surrogates, which are not mistaken for each other or for U+FFFD', () => {
    const test = bed()
    const cache = test.memory.cache('c')
    const keys = ['\ud800', '\ud801', '\udc00', '\udc00\ud800', '\ufffd', 'a\ud800', 'a\ud801', '\ud83d\udc26']
    for (const [i, key] of keys.entries()) cache.set(key, i)
    expect(keys.map((key) => cache.get(key))).toEqual(keys.map((_, i) => i))
    expect([...cache.keys()]).toEqual(keys)
    test.memory.evict({ target: 0 })
    expect(test.evictedKeys).toEqual(keys)
  })

  test('many that differ only where a hash may not look', () => {
    const cache = bed({ maxItems: Number.POSITIVE_INFINITY }).memory.cache<number>('c')
    const around = 'x'.repeat(500)
    for (let i = 0; i < 3_000; i++) cache.set(`${around}${String(i).padStart(6, '0')}${around}`, i)
    expect(cache.size).toBe(3_000)
    for (let i = 0; i < 3_000; i += 7) expect(cache.get(`${around}${String(i).padStart(6, '0')}${around}`)).toBe(i)
  })

  test('count their own bytes', () => {
    const cache = bed().memory.cache('c')
    cache.set('x'.repeat(LONGEST), null)
    expect(cache.bytes).toBeGreaterThan(LONGEST)
  })
})
