import { describe, expect, test } from 'vitest'
import { estimateSize } from '../../src/muninn.ts'
import { bed } from '../support/manager-bed.ts'

const ran = (): never => expect.fail('user code ran')
/** Every trap of a proxy, and each of them is a failure. */
const traps = Object.fromEntries(Object.getOwnPropertyNames(Reflect).map((name) => [name, ran])) as ProxyHandler<object>

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, traps)
  revoke()
  return proxy
}

function nested(levels: number, wrap: (inner: unknown) => unknown): unknown {
  let value: unknown = 'x'
  for (let i = 0; i < levels; i++) value = wrap(value)
  return value
}

function cyclic(): object {
  const cycle: { self?: object; list: unknown[] } = { list: [] }
  cycle.self = cycle
  cycle.list.push(cycle, cycle.list)
  return cycle
}

class Shadowing extends Map<string, unknown> {
  override get size(): number {
    return ran()
  }
  override entries(): never {
    return ran()
  }
  override [Symbol.iterator](): never {
    return ran()
  }
}

class Overridden extends Array<unknown> {
  override [Symbol.iterator](): never {
    return ran()
  }
  override map(): never {
    return ran()
  }
  get [Symbol.toStringTag](): string {
    return ran()
  }
}

const hostile: readonly [string, () => unknown][] = [
  ['a proxy', () => new Proxy({}, traps)],
  ['a revoked proxy', revoked],
  ['an array that is a proxy', () => new Proxy([], traps)],
  ['a proxy deep inside', () => ({ a: [new Map([['k', new Proxy({}, traps)]])] })],
  ['an object whose prototype is a proxy', () => Object.create(new Proxy({}, {}))],
  [
    'getters',
    () => ({
      get a() {
        return ran()
      },
      deep: {
        get b() {
          return ran()
        },
      },
    }),
  ],
  ['a getter on an array', () => Object.defineProperty([1, 2], 0, { get: ran })],
  ['toJSON, valueOf and toString', () => ({ toJSON: ran, valueOf: ran, toString: ran, [Symbol.toPrimitive]: ran })],
  ['an iterator', () => ({ [Symbol.iterator]: ran, length: 5 })],
  [
    'Symbol.toStringTag',
    () => ({
      get [Symbol.toStringTag]() {
        return ran()
      },
    }),
  ],
  ['a Map that shadows its own methods', () => new Shadowing([['k', 1]])],
  ['an array of a class with an iterator of its own', () => new Overridden(3, {}, 'x')],
  ['an object that has the prototype of a URL', () => Object.create(URL.prototype)],
  ['an object that says it is a Map', () => Object.create(Map.prototype, { size: { get: ran } })],
  ['a description of a symbol that runs', () => ({ [Symbol('s')]: Symbol('t'), name: Symbol('u') })],
  ['a proxy of a function', () => [new Proxy(() => {}, traps)]],
  ['a length that is none', () => ({ length: Number.NaN, byteLength: -1, size: Number.POSITIVE_INFINITY })],
  ['a view that lies about its length', () => Object.defineProperty(new Uint8Array(8), 'byteLength', { get: ran })],
  ['a hundred thousand levels of objects', () => nested(100_000, (inner) => ({ inner }))],
  ['a hundred thousand levels of arrays', () => nested(100_000, (inner) => [inner])],
  ['a cycle', cyclic],
  ['a sparse array', () => Object.assign([], { length: 2 ** 32 - 1 })],
  [
    'a detached buffer',
    () => {
      const buffer = new ArrayBuffer(8)
      const view = new Uint8Array(buffer)
      structuredClone(buffer, { transfer: [buffer] })
      return [buffer, view]
    },
  ],
  ['a frozen null-prototype object', () => Object.freeze(Object.create(null))],
  ['a function with properties', () => Object.assign(ran, { a: 1 })],
  [
    'a promise that rejects',
    () => {
      const promise = Promise.reject(new Error('later'))
      promise.catch(() => {})
      return promise
    },
  ],
  ['a symbol', () => Symbol('s')],
  ['a WeakMap', () => new WeakMap([[{}, 1]])],
  ['globalThis', () => globalThis],
]

describe.each(['heap', 'payload'] as const)('sized by %s', (sizing) => {
  test.each(hostile)('%s is stored, and runs no code of its own', (_, make) => {
    const value = make()
    const bytes = estimateSize(value, sizing)
    expect(Number.isSafeInteger(bytes) && bytes >= 0).toBe(true)
    const { memory } = bed({ sizing, maxMemory: Number.MAX_SAFE_INTEGER, maxHeap: Number.MAX_SAFE_INTEGER })
    const cache = memory.cache('c')
    expect(cache.set('k', value)).toBe(true)
    expect(cache.get('k') === value).toBe(true)
    expect(cache.set('k', value)).toBe(true)
    cache.delete('k')
    memory.check()
    expect(memory.stats()).toMatchObject({ currentMemoryBytes: 0, imbalances: 0, observerErrors: 0 })
  })
})

describe('payload sizes', () => {
  test.each([
    ['abc', 3],
    ['é', 2],
    [new Uint8Array(10), 10],
    [{ ab: 'cde', é: [1, 'x'] }, 2 + 3 + 2 + 1_024 + 1],
    [[], 0],
    [null, 1_024],
    [5, 1_024],
  ])('of %j are %d bytes, key and bookkeeping not included', (value, bytes) => {
    const cache = bed({ sizing: 'payload' }).memory.cache('c')
    cache.set('a long key', value)
    expect(cache.bytes).toBe(bytes)
  })
})
