import type { Finding } from './analyses.ts'
import { HALF_FULL, raised, toBytes, toItems, toShare } from './binding-limit.ts'
import type { Checkup, Facts } from './facts.ts'
import { bytesInWords, countInWords, percentInWords } from './words.ts'

/** Evictions from which on a setting is judged by them. */
const ENOUGH = 100
/** A target nearer to the threshold than this gives cycles that are small and many. */
const NEAR = 0.02
/** Cycles a minute that are many. */
const MANY_CYCLES = 1

/** Settings of which one makes another pointless, as far as what happened shows it. */
export function fightingSettings(facts: Facts): Checkup {
  const findings = RULES.flatMap((rule) => rule(facts) ?? []).map((found) => ({
    finding: 'fighting settings' as const,
    cache: null,
    ...found,
  }))
  return { findings, looked: `settings that fight each other: ${findings.length} of ${RULES.length} known ways` }
}

type Fight = Omit<Finding, 'finding' | 'cache'>

const RULES: readonly ((facts: Facts) => Fight | null)[] = [
  itemsBeforeBytes,
  heapBeforeBytes,
  ownLimitsBeyondTotal,
  ownMemoryBeyondTotal,
  targetAtThreshold,
  warningAfterEviction,
  ttlPolicyWithoutTtl,
]

function evictedBy({ caches }: Facts, cause: 'items' | 'heap'): number {
  return caches.reduce((sum, { evicted }) => sum + (evicted.get(cause)?.count ?? 0), 0)
}

function itemsBeforeBytes(facts: Facts): Fight | null {
  const usage = facts.whole.mostUsage
  const evicted = evictedBy(facts, 'items')
  if (evicted < ENOUGH || usage === null || usage >= HALF_FULL) return null
  return {
    severity: 'warning',
    evidence: [
      `maxItems evicted ${countInWords(evicted, 'entry', 'entries')} while at most ${percentInWords(usage)} of the memory budget was used: the budget never counts.`,
    ],
    ...raised(facts, '', 'items'),
    advice: 'Raise maxItems until the bytes are used, or lift it with Infinity: the memory budget holds by itself.',
  }
}

function heapBeforeBytes(facts: Facts): Fight | null {
  const { settings, whole } = facts
  const evicted = evictedBy(facts, 'heap')
  const share = whole.mostBytes / settings.maxMemory
  if (evicted < ENOUGH || share >= HALF_FULL) return null
  return {
    severity: 'warning',
    evidence: [
      `maxHeap evicted ${countInWords(evicted, 'entry', 'entries')} while at most ${percentInWords(share)} of maxMemory was used: the heap budget is the only one that counts.`,
    ],
    ...raised(facts, '', 'heap'),
    advice: "Raise maxHeap, and V8's limit (--max-old-space-size) with it; or keep values in Buffers.",
  }
}

function ownLimitsBeyondTotal(facts: Facts): Fight | null {
  const { settings } = facts
  const sum = Object.values(settings.caches).reduce((all, { maxItems }) => all + maxItems, 0)
  const evicted = evictedBy(facts, 'items')
  if (!Number.isFinite(sum) || sum <= settings.maxItems || evicted < ENOUGH) return null
  return {
    severity: 'notice',
    evidence: [
      `The caches may hold ${countInWords(sum, 'item')} by their own limits, but ${settings.maxItems} in all: ${countInWords(evicted, 'entry', 'entries')} went before a cache reached its own.`,
    ],
    ...toItems('maxItems', settings.maxItems, sum),
    advice: "Let the total hold what the caches may, or lower the caches' limits.",
  }
}

function ownMemoryBeyondTotal({ settings }: Facts): Fight | null {
  const found = Object.entries(settings.caches).find(
    ([, { maxMemory }]) => Number.isFinite(maxMemory) && maxMemory > settings.maxMemory,
  )
  if (found === undefined) return null
  const [name, { maxMemory }] = found
  return {
    severity: 'notice',
    evidence: [
      `caches.${name}.maxMemory is ${bytesInWords(maxMemory)}, more than the whole budget, ${bytesInWords(settings.maxMemory)}: it never counts.`,
    ],
    ...toBytes(`caches.${name}.maxMemory`, maxMemory, settings.maxMemory / 2),
    advice: 'Give the cache a part of the budget, or no limit of its own.',
  }
}

function targetAtThreshold({ settings, cycles, minutes }: Facts): Fight | null {
  const { evictionThreshold, evictionTarget } = settings
  if (evictionThreshold - evictionTarget >= NEAR || evictionThreshold >= 1 || cycles / minutes < MANY_CYCLES)
    return null
  return {
    severity: 'warning',
    evidence: [
      `A cycle begins at ${evictionThreshold} and ends at ${evictionTarget}: ${countInWords(cycles, 'cycle')} in ${countInWords(Math.round(minutes), 'minute')}.`,
    ],
    ...toShare('evictionTarget', evictionTarget, (evictionThreshold * 8) / 9),
    advice: 'Let a cycle make room for a while: cycles are meant to be rare and large.',
  }
}

/** Any order is allowed; but then the first warning comes when eviction has failed already. */
function warningAfterEviction({ settings, cycles }: Facts): Fight | null {
  const { memoryThreshold, evictionThreshold } = settings
  if (memoryThreshold <= evictionThreshold || cycles === 0) return null
  return {
    severity: 'notice',
    evidence: [
      `Eviction begins at ${evictionThreshold}, before the warning at ${memoryThreshold}: ${countInWords(cycles, 'cycle')} ran, and the level that should announce them is never reached.`,
    ],
    ...toShare('memoryThreshold', memoryThreshold, Math.max(0.1, evictionThreshold - 0.1)),
    advice: 'Warn before evicting.',
  }
}

function ttlPolicyWithoutTtl({ settings, caches }: Facts): Fight | null {
  const evicted = caches.flatMap((cache) => [...cache.evicted.values()]).reduce((sum, { count }) => sum + count, 0)
  const hasTtl = Object.values(settings.caches).some(({ ttl }) => Number.isFinite(ttl))
  const expired = caches.reduce((sum, cache) => sum + cache.expired, 0)
  if (settings.policy !== 'ttl' || hasTtl || expired > 0 || evicted < ENOUGH) return null
  return {
    severity: 'notice',
    evidence: [
      `Policy ttl gives up what expires first, but no cache has a TTL and nothing expired: ${countInWords(evicted, 'entry', 'entries')} went by recency alone.`,
    ],
    setting: 'policy',
    from: 'ttl',
    to: 'hybrid',
    value: 'hybrid',
    advice: 'Choose by use, not by an expiry that nothing has.',
  }
}
