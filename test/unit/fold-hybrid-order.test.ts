import { describe, expect, test } from 'vitest'
import type { EvictionCause } from '../../src/event/vocabulary.ts'
import type { Comparator } from '../../src/fold/policies/hybrid/comparator.ts'
import { MODES, type ModeName } from '../../src/fold/policies/hybrid/modes.ts'
import type { Standings } from '../../src/fold/policies/hybrid/standings.ts'
import type { Adapting, Order } from '../../src/fold/policies/policy.ts'
import { chance } from '../support/chance.ts'
import { MadeState } from '../support/made-state.ts'
import { loop, zipf } from '../support/workloads.ts'

const NOBODY = -1
const placeOf = (name: ModeName) => MODES.findIndex((mode) => mode.name === name)

/** Caches under `hybrid`, whose events are made by hand. */
class Caches extends MadeState {
  constructor(caches: readonly string[] = ['c'], settings = {}) {
    super({ policy: 'hybrid', ...settings }, caches)
  }

  order(cache = 'c'): Order {
    return this.cache(cache).order
  }

  adapting(cache = 'c'): Adapting {
    return this.order(cache).adapting as Adapting
  }

  victim(except: string | null = null, cache = 'c'): string | null {
    const h = this.order(cache).victim(except === null ? NOBODY : this.handleOf(except, cache), this.run.at)
    return h === NOBODY ? null : (this.state.columns.keys[h] as string)
  }

  hit(key: string, times = 1, cache = 'c'): void {
    for (let i = 0; i < times; i++) this.tell('accessed', { cache, key })
  }

  evict(cause: EvictionCause = 'items', cache = 'c'): string {
    const key = this.victim(null, cache) as string
    this.tell('evicted', { cache, key, cause, cycle: null })
    return key
  }

  /** Asks for a key, and stores it where it is missed, in a cache of so many entries; whether it hit. */
  ask(key: string, capacity: number, cache = 'c'): boolean {
    if (this.handleOf(key, cache) >= 0) {
      this.hit(key, 1, cache)
      return true
    }
    this.tell('missed', { cache, key })
    if (this.cache(cache).items === capacity) this.evict('items', cache)
    this.add(key, 1, { cache })
    return false
  }

  score(key: string, cache = 'c'): number {
    return this.state.policy.score(this.handleOf(key, cache))
  }

  worth(key: string): number {
    return (Reflect.get(this.order(), 'weights') as { worth(h: number): number }).worth(this.handleOf(key))
  }
}

describe('an entry in the last eighth of its life', () => {
  /** Whether one that was stored at 1,000 to live for 1,000 ms, and was hit so often, goes first at a time; others were hit once. */
  function isDying(at: number, hits: number, except: string | null = null): boolean {
    const caches = new Caches()
    const keys = ['k0', 'k1', 'dying', 'k2', 'k3']
    for (const key of keys) caches.add(key, 1, { expiresAt: key === 'dying' ? 2_000 : 1e9 })
    for (const key of keys) caches.hit(key, key === 'dying' ? hits : 1)
    // Not by its place.
    expect(caches.victim()).not.toBe('dying')
    caches.run.at = at
    return caches.victim(except) === 'dying'
  }

  test('goes before a victim that was used as often, and before none that was used less', () => {
    expect([isDying(1_875, 1), isDying(1_876, 1), isDying(1_999, 1)]).toEqual([false, true, true])
    expect([isDying(1_876, 2), isDying(1_999, 2)]).toEqual([false, false])
  })

  test('does not where it is the one that must stay', () => {
    expect(isDying(1_900, 1, 'dying')).toBe(false)
  })
})

