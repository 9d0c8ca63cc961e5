/** The closed sets of words that events use: each has its one home here. */

/** Why the cache gave an entry up. */
export const EVICTION_CAUSES = [
  'memory', // maximum bytes, by a single add
  'heap', // heap budget, by a single add
  'items', // items in all
  'cache-items', // items of one cache
  'cache-memory', // bytes of one cache
  'threshold', // a cycle: bytes reached the eviction threshold
  'pressure', // a cycle: the process runs short of memory
  'forced', // a cycle: evict() was called
  'limit-lowered', // a cycle: a limit was lowered below present usage
  'admission', // the policy kept the rest rather than this entry
] as const
export type EvictionCause = (typeof EVICTION_CAUSES)[number]

/** What starts an eviction cycle. */
export type CycleTrigger = 'threshold' | 'pressure' | 'forced' | 'limit-lowered'

/** Which limit stands in an add's way. */
export type LimitName = 'memory' | 'heap' | 'items' | 'cache-items' | 'cache-memory'

/** Why an add was refused: it is larger than a limit, or the limit is reached and nothing may be evicted. */
export type RejectionReason = 'too-large' | 'full' | 'admission'

/** Alert levels of memory usage, in ascending order. */
export const LEVELS = ['normal', 'warning', 'critical', 'emergency'] as const
export type Level = (typeof LEVELS)[number]

/** Metrics whose peaks are kept. */
export const PEAK_METRICS = ['bytes', 'heap_bytes', 'items'] as const
export type PeakMetric = (typeof PEAK_METRICS)[number]

/** What the room that caches have in common is divided by. */
export type DivisionUnit = 'items' | 'bytes'

/** The mode of `hybrid` in which who is worth least for its bytes goes, whatever its place in a list. */
export const PER_BYTE = 'per-byte'
