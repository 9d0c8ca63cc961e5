import { OptionError } from '../base/errors.ts'
import { NO_LIMITS } from '../base/options.ts'
import { shown } from '../base/units.ts'
import type { LimitName } from '../event/vocabulary.ts'
import type { CacheState } from '../fold/cache-state.ts'
import type { State } from '../fold/state.ts'

/** What `canAdd` answers. */
export interface AddVerdict {
  readonly allowed: boolean
  /** Which limit stands against it. */
  readonly reason?: LimitName
  /** What a hard limit would have to give up for it, as a lower bound in bytes and items. */
  readonly wouldEvict: { readonly bytes: number; readonly items: number }
}

/** The limits' arithmetic for an entry with a new key, counted wholly on the heap. */
export function judgeAdd(state: State, name: string, size: number, at: number): AddVerdict {
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
    throw new OptionError('size', `${shown(size)} is not a number of bytes: an integer ≥ 0`)
  }
  const { settings } = state
  const cache = state.caches.get(name)
  const own = cache?.settings ?? NO_LIMITS
  const ofCache = living(state, cache === undefined ? [] : [cache], at)
  const inAll = living(state, state.cacheList, at)
  const limits: readonly { name: LimitName; limit: number; held: number; needed: number }[] = [
    { name: 'cache-memory', limit: own.maxMemory, held: ofCache.bytes, needed: size },
    { name: 'memory', limit: state.limits.maxMemory, held: inAll.bytes, needed: size },
    { name: 'heap', limit: state.limits.maxHeap, held: inAll.onHeap, needed: size },
    { name: 'cache-items', limit: own.maxItems, held: ofCache.items, needed: 1 },
    { name: 'items', limit: settings.maxItems, held: inAll.items, needed: 1 },
  ]
  const wouldEvict = { bytes: 0, items: 0 }
  let broken: LimitName | undefined
  for (const { name: limitName, limit, held, needed } of limits) {
    if (needed > limit) return { allowed: false, reason: limitName, wouldEvict: { bytes: 0, items: 0 } }
    const excess = held + needed - limit
    if (!(excess > 0)) continue
    broken ??= limitName
    const inItems = limitName === 'items' || limitName === 'cache-items'
    if (inItems) wouldEvict.items = Math.max(wouldEvict.items, excess)
    else wouldEvict.bytes = Math.max(wouldEvict.bytes, excess)
  }
  if (broken === undefined) return { allowed: true, wouldEvict }
  if (wouldEvict.bytes > 0) wouldEvict.items = Math.max(1, wouldEvict.items)
  if (settings.onFull === 'evict') return { allowed: true, wouldEvict }
  return { allowed: false, reason: broken, wouldEvict: { bytes: 0, items: 0 } }
}

/** What caches hold, less what is past its time, which is freed first. It walks the entries only where any may be. */
function living(
  state: State,
  caches: readonly CacheState[],
  at: number,
): { items: number; bytes: number; onHeap: number } {
  const { columns } = state
  const held = { items: 0, bytes: 0, onHeap: state.heapBytes }
  for (const cache of caches) {
    held.items += cache.items
    held.bytes += cache.bytes
    if (cache.wheel === null || at < cache.wheel.soonest) continue
    for (const h of cache.handles()) {
      if ((columns.expiresAt[h] as number) > at) continue
      held.items--
      held.bytes -= columns.size[h] as number
      held.onHeap -= (columns.size[h] as number) - state.offHeapOf(h)
    }
  }
  return held
}
