import type { EvictionCause } from '../event/vocabulary.ts'
import type { Finding } from './analyses.ts'
import type { CacheFacts, Facts } from './facts.ts'
import { bytesInWords } from './words.ts'

/* The limit that evicts, and what to set it to. */

/** Evictions because there was no room, not because somebody asked for them. */
export const BY_LIMIT: readonly EvictionCause[] = [
  'memory',
  'heap',
  'items',
  'cache-items',
  'cache-memory',
  'threshold',
  'pressure',
]

/** A budget that is fuller than this has no room to give to an item limit. */
export const HALF_FULL = 0.5
/** How full the budget should be at most with the raised item limit: below the eviction target. */
const WELL_FULL = 0.75
/** No limit is raised by more than this at once. */
const MOST_TIMES = 4

export function evictedByLimits(cache: CacheFacts): number {
  return BY_LIMIT.reduce((sum, cause) => sum + (cache.evicted.get(cause)?.count ?? 0), 0)
}

/** Which limit of the cache evicted most; `null`: none. */
export function mainCause(caches: readonly CacheFacts[]): { cache: CacheFacts; cause: EvictionCause } | null {
  let most = 0
  let main: { cache: CacheFacts; cause: EvictionCause } | null = null
  for (const cache of caches) {
    for (const cause of BY_LIMIT) {
      const count = cache.evicted.get(cause)?.count ?? 0
      if (count > most) main = { cache, cause }
      most = Math.max(most, count)
    }
  }
  return main
}

export type Change = Pick<Finding, 'setting' | 'from' | 'to' | 'value'>

/** The setting behind a cause, raised: by as much as there is room for, else twofold. */
export function raised(facts: Facts, cache: string, cause: EvictionCause): Change {
  const { settings } = facts
  const own = settings.caches[cache]
  const usage = facts.whole.mostUsage
  const times = usage !== null && usage > 0 && usage < HALF_FULL ? Math.min(MOST_TIMES, WELL_FULL / usage) : 2
  switch (cause) {
    case 'items':
      return items('maxItems', settings.maxItems, times)
    case 'cache-items':
      return items(`caches.${cache}.maxItems`, own?.maxItems ?? Number.POSITIVE_INFINITY, times)
    case 'cache-memory':
      return bytes(`caches.${cache}.maxMemory`, own?.maxMemory ?? Number.POSITIVE_INFINITY)
    case 'heap':
      return bytes('maxHeap', settings.maxHeap)
    default:
      return bytes('maxMemory', settings.maxMemory)
  }
}

function items(setting: string, limit: number, times: number): Change {
  // Without a limit there is none to raise.
  if (!Number.isFinite(limit)) return { setting, from: 'Infinity', to: 'Infinity', value: null }
  return toItems(setting, limit, Math.ceil(limit * times))
}

function bytes(setting: string, limit: number): Change {
  return toBytes(setting, limit, Number.isFinite(limit) ? limit * 2 : limit)
}

export function toItems(setting: string, from: number, to: number): Change {
  return { setting, from: String(from), to: String(to), value: to }
}

export function toBytes(setting: string, from: number, to: number): Change {
  const value = Number.isFinite(to) ? Math.round(to) : null
  return { setting, from: bytesInWords(from), to: bytesInWords(to), value }
}

export function toShare(setting: string, from: number, to: number): Change {
  const value = Number(to.toFixed(2))
  return { setting, from: String(from), to: to.toFixed(2), value }
}
