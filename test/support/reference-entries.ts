import type { CacheSettings, PolicyName } from '../../src/base/settings.ts'

/** An entry as the reference model knows it. */
export interface Entry {
  readonly cache: string
  readonly key: string
  value: unknown
  size: number
  offHeap: number
  isStated: boolean
  expiresAt: number
  storedAt: number
  storedBy: string | null
  usedAt: number
  /** Number of its last use among all uses: recency. */
  recency: number
  /** Uses since it is there: its first store, overwrites and hits. */
  uses: number
  hits: number
  cost: number
  tags: readonly string[]
}

/** What the reference model counts of one cache. */
export interface CacheFigures {
  settings: CacheSettings
  /** Since the statistics were reset. */
  counts: Figures
  /** Since the last check. */
  sample: { hits: number; misses: number; bytesAdded: number }
}

/** Counts as the statistics show them. */
export interface Figures {
  hits: number
  misses: number
  added: number
  updated: number
  evictedItems: number
  evictedBytes: number
  expiredItems: number
  removedItems: number
  rejectedItems: number
  regrettedMisses: number
}

export function noFigures(): Figures {
  return {
    hits: 0,
    misses: 0,
    added: 0,
    updated: 0,
    evictedItems: 0,
    evictedBytes: 0,
    expiredItems: 0,
    removedItems: 0,
    rejectedItems: 0,
    regrettedMisses: 0,
  }
}

export function noSample(): CacheFigures['sample'] {
  return { hits: 0, misses: 0, bytesAdded: 0 }
}

type Before = (a: Entry, b: Entry) => boolean

const leastRecent: Before = (a, b) => a.recency < b.recency

/** Who is given up first, word for word as section 1 of the specification says; `null`: not said there. */
const BEFORE: Readonly<Record<PolicyName, Before | null>> = {
  lru: leastRecent,
  lfu: (a, b) => (a.uses === b.uses ? leastRecent(a, b) : a.uses < b.uses),
  ttl: (a, b) => (a.expiresAt === b.expiresAt ? leastRecent(a, b) : a.expiresAt < b.expiresAt),
  size: (a, b) => (a.size === b.size ? leastRecent(a, b) : a.size > b.size),
  hybrid: null,
}

/** Whom the policy gives up first: `undefined` if there is nobody, `null` if the specification leaves it open. */
export function firstToGo(policy: PolicyName, candidates: readonly Entry[]): Entry | null | undefined {
  const before = BEFORE[policy]
  if (candidates.length === 0) return undefined
  if (before === null) return null
  return candidates.reduce((first, other) => (before(other, first) ? other : first))
}

/** What the policy compares, where the specification says it. */
export function scoreOf(policy: PolicyName, entry: Entry): number | null {
  switch (policy) {
    case 'lfu':
      return entry.uses
    case 'ttl':
      return entry.expiresAt
    case 'size':
      return entry.size
    default:
      return null
  }
}
