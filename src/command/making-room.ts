import { brokenLimit, impossibleLimit, isOwnLimit, limitValue, reachesThreshold } from '../decide/room.ts'
import type { EvictionTrigger } from '../event/catalogue.ts'
import type { LimitName, RejectionReason } from '../event/vocabulary.ts'
import type { CacheState } from '../fold/cache-state.ts'
import { NONE } from '../fold/columns.ts'
import type { Engine } from './engine.ts'

/** Why an add is refused, as its `rejected` event says. */
export interface Refusal {
  readonly reason: RejectionReason
  readonly limitName: LimitName | null
  readonly limit: number | null
}

/**
 * Makes room for an add before it is stored: what is past its time goes first, then a slice of the cycle that is running
 * or that the add starts, then one victim at a time while a hard limit would be broken. Returns why the add must be
 * refused, or `null`: the room is there.
 */
export function makeRoom(engine: Engine, cache: CacheState, key: string, size: number, offHeap: number, replaced: number, at: number): Refusal | null {
  const { state, evictor } = engine
  const impossible = impossibleLimit(state, cache, size, offHeap)
  if (impossible !== null) return refusal(engine, cache, 'too-large', impossible)
  if (at >= state.soonestExpiry) evictor.sweepSlice(at)
  let trigger: EvictionTrigger | null = null
  if (state.settings.onFull === 'evict') {
    if (state.cycle === null && reachesThreshold(state, size, offHeap, replaced)) evictor.startBackground('threshold', at)
    if (state.cycle !== null) {
      trigger = { cache: cache.name, key, size }
      const freed = replaced === NONE ? 0 : (state.columns.size[replaced] as number)
      const freedHeap = replaced === NONE ? 0 : freed - state.offHeapOf(replaced)
      evictor.runSlice({ bytes: size - freed, heapBytes: size - offHeap - freedHeap, replaced, trigger }, at)
      if (state.cycle !== null) engine.housekeeping.expectIdle()
    }
  }
  for (;;) {
    const limit = brokenLimit(state, cache, size, offHeap, replaced)
    if (limit === null) return null
    const own = isOwnLimit(limit) ? cache : null
    if (state.settings.onFull === 'reject') {
      if (!evictor.expireOne(own, at)) return refusal(engine, cache, 'full', limit)
      continue
    }
    if (limit === 'items' && engine.housekeeping.watchesItems) engine.housekeeping.noticeItemEviction()
    if (trigger === null && engine.recorder.tellsEvictions) trigger = { cache: cache.name, key, size }
    if (!evictor.freeOne(own, replaced, limit, trigger, null, at)) return refusal(engine, cache, 'full', limit)
  }
}

function refusal({ state }: Engine, cache: CacheState, reason: RejectionReason, limitName: LimitName): Refusal {
  return { reason, limitName, limit: limitValue(state, cache, limitName) }
}
