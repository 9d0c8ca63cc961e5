import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import type { PolicyName } from '../../src/base/settings.ts'
import { replay } from '../../src/replay/replay.ts'
import { thrownBy } from '../support/manager-bed.ts'
import { playTrace, traceManager } from '../support/trace-manager.ts'
import { zipf } from '../support/workloads.ts'

const TRACES = fileURLToPath(new URL('../../../shared/traces/', import.meta.url))
/**
 * What a shadow's hit ratio may differ from the real one's. The newest entry under `lfu` stays until the next new key, which
 * in a sample comes later: keys that are asked for again at once are hit there more often.
 */
const TOLERANCE = 0.01
const TOLERANCE_OF_LFU = 0.1

describe.skipIf(!existsSync(TRACES)).each([
  ['web07', 4_097],
  ['lirs-2pools', 1_988],
  ['orm-busy', 3_817],
] as const)('shadows on %s with %i entries', (trace, maxItems) => {
  const file = `${TRACES}${trace}.txt.gz`

  test('tell what the candidates would have hit; one of the live policy agrees with it', async () => {
    const candidates = ['lru', 'lfu', 'hybrid', { policy: 'lru', maxItems: 2 * maxItems }] as const
    const memory = traceManager({ policy: 'hybrid', maxItems, shadow: candidates })
    await playTrace(memory, file)
    const { shadows, hitRate } = memory.stats()
    await memory.close()
    const real = await Promise.all(
      candidates.map((one) =>
        replay(file, typeof one === 'string' ? { policy: one as PolicyName, maxItems } : { ...one }),
      ),
    )
    for (const [i, shadow] of shadows.entries()) {
      expect(shadow.liveHitRate).toBe(hitRate)
      const tolerance = shadow.policy === 'lfu' ? TOLERANCE_OF_LFU : TOLERANCE
      expect(Math.abs((shadow.hitRate as number) - (real[i]?.hit_ratio as number))).toBeLessThan(tolerance)
    }
    expect(Math.abs((shadows[2]?.hitRate as number) - (hitRate as number))).toBeLessThan(TOLERANCE)
  })
})

describe('shadows', () => {
  test('of a small cache follow every key, and the live policy and limits come to exactly the same', () => {
    const memory = traceManager({ policy: 'lru', maxItems: 500, shadow: ['lru', { maxItems: 500 }, { policy: 'lfu' }] })
    const cache = memory.cache('c')
    const { next } = zipf(5_000, 0.9, 3)
    for (let i = 0; i < 50_000; i++) {
      const key = `k${next()}`
      if (i % 97 === 0) cache.delete(key)
      else if (cache.get(key) === undefined) cache.set(key, 1, { size: 1, ttl: 1_000 })
    }
    const { shadows, hitRate } = memory.stats()
    expect(shadows.map(({ share }) => share)).toEqual([1, 1, 1])
    expect(shadows[0]?.hitRate).toBeCloseTo(hitRate as number, 12)
    expect(shadows[1]?.hitRate).toBeCloseTo(hitRate as number, 12)
    expect(shadows[2]?.hitRate).not.toBe(hitRate)
    memory.resetStats()
    expect(memory.stats().shadows[0]).toMatchObject({ requests: 0, hitRate: null, followed: 0 })
    void memory.close()
  })

  test('follow changes of limits, policy and caches, and the same run comes to the same', () => {
    const run = () => {
      const memory = traceManager({ policy: 'lru', maxItems: 4_000, shadow: ['lfu', { maxItems: 1_000 }] })
      const { next } = zipf(20_000, 0.8, 5)
      for (let i = 0; i < 60_000; i++) {
        if (i === 20_000) memory.setLimits({ maxItems: 2_000, caches: { b: { maxItems: 300 } } })
        if (i === 30_000) memory.setPolicy('hybrid')
        if (i === 40_000) memory.drop('b')
        const cache = memory.cache(i % 3 === 0 ? 'b' : 'a')
        const key = `k${next()}`
        if (cache.get(key) === undefined) cache.set(key, 1, { size: 1 })
      }
      const { shadows } = memory.stats()
      void memory.close()
      return shadows
    }
    const first = run()
    expect(first).toEqual(run())
    expect(first[0]).toMatchObject({ policy: 'lfu', maxItems: 2_000 })
    expect(first[1]).toMatchObject({ policy: 'hybrid', maxItems: 1_000 })
  })

  test.each([
    [['arc'], 'shadow[0].policy'],
    [[{ maxItem: 1 }], 'shadow[0].maxItem'],
    [[{ maxItems: 0 }], 'shadow[0].maxItems'],
    [[{ maxMemory: '1 XB' }], 'shadow[0].maxMemory'],
    ['lru', 'shadow'],
    [Array(9).fill('lru'), 'shadow'],
    [[null], 'shadow[0]'],
  ])('refuse %j', (shadow, option) => {
    expect(thrownBy(() => traceManager({ shadow } as never))).toMatchObject({ code: 'ERR_MUNINN_OPTION' })
    expect(thrownBy(() => traceManager({ shadow } as never)).message).toContain(option)
  })
})
