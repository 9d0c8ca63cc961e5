import { prefixOf } from '../base/prefix.ts'
import type { CacheHolding, Holdings } from '../event/catalogue.ts'
import type { CacheState } from '../fold/cache-state.ts'
import type { State } from '../fold/state.ts'

/** Caches and prefixes named at a peak. */
const NAMED = 10
/** Entries looked at for their prefixes: a fraction of a millisecond, at most once a check. */
const LOOKED_AT = 1_000

/** Under a prefix rule of the user's own, which must not be called from here. */
export const NO_PREFIXES: Omit<Holdings, 'caches'> = { prefixes: [], counted: 0, items: 0 }

export function largest<T extends { readonly bytes: number }>(holdings: readonly T[]): T[] {
  return [...holdings].sort((a, b) => b.bytes - a.bytes).slice(0, NAMED)
}

/**
 * What the key prefixes hold now, by some of the entries of each cache, as many as is its share of all; what they hold
 * stands for the rest of their cache.
 */
export function heldByPrefix(state: State): Omit<Holdings, 'caches'> {
  const { items } = state
  let counted = 0
  const found: (CacheHolding & { prefix: string })[] = []
  for (const cache of state.cacheList) {
    if (cache.items === 0) continue
    const share = items <= LOOKED_AT ? cache.items : Math.ceil((LOOKED_AT * cache.items) / items)
    const handles = cache.index.some(share)
    counted += handles.length
    found.push(...scaled(state, cache, handles))
  }
  return { prefixes: largest(found), counted, items }
}

function scaled(state: State, cache: CacheState, handles: readonly number[]): (CacheHolding & { prefix: string })[] {
  const { keys, size } = state.columns
  const by = new Map<string, { items: number; bytes: number }>()
  let sum = 0
  for (const h of handles) {
    const prefix = prefixOf(keys[h] as string)
    const bytes = size[h] as number
    sum += bytes
    const holding = by.get(prefix)
    if (holding === undefined) by.set(prefix, { items: 1, bytes })
    else {
      holding.items++
      holding.bytes += bytes
    }
  }
  const perItem = cache.items / handles.length
  const perByte = sum === 0 ? 0 : cache.bytes / sum
  return [...by].map(([prefix, holding]) => ({
    cache: cache.name,
    prefix,
    items: Math.round(holding.items * perItem),
    bytes: Math.round(holding.bytes * perByte),
  }))
}
