import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { TopWriters } from '../../src/fold/top-writers.ts'

/** Prefixes followed at once, as documented. */
const COUNTERS = 32

function bytesBy(writers: TopWriters): Record<string, number> {
  return Object.fromEntries(writers.counts().map(({ prefix, bytes }) => [prefix, bytes]))
}

describe('top writers', () => {
  it('take what stands before the first colon or slash as the prefix', () => {
    const writers = new TopWriters()
    const keys = [
      'user:1',
      'user:2',
      'user/3',
      'users:1',
      'use:1',
      ':lead',
      '/lead',
      'plain',
      '',
      'a/b:c',
      'a:b/c',
      '__proto__:x',
    ]
    for (const key of keys) writers.add(key, null, 1)
    expect(bytesBy(writers)).toEqual({ user: 3, users: 1, use: 1, '': 4, a: 2, ['__proto__']: 1 })
  })

  it('take a prefix of 64 characters, and none from a longer beginning', () => {
    const writers = new TopWriters()
    const longest = 'p'.repeat(64)
    writers.add(`${longest}:1`, null, 2)
    writers.add(`${longest}p:1`, null, 3)
    expect(bytesBy(writers)).toEqual({ [longest]: 2, '': 3 })
  })

  it('tell prefixes apart by all their UTF-16 code units, halves of characters included', () => {
    const writers = new TopWriters()
    for (const key of ['a😀:1', 'a😀:2', 'a\ud83d:1', 'a😀:3']) writers.add(key, null, 1)
    expect(bytesBy(writers)).toEqual({ 'a😀': 3, 'a\ud83d': 1 })
  })

  it('take a rule of the user’s own at its word', () => {
    const writers = new TopWriters()
    for (const prefix of ['eu:west', 'eu', '', 'eu:west']) writers.add('key:1', prefix, 5)
    expect(bytesBy(writers)).toEqual({ 'eu:west': 10, eu: 5, '': 5 })
  })

  it('take a rule at its word also where the last key had the prefix that it would have without', () => {
    const writers = new TopWriters()
    writers.add('user:1', null, 1)
    writers.add('user:2', 'other', 2)
    writers.add('user:3', null, 4)
    expect(bytesBy(writers)).toEqual({ user: 5, other: 2 })
  })

  it('give the counter of the least away, the first of equals, and with it all that it may have counted', () => {
    const writers = new TopWriters()
    for (let n = 0; n < COUNTERS; n++) writers.add(`p${n}:x`, null, n === 7 || n === 9 ? 3 : 10 + n)
    writers.add('new:x', null, 1)
    expect(bytesBy(writers)).toMatchObject({ new: 4, p9: 3 })
    expect(writers.counts().find(({ prefix }) => prefix === 'new')?.error).toBe(3)
    expect(bytesBy(writers).p7).toBeUndefined()
  })

  it('tell a prefix from the beginning of another, in whatever order they come', () => {
    const writers = new TopWriters()
    const exact: Record<string, number> = {}
    for (let n = 0; n < 500; n++) {
      const prefix = ['a', 'ab', 'abc', 'b', ''][(n * n) % 5] as string
      writers.add(prefix === '' ? `k${n}` : `${prefix}:${n}`, null, n)
      exact[prefix] = (exact[prefix] ?? 0) + n
    }
    expect(bytesBy(writers)).toEqual(exact)
  })

  it.each([':', '/'])('look no counter up while keys of one prefix follow each other, ended by %s', (end) => {
    const writers = new TopWriters()
    for (let n = 0; n < COUNTERS; n++) writers.add(`p${n}:x`, null, 1)
    let looked = 0
    const prefixes = new Proxy(Reflect.get(writers, 'prefixes') as string[], {
      get: (target, name) => {
        if (typeof name === 'string' && /^\d+$/.test(name)) looked++
        return Reflect.get(target, name)
      },
    })
    Reflect.set(writers, 'prefixes', prefixes)
    writers.add(`p30${end}first`, null, 1)
    looked = 0
    for (let n = 0; n < 100; n++) writers.add(`p30${end}${n}`, null, 1)
    expect(looked).toBeLessThanOrEqual(100)
    expect(bytesBy(writers).p30).toBe(102)
  })

  it('are listed largest first', () => {
    const writers = new TopWriters()
    for (const [n, prefix] of ['a', 'b', 'c', 'd'].entries())
      writers.add(`${prefix}:1`, null, [5, 20, 1, 10][n] as number)
    expect(writers.counts().map(({ prefix }) => prefix)).toEqual(['b', 'd', 'a', 'c'])
  })

  it('keep the bounds of Space-Saving, whatever is written', () => {
    const prefixes = fc.oneof(fc.nat(8), fc.nat(200))
    fc.assert(
      fc.property(fc.array(fc.tuple(prefixes, fc.nat(100)), { maxLength: 800, size: 'max' }), (writes) => {
        const writers = new TopWriters()
        const exact = new Map<string, number>()
        let total = 0
        for (const [n, size] of writes) {
          writers.add(`p${n}:x`, null, size)
          exact.set(`p${n}`, (exact.get(`p${n}`) ?? 0) + size)
          total += size
        }
        const counts = writers.counts()
        expect(counts.length).toBe(Math.min(COUNTERS, exact.size))
        expect(new Set(counts.map(({ prefix }) => prefix)).size).toBe(counts.length)
        expect(counts.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(total)
        for (const { prefix, bytes, error } of counts) {
          const truth = exact.get(prefix) as number
          expect(bytes).toBeGreaterThanOrEqual(truth)
          expect(bytes - error).toBeLessThanOrEqual(truth)
          expect(error).toBeLessThanOrEqual(total / COUNTERS)
          if (exact.size <= COUNTERS) expect([bytes, error]).toEqual([truth, 0])
        }
        const followed = new Set(counts.map(({ prefix }) => prefix))
        for (const [prefix, bytes] of exact) if (bytes > total / COUNTERS) expect(followed).toContain(prefix)
      }),
      { seed: 1, numRuns: 60 },
    )
  })
})