describe('by what is worth least for its bytes', () => {
  test('of up to 64 entries that one goes which is, whatever its place; of equals the least recent', () => {
    const below = chance(5)
    for (let run = 0; run < 20; run++) {
      const caches = new Caches(['c', 'other'])
      const keys = Array.from({ length: 4 + below(20) }, (_, n) => `k${n}`)
      for (const [n, key] of keys.entries()) caches.add(key, n % 5 === 0 ? 1 : 1 + below(20))
      for (let n = 0; n < 20; n++) caches.add(`k${n}`, 1_000, { cache: 'other' })
      for (let i = 0; i < 60; i++) caches.hit(keys[below(keys.length)] as string)
      caches.tell('adapted', { cache: 'c', to: 'per-byte' })
      expect([caches.adapting().mode, caches.adapting().listMode]).toEqual(['per-byte', 'lirs-lfu'])
      const { usedSeq } = caches.state.columns
      const used = (key: string): number => usedSeq[caches.handleOf(key)] as number
      const worst = [...keys].sort((a, b) => caches.worth(a) - caches.worth(b) || used(a) - used(b))
      expect(caches.victim()).toBe(worst[0])
      expect(caches.victim(worst[0])).toBe(worst[1])
      expect(caches.score(keys[0] as string)).toBe(caches.worth(keys[0] as string))
    }
  })

  test('of many it is found by a sample, which is drawn anew after each departure: some hundredths of all are worth less', () => {
    const caches = new Caches()
    for (let n = 0; n < 1_000; n++) caches.add(`k${n}`, 1 + (n % 100))
    caches.tell('adapted', { cache: 'c', to: 'per-byte' })
    const ranks: number[] = []
    for (let i = 0; i < 30; i++) {
      const key = caches.victim() as string
      expect(caches.victim()).toBe(key)
      const worth = caches.worth(key)
      const handles = caches.cache().handles()
      const keys = handles.map((h) => caches.state.columns.keys[h] as string)
      ranks.push(keys.filter((other) => caches.worth(other) < worth).length / keys.length)
      caches.evict('memory')
    }
    // The least of 64 at random is at one 65th on average.
    const mean = ranks.reduce((sum, rank) => sum + rank, 0) / ranks.length
    expect(mean).toBeGreaterThan(0.005)
    expect(mean).toBeLessThan(0.03)
  })

  test('there is nobody where there is nobody else', () => {
    const caches = new Caches()
    caches.add('k', 1)
    caches.tell('adapted', { cache: 'c', to: 'per-byte' })
    expect([caches.victim(), caches.victim('k')]).toEqual(['k', null])
  })

  test('scores are frequencies again once no cache is run so', () => {
    const caches = new Caches(['a', 'b'])
    caches.add('k', 10, { cache: 'a' })
    caches.hit('k', 2, 'a')
    const score = () => caches.score('k', 'a')
    expect(score()).toBe(3)
    for (const cache of ['a', 'b', 'b']) caches.tell('adapted', { cache, to: 'per-byte' })
    const worth = score()
    expect(worth).toBeLessThan(1)
    caches.tell('adapted', { cache: 'a', to: 'lru' })
    expect([score(), caches.adapting('a').mode]).toEqual([worth, 'lru'])
    for (const to of ['lfu-1', 'lru']) caches.tell('adapted', { cache: 'b', to })
    expect([score(), caches.adapting('b').mode]).toEqual([3, 'lru'])
  })

  test('how different sizes are follows what is stored, overwritten, sized again and leaves', () => {
    const caches = new Caches()
    const spreadOf = (sizes: readonly number[]): number => {
      const mean = sizes.reduce((sum, size) => sum + size, 0) / sizes.length
      return sizes.reduce((sum, size) => sum + (size - mean) ** 2, 0) / sizes.length / mean ** 2
    }
    caches.add('a', 10)
    caches.add('b', 30)
    expect(caches.adapting().spread).toBeCloseTo(spreadOf([10, 30]), 12)
    caches.tell('updated', { cache: 'c', key: 'a', size: 50 })
    expect(caches.adapting().spread).toBeCloseTo(spreadOf([50, 30]), 12)
    const entries = [{ cache: 'c', key: 'b', size: 5, offHeap: 0, previousSize: 30 }]
    caches.tell('remeasured', { entries })
    expect(caches.adapting().spread).toBeCloseTo(spreadOf([50, 5]), 12)
    caches.add('d', 7)
    caches.tell('removed', { cache: 'c', key: 'a' })
    caches.evict()
    expect(caches.adapting().spread).toBe(0)
    caches.tell('configured', { to: { policy: 'lru' } })
    caches.add('e', 9)
    caches.tell('configured', { to: { policy: 'hybrid' } })
    const left = caches
      .cache()
      .handles()
      .map((h) => caches.state.columns.size[h] as number)
    expect(caches.adapting().spread).toBeCloseTo(spreadOf(left), 12)
  })
})

