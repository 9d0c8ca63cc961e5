import type { Adapted } from '../event/catalogue.ts'
import { type EvictionCause, PER_BYTE } from '../event/vocabulary.ts'
import type { CacheState } from '../fold/cache-state.ts'
import type { Adapting, Standings } from '../fold/policies/policy.ts'
import type { State } from '../fold/state.ts'

/** How far a mode must be ahead: a share of the entries of a shadow, since a change costs part of a refill, */
const LEAD = 0.05
/** and a share of the requests in which it and the present one differed at all: less is chance, or both taking turns. */
const SHARE_OF_DISPUTED = 0.15

/** Above and below which the sizes of the entries differ enough for bytes to matter: their variance over their squared mean. */
const DIFFERENT = 0.05
const ALIKE = 0.02
/** Evictions for want of items alone after which bytes are no longer what binds, and for each entry as many. */
const LEAST_OF_ITEMS = 100

/** Whether a cache's order is better run by another of its modes before it gives an entry up for that cause. */
export function adaptation(
  state: State,
  cache: CacheState,
  cause: EvictionCause,
  seq: number,
  at: number,
): Adapted | null {
  const { adapting } = cache
  if (adapting === null) return null
  const found = adapting.mode === PER_BYTE ? listsAgain(cache, adapting) : better(cause, adapting)
  if (found === null) return null
  const { to, reason } = found
  return { seq, at, type: 'adapted', policy: state.policy.name, cache: cache.name, from: adapting.mode, to, reason }
}

interface Change {
  readonly to: string
  readonly reason: string
}

/** From what is worth least for its bytes back to the lists: sizes are alike by now, or items are what binds. */
function listsAgain({ items }: CacheState, { sinceBytes, spread, listMode: to }: Adapting): Change | null {
  if (spread < ALIKE) return { to, reason: `sizes are alike: ${deviation(spread)}` }
  if (sinceBytes <= LEAST_OF_ITEMS + items) return null
  return { to, reason: `the last ${sinceBytes} evictions were for want of items, not of bytes` }
}

function better(cause: EvictionCause, { spread, standings }: Adapting): Change | null {
  if (cause !== 'items' && cause !== 'cache-items' && spread > DIFFERENT)
    return { to: PER_BYTE, reason: `bytes bind, and sizes differ: ${deviation(spread)}` }
  return standings === null ? null : furthest(standings)
}

/** The mode that is furthest ahead of the present one, if that is far enough. */
function furthest({ lead, disputed, capacity, names, modeAt, furthest }: Standings): Change | null {
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
    to: names[best] as string,
    reason: `${ahead} hits more in ${differed} sampled requests that only one of them would have hit`,
  }
}

function deviation(spread: number): string {
  return `their standard deviation is ${Math.round(100 * Math.sqrt(Math.max(0, spread)))} % of their mean`
}
