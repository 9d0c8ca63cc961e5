import { describe, expect, test } from 'vitest'
import { POLICIES } from '../../src/base/settings.ts'
import { chance } from '../support/chance.ts'
import { type Bed, bed } from '../support/manager-bed.ts'

/** Nested calls that subscribers may make within one outer call. */
const MOST_ANSWERS = 30

/** Any call there is, on a cache and key by chance. */
function doSomething({ memory, clock }: Bed, below: (n: number) => number): void {
  const name = 'abcd'[below(4)] as string
  const cache = memory.cache(name)
  const key = `k${below(40)}`
  clock.time += below(30)
  const calls: readonly (() => unknown)[] = [
    () => cache.set(key, 1, { size: below(200), ttl: 1 + below(500) }),
    () => cache.set(key, 1, { size: below(200) }),
    () => cache.set(key, 1, { size: below(4_000) }),
    () => cache.get(key),
    () => cache.getOrInsert(key, () => 1, { size: 10 }),
    () => cache.delete(key),
    () => below(8) === 0 && cache.clear(),
    () => below(6) === 0 && memory.drop(name),
    () => memory.evict({ target: below(10) / 10 }),
    () => memory.setLimits({ maxMemory: 2_000 + below(2_000), maxItems: 20 + below(80) }),
    () => memory.setPolicy(POLICIES[below(POLICIES.length)] ?? 'lru'),
    () => memory.check(),
  ]
  calls[below(calls.length)]?.()
}

function expectWithinLimits({ memory }: Bed): void {
  const stats = memory.stats()
  expect(stats.currentMemoryBytes).toBeLessThanOrEqual(stats.maxMemoryBytes)
  expect(stats.cacheItemCount).toBeLessThanOrEqual(stats.maxCacheSize)
  for (const row of stats.caches) {
    expect(row.items).toBeLessThanOrEqual(row.maxItems)
    expect(row.bytes).toBeLessThanOrEqual(row.maxMemoryBytes)
  }
  expect(stats.caches.reduce((sum, { items }) => sum + items, 0)).toBe(stats.cacheItemCount)
}

describe('subscribers that answer by chance with any call', () => {
  test.each(Array.from({ length: 30 }, (_, i) => i + 1))(
    'leave limits, order and books as they are: seed %i',
    (seed) => {
      const below = chance(seed)
      const test = bed({
        seed,
        maxMemory: 3_000,
        maxItems: below(2) === 0 ? 60 : Number.POSITIVE_INFINITY,
        evictionThreshold: below(2) === 0 ? 0.9 : 1,
        onFull: below(4) === 0 ? 'reject' : 'evict',
        policy: POLICIES[below(POLICIES.length)] ?? 'lru',
        caches: { a: { maxItems: 15 }, b: { maxMemory: 900 } },
      })
      let answers = 0
      test.memory.events$.subscribe(() => {
        if (answers >= MOST_ANSWERS || below(5) !== 0) return
        answers++
        doSomething(test, below)
      })
      for (let i = 0; i < 400; i++) {
        answers = 0
        doSomething(test, below)
        expectWithinLimits(test)
      }
      test.memory.check()
      expect(test.events.map(({ seq }) => seq)).toEqual(test.events.map((_, i) => i + 2))
      expect(test.memory.stats()).toMatchObject({ imbalances: 0, observerErrors: 0 })
      expect(test.logged.filter(({ level }) => level === 'error')).toEqual([])
    },
  )
})
