import type * as Event from '../event/catalogue.ts'
import type { CacheState } from './cache-state.ts'
import { NONE } from './columns.ts'
import type { State } from './state.ts'

/** Folds any event, as read from a recording: looks up what the live cache had at hand. */
export function apply(state: State, e: Event.MuninnEvent): void {
  switch (e.type) {
    case 'accessed':
      return about(state, e, (cache, h) => state.accessed(e.seq, e.at, cache, h, state.columns.hash[h] as number))
    case 'missed':
      return state.missed(e.seq, e.at, cacheOf(state, e.cache), state.hasher.hash(e.key), e.regret ?? 0)
    case 'added':
      return added(state, e)
    case 'updated':
      return about(state, e, (cache, h) => state.updated(e.seq, e.at, cache, e.key, h, e))
    case 'expired':
      return about(state, e, (cache, h) => state.expired(e.seq, e.at, cache, h))
    case 'evicted':
      return about(state, e, (cache, h) => state.evicted(e.seq, e.at, cache, h, e.cause, e.cycle))
    case 'removed':
      return about(state, e, (cache, h) => state.removed(e.seq, e.at, cache, h))
    case 'cleared':
      return state.cleared(e, cacheOf(state, e.cache))
    case 'rejected':
      return state.rejected(e, cacheOf(state, e.cache))
    case 'warned':
      return state.warned(e)
    case 'cycle-started':
      return state.cycleStarted(e)
    case 'cycle-completed':
      return state.cycleCompleted(e)
    case 'checked':
      return state.checked(e)
    case 'peaked':
      return state.peaked(e)
    case 'remeasured':
      return remeasured(state, e)
    case 'configured':
      return state.configured(e)
    case 'budget-changed':
      return state.budgetChanged(e)
    case 'adapted':
      return state.adapted(e, cacheOf(state, e.cache))
    case 'divided':
      return state.divided(e)
    case 'clock-changed':
      return state.clockChanged(e)
    case 'stats-reset':
      return state.statsReset(e)
    case 'stopped':
      return state.stoppedRun(e)
    case 'started':
    case 'cycle-continued':
    case 'loaded':
    case 'load-failed':
      return state.happened(e)
  }
}

function cacheOf(state: State, name: string): CacheState {
  const cache = state.caches.get(name)
  if (cache === undefined) throw new Error(`event about the cache ${JSON.stringify(name)}, which isn't there`)
  return cache
}

function added(state: State, e: Event.Added): void {
  const hash = state.hasher.hash(e.key)
  state.added(e.seq, e.at, cacheOf(state, e.cache), e.key, hash, state.hasher.checkOf(e.key), e)
}

function remeasured(state: State, e: Event.Remeasured): void {
  state.remeasured(e)
  for (const entry of e.entries) about(state, entry, (cache, h) => state.resized(e.at, cache, h, entry))
}

function about(state: State, e: { cache: string; key: string }, fold: (cache: CacheState, h: number) => void): void {
  const cache = cacheOf(state, e.cache)
  const h = cache.index.find(e.key, state.hasher.hash(e.key))
  if (h === NONE) throw new Error(`event about the key ${JSON.stringify(e.key)}, which isn't there`)
  fold(cache, h)
}
