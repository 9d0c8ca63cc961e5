import { describe, expect, test } from 'vitest'
import type { MemoryManager, MemoryManagerOptions } from '../../src/muninn.ts'
import { chance } from '../support/chance.ts'
import { type Bed, bed } from '../support/manager-bed.ts'
import { loop, zipf } from '../support/workloads.ts'

const hybrid = { policy: 'hybrid', evictionThreshold: 1, checkInterval: 0 } as const

/** Keys of one cache, one after the other. */
type Requests = () => number

/** Asks each cache in turn, and returns the share of hits of each. */
function play(memory: MemoryManager, all: Record<string, Requests>, rounds: number, size = 1): Record<string, number> {
  const hits: Record<string, number> = {}
  for (let i = 0; i < rounds; i++) {
    for (const [name, next] of Object.entries(all)) {
      const cache = memory.cache<number>(name)
      const key = `k${next()}`
      if (cache.get(key) === undefined) cache.set(key, i, { size })
      else hits[name] = (hits[name] ?? 0) + 1
    }
  }
  return Object.fromEntries(Object.keys(all).map((name) => [name, (hits[name] ?? 0) / rounds]))
}

function scan(): Requests {
  let i = 0
  return () => i++
}

/** The same load under one budget, and in caches that each have an equal part of it for themselves. */
function bothWays(make: () => Record<string, Requests>, maxItems: number, rounds: number) {
  const names = Object.keys(make())
  const shared = bed({ ...hybrid, maxItems })
  const fixed = bed({ ...hybrid, maxItems })
  for (const name of names) {
    shared.memory.cache(name)
    fixed.memory.cache(name, { maxItems: Math.floor(maxItems / names.length) })
  }
  return { shared: play(shared.memory, make(), rounds), fixed: play(fixed.memory, make(), rounds), test: shared }
}

function itemsOf({ memory }: Bed, name: string): number {
  return memory.cache(name).size
}

