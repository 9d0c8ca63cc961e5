import { describe, expect, it, vi } from 'vitest'
import { ENTRY_BYTES, entryOverhead, estimateSize, HYBRID_BYTES } from '../../src/base/memory/estimate.ts'
import { HeapEstimate } from '../../src/base/memory/heap.ts'

function measured(value: unknown): { size: number; offHeap: number } {
  const estimate = new HeapEstimate()
  estimate.measure(value)
  return { size: estimate.size, offHeap: estimate.offHeap }
}

/** Flat, and not internalized. */
const fresh = (text: string): string => Buffer.from(text).toString()

/** How often many properties were listed. */
const longLists = (lists: { mock: { results: { value: unknown }[] } }[]): number =>
  lists.flatMap(({ mock }) => mock.results).filter(({ value }) => (value as string[]).length > 10_000).length

const heap = (value: unknown): number => estimateSize(value, 'heap')

/** A word for the reference, then what V8 lays out. */
describe('heap sizes, as laid out', () => {
  it.each([
    ['undefined', undefined, 8],
    ['a small integer', 7, 8],
    ['a double', 0.5, 8 + 16],
    ['minus zero, which is no small integer', -0, 8 + 16],
    ['a 33-bit integer', 2 ** 32, 8 + 16],
    ['an empty string', '', 8],
    ['a one-byte string', fresh('abcdefghij'), 8 + 32],
    ['a two-byte string', fresh('€bcdefghij'), 8 + 40],
    ['a string that V8 has internalized, and anybody may hold', 'abcdefghij', 8],
    ['one that looks like an id', 'id-12345', 8 + 24],
    ['an object', { a: 1, b: 2 }, 8 + 24 + 16],
    ['an object of doubles', { a: 1.5, b: 2 }, 8 + 24 + 16 + 16],
    ['numbers', [1, 2.5, 3.5], 8 + 32 + 16 + 24],
    ['numbers among strings', [1, 2.5, fresh('€')], 8 + 32 + 16 + 24 + 16 + 24],
    ['indexes', { 0: 1, 1: 2 }, 8 + 24 + 32 + 16 + 16],
    ['a bigint', 2n ** 100n, 8 + 32],
    ['zero as a bigint', 0n, 8 + 16],
    [
      'a Map of four',
      new Map([
        [1, 1],
        [2, 2],
        [3, 3],
        [4, 4],
      ]),
      8 + 184,
    ],
    ['a Date', new Date(), 8 + 112],
  ])('%s', (_, value, bytes) => {
    expect(heap(value)).toBe(bytes)
  })

  it('a bigint of any length', () => {
    for (const bits of [63, 64, 1023, 1024, 5000, 100_000]) {
      expect(heap(2n ** BigInt(bits) - 1n)).toBeGreaterThanOrEqual(24 + 8 * Math.floor(bits / 64))
      expect(heap(-(2n ** BigInt(bits)))).toBeLessThanOrEqual(24 + 8 * (Math.ceil(bits / 64) + 1))
    }
  })

  it('is what is measured unless payload is asked for, and nothing else can be', () => {
    expect(estimateSize('abc')).toBe(heap('abc'))
    expect(() => estimateSize('abc', 'exact' as 'heap')).toThrow("neither 'heap' nor 'payload'")
  })

  it('an entry costs its key and its bookkeeping besides', () => {
    expect(entryOverhead('user:12345', 'lru')).toBe(ENTRY_BYTES + 32)
    expect(entryOverhead('', 'lru')).toBe(ENTRY_BYTES)
    expect(entryOverhead('', 'hybrid')).toBe(ENTRY_BYTES + HYBRID_BYTES)
  })
})

