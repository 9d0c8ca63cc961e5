import { OptionError } from '../base/errors.ts'
import { NO_LIMITS } from '../base/options.ts'
import { shown } from '../base/units.ts'
import type { LimitName } from '../event/vocabulary.ts'
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
  const limits: readonly { name: LimitName; limit: number; held: number; needed: number }[] = [
    { name: 'cache-memory', limit: own.maxMemory, held: cache?.bytes ?? 0, needed: size },
    { name: 'memory', limit: settings.maxMemory, held: state.bytes, needed: size },
    { name: 'heap', limit: settings.maxHeap, held: state.heapBytes, needed: size },
    { name: 'cache-items', limit: own.maxItems, held: cache?.items ?? 0, needed: 1 },
    { name: 'items', limit: settings.maxItems, held: state.items, needed: 1 },
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
  const mayEvict = settings.onFull === 'evict' || at >= state.soonestExpiry
  return mayEvict ? { allowed: true, wouldEvict } : { allowed: false, reason: broken, wouldEvict: { bytes: 0, items: 0 } }
}
