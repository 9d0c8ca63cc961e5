import { describe, expect, test } from 'vitest'
import { ratioAt } from '../../src/base/curve/reading.ts'
import type { Divided } from '../../src/event/catalogue.ts'
import type { CacheState } from '../../src/fold/cache-state.ts'
import { MissRatioCurve } from '../../src/fold/curve/miss-ratio-curve.ts'
import { Claim, Division } from '../../src/fold/division.ts'
import { avalanche } from '../../src/fold/hash.ts'
import { Counts } from '../../src/fold/statistics.ts'
import { chance } from '../support/chance.ts'
import { zipf } from '../support/workloads.ts'

const NO_LIMIT = Number.POSITIVE_INFINITY
/** Events from one comparison to the next. */
const PERIOD = 4_096

/** What a division sees of a cache: what it holds, what it was asked for, and its curve, if it has one. */
class Tenant {
  readonly counts = new Counts()
  readonly curve: MissRatioCurve | null
  readonly settings = { maxItems: NO_LIMIT, maxMemory: NO_LIMIT, ttl: NO_LIMIT }
  readonly name: string
  items = 0
  bytes = 0
  private readonly held = new Set<number>()

  constructor(name: string, hasCurve = true) {
    this.name = name
    this.curve = hasCurve ? new MissRatioCurve(this.counts, 10_000) : null
  }

  /** Asks for a key of `size` bytes in a cache of so many entries, which keeps those that came first. */
  ask(key: number, capacity: number, size = 1): void {
    const hash = avalanche(key)
    const isHit = this.held.has(key)
    this.counts[isHit ? 'hits' : 'misses']++
    this.curve?.requested(hash, 0, isHit)
    if (!isHit) this.curve?.stored(hash, size, NO_LIMIT)
    if (this.held.size < capacity) this.held.add(key)
    this.items = this.held.size
    this.bytes = size * this.items
  }

  /** Rounds over so many keys. */
  loop(keys: number, requests: number, capacity: number, size = 1): void {
    for (let i = 0; i < requests; i++) this.ask(i % keys, capacity, size)
  }

  get cache(): CacheState {
    return this as unknown as CacheState
  }
}

function dividing(...tenants: Tenant[]): Division {
  return new Division(
    tenants.map(({ cache }) => cache),
    [],
    0,
  )
}

const heldBy = (...tenants: Tenant[]) => ({
  items: tenants.reduce((sum, { items }) => sum + items, 0),
  bytes: tenants.reduce((sum, { bytes }) => sum + bytes, 0),
})

const sharesOf = ({ claims }: Division) => claims.map(({ share }) => share)
const wishesOf = ({ claims }: Division) => claims.map(({ wished }) => wished)

describe('a division', () => {
  test('gives each an equal share at first, and is compared one period later', () => {
    const tenants = ['a', 'b', 'c', 'd'].map((name) => new Tenant(name))
    const division = new Division(
      tenants.map(({ cache }) => cache),
      [],
      100,
    )
    expect(sharesOf(division)).toEqual([0.25, 0.25, 0.25, 0.25])
    expect(wishesOf(division)).toEqual([0.25, 0.25, 0.25, 0.25])
    expect([division.gain, division.comparesAt, division.unit]).toEqual([0, 100 + PERIOD, 'items'])
    division.compare(heldBy(...tenants), null, 5_000)
    expect([division.comparesAt, division.unit]).toEqual([5_000 + PERIOD, 'items'])
  })

  test('is as an event says, for those that are there', () => {
    const [a, b] = [new Tenant('a'), new Tenant('b')]
    const division = dividing(a, b)
    division.gain = 1
    const told = { cache: '', from: 0, wished: 0, requests: 0, hitRatio: 0 }
    const shares = [
      { ...told, cache: 'b', to: 0.3 },
      { ...told, cache: 'gone', to: 0.1 },
      { ...told, cache: 'a', to: 0.7 },
    ]
    division.divided({ shares } as unknown as Divided)
    expect(sharesOf(division)).toEqual([0.7, 0.3])
    expect(division.gain).toBe(0)
    expect([a, b, new Tenant('c')].map(({ cache }) => division.shareOf(cache))).toEqual([0.7, 0.3, null])
  })

  test('keeps the proportions of those that stay, where others come and go', () => {
    const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((name) => new Tenant(name)) as [Tenant, Tenant, Tenant, Tenant]
    const before = dividing(a, b, c).claims
    for (const [i, share] of [0.6, 0.2, 0.2].entries()) Object.assign(before[i] as Claim, { share })
    const after = new Division([a.cache, b.cache, d.cache], before, 0)
    expect(sharesOf(after).map((share) => Math.round(share * 1e9) / 1e9)).toEqual([0.5, 0.166666667, 0.333333333])
    expect(after.claims[0]).toBe(before[0])
    expect(after.claims.map(({ cache }) => cache.name)).toEqual(['a', 'b', 'd'])
  })

  test('has the curves tell of late, as long as it lasts', () => {
    const [a, b] = [new Tenant('a'), new Tenant('b', false)]
    const division = dividing(a, b)
    expect(a.curve?.recent).not.toBeNull()
    division.end()
    expect(a.curve?.recent).toBeNull()
  })
})

