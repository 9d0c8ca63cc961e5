import assert from 'node:assert/strict'
import { POLICIES } from '../../../src/base/settings.ts'
import { MemoryManager } from '../../../src/muninn.ts'
import type { chance } from '../../support/chance.ts'
import { stateOf } from '../../support/fold-law.ts'
import { assertWithinLimits } from '../../support/manager-world.ts'
import type { Outcome } from './scenario.ts'

/** Adds between two looks at the limits. */
const PORTION = 10_000

/**
 * Very many distinct keys, alike where the sampled hash of a long key looks, with few prefixes or as many as keys: what
 * somebody sends who wants a look-up to take long, or the counts by prefix to grow.
 */
export class CrowdScenario {
  readonly faults = ['colliding keys', 'colliding prefixes'] as const
  readonly #random: ReturnType<typeof chance>
  readonly #keys: number

  constructor(random: ReturnType<typeof chance>, keys: number) {
    this.#random = random
    this.#keys = keys
  }

  async play(): Promise<Outcome> {
    const random = this.#random
    const policy = POLICIES[random(POLICIES.length)] as (typeof POLICIES)[number]
    const maxItems = 1_000 + random(50_000)
    const prefixes = [3, 1_000, this.#keys][random(3)] as number
    const memory = new MemoryManager({ maxItems, maxMemory: '64MB', policy, checkInterval: 0, seed: 1 })
    const cache = memory.cache('crowd')
    for (let n = 0; n < this.#keys; n++) {
      const hidden = String.fromCharCode(0x4e00 + (n & 0xfff), 0x4e00 + (n >> 12))
      cache.set(`${n % prefixes}:`.padEnd(10, 'h') + hidden + 't'.repeat(53), n, { size: 100 })
      if (n % PORTION === 0) assertWithinLimits(memory)
    }
    memory.check()
    const { imbalances, cacheItemCount } = memory.stats()
    assert.equal(imbalances, 0, 'the books balance')
    assert.ok(cacheItemCount <= maxItems && cacheItemCount > maxItems / 2)
    for (const { writers } of stateOf(memory).caches.values()) {
      assert.ok(writers.counts().length <= 32, 'counts by prefix have a bound')
    }
    for (const [key, value] of cache) assert.equal(cache.get(key), value)
    await memory.close()
    return { faults: this.faults, done: new Map([['keys collide', this.#keys]]) }
  }
}
