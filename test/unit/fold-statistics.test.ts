import { describe, expect, it } from 'vitest'
import { EVICTION_CAUSES } from '../../src/event/vocabulary.ts'
import { AgeHistogram, Counts, EvictionRate } from '../../src/fold/statistics.ts'

const MINUTE = 60_000

describe('the eviction rate', () => {
  it('is none before the first eviction, at any time', () => {
    for (const at of [0, 1, 1_700_000_000_000]) expect(new EvictionRate().perMinute(at)).toBe(0)
  })

  it.each([0, 9_999, 1_700_000_000_000])('is what the last five minutes held, per minute, from %d on', (start) => {
    const rate = new EvictionRate()
    for (let second = 0; second < 300; second++) rate.count(start + second * 1_000)
    expect(rate.perMinute(start + 299_000)).toBeGreaterThanOrEqual(58)
    expect(rate.perMinute(start + 299_000)).toBeLessThanOrEqual(60)
    for (const minutes of [1, 2, 3, 4]) {
      const expected = 60 * (1 - minutes / 5)
      expect(
        Math.abs(rate.perMinute(start + 299_000 + minutes * MINUTE) - expected),
        `after ${minutes} minutes`,
      ).toBeLessThanOrEqual(2)
    }
    expect(rate.perMinute(start + 299_000 + 5 * MINUTE)).toBe(0)
  })

  it('forgets what is older when it counts again, after any pause', () => {
    for (const pause of [10_000, 299_999, 300_000, 310_000, 3_000_000, 1e12]) {
      const rate = new EvictionRate()
      for (let n = 0; n < 10; n++) rate.count(5_000)
      rate.count(5_000 + pause)
      expect(rate.perMinute(5_000 + pause), `after ${pause} ms`).toBeCloseTo(pause < 295_000 ? 11 / 5 : 1 / 5, 10)
    }
  })

  it('is of buckets of ten seconds, the present one and the 29 before', () => {
    const rate = new EvictionRate()
    rate.count(9_999)
    expect([9_999, 299_999, 300_000].map((at) => rate.perMinute(at))).toEqual([0.2, 0.2, 0])
    rate.count(10_000)
    rate.count(309_999)
    expect([309_999, 310_000].map((at) => rate.perMinute(at))).toEqual([0.4, 0.2])
    rate.count(310_000)
    expect([310_000, 599_999, 609_999, 610_000].map((at) => rate.perMinute(at))).toEqual([0.4, 0.4, 0.2, 0])
    rate.count(600_000)
    rate.count(900_000)
    expect(rate.perMinute(900_000)).toBe(0.2)
  })

  it('stays the same while evictions come evenly, however long', () => {
    const rate = new EvictionRate()
    for (let second = 0; second < 1_800; second++) {
      rate.count(second * 1_000)
      if (second >= 300)
        expect(Math.abs(rate.perMinute(second * 1_000) - 60), `after ${second} s`).toBeLessThanOrEqual(2)
    }
  })

  it('is not changed by being read', () => {
    const rate = new EvictionRate()
    rate.count(1_000)
    expect(rate.perMinute(1e12)).toBe(0)
    expect(rate.perMinute(2_000)).toBe(0.2)
  })
})

describe('the histogram of ages', () => {
  it('says nothing before the first', () => {
    expect(new AgeHistogram().quantile(0.5)).toBeNull()
  })

  it('bounds a single age from above, by at most a quarter', () => {
    const ages = [
      0,
      1,
      2,
      3,
      4,
      5,
      7,
      8,
      9,
      15,
      16,
      100,
      1_000,
      65_535,
      65_536,
      1e6,
      2 ** 30 - 1,
      2 ** 30,
      2 ** 30 + 1,
      2 ** 31,
      2 ** 33 + 12_345,
      1e12,
      8e14,
    ]
    for (const age of ages) {
      const histogram = new AgeHistogram()
      histogram.count(age)
      for (const q of [0.001, 0.5, 1]) {
        const bound = histogram.quantile(q) as number
        expect(bound, `${age}`).toBeGreaterThanOrEqual(age)
        expect(bound, `${age}`).toBeLessThanOrEqual(Math.max(age, age * 1.25))
      }
    }
  })

  it('bounds the quantiles of many, each from above by at most a quarter', () => {
    const histogram = new AgeHistogram()
    const ages = Array.from({ length: 5_000 }, (_, n) => Math.floor(1.004 ** n))
    for (const age of ages) histogram.count(age)
    let last = 0
    for (const q of [0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 1]) {
      const truth = ages[Math.ceil(q * ages.length) - 1] as number
      const bound = histogram.quantile(q) as number
      expect(bound).toBeGreaterThanOrEqual(truth)
      expect(bound).toBeLessThanOrEqual(Math.max(truth, truth * 1.25))
      expect(bound).toBeGreaterThanOrEqual(last)
      last = bound
    }
  })
})

describe('counts', () => {
  /** Counts of which each differs from all others. */
  function distinct(times: number): Counts {
    const counts = new Counts()
    for (const [n, cause] of EVICTION_CAUSES.entries()) {
      for (let i = 0; i < times * (n + 1); i++) counts.countEviction(cause, 10)
    }
    const plain = [
      'hits',
      'misses',
      'regrettedMisses',
      'regrettedEvictions',
      'added',
      'updated',
      'bytesAdded',
      'expired',
      'removed',
      'cleared',
      'rejected',
      'bytesLeft',
    ] as const
    for (const [n, name] of plain.entries()) counts[name] = times * (100 + n)
    return counts
  }

  /** All figures, without what it remembers of the last cause. */
  function figuresOf(counts: Counts): Record<string, unknown> {
    return Object.fromEntries(Object.entries(counts).filter(([name]) => !name.startsWith('recent')))
  }

  it('are copied whole, and the copy is another one', () => {
    const counts = distinct(1)
    const copy = counts.copy()
    expect(copy).toEqual(counts)
    counts.countEviction('memory', 5)
    counts.hits++
    expect(copy).toEqual(distinct(1))
  })

  it('subtract and add up in every figure', () => {
    expect(figuresOf(distinct(3).since(distinct(1)))).toEqual(figuresOf(distinct(2)))
    expect(distinct(3).since(distinct(1)).causes()).toEqual(distinct(2).causes())
    const sum = new Counts()
    sum.add(distinct(1), 1)
    sum.add(distinct(2), 1)
    expect(sum.since(distinct(3)).causes()).toEqual({})
    const whole = Object.entries(figuresOf(sum)).filter(([, figure]) => typeof figure === 'number')
    const parts = [figuresOf(distinct(1)), figuresOf(distinct(2))]
    for (const [name, figure] of whole)
      expect(figure, name).toBe(parts.reduce((all, part) => all + Number(part[name]), 0))
  })

  it('show the causes that occurred, each with its number', () => {
    const counts = new Counts()
    for (const cause of ['heap', 'admission', 'heap', 'memory'] as const) counts.countEviction(cause, 7)
    expect(counts.causes()).toEqual({ memory: 1, heap: 2, admission: 1 })
    expect([counts.evicted, counts.evictedBytes]).toEqual([4, 28])
    expect((['heap', 'items', 'admission'] as const).map((cause) => counts.evictedFor(cause))).toEqual([2, 0, 1])
  })
})
