import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MissRatioCurve } from '../../src/fold/curve/miss-ratio-curve.ts'
import { avalanche } from '../../src/fold/hash.ts'
import { Counts } from '../../src/fold/statistics.ts'
import { chance } from '../support/chance.ts'
import { ExactCurve } from '../support/exact-curve.ts'
import { zipf } from '../support/workloads.ts'

const NEVER = Number.POSITIVE_INFINITY
/** Requests for any key at all before a curve of few keys pauses: 65,536 at first, and nine stretches of 8,192 pass that. */
const UNTIL_PAUSE = 9 * 8_192
/** It goes on when one in 80 requests was measured beyond the first. */
const UNTIL_RESUMED = 80 * (UNTIL_PAUSE - 65_536)

/** A curve that is told what a cache tells it, and of nothing beyond its threshold. */
class Followed {
  readonly counts = new Counts()
  readonly curve: MissRatioCurve
  told = 0

  constructor(most: number) {
    this.curve = new MissRatioCurve(this.counts, most)
  }

  request(hash: number, at: number, isHit: boolean): void {
    this.counts[isHit ? 'hits' : 'misses']++
    if (hash > this.curve.threshold) return
    this.told++
    this.curve.requested(hash, at, isHit)
  }

  store(hash: number, size = 1, expiresAt = NEVER): void {
    if (hash <= this.curve.threshold) this.curve.stored(hash, size, expiresAt)
  }

  /** Asks for a key, and stores it where it is missed. */
  use(hash: number, size = 1): void {
    const isHit = this.held.has(hash)
    this.request(hash, 0, isHit)
    if (!isHit) this.store(hash, size)
    this.held.add(hash)
  }

  private readonly held = new Set<number>()

  /** So many requests for keys that are not followed. */
  others(requests: number): void {
    this.counts.misses += requests
  }
}

const SIZES = Array.from({ length: 128 }, (_, i) => i)

type Step = readonly ['request' | 'store' | 'resize' | 'remove', n: number, size: number, isHit: boolean]

const step: fc.Arbitrary<Step> = fc.tuple(
  fc.constantFrom('request', 'request', 'request', 'store', 'store', 'resize', 'remove'),
  fc.nat(20),
  fc.integer({ min: 1, max: 5 }),
  fc.boolean(),
)

describe('a curve of few keys', () => {
  test('is exact, by items and by bytes, whatever is stored, expires, is resized or leaves', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 150, size: 'max' }), (steps) => {
        const exact = new ExactCurve()
        const { curve, counts } = new Followed(100)
        for (const [at, [what, n, size, isHit]] of steps.entries()) {
          const hash = avalanche(n)
          if (what === 'request') {
            counts[isHit ? 'hits' : 'misses']++
            exact.request(hash, at, isHit)
            curve.requested(hash, at, isHit)
          } else if (what === 'store') {
            const expiresAt = n % 3 === 0 ? at + 20 : NEVER
            exact.store(hash, size, expiresAt)
            curve.stored(hash, size, expiresAt)
          } else if (what === 'resize') {
            exact.resize(hash, size)
            curve.resized(hash, size)
          } else {
            exact.remove(hash)
            curve.removed(hash)
          }
        }
        expect(curve.requests).toBe(exact.distances.length)
        expect(curve.byItems.at(SIZES)).toEqual(exact.at('items', SIZES))
        expect(curve.byBytes.at(SIZES)).toEqual(exact.at('bytes', SIZES))
        if (exact.distances.length === 0) expect(curve.told).toBeNull()
        else expect(curve.told).toMatchObject({ requests: exact.distances.length, error: 0 })
      }),
      { seed: 1, numRuns: 200 },
    )
  })

  test('goes on where keys come and go, more of them than it has room for at first', () => {
    const followed = new Followed(2_000)
    const exact = new ExactCurve()
    const { next } = zipf(1_500, 0.7, 3)
    const held = new Set<number>()
    for (let i = 0; i < 8_000; i++) {
      const hash = avalanche(next())
      const isHit = held.has(hash)
      held.add(hash)
      const size = 1 + (hash & 7)
      followed.request(hash, 0, isHit)
      exact.request(hash, 0, isHit)
      if (isHit) continue
      followed.store(hash, size)
      exact.store(hash, size, NEVER)
    }
    for (const [by, reading, end] of [
      ['items', followed.curve.byItems, 1_500],
      ['bytes', followed.curve.byBytes, 7_000],
    ] as const) {
      const sizes = Array.from({ length: 50 }, (_, i) => Math.round((end * (i + 1)) / 50))
      const wanted = exact.at(by, sizes)
      for (const [i, ratio] of reading.at(sizes).entries()) expect(Math.abs(ratio - wanted[i]!)).toBeLessThan(0.005)
    }
    expect(followed.told).toBe(8_000)
  })

  test('ends at the largest distance that it saw', () => {
    const followed = new Followed(100)
    expect([followed.curve.byItems.end, followed.curve.byItems.at([5])]).toEqual([0, [0]])
    for (let round = 0; round < 2; round++) for (let n = 0; n < 30; n++) followed.use(avalanche(n), 2)
    expect([followed.curve.byItems.end, followed.curve.byBytes.end]).toEqual([31, 61])
    expect(followed.curve.told).toMatchObject({ requests: 60, error: 0 })
    expect(followed.curve.told?.byItems.at(-1)).toEqual([31, 0.5])
    expect(followed.curve.told?.byBytes.at(-1)).toEqual([61, 0.5])
  })
})

