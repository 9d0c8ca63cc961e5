import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { estimateSize } from '../../src/base/memory/estimate.ts'
import { propertySeed } from '../support/property-seed.ts'

const payload = (value: unknown): number => estimateSize(value, 'payload')

/** The reference's Go function, as it stands, for values without cycles. */
function estimateItemSize(item: unknown): number {
  if (typeof item === 'string') return new TextEncoder().encode(item).length
  if (item instanceof Uint8Array) return item.length
  if (Array.isArray(item)) return item.reduce<number>((size, value) => size + estimateItemSize(value), 0)
  if (typeof item === 'object' && item !== null) {
    return Object.entries(item).reduce(
      (size, [key, value]) => size + estimateItemSize(key) + estimateItemSize(value),
      0,
    )
  }
  return 1024
}

describe('payload sizes', () => {
  it.each([
    ['an empty string', '', 0],
    ['ASCII', 'hello', 5],
    ['UTF-8', 'naïve €', 10],
    ['a lone surrogate, which becomes U+FFFD', '\ud800', 3],
    ['a Buffer', Buffer.alloc(7), 7],
    ['a Uint8Array of a longer buffer', new Uint8Array(new ArrayBuffer(100), 10, 20), 20],
    ['an empty map', {}, 0],
    ['a map', { a: 'xy', bc: 'z' }, 6],
    ['a map without prototype', Object.assign(Object.create(null), { a: 'xy' }), 3],
    ['a Map with string keys', new Map([['key', 'value']]), 8],
    ['a Map with other keys', new Map([[1, 'value']]), 1024],
    ['a list', ['ab', 'c', []], 3],
    ['a nested map', { list: ['ab', { c: 'd' }] }, 8],
    ['a number', 1, 1024],
    ['a boolean in a map', { ok: true }, 1026],
    ['null', null, 1024],
    ['a hole and undefined', Object.assign(new Array<unknown>(3), { 0: undefined, 2: 'a' }), 2049],
    ['a Date', new Date(), 1024],
    [
      'an instance',
      new (class Point {
        x = 'long enough'
      })(),
      1024,
    ],
    ['a Set', new Set(['a']), 1024],
    ['another typed array', new Float64Array(4), 1024],
    ['a function', () => 1, 1024],
  ])('%s', (_, value, bytes) => {
    expect(payload(value)).toBe(bytes)
  })

  it('is the reference, for any JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => payload(value) === estimateItemSize(value)),
      { seed: propertySeed(1), numRuns: 300 },
    )
  })

  it('counts what is shared as often as it occurs, at the cost of once', () => {
    let laughs: unknown = ['ha']
    for (let level = 0; level < 40; level++) laughs = [laughs, laughs]
    expect(payload(laughs)).toBe(2 ** 41)
  })

  it('never exceeds what a number can say exactly', () => {
    let laughs: unknown = ['ha']
    for (let level = 0; level < 2000; level++) laughs = [laughs, laughs]
    expect(payload(laughs)).toBe(Number.MAX_SAFE_INTEGER)
  })

  it('counts a cycle once', () => {
    const value: Record<string, unknown> = { name: 'abc' }
    value.self = value
    value.list = [value, 'd']
    expect(payload(value)).toBe(4 + 3 + 4 + 4 + 1)
  })

  it('is not overwhelmed by depth or by length without content', () => {
    let deep: unknown = 'x'
    for (let level = 0; level < 100_000; level++) deep = [deep]
    expect(payload(deep)).toBe(1)
    const sparse: unknown[] = []
    sparse[4_000_000_000] = 'x'
    expect(payload(sparse)).toBe(4_000_000_000 * 1024 + 1)
  })

  it('runs nobody’s code', () => {
    const trap = () => {
      throw new Error('user code ran')
    }
    const proxy = new Proxy({}, { get: trap, ownKeys: trap, getPrototypeOf: trap, getOwnPropertyDescriptor: trap })
    const revoked = Proxy.revocable({}, {})
    revoked.revoke()
    const hostile = {
      toJSON: trap,
      proxy,
      gone: revoked.proxy,
      get bad() {
        return trap()
      },
    }
    expect(payload(hostile)).toBe('toJSONproxygonebad'.length + 4 * 1024)
    expect(payload(Object.create(proxy))).toBe(1024)
  })
})
