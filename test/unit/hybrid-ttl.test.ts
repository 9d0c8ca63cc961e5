import { describe, expect, test } from 'vitest'
import { MemoryManager } from '../../src/command/memory-manager.ts'
import { chance } from '../support/chance.ts'
import { loop, zipf } from '../support/workloads.ts'

const ENTRIES = 300
const MEAN_SIZE = 55
const NEVER = Number.POSITIVE_INFINITY

/** Keys of both kinds are popular and unpopular alike, where a load doesn't say otherwise. */
const isOdd = (key: number): boolean => key % 2 === 1
const sizeOf = (key: number): number => 10 + (key % 10) * 10

interface Load {
  readonly name: string
  readonly next: () => number
  readonly ttlOf: (key: number) => number
}

/** A request takes a millisecond: a TTL of `ENTRIES` is one cache's worth of requests. */
function loads(): Load[] {
  const popular = (seed: number) => zipf(10 * ENTRIES, 0.9, seed).next
  const below = chance(1)
  const around = loop(1.5 * ENTRIES)
  const mixed = popular(6)
  let asked = 0
  return [
    { name: 'half short', next: popular(1), ttlOf: (key) => (isOdd(key) ? 0.5 * ENTRIES : NEVER) },
    { name: 'half as long as entries stay', next: popular(2), ttlOf: (key) => (isOdd(key) ? 2 * ENTRIES : NEVER) },
    { name: 'many', next: popular(3), ttlOf: (key) => (isOdd(key) ? ENTRIES * 2 ** ((key % 14) / 2 - 2) : NEVER) },
    { name: 'short for popular keys', next: popular(4), ttlOf: (key) => (key < ENTRIES ? ENTRIES : NEVER) },
    { name: 'short for unpopular keys', next: popular(5), ttlOf: (key) => (key < ENTRIES ? NEVER : ENTRIES) },
    {
      name: 'half short, while keys drift away',
      next: () => Math.floor(asked++ / 3) + below(1.2 * ENTRIES),
      ttlOf: (key) => (isOdd(key) ? 0.5 * ENTRIES : NEVER),
    },
    {
      name: 'half short, in a loop among others',
      next: () => (below(2) === 0 ? 1e6 + around() : mixed()),
      ttlOf: (key) => (isOdd(key) ? 2 * ENTRIES : NEVER),
    },
  ]
}

/** Hit ratio where the TTLs are told, or kept from the cache: then what is past its time stays until it is asked for. */
function hitRatio({ next, ttlOf }: Load, by: 'items' | 'bytes', told: boolean): number {
  const clock = { time: 1, now: () => clock.time }
  const memory = new MemoryManager({
    policy: 'hybrid',
    maxItems: by === 'items' ? ENTRIES : NEVER,
    maxMemory: by === 'items' ? 1e12 : MEAN_SIZE * ENTRIES,
    maxHeap: 1e12,
    evictionThreshold: 1,
    checkInterval: 0,
    seed: 1,
    clock,
  })
  const cache = memory.cache('c')
  const expiresAt = new Map<number, number>()
  const requests = 100 * ENTRIES
  let hits = 0
  for (let i = 0; i < requests; i++, clock.time++) {
    const number = next()
    const key = `k${number}`
    if (!told && (expiresAt.get(number) ?? NEVER) <= clock.time) cache.delete(key)
    if (cache.get(key) !== undefined) hits++
    else {
      const ttl = ttlOf(number)
      cache.set(key, 1, { size: sizeOf(number), ttl: told ? ttl : NEVER })
      expiresAt.set(number, clock.time + ttl)
    }
  }
  void memory.close()
  return hits / requests
}

describe.each(['items', 'bytes'] as const)('hybrid under a limit of %s', (by) => {
  test.each(loads().map(({ name }) => name))('hits more for knowing the TTLs: %s', (name) => {
    const load = () => loads().find((one) => one.name === name) as Load
    expect(hitRatio(load(), by, true)).toBeGreaterThan(hitRatio(load(), by, false) + 0.004)
  })
})
