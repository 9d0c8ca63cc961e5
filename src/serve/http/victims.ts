import { setImmediate as breathe } from 'node:timers/promises'
import type { PolicyName, Settings } from '../../base/settings.ts'
import type { EntryInfo } from '../../command/cache.ts'
import type { MemoryManager } from '../../muninn.ts'

/** Entries looked at in one go: others get their turn in between. */
const PORTION = 2000

export interface Victims {
  readonly cache: string
  readonly items: number
  readonly bytes: number
}

interface Held {
  readonly cache: string
  readonly info: EntryInfo
  /** Small ones go first; of equals the least recently used. */
  readonly value: number
}

interface Count {
  items: number
  bytes: number
  heapBytes: number
}

/** What would leave each cache under other settings, by what is held now. Changes nothing. */
export async function victimsUnder(memory: MemoryManager, settings: Settings): Promise<Victims[]> {
  const held = await allHeld(memory, settings.policy)
  const all: Count = { items: 0, bytes: 0, heapBytes: 0 }
  const there = new Map(memory.cacheNames().map((cache) => [cache, { items: 0, bytes: 0, heapBytes: 0 }]))
  const gone = new Map(memory.cacheNames().map((cache) => [cache, { items: 0, bytes: 0, heapBytes: 0 }]))
  const move = ({ cache, info }: Held, by: 1 | -1) => {
    count(all, info, by)
    count(there.get(cache), info, by)
    if (by === -1) count(gone.get(cache), info, 1)
  }
  for (const entry of held) move(entry, 1)

  // The caches' own limits first: what they take counts towards the common ones.
  const rest: Held[] = []
  for (const entry of held) {
    const own = settings.caches[entry.cache]
    const now = there.get(entry.cache)
    const exceeds = own !== undefined && now !== undefined && (now.items > own.maxItems || now.bytes > own.maxMemory)
    if (exceeds) move(entry, -1)
    else rest.push(entry)
  }
  const { evictionThreshold, evictionTarget, maxItems, maxMemory, maxHeap } = settings
  let next = 0
  const leaveUntil = (isEnough: () => boolean) => {
    while (next < rest.length && !isEnough()) move(rest[next++] as Held, -1)
  }
  leaveUntil(() => all.items <= maxItems && all.bytes <= maxMemory && all.heapBytes <= maxHeap)
  // Then, with the next write, a cycle; but not where adds are refused instead.
  const cycles = evictionThreshold < 1 && settings.onFull === 'evict'
  if (cycles && (all.bytes >= evictionThreshold * maxMemory || all.heapBytes >= evictionThreshold * maxHeap)) {
    leaveUntil(() => all.bytes <= evictionTarget * maxMemory && all.heapBytes <= evictionTarget * maxHeap)
  }
  return [...gone].map(([cache, { items, bytes }]) => ({ cache, items, bytes }))
}

function count(of: Count | undefined, { size, offHeap }: EntryInfo, by: 1 | -1): void {
  if (of === undefined) return
  of.items += by
  of.bytes += by * size
  of.heapBytes += by * (size - offHeap)
}

/** All entries, those first that the policy gives up first. */
async function allHeld(memory: MemoryManager, policy: PolicyName): Promise<Held[]> {
  const held: Held[] = []
  const isPresent = policy === memory.settings.policy
  for (const name of memory.cacheNames()) {
    const cache = memory.cache(name)
    for (const key of cache.keys()) {
      if (held.length % PORTION === PORTION - 1) await breathe()
      const info = cache.info(key)
      if (info !== undefined) held.push({ cache: name, info, value: placeUnder(policy, info, isPresent) })
    }
  }
  return held.sort((a, b) => a.value - b.value || a.info.lastUse - b.info.lastUse)
}

/** Where a policy places an entry, small ones first; of a policy that doesn't hold now, by what is known of the entry. */
export function placeUnder(policy: PolicyName, info: EntryInfo, isPresent: boolean): number {
  switch (policy) {
    case 'lru':
      return info.lastUse
    case 'ttl':
      return Math.min(info.expiresAt, Number.MAX_VALUE)
    case 'size':
      return -info.size
    case 'lfu':
    case 'hybrid':
      return isPresent ? info.score : info.hits
  }
}
