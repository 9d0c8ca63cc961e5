import { describe, expect, test } from 'vitest'
import { avalanche } from '../../src/fold/hash.ts'
import { Comparator } from '../../src/fold/policies/hybrid/comparator.ts'
import { MODES, type ModeName } from '../../src/fold/policies/hybrid/modes.ts'
import { Shadows } from '../../src/fold/policies/hybrid/shadows.ts'
import { CacheOfOneMode } from '../support/cache-of-one-mode.ts'
import { chance } from '../support/chance.ts'
import { loop, zipf } from '../support/workloads.ts'

const NEVER = Number.POSITIVE_INFINITY
const placeOf = (name: ModeName) => MODES.findIndex((mode) => mode.name === name)

/** Shadows of a cache that keeps the first keys it is given, and who would have hit each request that they were told. */
class Followed {
  readonly comparators = MODES.map(() => new Comparator())
  readonly shadows = new Shadows(this.comparators)
  /** By request, a bit for each mode. */
  readonly hitBy: number[] = []
  private readonly held = new Set<number>()
  private readonly capacity: number
  private full = false

  constructor(capacity: number) {
    this.capacity = capacity
    const { standings } = this.shadows
    const count = standings.count.bind(standings)
    standings.count = (holders) => {
      this.hitBy.push(holders)
      count(holders)
    }
  }

  /** How many a shadow has room for, as of the last store; nobody knows until the cache is full. */
  room = NEVER

  /** Asks for a key, and stores it where it is missed, unless it is said not to; whether it took the key in or had it. */
  ask(key: number, stores = true): boolean {
    if (this.held.has(key)) this.shadows.hit(hashOf(key), NEVER)
    else {
      this.shadows.miss(hashOf(key), 0)
      if (!stores) return false
      this.store(key)
    }
    return true
  }

  store(key: number, expiresAt = NEVER): void {
    const { held, capacity } = this
    if (held.size < capacity) held.add(key)
    else this.full = true
    this.room = this.full ? held.size : NEVER
    this.shadows.store(hashOf(key), expiresAt, held.size, this.full)
  }

  remove(key: number): void {
    this.held.delete(key)
    this.shadows.remove(hashOf(key))
  }

  hitsOf(mode: ModeName, from = 0): number {
    const bit = 1 << placeOf(mode)
    return this.hitBy.slice(from).filter((holders) => (holders & bit) !== 0).length
  }
}

const hashOf = (key: number): number => avalanche(key + 1)

describe('shadows of a small cache, of which all keys are sampled', () => {
  test.each(MODES.map(({ name }) => name))('hit what a cache of mode %s would hit by itself', (mode) => {
    const followed = new Followed(50)
    const alone = new CacheOfOneMode(mode, hashOf, (room) => 80 * Math.min(room, 500))
    const below = chance(7)
    const popular = zipf(200, 0.8, 3)
    const hits: boolean[] = []
    for (let i = 0; i < 6_000; i++) {
      const key = i % 3 === 0 ? popular.next() : Math.floor(i / 60) + below(60)
      if (i % 50 === 49) {
        followed.remove(key)
        alone.remove(key)
      } else if (i % 50 === 48) {
        followed.store(key)
        alone.use(key, followed.room, true)
      } else {
        const takes = followed.ask(key, i % 7 !== 0)
        hits.push(alone.ask(key, followed.room, takes))
      }
    }
    const bit = 1 << placeOf(mode)
    expect(followed.hitBy.length).toBe(hits.length)
    expect(followed.hitBy.findIndex((holders, i) => ((holders & bit) !== 0) !== hits[i])).toBe(-1)
    expect(followed.hitsOf(mode)).toBeGreaterThan(300)
    expect(followed.shadows.bits).toBe(0)
    expect(followed.shadows.standings).toMatchObject({ capacity: followed.room, sampled: 1 })
  })

  test('tell a loop, where frequencies help and recency does not, from a drift, where it is the reverse', () => {
    const around = loop(150)
    const inLoop = new Followed(100)
    for (let i = 0; i < 6_000; i++) inLoop.ask(around())
    expect(inLoop.hitsOf('lru', 1_000)).toBe(0)
    for (const mode of ['lirs', 'lirs-lfu', 'lfu-1', 'lfu-15'] as const)
      expect(inLoop.hitsOf(mode, 1_000), mode).toBeGreaterThan(0.45 * 5_000)
    const below = chance(1)
    const inDrift = new Followed(100)
    for (let i = 0; i < 20_000; i++) inDrift.ask(Math.floor(i / 3) + below(120))
    for (const mode of ['lirs', 'lirs-lfu', 'lfu-1'] as const)
      expect(inDrift.hitsOf('lru', 5_000), mode).toBeGreaterThan(1.05 * inDrift.hitsOf(mode, 5_000))
  })

  test('do not hit what has expired, nor what was removed', () => {
    const { shadows, hitBy } = new Followed(10)
    const [gone, kept] = [hashOf(1), hashOf(2)]
    shadows.store(gone, 100, 1, false)
    shadows.store(kept, 1_000, 2, false)
    shadows.miss(gone, 99)
    shadows.miss(gone, 100)
    shadows.miss(kept, 100)
    shadows.remove(kept)
    shadows.miss(kept, 101)
    shadows.miss(hashOf(3), 101)
    expect(hitBy).toEqual([0b11111, 0, 0b11111, 0, 0])
    shadows.remove(hashOf(3))
    shadows.store(gone, 300, 2, false)
    shadows.miss(gone, 299)
    expect(hitBy.at(-1)).toBe(0b11111)
  })

  test('take in what they hear of by a hit alone', () => {
    const { shadows, hitBy } = new Followed(10)
    shadows.hit(hashOf(9), 100)
    shadows.miss(hashOf(9), 99)
    shadows.miss(hashOf(9), 100)
    expect(hitBy).toEqual([0, 0b11111, 0])
  })

  test('take over what is there while they begin', () => {
    const { shadows, hitBy } = new Followed(10)
    // Nobody knows how many there is room for.
    shadows.adopt(hashOf(1), 50, 9, 1)
    shadows.adopt(hashOf(2), NEVER, 1, 1)
    shadows.miss(hashOf(1), 49)
    shadows.hit(hashOf(2), NEVER)
    shadows.miss(hashOf(1), 50)
    expect(hitBy).toEqual([0b11111, 0b11111, 0])
    // A frequency counts from the beginning: against a newcomer the one that was used nine times stays.
    const full = new Followed(2)
    full.shadows.adopt(hashOf(2), NEVER, 1, 2)
    full.shadows.adopt(hashOf(1), NEVER, 9, 2)
    for (let n = 10; n < 30; n++) full.shadows.store(hashOf(n), NEVER, 2, true)
    full.shadows.miss(hashOf(1), 0)
    expect((full.hitBy.at(-1) as number) & (1 << placeOf('lirs-lfu'))).not.toBe(0)
    expect((full.hitBy.at(-1) as number) & (1 << placeOf('lru'))).toBe(0)
  })

  test('remember four keys for each entry that none of them holds, and no more', () => {
    const followed = new Followed(20)
    for (let n = 0; n < 500; n++) followed.ask(n)
    const known = Reflect.get(followed.shadows, 'directory') as { all(): number[]; places: number }
    const unheld = known.all().length - 20
    expect(unheld).toBeGreaterThan(60)
    expect(unheld).toBeLessThanOrEqual(80 + 80)
    expect(known.places).toBe(128)
  })
})