test('evictions since the last for want of bytes are counted', () => {
  const caches = new Caches()
  for (let n = 0; n < 20; n++) caches.add(`k${n}`, 1)
  const since = (cause: EvictionCause): number => {
    caches.evict(cause)
    return caches.adapting().sinceBytes
  }
  expect((['items', 'cache-items', 'items', 'memory', 'items'] as const).map(since)).toEqual([1, 2, 3, 0, 1])
  expect((['heap', 'items', 'cache-memory', 'threshold'] as const).map(since)).toEqual([0, 1, 0, 0])
  caches.evict('items')
  caches.tell('removed', { cache: 'c', key: caches.victim() as string })
  expect(caches.adapting().sinceBytes).toBe(1)
})

describe('a key that was given up', () => {
  test('has its frequency when it comes back, one more for that, and after a halving half of it', () => {
    const caches = new Caches()
    for (let n = 0; n < 10; n++) caches.add(`k${n}`, 1)
    for (let n = 0; n < 10; n++) caches.hit(`k${n}`, n === 3 ? 6 : 9)
    const gone = caches.evict()
    const frequency = gone === 'k3' ? 7 : 10
    caches.add(gone, 1)
    expect(caches.score(gone)).toBe(frequency + 1)
    const next = caches.evict()
    const before = next === gone ? frequency + 1 : 10
    for (let i = 0; i < 1_100; i++) caches.hit(caches.victim() as string)
    caches.add(next, 1)
    expect(caches.score(next)).toBe((before >> 1) + 1)
  })

  test('goes to main at once, where it was used later than main’s oldest', () => {
    const caches = new Caches()
    caches.tell('adapted', { cache: 'c', to: 'lirs' })
    for (let n = 0; n < 10; n++) caches.add(`k${n}`, 1)
    // The window's last went; it was used after all that are in main.
    expect(caches.evict()).toBe('k9')
    caches.add('k9', 1)
    caches.add('new', 1)
    caches.add('newer', 1)
    expect(caches.victim()).toBe('newer')
    for (let n = 0; n < 9; n++) caches.hit(`k${n}`)
    for (let n = 0; n < 12; n++) caches.evict()
    expect(caches.state.items).toBe(0)
  })
})

describe('what is learned of pairs that met', () => {
  const TIE = [1, 1] as const
  const comparatorOf = (caches: Caches, mode: ModeName, cache: string): Comparator =>
    (Reflect.get(caches.order(cache), 'comparators') as Comparator[])[placeOf(mode)] as Comparator

  /** A cache of 60 entries without shadows, which stays in `lfu-1`. */
  function alone(next: () => number, requests: number): Comparator {
    const names = ['a', 'b', 'd', 'e', 'c']
    const caches = new Caches(names)
    for (const cache of names) caches.add('first', 1, { cache })
    expect([caches.adapting('c').mode, caches.adapting('c').standings]).toEqual(['lfu-1', null])
    expect(caches.adapting('e').standings).not.toBeNull()
    for (let i = 0; i < requests; i++) caches.ask(`k${next()}`, 60)
    return comparatorOf(caches, 'lfu-1', 'c')
  }

  test('is that at a tie the newcomer is to be rejected in a loop, and admitted in a drift', () => {
    expect(alone(loop(90), 4_000).admits(...TIE)).toBe(false)
    const below = chance(1)
    let asked = 0
    expect(alone(() => Math.floor(asked++ / 3) + below(72), 6_000).admits(...TIE)).toBe(true)
  })
})