describe('a curve of more keys than it may follow', () => {
  /** How many of these keys are followed. */
  const followedOf = ({ curve }: Followed, keys: number) =>
    Array.from({ length: keys }, (_, n) => avalanche(n)).filter((hash) => hash <= curve.threshold).length

  test('follows a sample that stands for all, within a few hundredths', () => {
    const [sampled, whole] = [new Followed(1_000), new Followed(10_000)]
    const { next } = zipf(6_000, 0.8, 5)
    for (let i = 0; i < 60_000; i++) {
      const hash = avalanche(next())
      sampled.use(hash, 1 + (hash & 15))
      whole.use(hash, 1 + (hash & 15))
    }
    expect(sampled.curve.told).toMatchObject({ requests: 60_000, error: 0.01 })
    expect(whole.curve.told).toMatchObject({ requests: 60_000, error: 0 })
    for (const by of ['byItems', 'byBytes'] as const) {
      const end = whole.curve[by].end
      const sizes = Array.from({ length: 50 }, (_, i) => (end * (i + 1)) / 50)
      const wanted = whole.curve[by].at(sizes)
      const errors = sampled.curve[by].at(sizes).map((ratio, i) => Math.abs(ratio - (wanted[i] as number)))
      expect(errors.reduce((sum, error) => sum + error, 0) / 50).toBeLessThan(0.02)
    }
  })

  test('keeps to as many as it may, an eighth of them given up at a time', () => {
    const followed = new Followed(1_000)
    for (let n = 0; n < 1_000; n++) followed.use(avalanche(n))
    expect(followedOf(followed, 1_000)).toBe(1_000)
    followed.use(avalanche(1_000))
    expect(followedOf(followed, 1_001)).toBeLessThan(930)
    for (let n = 1_001; n < 20_000; n++) followed.use(avalanche(n))
    expect(followedOf(followed, 20_000)).toBeLessThanOrEqual(1_000)
    expect(followedOf(followed, 20_000)).toBeGreaterThan(800)
    followed.curve.limit(100)
    expect(followedOf(followed, 20_000)).toBeLessThanOrEqual(100)
    expect(followedOf(followed, 20_000)).toBeGreaterThan(70)
    // More may be followed now, but nobody knows of the others any more.
    followed.curve.limit(10_000)
    expect(followedOf(followed, 20_000)).toBeLessThanOrEqual(100)
  })

  test('takes no notice of keys that it does not follow any more', () => {
    const followed = new Followed(10)
    for (let n = 0; n < 1_000; n++) followed.use(avalanche(n))
    const before = [followed.curve.byItems.at([1, 5, 10]), followed.curve.threshold]
    const beyond = Array.from({ length: 100 }, (_, n) => avalanche(n)).filter((hash) => hash > followed.curve.threshold)
    for (const hash of beyond) {
      followed.curve.stored(hash, 1, NEVER)
      followed.curve.resized(hash, 100)
      followed.curve.removed(hash)
    }
    expect([followed.curve.byItems.at([1, 5, 10]), followed.curve.threshold]).toEqual(before)
  })

  test('counts what the sample has too few of as hits of the smallest sizes: the most frequent keys are not in it', () => {
    const followed = new Followed(100)
    for (let n = 0; n < 50; n++) followed.use(avalanche(n))
    for (let n = 0; n < 50; n++) followed.use(avalanche(n))
    followed.counts.hits += 100
    expect(followed.curve.byItems.at([1, 50])).toEqual([0.5, 0.75])
  })

  test('follows fewer where all of them would be asked for too often, an eighth less with each request, down to 2,048', () => {
    const followed = new Followed(100_000)
    const keys = 6_000
    let i = 0
    for (; followed.told === i; i++) followed.use(avalanche(i % keys))
    // With the 66,366th more than one in 80 were measured beyond the first 65,536.
    expect(followed.told).toBeGreaterThanOrEqual(66_366)
    expect(followed.told).toBeLessThan(66_400)
    expect(followedOf(followed, keys)).toBeLessThan(0.9 * keys)
    expect(followedOf(followed, keys)).toBeGreaterThan(0.6 * keys)
    for (const end = i + 5_000; i < end; i++) followed.use(avalanche(i % keys))
    expect(followedOf(followed, keys)).toBeLessThanOrEqual(2_048)
    expect(followedOf(followed, keys)).toBeGreaterThan(1_600)
  })
})

