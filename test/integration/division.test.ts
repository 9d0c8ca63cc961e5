import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import type { TraceRequest } from '../../src/replay/replay.ts'
import { readTrace } from '../../src/replay/trace.ts'
import { traceManager } from '../support/trace-manager.ts'

const TRACES = fileURLToPath(new URL('../../../shared/traces/', import.meta.url))

async function requestsOf(trace: string): Promise<TraceRequest[]> {
  const requests: TraceRequest[] = []
  for await (const batch of readTrace(`${TRACES}${trace}.txt.gz`)) requests.push(...batch)
  return requests
}

/** Each trace as often as it is long, all evenly spread: whose turn it is, and for which key. */
function mixed(lists: readonly TraceRequest[][]): { which: number; key: string }[] {
  return lists
    .flatMap((list, which) => list.map(({ key }, i) => ({ which, key, turn: (i + 0.5) / list.length })))
    .sort((a, b) => a.turn - b.turn)
}

/** Hit ratio of a mix under one budget: in caches of their own that share it, or have an equal part each; or in one. */
function hitRatio(
  mix: readonly { which: number; key: string }[],
  maxItems: number,
  policy: 'lru' | 'hybrid',
  caches: 'sharing' | 'limited' | 'one',
): number {
  const memory = traceManager({ maxItems, policy })
  const own = caches === 'limited' ? { maxItems: Math.floor(maxItems / 3) } : {}
  const used = [0, 1, 2].map((which) => memory.cache(caches === 'one' ? 'all' : `c${which}`, own))
  let hits = 0
  for (const { which, key } of mix) {
    const cache = used[which] as (typeof used)[number]
    if (cache.get(`${which}:${key}`) === undefined) cache.set(`${which}:${key}`, 1, { size: 1 })
    else hits++
  }
  void memory.close()
  return hits / mix.length
}

describe.skipIf(!existsSync(TRACES))('three traces under one budget', () => {
  test.each([
    [['lirs-2pools', 'web07', 'corda-vault'], 3_627],
    [['lirs-2pools', 'web07', 'corda-vault'], 12_089],
    [['lirs-multi3', 'lirs-scan', 'lirs-multi1'], 2_412],
    [['web07', 'lirs-gli', 'lirs-cpp'], 727],
  ] as const)(
    'are hit more often in caches that share it than in equal parts or one LRU: %s in %i',
    async (traces, maxItems) => {
      const mix = mixed(await Promise.all(traces.map(requestsOf)))
      const sharing = hitRatio(mix, maxItems, 'hybrid', 'sharing')
      expect(sharing).toBeGreaterThan(hitRatio(mix, maxItems, 'hybrid', 'limited') + 0.005)
      expect(sharing).toBeGreaterThan(hitRatio(mix, maxItems, 'lru', 'limited') + 0.005)
      expect(sharing).toBeGreaterThan(hitRatio(mix, maxItems, 'lru', 'one') + 0.02)
    },
  )
})
