import { describe, expect, test } from 'vitest'
import { MemoryManager } from '../../src/command/memory-manager.ts'
import type { MuninnEvent } from '../../src/event/catalogue.ts'
import { chance } from '../support/chance.ts'
import { assertFolds, drain, stateOf } from '../support/fold-law.ts'
import { loop, zipf } from '../support/workloads.ts'

const RUNS = process.env.MUNINN_NIGHT === '1' ? 40 : 4

/** A run long enough for the mode to change, with everything else that happens to a cache in between. */
function play(seed: number): { memory: MemoryManager; events: MuninnEvent[] } {
  const below = chance(seed)
  const clock = { time: 1_000_000, now: () => clock.time }
  const memory = new MemoryManager({
    policy: 'hybrid',
    maxItems: 150 + below(500),
    maxMemory: 8_000,
    checkInterval: 0,
    seed,
    clock,
  })
  const events: MuninnEvent[] = []
  memory.events$.subscribe((event) => events.push(event))
  const caches = ['a', 'b'].map((name) => memory.cache<number>(name))
  const around = loop(400)
  const popular = zipf(3_000, 0.9, seed)
  for (let i = 0; i < 20_000; i++) {
    const cache = caches[i % 7 === 0 ? 1 : 0]!
    const phase = Math.floor(i / 5_000)
    const key = `k${phase === 0 ? around() : phase === 1 ? Math.floor(i / 3) + below(150) : popular.next()}`
    const chosen = below(1_000)
    if (chosen < 4) cache.delete(key)
    else if (chosen < 8) cache.set(key, i, { ttl: 500 + below(5_000) })
    else if (cache.get(key) === undefined && chosen < 990)
      cache.set(key, i, { size: sizeOf(i, key), ...(chosen < 100 ? { ttl: 2_000 } : {}) })
    clock.time += below(3)
    if (i === 9_000) memory.setPolicy('lru')
    if (i === 9_500) memory.setPolicy('hybrid')
    if (i === 12_000) cache.clear()
    if (i === 15_000) memory.setLimits({ maxItems: 120 })
    if (i === 17_000) memory.setLimits({ maxItems: 900 })
    if (i === 19_000) memory.setLimits({ maxItems: 100 })
  }
  return { memory, events }
}

/** Three caches whose loads change, among everything else that happens to caches. */
function divide(seed: number): { memory: MemoryManager; events: MuninnEvent[] } {
  const below = chance(seed)
  const memory = new MemoryManager({ policy: 'hybrid', maxItems: 400, maxMemory: 50_000, checkInterval: 0, seed })
  const events: MuninnEvent[] = []
  memory.events$.subscribe((event) => events.push(event))
  const popular = zipf(3_000, 0.9, seed)
  const around = loop(250)
  const loads = [() => popular.next(), around, (i: number) => i]
  for (let i = 0; i < 40_000; i++) {
    const which = below(3)
    const cache = memory.cache<number>(`c${which}`)
    const key = `k${loads[(which + Math.floor(i / 15_000)) % 3]?.(i)}`
    if (cache.get(key) === undefined) cache.set(key, i, { size: i < 30_000 ? 1 : 1 + below(1_000) })
    if (i === 5_000) memory.cache('d').set('alone', 1)
    if (i === 18_000) memory.drop('d')
    if (i === 20_000) memory.setPolicy('lru')
    if (i === 21_000) memory.setPolicy('hybrid')
    if (i === 25_000) memory.evict()
  }
  return { memory, events }
}

/** Twelve caches under one limit; one that has shadows and a curve goes, another comes. */
function playTwelve(): { memory: MemoryManager; events: MuninnEvent[] } {
  const below = chance(5)
  const memory = new MemoryManager({ policy: 'hybrid', maxItems: 600, maxMemory: 50_000, checkInterval: 0, seed: 5 })
  const events: MuninnEvent[] = []
  memory.events$.subscribe((event) => events.push(event))
  const popular = zipf(2_000, 0.9, 5)
  for (let i = 0; i < 40_000; i++) {
    if (i === 20_000) memory.drop('c2')
    const which = below(12)
    const name = which === 2 && i >= 20_000 ? 'late' : `c${which}`
    const cache = memory.cache<number>(name)
    const key = `k${which % 3 === 0 ? i : popular.next()}`
    if (cache.get(key) === undefined) cache.set(key, i, { size: 1 })
  }
  return { memory, events }
}

/** Small and alike at first, then up to a hundred times as large: bytes begin to bind. */
function sizeOf(i: number, key: string): number {
  return i < 13_000 ? 1 : 1 + (key.charCodeAt(key.length - 1) % 10) ** 2
}

describe('hybrid over a run in which it changes its mode', () => {
  test.each(Array.from({ length: RUNS }, (_, i) => i + 1))('is the fold of its events, seed %i', (seed) => {
    const { memory, events } = play(seed)
    const modes = events.flatMap((event) => (event.type === 'adapted' ? [event.to] : []))
    expect(modes.filter((mode) => mode !== 'per-byte').length).toBeGreaterThan(0)
    expect(modes).toContain('per-byte')
    const folded = assertFolds(memory, events)
    expect(drain(stateOf(memory), folded.at, false)).toEqual(drain(folded, folded.at, false))
    void memory.close()
  })

  test.each(Array.from({ length: RUNS }, (_, i) => i + 1))(
    'is the fold of its events where caches divide their room, seed %i',
    (seed) => {
      const { memory, events } = divide(seed)
      expect(events.filter(({ type }) => type === 'divided').length).toBeGreaterThan(1)
      const folded = assertFolds(memory, events)
      expect(drain(stateOf(memory), folded.at, false)).toEqual(drain(folded, folded.at, false))
      void memory.close()
    },
  )

  // The first four caches have shadows, the first eight curves: the rest must do without, and so must their fold.
  test('is the fold of its events with twelve caches, of which some come and go', () => {
    const { memory, events } = playTwelve()
    const { caches } = memory.stats()
    expect(caches).toHaveLength(12)
    expect(caches.slice(8, 11).map(({ mode }) => mode)).toEqual(['lfu-1', 'lfu-1', 'lfu-1'])
    expect(caches.filter(({ name }) => memory.curve(name) !== null).length).toBe(8)
    expect(memory.stats().cacheItemCount).toBeLessThanOrEqual(600)
    expect(Math.min(...caches.map(({ items }) => items))).toBeGreaterThan(0)
    expect(events.filter(({ type }) => type === 'divided').length).toBeGreaterThan(0)
    const folded = assertFolds(memory, events)
    expect(drain(stateOf(memory), folded.at, false)).toEqual(drain(folded, folded.at, false))
    void memory.close()
  })

  test('is the same again under the same seed', () => {
    const [one, again] = [play(1), play(1)]
    const told = (events: readonly MuninnEvent[]) => events.map((event) => ({ ...event, cycle: null }))
    expect(told(one.events)).toEqual(told(again.events))
    for (const { memory } of [one, again]) void memory.close()
  })
})