describe('who has most beyond its share', () => {
  test('is whom a sorted list of all says, by items or by bytes; never one that holds nothing', () => {
    const below = chance(3)
    for (let run = 0; run < 300; run++) {
      const tenants = Array.from({ length: 4 }, (_, i) => {
        const items = below(4) * below(50)
        return Object.assign(new Tenant(`t${i}`, false), { items, bytes: items * below(20) })
      })
      const division = dividing(...tenants)
      for (const claim of division.claims) claim.share = below(100) / 100
      const held = heldBy(...tenants)
      for (const unit of ['items', 'bytes'] as const) {
        const [most] = division.claims
          .filter(({ cache }) => cache.items > 0)
          .map(({ cache, share }) => ({ cache, beyond: cache[unit] - share * held[unit] }))
          .sort((one, other) => other.beyond - one.beyond)
        const found = division.mostBeyond(held, unit)
        if (most === undefined) expect(found).toBeNull()
        else {
          const { share } = division.claims.find(({ cache }) => cache === found) as Claim
          expect((found as CacheState)[unit] - share * held[unit]).toBe(most.beyond)
          expect(found?.items).toBeGreaterThan(0)
        }
      }
    }
  })

  test('is the first, where several have as much', () => {
    const tenants = ['a', 'b'].map((name) => Object.assign(new Tenant(name, false), { items: 10 }))
    expect(dividing(...tenants).mostBeyond(heldBy(...tenants), 'items')?.name).toBe('a')
  })
})

