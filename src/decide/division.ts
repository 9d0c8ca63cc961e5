import type { Divided } from '../event/catalogue.ts'
import type { DivisionUnit, EvictionCause } from '../event/vocabulary.ts'
import type { State } from '../fold/state.ts'

/** Hits for each request that other shares must promise: below, curves are not exact enough to tell. */
const WORTH = 0.002
/** Part of the room that changes hands at once, at most: what is given up is gone, and curves are of the past. */
const STEP = 0.125

/** Whether the room that caches have in common is better divided in another way before one of them gives an entry up. */
export function division(state: State, seq: number, at: number): Divided | null {
  const { division: present } = state
  if (present === null || present.gain < WORTH) return null
  const { claims, unit, gain } = present
  const most = Math.max(...claims.map(({ share, wished }) => Math.abs(wished - share)))
  const part = Math.min(1, STEP / most)
  const all = claims.reduce((sum, { requests }) => sum + requests, 0)
  const shares = claims.map(({ cache, share, wished, requests, hits }) => ({
    cache: cache.name,
    from: share,
    to: share + part * (wished - share),
    wished,
    requests: requests / all,
    hitRatio: requests === 0 ? 0 : hits / requests,
  }))
  return { seq, at, type: 'divided', policy: state.policy.name, unit, shares, gain }
}

/** What an eviction for that cause is for want of. */
export function wantOf(cause: EvictionCause): DivisionUnit {
  return cause === 'items' ? 'items' : 'bytes'
}
