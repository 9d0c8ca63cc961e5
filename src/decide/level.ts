import type { PrefixShare, Warned } from '../event/catalogue.ts'
import { LEVELS, type Level } from '../event/vocabulary.ts'
import type { CacheState } from '../fold/cache-state.ts'
import type { State } from '../fold/state.ts'

/** Writers, and caches, named in a warning. */
const NAMED_WRITERS = 10
/** Where checks are off, a level is left after this time below its threshold, in ms. */
const DEFAULT_CALM = 30_000

/**
 * Whether the alert level changes now: one is entered as soon as usage reaches its threshold, and left only after usage
 * was below it for a whole check interval, so that a full cache that breathes between target and threshold doesn't flap.
 */
export function levelChange(state: State, seq: number, at: number): Warned | null {
  if (isCalm(state)) return null
  const { levels, usage } = state
  let rank = levels.rank
  while (rank < 3 && usage >= (levels.thresholds[rank + 1] as number)) rank++
  if (rank === levels.rank) {
    const calm = state.settings.checkInterval || DEFAULT_CALM
    while (rank > 0 && at - (levels.belowSince[rank] as number) >= calm) rank--
    if (rank === levels.rank) return null
  }
  const rising = rank > levels.rank
  const to = LEVELS[rank] as Level
  const caches = [...state.caches.values()]
  const added = caches.map((cache) => ({
    cache: cache.name,
    bytes: cache.counts.bytesAdded - cache.bytesAddedAtLevel,
  }))
  return {
    seq,
    at,
    type: 'warned',
    level: rising && to !== 'normal' ? to : 'recovered',
    from: levels.level,
    to,
    usage,
    threshold: levels.thresholds[rising ? rank : rank + 1] as number,
    bytes: state.bytes,
    heapBytes: state.heapBytes,
    since: {
      at: state.lastLevelAt,
      bytesAdded: added.reduce((sum, { bytes }) => sum + bytes, 0),
      caches: added
        .filter(({ bytes }) => bytes > 0)
        .sort((a, b) => b.bytes - a.bytes)
        .slice(0, NAMED_WRITERS),
      writers: topWriters(caches, (cache) => cache.writersAtLevel, NAMED_WRITERS),
    },
    timeLeft: timeLeft(state, at),
  }
}

/** Whether no level holds and none is reached. */
export function isCalm({ levels, limits, bytes, offHeapBytes }: State): boolean {
  return levels.rank === 0 && bytes < limits.warningBytes && bytes - offHeapBytes < limits.warningHeapBytes
}

/** Bytes by writer since each cache's snapshot, largest first. */
export function topWriters(
  caches: readonly CacheState[],
  before: (cache: CacheState) => ReadonlyMap<string, number>,
  most: number,
): PrefixShare[] {
  return caches
    .flatMap((cache) =>
      cache.writers.counts().map(({ prefix, bytes, error }) => {
        const added = bytes - (before(cache).get(prefix) ?? 0)
        return { cache: cache.name, prefix, bytes: added, error: Math.min(error, added) }
      }),
    )
    .filter(({ bytes }) => bytes > 0)
    .sort((a, b) => b.bytes - a.bytes)
    .slice(0, most)
}

/** Of the two budgets, as pressure leaves them, the one that is full first. */
function timeLeft(state: State, at: number): number | null {
  const { bytes, heapBytes, effective } = state
  const elapsed = at - state.lastLevelAt
  const left = Math.min(
    timeToFill(effective.maxMemory - bytes, bytes - state.bytesAtLevel, elapsed),
    timeToFill(effective.maxHeap - heapBytes, heapBytes - state.heapBytesAtLevel, elapsed),
  )
  return Number.isFinite(left) ? Math.round(left) : null
}

function timeToFill(room: number, grown: number, elapsed: number): number {
  return elapsed <= 0 || grown <= 0 ? Number.POSITIVE_INFINITY : (Math.max(0, room) * elapsed) / grown
}