describe('a curve of few keys that are asked for often', () => {
  /** Rounds over so many keys, `requests` in all. */
  function loop(followed: Followed, keys: number, requests: number, first = 0): void {
    for (let i = 0; i < requests; i++) followed.use(avalanche(first + (i % keys)))
  }

  test('pauses when it has measured its share, goes on later, and lets what follows stand for the pause', () => {
    const followed = new Followed(1_000)
    loop(followed, 64, UNTIL_PAUSE - 1)
    expect(followed.curve.told?.error).toBe(0)
    const before = followed.curve.threshold
    loop(followed, 64, 1, 63)
    expect(followed.curve.threshold).toBeLessThan(before)
    expect(followed.curve.requests).toBe(UNTIL_PAUSE)
    // Until it goes on, one of 64 keys is looked at, and nothing is measured.
    const { measured } = followed.curve
    followed.others(UNTIL_RESUMED - UNTIL_PAUSE - 1)
    followed.curve.requested(avalanche(0), 0, true)
    expect([followed.curve.measured, followed.curve.requests]).toEqual([measured, UNTIL_PAUSE])
    expect(followed.curve.told?.error).toBe(0.01)
    followed.others(1)
    followed.curve.requested(avalanche(0), 0, true)
    expect(followed.curve.measured).toBe(measured + 1)
    expect(followed.curve.threshold).toBe(before)
    loop(followed, 64, 8_191)
    // Now all requests of the pause are spoken for.
    const { hits, misses } = followed.counts
    expect(followed.curve.requests / (hits + misses)).toBeCloseTo(1, 2)
    loop(followed, 64, 1)
    expect(followed.curve.requests).toBe(hits + misses + 1)
    const [below, at] = followed.curve.byItems.at([63, 64])
    expect(below).toBeLessThan(0.01)
    expect(at).toBeGreaterThan(0.99)
  })

  test('has 32 requests for each key between two pauses', () => {
    const followed = new Followed(2_000)
    const before = followed.curve.threshold
    // The first time for measuring is over after 8,192 requests, the others after 32,000.
    loop(followed, 1_000, 8_192 + 2 * 32_000 - 1)
    expect(followed.curve.threshold).toBe(before)
    loop(followed, 1_000, 1, 191)
    expect(followed.curve.threshold).toBeLessThan(before)
  })

  test('may be given fewer keys during a pause: one in 64 of those is looked at', () => {
    const followed = new Followed(1_000)
    loop(followed, 64, UNTIL_PAUSE)
    followed.curve.limit(30)
    const paused = followed.curve.threshold
    followed.others(UNTIL_RESUMED - UNTIL_PAUSE)
    followed.curve.requested(-(2 ** 31), 0, true)
    expect((followed.curve.threshold + 2 ** 31) / (paused + 2 ** 31)).toBeCloseTo(64, 3)
    expect(followed.curve.threshold).toBeLessThan(0)
  })

  test('weighs what follows a pause as much as the pause was long', () => {
    const followed = new Followed(1_000)
    loop(followed, 20, UNTIL_PAUSE)
    followed.others(UNTIL_RESUMED - UNTIL_PAUSE)
    // Since then it is another load: a loop of 40.
    for (let n = 0; n < 40; n++) followed.curve.stored(avalanche(1_000 + n), 1, NEVER)
    loop(followed, 40, 20_000, 1_000)
    const [of20, of40] = followed.curve.byItems.at([25, 60]) as [number, number]
    expect(of20).toBeCloseTo(UNTIL_PAUSE / (UNTIL_RESUMED + 8_192), 1)
    expect(of40).toBeGreaterThan(0.95)
  })

  test('stores nothing during a pause: it would not know what was used since', () => {
    const followed = new Followed(1_000)
    loop(followed, 64, UNTIL_PAUSE)
    followed.curve.stored(avalanche(5_000), 1, NEVER)
    followed.others(UNTIL_RESUMED - UNTIL_PAUSE)
    followed.curve.requested(avalanche(5_000), 0, true)
    const { requests } = followed.curve
    // It is there, and unknown: that tells nothing.
    followed.counts.hits++
    followed.curve.requested(avalanche(5_000), 0, true)
    expect(followed.curve.requests).toBe(requests)
  })

  test('forgets half of what is older than 16 million requests', () => {
    const followed = new Followed(1_000)
    // A thousand of which nothing is known.
    for (let i = 0; i < 1_000; i++) followed.request(avalanche(99), 0, true)
    loop(followed, 10, 7_191)
    followed.others(2 ** 24 + 1 - 8_191)
    loop(followed, 10, 2)
    expect(followed.curve.requests).toBeCloseTo(2 ** 23 - 500, -2)
    // It was halved once, not with every stretch that follows.
    loop(followed, 10, 40_000)
    expect(followed.curve.requests).toBeCloseTo(2 ** 23 - 500 + 40_000, -2)
  })
})

