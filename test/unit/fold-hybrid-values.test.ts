import { describe, expect, test } from 'vitest'
import { Columns, NONE } from '../../src/fold/columns.ts'
import { avalanche } from '../../src/fold/hash.ts'
import { Directory } from '../../src/fold/policies/hybrid/directory.ts'
import { Frequencies } from '../../src/fold/policies/hybrid/frequencies.ts'
import { MOST_FREQUENT } from '../../src/fold/policies/hybrid/frequency-sketch.ts'
import { FIRST_MODE, MODES } from '../../src/fold/policies/hybrid/modes.ts'
import { Standings } from '../../src/fold/policies/hybrid/standings.ts'
import { Weights } from '../../src/fold/policies/hybrid/weights.ts'
import { chance } from '../support/chance.ts'

describe('how different sizes are', () => {
  test('is their variance over the square of their mean, of those that are there', () => {
    const weights = new Weights(new Columns(10), 'hits')
    expect(weights.spread).toBe(0)
    const below = chance(1)
    const sizes: number[] = []
    for (let i = 0; i < 200; i++) {
      if (i % 3 === 2) weights.leave(sizes.shift() as number)
      const size = 1 + below(1_000)
      sizes.push(size)
      weights.enter(size)
      const mean = sizes.reduce((sum, one) => sum + one, 0) / sizes.length
      const variance = sizes.reduce((sum, one) => sum + (one - mean) ** 2, 0) / sizes.length
      expect(weights.spread).toBeCloseTo(variance / mean ** 2, 9)
    }
    for (const size of sizes) weights.leave(size)
    expect(weights.spread).toBe(0)
  })
})

describe('what an entry is worth for its bytes', () => {
  /** An entry of 16 bytes, used once, 16 events ago, but for what is said; optimized for hits. */
  function worth(said: { size?: number; frequency?: number; age?: number; cost?: number }, optimize = 'hits'): number {
    const columns = new Columns(10)
    columns.needFrequency()
    const weights = new Weights(columns, optimize as 'hits')
    const h = columns.take()
    columns.size[h] = said.size ?? 16
    columns.frequency[h] = said.frequency ?? 1
    if (said.cost !== undefined) columns.setExtras(h, 0, said.cost, null, null)
    columns.usedSeq[h] = 1_000
    weights.now = 1_000 + (said.age ?? 16)
    return weights.worth(h)
  }

  test('is its frequency over its size over the fourth root of its age', () => {
    expect(worth({ size: 10, frequency: 6, age: 81 })).toBeCloseTo(6 / 10 / 3, 12)
    expect(worth({ size: 1, frequency: 15, age: 1 })).toBe(15)
  })

  test('counts a frequency that was halved to nothing as a half, no age as one, no bytes as one', () => {
    expect(worth({ frequency: 0 })).toBe(worth({ frequency: 1 }) / 2)
    expect(worth({ age: 0 })).toBe(worth({ age: 1 }))
    expect(worth({ size: 0 })).toBe(worth({ size: 1 }))
  })

  test('leaves the size out for most bytes hit, and is multiplied by the cost for most cost saved', () => {
    expect(worth({ size: 100 }, 'bytes')).toBe(worth({ size: 1 }, 'bytes'))
    expect(worth({ size: 1 }, 'bytes')).toBe(worth({ size: 1 }))
    expect(worth({ cost: 7 }, 'cost')).toBeCloseTo(7 * worth({}), 12)
    expect(worth({ cost: 7 })).toBe(worth({}))
    // Where no cost was ever told, all are alike.
    expect(worth({}, 'cost')).toBe(worth({}))
  })
})