describe('memory outside the heap', () => {
  it('is the whole ArrayBuffer that a view holds, once', () => {
    const whole = new ArrayBuffer(100_000)
    expect(measured(whole).offHeap).toBe(100_000)
    expect(measured(new Uint8Array(whole, 500, 10)).offHeap).toBe(100_000)
    expect(measured([whole, new Uint8Array(whole), new DataView(whole)]).offHeap).toBe(100_000)
    expect(measured(new SharedArrayBuffer(5000)).offHeap).toBe(5000)
  })

  it('is its own length for a Buffer from the pool', () => {
    const { offHeap, size } = measured([Buffer.from('x'.repeat(1000)), Buffer.from('y'.repeat(1000))])
    expect(offHeap).toBe(2000)
    expect(size).toBeLessThan(2500)
  })

  it('leaves small typed arrays where they are', () => {
    const { size, offHeap } = measured(new Uint8Array(64))
    expect(offHeap).toBe(0)
    expect(size).toBe(8 + 264)
  })
})

describe('graphs', () => {
  it('counts what is shared once, and cycles', () => {
    const shared = { text: 'x'.repeat(1000) }
    expect(heap([shared, shared])).toBeLessThan(heap([shared]) + 100)
    const cycle: Record<string, unknown> = { text: 'x' }
    const size = heap({ ...cycle, self: null })
    cycle.self = cycle
    expect(heap(cycle)).toBe(size)
    const many = Array.from({ length: 100 }, () => ({ shared }))
    expect(heap(many)).toBeLessThan(100 * 50 + 2000)
  })

  it('holds on to nothing afterwards', () => {
    const estimate = new HeapEstimate()
    estimate.measure([{ a: {} }, new Map([[{}, {}]])])
    const before = estimate.size
    estimate.measure([{ a: {} }, new Map([[{}, {}]])])
    expect(estimate.size).toBe(before)
    estimate.measure(1)
    expect(estimate.size).toBe(8)
  })

  it('is not overwhelmed by depth, and is bounded', () => {
    let list: unknown = null
    for (let level = 0; level < 200_000; level++) list = { list }
    expect(heap(list)).toBeGreaterThan(30_000)
  })

  it.each([
    [
      'rows',
      Array.from({ length: 50_000 }, (_, id) => ({ id, name: `name ${id % 1000}`, score: id + 0.5 })),
      50_000 * (8 + 48 + 16 + 30),
    ],
    [
      'lists of lists',
      Array.from({ length: 1000 }, () => Array.from({ length: 1000 }, (_, i) => `element ${i % 10}`)),
      1000 * (8 + 48 + 1000 * 40),
    ],
    [
      'a Map',
      new Map(Array.from({ length: 50_000 }, (_, id) => [`key ${10_000 + id}`, { id }])),
      65_536 * 28 + 50_000 * (32 + 32),
    ],
    ['Buffers', Array.from({ length: 20_000 }, () => new Uint8Array(1000)), 20_000 * (8 + 184 + 1000)],
    ['numbers', Array.from({ length: 1_000_000 }, (_, i) => i / 2), 8_000_000],
  ])('samples %s beyond what can be walked', (_, value, bytes) => {
    expect(heap(value)).toBeGreaterThan(bytes * 0.9)
    expect(heap(value)).toBeLessThan(bytes * 1.1)
  })

  /** V8 lists all properties or none, 0.2 µs each: what can't be avoided is done once. */
  it('lists one of several objects with very many properties, and once', () => {
    const many = (from: number) => Object.fromEntries(Array.from({ length: 50_000 }, (_, i) => [`k${from + i}`, { i }]))
    const one = many(0)
    const lists = [vi.spyOn(Object, 'keys'), vi.spyOn(Object, 'getOwnPropertyNames')]
    try {
      const single = heap(one)
      expect(single).toBeGreaterThan(50_000 * (24 + 32 + 24))
      for (const value of [one, [one], { one }, new Map([[1, one]])]) {
        for (const list of lists) list.mockClear()
        expect(Math.abs(heap(value) - single)).toBeLessThan(500)
        expect(longLists(lists)).toBe(1)
      }
      const several = Array.from({ length: 8 }, (_, i) => many(i * 100_000))
      for (const list of lists) list.mockClear()
      expect(Math.abs(heap(several) / single - 8)).toBeLessThan(0.1)
      expect(longLists(lists)).toBe(1)
    } finally {
      for (const list of lists) list.mockRestore()
    }
  })

  it.each([
    ['names', (i: number) => `key ${i}`, 24 + 16 + 48 + 24 * 8192],
    ['indexes', (i: number) => `${i}`, 24 + 32 + 16 + 8 * 5000],
    ['distant indexes', (i: number) => `${i * 1000 + 7}`, 24 + 32 + 48 + 24 * 8192],
  ])('takes thousands of %s for the table that they are', (_, key, bytes) => {
    const size = heap(Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [key(i), i])))
    expect(size).toBeGreaterThan(bytes)
    expect(size).toBeLessThan(bytes + 5000 * 24)
  })

  it('sees the hash table of an Error with many properties', () => {
    const error = Object.assign(
      new Error('no'),
      Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`key ${i}`, i])),
    )
    expect(heap(error)).toBeGreaterThan(24 * 8192)
  })

  it('takes sparse arrays for what they hold', () => {
    const sparse: unknown[] = []
    sparse[4_000_000_000] = 'x'
    expect(heap(sparse)).toBeLessThan(1000)
  })
})