describe('caches under one budget', () => {
  test('give room to the one that makes most of it', () => {
    const make = () => ({ popular: zipf(5_000, 0.8, 1).next, small: zipf(100, 0.5, 2).next, scan: scan() })
    const { shared, fixed, test } = bothWays(make, 900, 20_000)
    expect(shared.popular).toBeGreaterThan(1.15 * (fixed.popular as number))
    expect(shared.small).toBeGreaterThan((fixed.small as number) - 0.01)
    expect(itemsOf(test, 'popular')).toBeGreaterThan(600)
    const [first] = test.of('divided')
    expect(first?.shares.map(({ cache, from }) => [cache, from])).toEqual([
      ['popular', 1 / 3],
      ['small', 1 / 3],
      ['scan', 1 / 3],
    ])
    const last = test
      .of('divided')
      .at(-1)
      ?.shares.map(({ to }) => to)
    expect(test.memory.stats().caches.map(({ share }) => share)).toEqual(last)
    for (const { gain, shares } of test.of('divided')) {
      expect(gain).toBeGreaterThan(0)
      expect(shares.reduce((sum, { to }) => sum + to, 0)).toBeCloseTo(1)
      for (const { from, to } of shares) expect(Math.abs(to - from)).toBeLessThanOrEqual(0.1251)
    }
  })

  test('find the room for a loop that no equal part of it would hold', () => {
    const make = () => ({ a: loop(700), b: zipf(3_000, 0.6, 1).next, c: scan() })
    const { shared, fixed } = bothWays(make, 900, 20_000)
    const sum = ({ a = 0, b = 0, c = 0 }: Record<string, number>) => a + b + c
    expect(sum(shared)).toBeGreaterThan(1.2 * sum(fixed))
  })

  test('a neighbour that scans takes nothing from the others, however much it asks', () => {
    const test = bed({ ...hybrid, maxItems: 600 })
    const good = { a: zipf(1_000, 0.9, 1).next, b: zipf(1_000, 0.9, 2).next }
    const before = play(test.memory, good, 10_000)
    const noise = scan()
    const cache = test.memory.cache<number>('noisy')
    let hits = 0
    for (let i = 0; i < 10_000; i++) {
      for (let j = 0; j < 5; j++) cache.set(`n${noise()}`, 1)
      for (const [name, next] of Object.entries(good)) {
        const key = `k${next()}`
        const own = test.memory.cache<number>(name)
        if (own.get(key) === undefined) own.set(key, 1)
        else hits++
      }
    }
    expect(hits / 20_000).toBeGreaterThan(((before.a as number) + (before.b as number)) / 2 - 0.05)
    expect(cache.size).toBeLessThan(60)
  })

  test('a neighbour whose good days are over loses what it earned with them', () => {
    const test = bed({ ...hybrid, maxItems: 600 })
    const steady = zipf(2_000, 0.7, 1).next
    play(test.memory, { steady, fickle: zipf(600, 0.3, 2).next }, 20_000)
    const earned = itemsOf(test, 'fickle')
    play(test.memory, { steady, fickle: scan() }, 40_000)
    expect(itemsOf(test, 'fickle')).toBeLessThan(earned / 2)
  })

  test('nor does it help that its curve pauses, and still tells of them', () => {
    const test = bed({ ...hybrid, maxItems: 300 })
    const steady = zipf(2_000, 0.7, 1).next
    play(test.memory, { steady, fickle: zipf(150, 0.3, 2).next }, 80_000)
    expect(test.memory.curve('fickle')?.error).toBeGreaterThan(0)
    const earned = itemsOf(test, 'fickle')
    play(test.memory, { steady, fickle: scan() }, 40_000)
    expect(itemsOf(test, 'fickle')).toBeLessThan(earned / 2)
  })

  test('each keeps a tenth of an equal share, whatever the others would make of it', () => {
    const test = bed({ ...hybrid, maxItems: 900 })
    play(test.memory, { poor: scan(), hungry: zipf(5_000, 0.8, 1).next, also: zipf(5_000, 0.8, 2).next }, 30_000)
    // One of the thirty may just be giving way to the next.
    expect(itemsOf(test, 'poor')).toBeGreaterThanOrEqual(29)
    expect(itemsOf(test, 'poor')).toBeLessThan(60)
  })

  test('by bytes, where bytes bind', () => {
    const test = bed({ ...hybrid, maxItems: Number.POSITIVE_INFINITY, maxMemory: 90_000, maxHeap: 90_000 })
    const found = play(test.memory, { popular: zipf(5_000, 0.8, 1).next, idle: scan(), poor: scan() }, 20_000, 100)
    expect(test.of('divided').at(-1)?.unit).toBe('bytes')
    expect(test.memory.cache('popular').bytes).toBeGreaterThan(60_000)
    expect(found.popular).toBeGreaterThan(0.4)
  })

  test('a limit of its own bounds what a cache is given', () => {
    const test = bed({ ...hybrid, maxItems: 900 })
    test.memory.cache('popular', { maxItems: 400 })
    play(test.memory, { popular: zipf(5_000, 0.8, 1).next, a: scan(), b: scan() }, 20_000)
    for (const { shares } of test.of('divided'))
      for (const { cache, to } of shares) if (cache === 'popular') expect(to).toBeLessThan(0.45)
  })

  test('what nobody asks for any more is given up for those that ask', () => {
    const test = bed({ ...hybrid, maxItems: 600 })
    const steady = zipf(2_000, 0.7, 1).next
    play(test.memory, { steady, gone: zipf(600, 0.3, 2).next }, 20_000)
    play(test.memory, { steady }, 60_000)
    expect(itemsOf(test, 'gone')).toBeLessThan(100)
  })

  test('on a stable load shares come to rest', () => {
    const test = bed({ ...hybrid, maxItems: 900 })
    const all = { a: zipf(5_000, 0.8, 1).next, b: zipf(1_000, 0.9, 2).next, c: loop(200) }
    play(test.memory, all, 40_000)
    test.forget()
    play(test.memory, all, 40_000)
    expect(test.of('divided').length).toBeLessThan(4)
  })

  test.each<[string, MemoryManagerOptions, string[]]>([
    ['one cache alone', {}, ['a']],
    ['another policy', { policy: 'lru' }, ['a', 'b']],
  ])('%s divides nothing', (_, options, names) => {
    const test = bed({ ...hybrid, maxItems: 100, ...options })
    const below = chance(1)
    play(test.memory, Object.fromEntries(names.map((name) => [name, () => below(1_000)])), 3_000)
    expect(test.of('divided')).toEqual([])
    expect(test.memory.stats().caches.map(({ share }) => share)).toEqual(names.map(() => null))
  })

  test("of many caches those without a curve keep an equal share, which a scan in one of them doesn't exceed", () => {
    const test = bed({ ...hybrid, maxItems: 1_200 })
    const all = [...'abcdefghijkl']
    for (const name of all) test.memory.cache(name)
    const loads = all.map((name, i) => [name, i % 2 === 0 ? zipf(2_000, 0.9, i).next : scan()] as const)
    play(test.memory, Object.fromEntries(loads), 10_000)
    expect(test.of('divided').length).toBeGreaterThan(0)
    for (const name of 'abcdefgh') {
      if (all.indexOf(name) % 2 === 0) expect(itemsOf(test, name)).toBeGreaterThan(120)
      else expect(itemsOf(test, name)).toBeLessThan(60)
    }
    for (const name of 'ijkl') expect(Math.abs(itemsOf(test, name) - 100)).toBeLessThanOrEqual(2)
  })

  test('who comes later gets an equal share, who goes leaves the others theirs', () => {
    const test = bed({ ...hybrid, maxItems: 600 })
    play(test.memory, { a: zipf(2_000, 0.9, 1).next, b: scan() }, 20_000)
    const unequal = test.of('divided').at(-1)?.shares[0]?.to as number
    expect(unequal).toBeGreaterThan(0.6)
    test.memory.cache('c')
    test.forget()
    play(test.memory, { a: zipf(2_000, 0.9, 3).next, b: scan(), c: zipf(2_000, 0.9, 2).next }, 20_000)
    const [first] = test.of('divided')
    expect(first?.shares[0]?.from).toBeCloseTo((unequal * 2) / 3)
    expect(first?.shares[2]?.from).toBeCloseTo(1 / 3)
  })
})