describe('what caches wish', () => {
  test('is that each loop has the room that it needs, and what it brings is told', () => {
    const [small, large] = [new Tenant('small'), new Tenant('large')]
    const division = dividing(small, large)
    // Of 100 entries each has half: the small loop is hit, of the large one five eighths.
    small.loop(20, 4_000, 50)
    large.loop(80, 4_000, 50)
    division.compare({ items: 100, bytes: 100 }, 'items', PERIOD)
    const [ofSmall, ofLarge] = wishesOf(division) as [number, number]
    expect(division.unit).toBe('items')
    expect(ofSmall).toBeCloseTo(0.2, 1)
    expect(ofLarge).toBeCloseTo(0.8, 1)
    expect(ofSmall + ofLarge).toBeCloseTo(1, 10)
    // Three eighths of half of the requests.
    expect(division.gain).toBeCloseTo(3 / 16, 1)
    division.compare({ items: 100, bytes: 100 }, null, 2 * PERIOD)
    expect(division.gain).toBe(0)
  })

  test('by bytes is what they wish by items, where all entries are of one size', () => {
    const wishes = (['items', 'bytes'] as const).map((unit) => {
      const [small, large] = [new Tenant('small'), new Tenant('large')]
      const division = dividing(small, large)
      small.loop(20, 4_000, 50, 10)
      large.loop(80, 4_000, 50, 10)
      division.compare({ items: 100, bytes: 1_000 }, unit, PERIOD)
      return [...wishesOf(division), division.gain]
    })
    for (const [i, wish] of (wishes[0] as number[]).entries()) expect(wishes[1]?.[i]).toBeCloseTo(wish, 2)
  })

  test('is no more than a limit of its own, nor less than a tenth of an equal share', () => {
    const [limited, idle, other] = [new Tenant('limited'), new Tenant('idle'), new Tenant('other')]
    Object.assign(limited.settings, { maxItems: 30, maxMemory: 12 })
    for (const [unit, most] of [
      ['items', 30],
      ['bytes', 12],
    ] as const) {
      const division = dividing(limited, idle, other)
      limited.loop(60, 4_000, 60)
      other.loop(150, 4_000, 150)
      division.compare({ items: 120, bytes: 120 }, unit, PERIOD)
      expect(wishesOf(division)[0]).toBeLessThanOrEqual(most / 120 + 1e-9)
      expect(wishesOf(division)[1]).toBeCloseTo(0.1 / 3, 10)
    }
  })

  test('without a curve is the equal share, or what its own limit allows of it', () => {
    const [blind, seen] = [new Tenant('blind', false), new Tenant('seen')]
    const wish = (): number[] => {
      const division = dividing(blind, seen)
      blind.loop(30, 1_000, 50)
      seen.loop(90, 4_000, 90)
      division.compare({ items: 100, bytes: 100 }, 'items', PERIOD)
      return wishesOf(division)
    }
    expect(wish()).toEqual([0.5, 0.5])
    Object.assign(blind.settings, { maxItems: 10 })
    expect(wish()).toEqual([0.1, 0.9])
  })

  test('is not asked where nothing is held or nothing was asked for', () => {
    const [a, b] = [new Tenant('a'), new Tenant('b')]
    const division = dividing(a, b)
    division.compare({ items: 100, bytes: 100 }, 'items', PERIOD)
    expect([division.gain, wishesOf(division)]).toEqual([0, [0.5, 0.5]])
    a.loop(10, 100, 10)
    division.compare({ items: 0, bytes: 0 }, 'items', 2 * PERIOD)
    expect([division.gain, wishesOf(division)]).toEqual([0, [0.5, 0.5]])
  })
})