describe('of a larger cache', () => {
  /** The share of keys that is sampled once the cache has so many entries, and what the shadows then have room for. */
  function sized(...entries: readonly number[]): readonly (readonly [bits: number, room: number])[] {
    const shadows = new Shadows(MODES.map(() => new Comparator()))
    return entries.map((count) => {
      // More than one step is taken one store at a time.
      for (let i = 0; i < 20; i++) shadows.store(0, NEVER, count, true)
      return [shadows.bits, shadows.standings.capacity] as const
    })
  }

  test('half of the keys are sampled for each doubling, so that a shadow has 250 to 499 entries at first', () => {
    expect(sized(499, 500, 501, 999, 1_000, 100_000)).toEqual([
      [0, 499],
      [1, 250],
      [1, 251],
      [1, 500],
      [2, 250],
      [8, 391],
    ])
  })

  test('and more again once it has shrunk to half of that', () => {
    expect(sized(1_000, 500, 499, 250, 249, 10)).toEqual([
      [2, 250],
      [2, 125],
      [1, 250],
      [1, 125],
      [0, 249],
      [0, 10],
    ])
  })

  test('half as many are enough once a full cache has had 32 requests an entry', () => {
    const shadows = new Shadows(MODES.map(() => new Comparator()))
    const ask = (requests: number, full: boolean): void => {
      for (let i = 0; i < requests; i++) {
        if (i % 2 === 0) shadows.miss(1, 0)
        else shadows.hit(0, NEVER)
      }
      shadows.store(0, NEVER, 300, full)
    }
    ask(10_000, false)
    ask(9_600, true)
    expect(shadows.bits).toBe(0)
    ask(1, true)
    expect(shadows.bits).toBe(1)
    expect(shadows.standings).toMatchObject({ capacity: 150, sampled: 0.5 })
  })

  test('keys that are not sampled any more are forgotten, and the others go on', () => {
    const { shadows, hitBy } = new Followed(10)
    const keys = Array.from({ length: 400 }, (_, n) => hashOf(n))
    for (const [n, hash] of keys.entries()) shadows.store(hash, NEVER, n + 1, false)
    shadows.store(0, NEVER, 500, false)
    const sampled = keys.filter((hash) => Math.clz32(hash) >= 1)
    expect(sampled.length).toBeGreaterThan(150)
    for (const hash of keys) shadows.miss(hash, 0)
    expect(hitBy).toEqual(keys.map((hash) => (Math.clz32(hash) >= 1 ? 0b11111 : 0)))
  })

  test('a shadow of a sample hits what the whole would hit, within a few hundredths', () => {
    const [whole, sampled] = [new Followed(200), new Followed(800)]
    // The same load at four times the size, of which a quarter is sampled.
    const [small, large] = [zipf(2_000, 0.7, 3), zipf(8_000, 0.7, 4)]
    for (let i = 0; i < 20_000; i++) whole.ask(small.next())
    const asked = (key: number) => Math.clz32(hashOf(key)) >= sampled.shadows.bits
    for (let n = 0; n < 800; n++) sampled.store(n)
    for (let i = 0; i < 80_000; i++) {
      const key = large.next()
      if (asked(key)) sampled.ask(key)
    }
    expect(sampled.shadows.bits).toBeGreaterThan(0)
    for (const { name } of MODES) {
      const ratios = [whole, sampled].map((one) => one.hitsOf(name, 5_000) / (one.hitBy.length - 5_000))
      expect(Math.abs((ratios[0] as number) - (ratios[1] as number)), name).toBeLessThan(0.1)
    }
  })
})
