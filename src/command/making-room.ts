import {
  brokenItemLimit,
  brokenLimit,
  impossibleLimit,
  isLowered,
  isOwnLimit,
  limitValue,
  NO_OVERHANG,
  onlyItemsMatter,
  overhangOf,
  reachesThreshold,
} from '../decide/room.ts'
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
export function makeRoom(
  engine: Engine,
  cache: CacheState,
  key: string,
  size: number,
  offHeap: number,
  replaced: number,
  at: number,
): Refusal | null {
  const { state } = engine
  const calm = onlyItemsMatter(state, cache, size, offHeap, at)
  let overhang = NO_OVERHANG
  if (!calm) {
    engine.budgets.attend(at)
    const impossible = impossibleLimit(state, cache, size, offHeap)
    if (impossible !== null) return refusal(engine, cache, 'too-large', impossible)
    overhang = overhangOf(state)
    clearUp(engine, cache, key, size, offHeap, replaced, at)
  }
  for (;;) {
    const limit = calm
      ? brokenItemLimit(state, cache, replaced)
      : brokenLimit(state, cache, size, offHeap, replaced, overhang)
    if (limit === null) return null
    if (!freeFor(engine, cache, key, size, limit, replaced, at)) return refusal(engine, cache, 'full', limit)
  }
}

/** What is past its time, and a slice of the cycle. */
function clearUp(
  engine: Engine,
  cache: CacheState,
  key: string,
  size: number,
  offHeap: number,
  replaced: number,
  at: number,
): void {
  const { state, evictor } = engine
  if (at >= state.soonestExpiry) evictor.sweepSlice(at)
  if (state.cycle === null) {
    if (!state.limits.evicts || !reachesThreshold(state, size, offHeap, replaced)) return
    const lowered = isLowered(state, 'memory') || isLowered(state, 'heap')
    evictor.startBackground(lowered ? 'pressure' : 'threshold', at)
  }
  // What is larger than the target can't be made room for by a cycle: the hard limits see to it.
  const { targetBytes, targetHeapBytes } = state.limits
  if (size > targetBytes || size - offHeap > targetHeapBytes) return
  const freed = replaced === NONE ? 0 : (state.columns.size[replaced] as number)
  const freedHeap = replaced === NONE ? 0 : freed - state.offHeapOf(replaced)
  const trigger = { cache: cache.name, key, size }
  evictor.runSlice({ bytes: size - freed, heapBytes: size - offHeap - freedHeap, replaced, trigger }, at)
  if (state.cycle !== null) engine.housekeeping.expectIdle()
}

/** Frees one entry for a limit; returns whether there was one that may go. */
function freeFor(
  engine: Engine,
  cache: CacheState,
  key: string,
  size: number,
  limit: LimitName,
  replaced: number,
  at: number,
): boolean {
  const { state, evictor, housekeeping } = engine
  const own = isOwnLimit(limit) ? cache : null
  if (!state.limits.evicts) return evictor.expireOne(own, at)
  const trigger = engine.recorder.tellsEvictions ? { cache: cache.name, key, size } : null
  if (limit === 'items' && housekeeping.watchesItems) housekeeping.noticeItemEviction()
  return evictor.freeOne(own, replaced, isLowered(state, limit) ? 'pressure' : limit, trigger, null, at)
}

function refusal({ state }: Engine, cache: CacheState, reason: RejectionReason, limitName: LimitName): Refusal {
  return { reason, limitName, limit: limitValue(state, cache, limitName) }
}
