import type { Cache, MemoryManager } from '../../../src/muninn.ts'

/** Calls that must throw, and change nothing: what they are given is not what their types allow. */
export function badCalls(memory: MemoryManager, cache: Cache): readonly (() => unknown)[] {
  const any = (value: unknown): never => value as never
  return [
    () => memory.setLimits({ maxItems: -1 }),
    () => memory.setLimits({ maxItems: 5, maxMemory: Number.NaN }),
    () => memory.setLimits({ maxItems: 5, caches: { a: { ttl: 0 } } }),
    () => memory.setLimits({ evictionThreshold: 0.5, evictionTarget: 0.7 }),
    () => memory.setLimits(any(null)),
    () => memory.setPolicy(any('fifo')),
    () => memory.setPolicy('lru', 7),
    () => memory.evict({ target: -1 }),
    () => memory.evict({ cache: 'no such cache' }),
    () => memory.cache(any(5)),
    () => memory.select(),
    () => memory.on(any('nothing'), () => {}),
    () => cache.set(any(5), 1),
    () => cache.set('k', undefined),
    () => cache.set('k', 1, { ttl: 0 }),
    () => cache.set('k', 1, { cost: -1 }),
    () => cache.set('x'.repeat(70_000), 1),
    () => cache.get(any(Symbol('key'))),
  ]
}
