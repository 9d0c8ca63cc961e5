import { describe, expect, test } from 'vitest'
import { MemoryManager } from '../../src/command/memory-manager.ts'
import { chance } from '../support/chance.ts'
import { loop, workloadsFor, zipf } from '../support/workloads.ts'

/** Hit ratio over the second half of the requests, and how often the mode changed then. */
function run(policy: 'lru' | 'hybrid', maxItems: number, requests: number, next: () => number) {
  const clock = { now: () => 1_000_000 }
  const unlimited = { maxMemory: 1e12, maxHeap: 1e12, evictionThreshold: 1, checkInterval: 0 }
  const memory = new MemoryManager({ policy, maxItems, seed: 1, clock, ...unlimited })
  const cache = memory.cache('c')
  let changes = 0
  memory.on('adapted', () => changes++)
  let hits = 0
  let early = 0
  for (let i = 0; i < requests; i++) {
    if (i === requests >> 1) early = changes
    const key = `k${next()}`
    if (cache.get(key) === undefined) cache.set(key, 1, { size: 1 })
    else if (i >= requests >> 1) hits++
  }
  void memory.close()
  return { ratio: hits / (requests - (requests >> 1)), changes: changes - early }
}

/** How far below the optimum: no policy knows popularities before it has seen them. */
const BELOW: Readonly<Record<string, number>> = { 'Zipf whose popularity shifts': 0.13 }

describe.each([100, 1_000])('hybrid with %i entries', (n) => {
  test.each(workloadsFor(n))('comes near the optimum of $name', ({ name, optimum, next }) => {
    const { ratio } = run('hybrid', n, 200 * n, next)
    expect(ratio).toBeGreaterThan(optimum - (BELOW[name] ?? 0.035))
    expect(ratio).toBeLessThan(optimum + 0.02)
  })

  test('is LRU where recency is all: keys drift away for good', () => {
    const drift = (): (() => number) => {
      const below = chance(1)
      let asked = 0
      return () => Math.floor(asked++ / 3) + below(1.2 * n)
    }
    expect(run('hybrid', n, 200 * n, drift()).ratio).toBeGreaterThan(run('lru', n, 200 * n, drift()).ratio - 0.01)
  })

  test('does not oscillate on a stable load', () => {
    expect(run('hybrid', n, 200 * n, zipf(10 * n, 0.99, 7).next).changes).toBeLessThanOrEqual(1)
    expect(run('hybrid', n, 200 * n, loop(Math.floor(1.5 * n))).changes).toBeLessThanOrEqual(1)
  })
})

test('adapts within a few caches of requests after a shift from a drift to a loop', () => {
  const n = 1_000
  const below = chance(1)
  const around = loop(1_500)
  let asked = 0
  const next = (): number => {
    asked++
    return asked < 50 * n ? Math.floor(asked / 3) + below(1.2 * n) : 1e7 + around()
  }
  // The second half is the loop: 20 rounds of 1.5 caches, of which the first few are spent on finding out.
  expect(run('hybrid', n, 100 * n, next).ratio).toBeGreaterThan(0.5)
})