describe('frequencies of the entries', () => {
  function entered(entries: number): { frequencies: Frequencies; columns: Columns } {
    const columns = new Columns(entries)
    columns.needFrequency()
    const frequencies = new Frequencies(columns)
    for (let h = 0; h < entries; h++) frequencies.enter(columns.take(), 0)
    return { frequencies, columns }
  }

  test('count uses up to a most, from what is known of the key', () => {
    const { frequencies, columns } = entered(3)
    expect(Array.from(columns.frequency.subarray(0, 3))).toEqual([1, 1, 1])
    frequencies.use(0)
    for (let i = 0; i < 30; i++) frequencies.use(1)
    frequencies.enter(2, MOST_FREQUENT)
    expect(Array.from(columns.frequency.subarray(0, 3))).toEqual([2, MOST_FREQUENT, MOST_FREQUENT])
    frequencies.enter(2, 7)
    expect(columns.frequency[2]).toBe(8)
    Object.assign(columns.hits, { 2: 3 })
    columns.carried[2] = 2
    frequencies.adopt(2)
    expect(columns.frequency[2]).toBe(5)
    columns.carried[2] = 100
    frequencies.adopt(2)
    expect(columns.frequency[2]).toBe(MOST_FREQUENT)
  })

  test('are halved after eighty uses an entry, and 1,024 at least', () => {
    for (const [entries, uses] of [
      [5, 1_024],
      [100, 8_000],
    ] as const) {
      const { frequencies, columns } = entered(entries)
      for (let i = entries; i < uses - 1; i++) frequencies.use(0)
      expect([frequencies.halvings, columns.frequency[0]]).toEqual([0, MOST_FREQUENT])
      frequencies.sketch.raise(9, 14)
      frequencies.use(0)
      expect([frequencies.halvings, columns.frequency[0], columns.frequency[1]]).toEqual([1, 7, 0])
      expect(frequencies.sketch.estimate(9)).toBe(7)
      for (let i = 0; i < uses; i++) frequencies.use(0)
      expect(frequencies.halvings).toBe(2)
    }
  })

  test('are halved sooner once there are fewer entries', () => {
    const { frequencies } = entered(100)
    for (let i = 100; i < 4_000; i++) frequencies.use(0)
    for (let i = 0; i < 50; i++) frequencies.leave()
    frequencies.use(0)
    expect(frequencies.halvings).toBe(1)
  })
})

describe('standings of the modes', () => {
  const PERIOD = 32

  test('are what each would have hit beyond the present one, and where they differed, fading', () => {
    const below = chance(2)
    const standings = new Standings()
    standings.capacity = 200
    standings.sampled = 0.5
    const memory = 16 * 200
    let requests: { holders: number; weight: number }[] = []
    const check = (modeAt: number): void => {
      for (const [i, lead] of standings.lead.entries()) {
        const hit = (holders: number, mode: number) => (holders >> mode) & 1
        const sum = (of: (holders: number) => number) =>
          requests.reduce((all, { holders, weight }) => all + weight * of(holders), 0)
        expect(lead).toBeCloseTo(
          sum((holders) => hit(holders, i) - hit(holders, modeAt)),
          8,
        )
        expect(standings.disputed[i]).toBeCloseTo(
          sum((holders) => hit(holders, i) ^ hit(holders, modeAt)),
          8,
        )
      }
      expect(standings.furthest).toBe(Math.max(...standings.lead))
    }
    for (let round = 0; round < 20; round++) {
      for (let i = 0; i < PERIOD; i++) {
        const holders = below(2 ** MODES.length)
        standings.count(holders)
        requests.push({ holders, weight: 1 })
      }
      check(FIRST_MODE)
      requests = requests.map(({ holders, weight }) => ({ holders, weight: weight * Math.exp(-PERIOD / memory) }))
    }
    standings.change(0)
    check(0)
    expect(standings.modeAt).toBe(0)
  })

  test('are compared every 32 requests, not in between', () => {
    const standings = new Standings()
    for (let i = 0; i < PERIOD - 1; i++) standings.count(1)
    expect(standings.lead[0]).toBe(0)
    standings.count(1)
    expect(standings.lead[0]).toBe(PERIOD)
    standings.count(1)
    expect(standings.lead[0]).toBe(PERIOD)
  })

  test('remember 2,000 requests at least, as those that are sampled stand for them', () => {
    const standings = new Standings()
    standings.capacity = 10
    standings.sampled = 0.25
    for (let i = 0; i < 2 * PERIOD; i++) standings.count(1)
    expect(standings.lead[0]).toBeCloseTo(PERIOD * (1 + Math.exp(-PERIOD / 500)), 8)
  })

  test('name the modes, in their order', () => {
    expect(new Standings().names).toEqual(['lru', 'lirs', 'lirs-lfu', 'lfu-1', 'lfu-15'])
  })
})