describe('what was asked for of late', () => {
  test('is what the curve of the whole would be, from then on', () => {
    const below = chance(4)
    const followed = new Followed(1_000)
    const exact = new ExactCurve()
    const ask = (): void => {
      const hash = avalanche(below(60))
      followed.use(hash)
      exact.request(hash, 0, true)
    }
    for (let n = 0; n < 60; n++) {
      followed.use(avalanche(n))
      exact.store(avalanche(n), 1, NEVER)
    }
    followed.curve.watch(true)
    const { recent } = followed.curve
    expect([recent?.requests, recent?.byItems.at([60])]).toEqual([0, [0]])
    for (let i = 0; i < 500; i++) ask()
    followed.curve.watch(true)
    expect(followed.curve.recent).toBe(recent)
    expect(recent?.requests).toBe(500)
    expect(recent?.byItems.at(SIZES)).toEqual(exact.at('items', SIZES))
    expect(recent?.byBytes.at(SIZES)).toEqual(exact.at('bytes', SIZES))
    followed.curve.watch(false)
    expect(followed.curve.recent).toBeNull()
  })

  test('leaves out hits of keys that nobody knows', () => {
    const followed = new Followed(1_000)
    followed.curve.watch(true)
    for (let i = 0; i < 10; i++) followed.request(avalanche(i), 0, true)
    for (let i = 0; i < 10; i++) followed.use(avalanche(100 + i))
    expect(followed.curve.recent?.requests).toBe(10)
    followed.request(avalanche(5), 0, true)
    expect(followed.curve.recent?.byItems.at([50])).toEqual([0])
  })

  test('speaks for no pause, and each stretch between two counts for itself', () => {
    const followed = new Followed(1_000)
    followed.curve.watch(true)
    for (let i = 0; i < UNTIL_PAUSE; i++) followed.use(avalanche(i % 64))
    expect(followed.curve.recent?.requests).toBe(UNTIL_PAUSE)
    followed.others(UNTIL_RESUMED - UNTIL_PAUSE)
    expect(followed.curve.recent?.requests).toBe(UNTIL_PAUSE)
    // Forgetting half works during a pause as ever.
    followed.curve.recent?.halve()
    expect(followed.curve.recent?.requests).toBe(UNTIL_PAUSE / 2)
    for (let i = 0; i < 1_000; i++) followed.curve.requested(avalanche(i % 64), 0, true)
    followed.counts.hits += 1_000
    expect(followed.curve.recent?.requests).toBe(UNTIL_PAUSE / 2 + 1_000)
    followed.curve.recent?.halve()
    expect(followed.curve.recent?.requests).toBe(UNTIL_PAUSE / 4 + 500)
  })

  test('may begin during a pause', () => {
    const followed = new Followed(1_000)
    for (let i = 0; i < UNTIL_PAUSE; i++) followed.use(avalanche(i % 64))
    followed.curve.watch(true)
    followed.others(UNTIL_RESUMED - UNTIL_PAUSE)
    expect(followed.curve.recent?.requests).toBe(0)
    followed.curve.requested(avalanche(0), 0, true)
    followed.counts.hits += 3
    expect(followed.curve.recent?.requests).toBe(3)
  })
})