describe('a claim', () => {
  test('counts requests from when it is made, and forgets them as others come', () => {
    const tenant = new Tenant('t')
    tenant.loop(10, 100, 10)
    const claim = new Claim(tenant.cache, 1)
    tenant.loop(10, 50, 10)
    claim.tally(0.5)
    expect([claim.requests, claim.hits]).toEqual([50, 50])
    for (let i = 0; i < 10; i++) tenant.ask(1_000 + i, 10)
    claim.tally(0.5)
    expect([claim.requests, claim.hits]).toEqual([35, 25])
    claim.tally(0.5)
    expect([claim.requests, claim.hits]).toEqual([17.5, 12.5])
  })

  test.each([
    [0, 16_384],
    [2_000, 32_000],
  ])('fades, where %i entries are held, by what is remembered of %i requests', (items, memory) => {
    const [a, b] = [new Tenant('a'), new Tenant('b')]
    const division = dividing(a, b)
    a.loop(10, 1_000, 10)
    division.compare({ items, bytes: 1 }, null, PERIOD)
    expect(division.claims[0]?.requests).toBe(1_000)
    division.compare({ items, bytes: 1 }, null, 2 * PERIOD)
    expect(division.claims[0]?.requests).toBeCloseTo(1_000 * Math.exp(-PERIOD / memory), 9)
  })

  test('has its curve forget half of what is older than 16 requests an entry, and 16,384 at least', () => {
    const tenant = new Tenant('t')
    tenant.curve?.watch(true)
    const claim = new Claim(tenant.cache, 1)
    const recent = () => tenant.curve?.recent?.requests
    tenant.loop(100, 16_384, 100)
    claim.tally(1)
    expect(recent()).toBe(16_384)
    tenant.ask(0, 100)
    claim.tally(1)
    expect(recent()).toBe(16_385 / 2)
    tenant.loop(100, 20_000, 100)
    Object.assign(tenant, { items: 2_000 })
    claim.tally(1)
    expect(recent()).toBe(16_385 / 2 + 20_000)
  })

  /** The hits that a claim's hull promises at these sizes, after rounds over `keys` in a cache of `capacity` entries. */
  function promised(
    keys: number,
    capacity: number,
    room: number,
    sizes: readonly number[],
    seen?: number,
    held = capacity,
  ): number[] {
    const tenant = new Tenant('t')
    tenant.curve?.watch(true)
    const claim = new Claim(tenant.cache, 1)
    tenant.loop(keys, 10 * keys, capacity)
    if (seen !== undefined) {
      const { hits } = tenant.counts
      tenant.counts.hits = seen
      tenant.counts.misses += hits - seen
    }
    Object.assign(tenant, { items: held })
    claim.tally(1)
    const hull = claim.hull('items', room)
    return sizes.map((size) => Math.round(ratioAt(hull, size)))
  }

  test('promises of a loop the hits in proportion to its part that is held, as a policy has them that resists loops', () => {
    // LRU hits nothing of it below 60 entries, and none was seen.
    expect(promised(60, 60, 100, [0, 60, 100])).toEqual([0, 540, 540])
  })

  test('promises what was seen, where it is more than LRU would have had', () => {
    // Of 600 requests 400 were hits, with 30 entries: LRU had none.
    const [none, atHeld, between, all] = promised(60, 30, 100, [0, 30, 41, 62], 400) as [number, number, number, number]
    expect([none, atHeld]).toEqual([0, 400])
    // From there on what is left comes in proportion, up to where LRU has it.
    expect(between).toBeCloseTo(400 + 140 * (11 / 31), -1)
    expect(all).toBe(540)
    // It holds more than its curve knows of.
    expect(promised(20, 20, 100, [21, 60, 100], 190, 100)).toEqual([180, 185, 190])
  })

  test('knows of a loop that is longer than the room', () => {
    expect(promised(60, 60, 20, [20, 30, 60])).toEqual([180, 270, 540])
    expect(promised(600, 600, 20, [300, 600])).toEqual([2_700, 5_400])
  })

  test('promises by any size what LRU would have hit, where that bends once and as much was seen', () => {
    const next = zipf(500, 0.8, 3).next
    const keys = Array.from({ length: 8_000 }, next)
    const hitsOfLru = (capacity: number): number => {
      const recent = new Set<number>()
      let hits = 0
      for (const key of keys) {
        if (recent.delete(key)) hits++
        recent.add(key)
        if (recent.size > capacity) recent.delete(recent.values().next().value as number)
      }
      return hits
    }
    const tenant = new Tenant('t')
    tenant.curve?.watch(true)
    const claim = new Claim(tenant.cache, 1)
    for (const key of keys) tenant.ask(key, 500)
    const seen = hitsOfLru(200)
    Object.assign(tenant, { items: 200 })
    Object.assign(tenant.counts, { hits: seen, misses: keys.length - seen })
    claim.tally(1)
    for (const room of [100, 250, 1_000]) {
      const hull = claim.hull('items', room)
      for (const size of [5, 20, 50, 100, 200, 300, 450, 500])
        expect(Math.abs(ratioAt(hull, size) - hitsOfLru(size)), `${size} of ${room}`).toBeLessThan(0.02 * keys.length)
    }
  })

  test('promises less, and later, where less was seen', () => {
    // The whole loop is held, but only a third of what LRU would have had was hit.
    const [half, atHeld, beyond] = promised(60, 60, 400, [30, 60, 240], 180) as [number, number, number]
    expect(atHeld).toBe(180)
    expect(half).toBe(90)
    expect(beyond).toBe(540)
    // Four times the room is the most that it is taken to need; what is missing still, it is taken not to bring.
    expect(promised(60, 60, 400, [30, 60, 120, 240, 300], 54)).toEqual([27, 54, 108, 216, 220])
  })

  test('promises nothing without a curve, or before anything was asked for', () => {
    const none = [[0, 0]]
    const blind = new Tenant('blind', false)
    const claim = new Claim(blind.cache, 1)
    blind.loop(5, 50, 5)
    claim.tally(1)
    expect([claim.hull('items', 10), claim.hull('bytes', 10)]).toEqual([none, none])
    const seen = new Tenant('seen')
    seen.curve?.watch(true)
    expect(new Claim(seen.cache, 1).hull('items', 10)).toEqual(none)
    seen.loop(5, 50, 5)
    expect(new Claim(seen.cache, 1).hull('items', 10)).toEqual(none)
  })
})
