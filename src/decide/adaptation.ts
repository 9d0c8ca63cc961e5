import type { Adapted } from '../event/catalogue.ts'
import type { CacheState } from '../fold/cache-state.ts'
import type { State } from '../fold/state.ts'

/** How far a mode must be ahead: a share of the entries of a shadow, since a change costs part of a refill, */
const LEAD = 0.05
/** and a share of the requests in which it and the present one differed at all: less is chance, or both taking turns. */
const SHARE_OF_DISPUTED = 0.15

/** Whether a cache's order is better run by another of its modes: the one that is furthest ahead, if that is far enough. */
export function adaptation(state: State, cache: CacheState, seq: number, at: number): Adapted | null {
  const standings = cache.order.adapting?.standings ?? null
  if (standings === null) return null
  const { lead, disputed, capacity, names, modeAt, furthest } = standings
  if (furthest <= LEAD * capacity) return null
  let best = modeAt
  for (let i = 0; i < lead.length; i++) {
    const ahead = lead[i] as number
    if (ahead <= (lead[best] as number)) continue
    if (ahead > LEAD * capacity && ahead > SHARE_OF_DISPUTED * (disputed[i] as number)) best = i
  }
  if (best === modeAt) return null
  const ahead = Math.round(lead[best] as number)
  const differed = Math.round(disputed[best] as number)
  return {
    seq,
    at,
    type: 'adapted',
    policy: state.policy.name,
    cache: cache.name,
    from: names[modeAt] as string,
    to: names[best] as string,
    reason: `${ahead} hits more in ${differed} sampled requests that only one of them would have hit`,
  }
}
