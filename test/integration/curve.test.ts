import { existsSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { ratioAt } from '../../src/base/curve/reading.ts'
import { MemoryManager } from '../../src/command/memory-manager.ts'
import { MissRatioCurve } from '../../src/fold/curve/miss-ratio-curve.ts'
import { Counts } from '../../src/fold/statistics.ts'
import { curveOfTrace } from '../../src/replay/exact-curve.ts'
import { replay } from '../../src/replay/replay.ts'
import { readTrace } from '../../src/replay/trace.ts'
import { stateOf } from '../support/fold-law.ts'
import { zipf } from '../support/workloads.ts'

const TRACES = fileURLToPath(new URL('../../../shared/traces/', import.meta.url))
const SIZES = 100
/** What a curve promises: mean absolute error over sizes up to what all keys take. */
const ERROR = 0.01

/** A trace through a real manager, half of whose keys fit; returns its live curve. */
async function liveCurve(file: string, maxItems: number): Promise<MissRatioCurve> {
  const memory = new MemoryManager({
    maxItems,
    maxMemory: 2 ** 50,
    maxHeap: 2 ** 50,
    evictionThreshold: 1,
    policy: 'lru',
    checkInterval: 0,
    seed: 1,
    clock: { now: () => 1 },
  })
  const cache = memory.cache('c')
  for await (const batch of readTrace(file)) {
    for (const { key, size } of batch) if (cache.get(key) === undefined) cache.set(key, 1, { size })
  }
  const { curve } = stateOf(memory).caches.get('c') as { curve: MissRatioCurve | null }
  await memory.close()
  return curve as MissRatioCurve
}

/** What all keys of a trace take. */
async function footprint(file: string): Promise<{ byItems: number; byBytes: number }> {
  const sizes = new Map<string, number>()
  for await (const batch of readTrace(file))
    for (const { key, size } of batch) if (!sizes.has(key)) sizes.set(key, size)
  return { byItems: sizes.size, byBytes: [...sizes.values()].reduce((sum, size) => sum + size, 0) }
}

describe.skipIf(!existsSync(TRACES))('the live curve', () => {
  const traces = existsSync(TRACES) ? readdirSync(TRACES).filter((name) => name.endsWith('.gz')) : []

  test.each(traces)('of %s is within 0.01 of the exact one, by items and by bytes', async (name) => {
    const file = `${TRACES}${name}`
    const exact = await curveOfTrace(file)
    const all = await footprint(file)
    const live = await liveCurve(file, Math.ceil(all.byItems / 5))
    for (const by of ['byItems', 'byBytes'] as const) {
      const sizes = Array.from({ length: SIZES }, (_, i) => Math.ceil((all[by] * (i + 1)) / SIZES))
      const wanted = exact[by].at(sizes)
      const errors = live[by].at(sizes).map((ratio, i) => Math.abs(ratio - (wanted[i] as number)))
      expect(errors.reduce((sum, error) => sum + error, 0) / SIZES).toBeLessThanOrEqual(ERROR)
    }
  })

  test('exact curve and a replay under lru agree at each size', async () => {
    const file = `${TRACES}lirs-multi1.txt.gz`
    const exact = await curveOfTrace(file)
    for (const maxItems of [26, 130, 521, 2_000]) {
      const { hit_ratio: ratio } = await replay(file, { policy: 'lru', maxItems })
      // Within a bucket of less than 1 % of the size the curve is a straight line.
      expect(Math.abs((exact.byItems.at([maxItems])[0] as number) - (ratio as number))).toBeLessThan(0.002)
    }
  })
})

describe('a curve', () => {
  // With eight each has a curve, and what it tells of late alone: they divide their room.
  test.each([8, 10])('takes at most 4 MB with %i caches, and follows fewer keys the more there are', (caches) => {
    const memory = new MemoryManager({ maxItems: 1_000, seed: 1, checkInterval: 0, clock: { now: () => 1 } })
    const { next } = zipf(200_000, 0.6, 7)
    for (let i = 0; i < 400_000; i++) {
      const cache = memory.cache(`c${i % caches}`)
      const key = `k${next()}`
      if (cache.get(key) === undefined) cache.set(key, 1, { size: 1 })
    }
    const curves = [...stateOf(memory).caches.values()].map(({ curve }) => curve)
    expect(curves.filter((curve) => curve !== null)).toHaveLength(8)
    const bytes = curves.reduce((sum, curve) => sum + (curve === null ? 0 : sizeOf(curve)), 0)
    expect(bytes).toBeLessThan(4 * 1024 * 1024)
    void memory.close()
  })

  test('knows that expired and deleted entries would not have been hit', () => {
    const counts = new Counts()
    const curve = new MissRatioCurve(counts, 100)
    const ask = (hash: number, at: number, isHit: boolean) => {
      counts[isHit ? 'hits' : 'misses']++
      curve.requested(hash, at, isHit)
    }
    ask(1, 0, false)
    curve.stored(1, 10, 100)
    ask(1, 50, true)
    ask(1, 100, false)
    curve.stored(1, 10, 1_000)
    curve.removed(1)
    ask(1, 200, false)
    expect(curve.byItems.at([1_000])).toEqual([1 / 4])
    expect(curve.told).toMatchObject({ requests: 4, error: 0 })
  })

  test('follows what its entries are charged', () => {
    const counts = new Counts()
    const curve = new MissRatioCurve(counts, 100)
    for (const hash of [1, 2]) {
      counts.misses++
      curve.requested(hash, 0, false)
      curve.stored(hash, 10, Number.POSITIVE_INFINITY)
    }
    curve.resized(2, 30)
    curve.resized(3, 99)
    counts.hits++
    curve.requested(1, 0, true)
    expect(curve.byBytes.at([39, 40])).toEqual([0, 1 / 3])
    expect(curve.byItems.at([1, 2])).toEqual([0, 1 / 3])
  })

  test('tells what was asked for of late by itself', () => {
    const counts = new Counts()
    const curve = new MissRatioCurve(counts, 100)
    const ask = (hash: number, isHit: boolean) => {
      counts[isHit ? 'hits' : 'misses']++
      curve.requested(hash, 0, isHit)
      if (!isHit) curve.stored(hash, 1, Number.POSITIVE_INFINITY)
    }
    for (let i = 0; i < 50; i++) ask(i, false)
    curve.watch(true)
    for (let i = 0; i < 50; i++) ask(i, true)
    expect(curve.recent?.byItems.at([49, 50])).toEqual([0, 1])
    curve.recent?.halve()
    expect(curve.recent?.requests).toBe(25)
    for (let i = 100; i < 125; i++) ask(i, false)
    expect(curve.recent?.byItems.at([50])).toEqual([1 / 2])
    expect(curve.byItems.at([50])).toEqual([50 / 125])
    curve.watch(false)
    expect(curve.recent).toBe(null)
  })

  test('reads between its points', () => {
    const points = [
      [10, 0.2],
      [20, 0.6],
    ] as const
    expect([0, 5, 10, 15, 20, 99].map((size) => ratioAt(points, size))).toEqual([0, 0.1, 0.2, 0.4, 0.6, 0.6])
  })
})

/** Bytes of the typed arrays and of the map, some 40 a member. */
function sizeOf(part: object): number {
  return Object.values(part).reduce((sum: number, value: unknown) => {
    if (ArrayBuffer.isView(value)) return sum + value.byteLength
    if (value instanceof Map) return sum + 40 * value.size
    const isPart = typeof value === 'object' && value !== null && /Stack|Distances|Recent/.test(value.constructor.name)
    return sum + (isPart ? sizeOf(value) : 0)
  }, 0)
}