describe('the directory of keys', () => {
  test('knows nothing of a key that is new, and each by its hash', () => {
    const directory = new Directory()
    expect(directory.find(5)).toBe(NONE)
    const place = directory.make(5)
    expect(directory.find(5)).toBe(place)
    expect(directory.find(6)).toBe(NONE)
    expect([
      directory.hash[place],
      directory.usedSeq[place],
      directory.expiresAt[place],
      directory.frequency[place],
      directory.heldBy[place],
      directory.met[place],
    ]).toEqual([5, NONE, Number.POSITIVE_INFINITY, 0, 0, 0])
    expect(directory.all()).toEqual([place])
  })

  test('drops first who was given up first, of those that nobody holds', () => {
    const directory = new Directory()
    const [a, b, c] = [directory.make(1), directory.make(2), directory.make(3)]
    expect([directory.beyond(3), directory.beyond(2)]).toEqual([NONE, a])
    directory.pin(a)
    expect([directory.beyond(2), directory.beyond(1)]).toEqual([NONE, b])
    // Pinned, and held by two besides: it waits again once all have let it go.
    directory.heldBy[a] = (directory.heldBy[a] as number) | 0b11
    directory.unpin(a)
    expect(directory.beyond(2)).toBe(NONE)
    directory.release(a, 0b01)
    expect(directory.beyond(2)).toBe(NONE)
    directory.release(a, 0b10)
    expect(directory.beyond(2)).toBe(b)
    directory.drop(b)
    directory.drop(c)
    expect([directory.find(2), directory.find(3), directory.beyond(0)]).toEqual([NONE, NONE, a])
    directory.pin(a)
    directory.pin(a)
    directory.unpin(a)
    expect(directory.beyond(0)).toBe(a)
  })

  test('gives places out again, fresh, and asks to grow where there is none', () => {
    const directory = new Directory()
    const places = Array.from({ length: directory.places }, (_, n) => directory.make(avalanche(n)))
    expect(new Set(places).size).toBe(directory.places)
    expect(directory.make(99)).toBe(NONE)
    const [first = 0] = places
    directory.usedSeq[first] = 7
    directory.expiresAt[first] = 7
    directory.met[first] = 3
    directory.pin(first)
    directory.unpin(first)
    directory.drop(first)
    const again = directory.make(99)
    expect(again).toBe(first)
    expect([directory.usedSeq[again], directory.expiresAt[again], directory.met[again]]).toEqual([
      NONE,
      Number.POSITIVE_INFINITY,
      0,
    ])
    const before = places.slice(1).map((place) => directory.hash[place])
    for (const place of places) directory.usedSeq[place] = place + 1
    directory.grow()
    expect(directory.places).toBe(2 * places.length)
    expect(places.slice(1).map((place) => directory.hash[place])).toEqual(before)
    for (const place of places) expect(directory.usedSeq[place]).toBe(place + 1)
    expect(directory.make(100)).toBe(places.length)
    expect(directory.all()).toHaveLength(places.length + 1)
    // All wait to be dropped, in the order in which they came.
    expect(directory.beyond(places.length)).toBe(places[1])
  })

  test('counts uses, halves them, and remembers those of keys that came more than once', () => {
    const directory = new Directory()
    const [once, often] = [directory.make(avalanche(1)), directory.make(avalanche(2))]
    directory.count(once)
    for (let i = 0; i < 20; i++) directory.count(often)
    expect([directory.frequency[once], directory.frequency[often]]).toEqual([1, MOST_FREQUENT])
    directory.halve()
    expect([directory.frequency[once], directory.frequency[often]]).toEqual([0, 7])
    directory.count(once)
    for (const place of [once, often]) directory.drop(place)
    directory.halve()
    expect([1, 2].map((n) => directory.frequency[directory.make(avalanche(n))])).toEqual([0, 3])
    const twice = directory.make(avalanche(3))
    for (let i = 0; i < 2; i++) directory.count(twice)
    directory.drop(twice)
    expect(directory.frequency[directory.make(avalanche(3))]).toBe(2)
  })
})
