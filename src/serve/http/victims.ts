import { setImmediate as breathe } from 'node:timers/promises'
import type { MemoryManager } from '../../muninn.ts'

/** Entries looked at in one go: others get their turn in between. */
const PORTION = 2000

/** Limits as they might be; `Infinity` for none. */
export interface SupposedLimits {
  readonly maxMemory: number
  readonly maxItems: number
  readonly caches: Readonly<Record<string, number>>
  /** Usage at which a cycle starts, and the usage that it goes down to. */
  readonly evictionThreshold: number
  readonly evictionTarget: number
}

export interface Victims {
  readonly cache: string
  readonly items: number
  readonly bytes: number
}

interface Held {
  readonly cache: string
  readonly size: number
  readonly score: number
  readonly lastAccess: number
}

/**
 * What would leave each cache under other limits, by what is held and by the present policy's scores: what is written
 * meanwhile, and what `hybrid` decides only when it comes to it, isn't in it. Changes nothing.
 */
export async function victimsUnder(memory: MemoryManager, limits: SupposedLimits): Promise<Victims[]> {
  const held = await allHeld(memory)
  const counted = new Map(memory.cacheNames().map((cache) => [cache, { cache, items: 0, bytes: 0 }]))
  let items = held.length
  let bytes = held.reduce((sum, entry) => sum + entry.size, 0)
  const leave = (entry: Held) => {
    const cache = counted.get(entry.cache)
    if (cache === undefined) return
    cache.items++
    cache.bytes += entry.size
    items--
    bytes -= entry.size
  }
  const left = new Map<string, number>()
  for (const { cache } of held) left.set(cache, (left.get(cache) ?? 0) + 1)
  const rest: Held[] = []
  // The caches' own limits first: what they take counts towards the common ones.
  for (const entry of held) {
    const most = limits.caches[entry.cache] ?? Number.POSITIVE_INFINITY
    const there = left.get(entry.cache) ?? 0
    if (there <= most) rest.push(entry)
    else {
      left.set(entry.cache, there - 1)
      leave(entry)
    }
  }
  const cycle = bytes >= limits.evictionThreshold * limits.maxMemory && limits.evictionThreshold < 1
  const most = cycle ? limits.evictionTarget * limits.maxMemory : limits.maxMemory
  for (const entry of rest) {
    if (items <= limits.maxItems && bytes <= most) break
    leave(entry)
  }
  return [...counted.values()]
}

/** All entries, those first that the policy gives up first. */
async function allHeld(memory: MemoryManager): Promise<Held[]> {
  const held: Held[] = []
  for (const name of memory.cacheNames()) {
    const cache = memory.cache(name)
    for (const key of cache.keys()) {
      if (held.length % PORTION === PORTION - 1) await breathe()
      const info = cache.info(key)
      if (info !== undefined)
        held.push({ cache: name, size: info.size, score: info.score, lastAccess: info.lastAccess })
    }
  }
  const direction = memory.settings.policy === 'size' ? -1 : 1
  return held.sort((a, b) => direction * (a.score - b.score) || a.lastAccess - b.lastAccess)
}