describe('hostile values', () => {
  it('run no code of theirs', () => {
    const trap = vi.fn(() => {
      throw new Error('user code ran')
    })
    const proxy = new Proxy(trap, {
      get: trap,
      ownKeys: trap,
      getPrototypeOf: trap,
      getOwnPropertyDescriptor: trap,
      has: trap,
    })
    const revoked = Proxy.revocable([], {})
    revoked.revoke()
    class Shadowing extends Map<number, number> {
      override get size(): number {
        return trap()
      }
      override entries(): never {
        return trap() as never
      }
      override [Symbol.iterator](): never {
        return trap() as never
      }
    }
    class Bytes extends Uint8Array {
      override get byteLength(): number {
        return trap()
      }
      override get buffer(): never {
        return trap() as never
      }
    }
    const list = ['a']
    Object.defineProperty(list, 1, { get: trap, enumerable: true })
    const error = new Error('no', { cause: proxy })
    const values = {
      get bad() {
        return trap()
      },
      toJSON: trap,
      [Symbol.toPrimitive]: trap,
      proxy,
      gone: revoked.proxy,
      heir: Object.create(proxy),
      map: new Shadowing([[1, 2]]),
      bytes: new Bytes(1000),
      list,
      error,
      tagged: Object.defineProperty(new (class {})(), Symbol.toStringTag, { get: trap }),
    }
    const prepare = Error.prepareStackTrace
    Error.prepareStackTrace = trap
    try {
      expect(heap(values)).toBeGreaterThan(3000)
      expect(heap(proxy)).toBeGreaterThan(0)
    } finally {
      Error.prepareStackTrace = prepare
    }
    expect(trap).not.toHaveBeenCalled()
  })

  it('never throw, whatever they are', async () => {
    const detached = new ArrayBuffer(1000)
    const view = new Uint8Array(detached)
    structuredClone(detached, { transfer: [detached] })
    const oddities: unknown[] = [
      view,
      detached,
      new DataView(new ArrayBuffer(8)),
      Symbol('x'),
      Object(Symbol('x')),
      Object(1n),
      Object('text'),
      Object(1.5),
      new WeakMap(),
      new WeakSet(),
      new WeakRef({}),
      Promise.resolve(1),
      (function* () {})(),
      new Map().entries(),
      process.env,
      globalThis,
      await import('node:fs'),
      new Error('x'),
      new AggregateError([new Error('y')]),
      /x/g,
      new URL('http://localhost'),
      new Intl.NumberFormat(),
      Object.create(Map.prototype),
      Object.create(Uint8Array.prototype),
      Object.freeze({ a: 1 }),
      Math,
      JSON,
      Reflect,
      new Proxy(() => {}, {}),
      async () => {},
      class {},
      Number.NaN,
      -0,
      2 ** 53,
    ]
    for (const oddity of oddities) {
      const { size, offHeap } = measured(oddity)
      expect(Number.isSafeInteger(size) && size > 0).toBe(true)
      expect(Number.isSafeInteger(offHeap) && offHeap >= 0 && offHeap <= size).toBe(true)
    }
  })
})
