import type { LimitName } from '../event/vocabulary.ts'
import type { CacheState } from '../fold/cache-state.ts'
import type { State } from '../fold/state.ts'

/** What is free for an add beyond the present entries: the entry that it overwrites. */
const NOBODY = -1

/** What the caches may hold beyond what pressure leaves of the budgets, while a cycle brings them down to it in slices. */
export interface Overhang {
  readonly bytes: number
  readonly heapBytes: number
}

export const NO_OVERHANG: Overhang = { bytes: 0, heapBytes: 0 }

/** While a cycle gives back what the process needs, no add grows what is held; else no add passes a limit. */
export function overhangOf({ cycle, bytes, heapBytes }: State): Overhang {
  return cycle?.started.trigger === 'pressure' ? { bytes, heapBytes } : NO_OVERHANG
}

/** Whether what stands in the way is a budget that pressure has lowered. */
export function isLowered({ ceiling, settings }: State, limit: LimitName): boolean {
  if (limit === 'memory') return ceiling.maxMemory < settings.maxMemory
  return limit === 'heap' && ceiling.maxHeap < settings.maxHeap
}

/**
 * The first limit that storing so many bytes would break now, or `null`. An overwritten entry's bytes count as free.
 * Compared in sums, never differences: `Infinity - Infinity` is no number.
 */
export function brokenLimit(
  state: State,
  cache: CacheState,
  size: number,
  offHeap: number,
  replaced: number,
  overhang: Overhang,
): LimitName | null {
  const added = replaced === NOBODY ? 1 : 0
  const freed = replaced === NOBODY ? 0 : (state.columns.size[replaced] as number)
  const limits = cache.settings
  if (cache.items + added > limits.maxItems) return 'cache-items'
  if (cache.bytes - freed + size > limits.maxMemory) return 'cache-memory'
  const { limits: all } = state
  if (state.items + added > all.maxItems) return 'items'
  if (state.bytes - freed + size > Math.max(all.maxMemory, overhang.bytes)) return 'memory'
  const freedHeap = replaced === NOBODY ? 0 : freed - state.offHeapOf(replaced)
  return state.heapBytes - freedHeap + size - offHeap > Math.max(all.maxHeap, overhang.heapBytes) ? 'heap' : null
}

/**
 * Whether nothing but the number of items can stand in an add's way: it is below every limit in bytes, overwritten bytes
 * not counted as free, nothing is past its time and no cycle runs. Then `brokenItemLimit` says all.
 */
export function onlyItemsMatter(state: State, cache: CacheState, size: number, offHeap: number, at: number): boolean {
  const { limits } = state
  return (
    state.bytes + size < limits.calmBytes &&
    state.heapBytes + size - offHeap < limits.calmHeapBytes &&
    cache.bytes + size <= cache.settings.maxMemory &&
    at < state.soonestExpiry &&
    state.cycle === null
  )
}

/** The limit of items that storing would break now, or `null`. */
export function brokenItemLimit(state: State, cache: CacheState, replaced: number): LimitName | null {
  const added = replaced === NOBODY ? 1 : 0
  if (cache.items + added > cache.settings.maxItems) return 'cache-items'
  return state.items + added > state.limits.maxItems ? 'items' : null
}

/** The limit that an item would break in an empty cache, or `null`: such an item is refused before anything is evicted. */
export function impossibleLimit(state: State, cache: CacheState, size: number, offHeap: number): LimitName | null {
  if (size > cache.settings.maxMemory) return 'cache-memory'
  if (size > state.limits.maxMemory) return 'memory'
  return size - offHeap > state.limits.maxHeap ? 'heap' : null
}

/** The value of a limit, in bytes or items. */
export function limitValue(state: State, cache: CacheState, limit: LimitName): number {
  switch (limit) {
    case 'memory':
      return state.effective.maxMemory
    case 'heap':
      return state.effective.maxHeap
    case 'items':
      return state.settings.maxItems
    case 'cache-items':
      return cache.settings.maxItems
    case 'cache-memory':
      return cache.settings.maxMemory
  }
}

/** Whether a limit is one cache's own, so that only that cache's entries can make room. */
export function isOwnLimit(limit: LimitName): boolean {
  return limit === 'cache-items' || limit === 'cache-memory'
}

/** Whether a cache holds more than it may itself, after a limit was lowered. */
export function exceedsOwnLimit(cache: CacheState): boolean {
  return cache.items > cache.settings.maxItems || cache.bytes > cache.settings.maxMemory
}

/** Whether all caches hold more than they may together, by the stated limits: what pressure takes goes in slices. */
export function exceedsCommonLimit({ items, bytes, heapBytes, settings }: State): boolean {
  return items > settings.maxItems || bytes > settings.maxMemory || heapBytes > settings.maxHeap
}

/**
 * Whether storing would reach the eviction threshold, at which a cycle starts; a threshold of 1 means never. An item
 * larger than the target starts none: no eviction would get there.
 */
export function reachesThreshold(state: State, size: number, offHeap: number, replaced: number): boolean {
  const { limits } = state
  if (size > limits.targetBytes || size - offHeap > limits.targetHeapBytes) return false
  const freed = replaced === NOBODY ? 0 : (state.columns.size[replaced] as number)
  const freedHeap = replaced === NOBODY ? 0 : freed - state.offHeapOf(replaced)
  return (
    state.bytes - freed + size >= limits.cycleBytes ||
    state.heapBytes - freedHeap + size - offHeap >= limits.cycleHeapBytes
  )
}
