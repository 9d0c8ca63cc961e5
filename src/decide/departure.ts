import type { Evicted, EvictionTrigger, Expired, Removed } from '../event/catalogue.ts'
import type { EvictionCause } from '../event/vocabulary.ts'
import type { CacheState } from '../fold/cache-state.ts'
import type { State } from '../fold/state.ts'
import { wantOf } from './division.ts'

/** No entry. */
const NOBODY = -1

/** A cache that holds an entry past its time, or `null`: such entries go before any live one. */
export function cacheWithDue(state: State, at: number): CacheState | null {
  if (at < state.soonestExpiry) return null
  for (const cache of state.cacheList) if (cache.due(at) !== NOBODY) return cache
  return null
}

/**
 * The cache whose victim goes next under a limit over all caches: where they divide what they have in common, the one that
 * has most beyond its share; else each offers its victim, and the policy's comparison finds the worst. O(caches). `null` if
 * there is no entry but `except`.
 */
export function cacheOfVictim(state: State, except: number, cause: EvictionCause): CacheState | null {
  const { cacheList, division } = state
  if (cacheList.length === 1) return cacheList[0] as CacheState
  if (division !== null) {
    const beyond = division.mostBeyond(state, wantOf(cause))
    if (beyond !== null && beyond.order.victim(except) !== NOBODY) return beyond
  }
  let worst: CacheState | null = null
  let victim = NOBODY
  for (let i = 0; i < cacheList.length; i++) {
    const cache = cacheList[i] as CacheState
    if (cache.items === 0) continue
    const offered = cache.order.victim(except)
    if (offered === NOBODY || (victim !== NOBODY && !state.policy.before(offered, victim))) continue
    worst = cache
    victim = offered
  }
  return worst
}

/** Why and for whom an entry is evicted. */
export interface Eviction {
  readonly cause: EvictionCause
  readonly trigger: EvictionTrigger | null
  readonly cycle: string | null
}

export function evictedEvent(
  state: State,
  cache: CacheState,
  h: number,
  why: Eviction,
  seq: number,
  at: number,
): Evicted {
  const { columns, policy } = state
  const storedAt = columns.storedAt[h] as number
  const runnerUp = cache.order.victim(h)
  const { adapting } = cache.order
  return {
    seq,
    at,
    type: 'evicted',
    cache: cache.name,
    key: columns.keys[h] as string,
    age: at - storedAt,
    hits: columns.hits[h] as number,
    size: columns.size[h] as number,
    cause: why.cause,
    policy: policy.name,
    storedAt,
    storedBy: h < columns.storedBy.length ? (columns.storedBy[h] ?? null) : null,
    idle: at - (columns.usedAt[h] as number),
    ttlLeft: (columns.expiresAt[h] as number) - at,
    cost: state.costOf(h),
    score: policy.score(h),
    runnerUp: runnerUp === NOBODY ? null : (columns.keys[runnerUp] as string),
    runnerUpScore: runnerUp === NOBODY ? null : policy.score(runnerUp),
    mode: adapting === null ? null : adapting.mode,
    modeSince: adapting === null ? null : adapting.since,
    trigger: why.trigger,
    cycle: why.cycle,
  }
}

export function expiredEvent(state: State, cache: CacheState, h: number, seq: number, at: number): Expired {
  const { columns } = state
  return {
    seq,
    at,
    type: 'expired',
    cache: cache.name,
    key: columns.keys[h] as string,
    age: at - (columns.storedAt[h] as number),
    hits: columns.hits[h] as number,
    size: columns.size[h] as number,
    idle: at - (columns.usedAt[h] as number),
  }
}

export function removedEvent(
  state: State,
  cache: CacheState,
  h: number,
  cause: Removed['cause'],
  by: { actor: string | null; traceId: string | null },
  seq: number,
  at: number,
): Removed {
  const { columns } = state
  return {
    seq,
    at,
    type: 'removed',
    cache: cache.name,
    key: columns.keys[h] as string,
    age: at - (columns.storedAt[h] as number),
    hits: columns.hits[h] as number,
    size: columns.size[h] as number,
    actor: by.actor,
    traceId: by.traceId,
    cause,
  }
}
