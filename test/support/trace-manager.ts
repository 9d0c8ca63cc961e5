import type { MemoryManagerOptions } from '../../src/base/options.ts'
import { MemoryManager } from '../../src/command/memory-manager.ts'
import { readTrace } from '../../src/replay/trace.ts'

/** A manager whose bytes are no limit and whose time stands still, but for what the test says. */
export function traceManager(options: MemoryManagerOptions): MemoryManager {
  return new MemoryManager({
    maxMemory: 2 ** 50,
    maxHeap: 2 ** 50,
    evictionThreshold: 1,
    checkInterval: 0,
    seed: 1,
    clock: { now: () => 1 },
    ...options,
  })
}

/** Gets each key of a trace from cache `c`, or sets it there. */
export async function playTrace(memory: MemoryManager, file: string): Promise<void> {
  const cache = memory.cache('c')
  for await (const batch of readTrace(file)) {
    for (const { key, size } of batch) if (cache.get(key) === undefined) cache.set(key, 1, { size })
  }
}