describe('how the modes compare', () => {
  test('is counted of every request of a small cache, and of the sampled ones of a large', () => {
    for (const [capacity, keys, requests] of [
      [100, 300, 3_000],
      [1_500, 4_000, 12_000],
    ] as const) {
      const caches = new Caches()
      const { next } = zipf(keys, 0.8, 3)
      caches.ask('first', capacity)
      const standings = caches.adapting().standings as Standings
      let counted = 0
      const count = standings.count.bind(standings)
      standings.count = (holders) => {
        counted++
        count(holders)
      }
      let asked = 0
      for (let i = 0; i < requests; i++) {
        const key = `k${next()}`
        const bits = Math.log2(1 / standings.sampled)
        const isSampled = Math.clz32(caches.state.hasher.hash(key)) >= bits
        const before = counted
        caches.ask(key, capacity)
        asked++
        if (counted - before !== (isSampled ? 1 : 0)) expect.fail(`request ${asked} of ${key}: ${isSampled}`)
      }
      expect(standings.sampled).toBe(capacity === 100 ? 1 : 1 / 4)
      expect(standings.capacity).toBe(Math.round(capacity * standings.sampled))
    }
  })

  test('tells of the present mode what the cache itself hits', () => {
    for (const [i, mode] of (['lru', 'lirs', 'lirs-lfu', 'lfu-1', 'lfu-15'] as const).entries()) {
      const caches = new Caches()
      caches.ask('first', 100)
      caches.tell('adapted', { cache: 'c', to: mode })
      expect(caches.adapting()).toMatchObject({ mode, since: caches.run.at })
      const standings = caches.adapting().standings as Standings
      expect(standings.modeAt).toBe(placeOf(mode))
      let shown = 0
      let hits = 0
      const count = standings.count.bind(standings)
      standings.count = (holders) => {
        if ((holders & (1 << placeOf(mode))) !== 0) shown++
        count(holders)
      }
      const { next } = zipf(500, 0.7, 3 + i)
      for (let n = 0; n < 6_000; n++) if (caches.ask(`k${next()}`, 100)) hits++
      expect(Math.abs(shown - hits), mode).toBeLessThan(0.02 * 6_000)
    }
  })

  test('takes over what is there when a manager goes over to it', () => {
    const caches = new Caches(['c'], { policy: 'lru' })
    for (let n = 0; n < 100; n++) caches.add(`k${n}`, 1)
    for (let n = 0; n < 100; n++) caches.hit(`k${n}`, n % 4)
    caches.tell('configured', { to: { policy: 'hybrid' } })
    const standings = caches.adapting().standings as Standings
    const shown: number[] = []
    standings.count = (holders) => shown.push(holders)
    for (let n = 0; n < 100; n++) caches.hit(`k${n}`)
    expect(shown).toEqual(Array(100).fill(0b11111))
    caches.tell('removed', { cache: 'c', key: 'k5' })
    caches.tell('missed', { cache: 'c', key: 'k5' })
    expect(shown.at(-1)).toBe(0)
  })

  test('no mode hits what an overwrite has given a time that is over', () => {
    const caches = new Caches()
    for (let n = 0; n < 10; n++) caches.add(`k${n}`, 1)
    const standings = caches.adapting().standings as Standings
    const shown: number[] = []
    standings.count = (holders) => shown.push(holders)
    const at = caches.run.at + 1_000
    for (const key of ['k0', 'k1']) {
      if (key === 'k1') caches.tell('updated', { cache: 'c', key, size: 1, expiresAt: at })
      caches.tell('evicted', { cache: 'c', key, cause: 'items', cycle: null })
    }
    caches.run.at = at
    for (const key of ['k0', 'k1']) caches.tell('missed', { cache: 'c', key })
    expect(shown).toEqual([0b11111, 0])
  })
})
