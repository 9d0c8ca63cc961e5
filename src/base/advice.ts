import { ratioAt } from './curve/reading.ts'
import type { PolicyName } from './settings.ts'

/* What other settings would have brought, from what the caches know of themselves. */

type Points = readonly (readonly [size: number, hitRatio: number])[]

/** What one cache holds and did. */
export interface AdvisedCache {
  readonly name: string
  readonly items: number
  readonly bytes: number
  readonly hits: number
  readonly misses: number
  readonly evicted: number
  readonly expired: number
  /** ms; `Infinity`: none. */
  readonly ttl: number
  /** Of those evicted, in ms, half lived no longer; `null`: not known. */
  readonly medianAge: number | null
  readonly curve: { readonly byItems: Points; readonly byBytes: Points } | null
}

/** A policy or limits that were tried beside the live ones; limits as resolved. */
export interface AdvisedShadow {
  readonly policy: PolicyName
  readonly maxItems: number
  readonly maxMemory: number
  readonly hitRate: number | null
}

export interface Advised {
  readonly policy: PolicyName
  readonly maxItems: number
  readonly maxMemory: number
  readonly caches: readonly AdvisedCache[]
  readonly shadows: readonly AdvisedShadow[]
}

/** One thing that could be changed, and what it would have brought. */
export interface Advice {
  readonly advice: 'more memory' | 'less memory' | 'other policy' | 'other limits' | 'needless ttl'
  /** `null`: the whole. */
  readonly cache: string | null
  /** One sentence. */
  readonly text: string
  /** The setting to change, as the options spell it, from and to. */
  readonly setting: string
  readonly from: string | number
  readonly to: string | number
  /** Hit ratio as it was and as it would have been; `error`: how far that may be off. */
  readonly hitRate: number
  readonly expected: number
  readonly error: number
  /** Whether `expected` is the least that is to be expected: it may well be more. */
  readonly atLeast: boolean
  /** What it rests on. */
  readonly source: 'curve' | 'shadow' | 'counts'
}

/** What is worth a word: hits gained, and lost, as shares of the requests. */
const WORTH = 0.02
const NO_LOSS = 0.01
/** Requests for each entry from which on a cache has been seen at work. */
const REQUESTS_AN_ENTRY = 2
const LEAST_REQUESTS = 1_000
/** Sizes that are looked at, as multiples of the present. */
const MORE = [1.1, 1.2, 1.3, 1.4, 1.6, 1.8, 2, 2.5, 3, 4, 5, 6, 8]
const LESS = [0.1, 0.2, 0.25, 0.33, 0.4, 0.5, 0.6, 0.67, 0.75, 0.8]
/** Of all that more memory could bring, what is enough. */
const NEARLY_ALL = 0.9
/** What is foretold is off by at most so much. */
const ERROR = 0.02
/** The same of a shadow of `lfu`, which a small cache is no model of. */
const ERROR_OF_LFU = 0.1
/** A curve may have a cliff just where a size is: it must hold for this much less, too. */
const BEFORE = 0.97
/** A TTL never matters where the evicted are this much younger, and so few expire. */
const YOUNGER = 10
const FEW = 0.01

/** All advice that there is, what brings most first. */
export function adviceFor(advised: Advised): Advice[] {
  const asked = sum(advised.caches, ({ hits, misses }) => hits + misses)
  const items = sum(advised.caches, (cache) => cache.items)
  if (asked < Math.max(LEAST_REQUESTS, REQUESTS_AN_ENTRY * items)) return []
  const hitRate = sum(advised.caches, ({ hits }) => hits) / asked
  return [
    ...ofSize(advised, hitRate, asked),
    ...ofPolicy(advised, hitRate, asked),
    ...ofShadows(advised, hitRate),
    ...ofTtl(advised, hitRate),
  ].sort((a, b) => b.expected - b.hitRate - (a.expected - a.hitRate))
}

interface Measure {
  readonly by: 'byItems' | 'byBytes'
  readonly setting: 'maxItems' | 'maxMemory'
  readonly limit: number
  held(cache: AdvisedCache): number
}

/** What limits the caches: what is nearer to its limit. */
function measureOf({ maxItems, maxMemory, caches }: Advised): Measure {
  const items = sum(caches, (cache) => cache.items) / maxItems
  const bytes = sum(caches, (cache) => cache.bytes) / maxMemory
  return bytes > items
    ? { by: 'byBytes', setting: 'maxMemory', limit: maxMemory, held: (cache) => cache.bytes }
    : { by: 'byItems', setting: 'maxItems', limit: maxItems, held: (cache) => cache.items }
}

/**
 * By how much the hit ratio would be higher if every cache had so many times the room. The curves are of LRU; `hybrid` does at
 * least as well, so for it this is the least.
 */
function gainOf(
  advised: Advised,
  hitRate: number,
  asked: number,
  measure: Measure,
): ((times: number) => number) | null {
  const known = advised.caches.filter(({ curve, hits, misses }) => curve !== null && hits + misses > 0)
  if (known.length !== advised.caches.filter(({ hits, misses }) => hits + misses > 0).length) return null
  const at = (times: number) =>
    sum(known, (cache) => {
      const points = cache.curve?.[measure.by] ?? []
      return ((cache.hits + cache.misses) / asked) * ratioAt(points, measure.held(cache) * times)
    })
  const now = advised.policy === 'lru' ? at(1) : hitRate
  return (times) => at(times) - now
}

function ofSize(advised: Advised, hitRate: number, asked: number): Advice[] {
  const { policy } = advised
  if (policy !== 'lru' && policy !== 'hybrid') return []
  const measure = measureOf(advised)
  const gain = gainOf(advised, hitRate, asked, measure)
  if (gain === null || !Number.isFinite(measure.limit)) return []
  const held = sum(advised.caches, measure.held)
  const evicted = sum(advised.caches, (cache) => cache.evicted)
  const atLeast = policy !== 'lru'
  const common = { cache: null, hitRate, error: ERROR, source: 'curve', setting: measure.setting } as const
  const found: Advice[] = []
  const most = gain(MORE.at(-1) as number)
  const more = MORE.find((times) => gain(times * BEFORE) >= NEARLY_ALL * most)
  if (evicted > 0 && most >= WORTH + ERROR && more !== undefined) {
    const expected = Math.min(1, hitRate + gain(more))
    const beyond = gain(Number.MAX_SAFE_INTEGER / Math.max(1, held)) - gain(more)
    const rest =
      beyond < NO_LOSS
        ? 'beyond that nothing'
        : `no memory would get it above ${percent(Math.min(1, expected + beyond))}`
    found.push({
      ...common,
      advice: 'more memory',
      text: `${more} × the ${room(measure)} would raise the hit rate from ${percent(hitRate)} to ${atLeast ? 'at least ' : ''}${percent(expected)}; ${rest}.`,
      from: measure.limit,
      to: Math.ceil(measure.limit * more),
      expected,
      atLeast,
    })
  }
  const less = LESS.find((times) => -gain(times * BEFORE) <= NO_LOSS)
  if (less !== undefined && hitRate >= WORTH) {
    const expected = Math.min(hitRate, hitRate + gain(less))
    const cost = hitRate - expected < 0.0005 ? 'nothing' : `${atLeast ? 'at most ' : ''}${percent(hitRate - expected)}`
    found.push({
      ...common,
      advice: 'less memory',
      text: `${less === 0.5 ? 'Half' : `${less} ×`} the ${room(measure)} in use would cost ${cost === 'nothing' ? cost : `${cost} of the requests`}.`,
      from: measure.limit,
      to: Math.max(1, Math.ceil(held * less)),
      expected,
      atLeast,
    })
  }
  return found
}

/** LRU is what the curves are of: whether it would do. */
function ofPolicy(advised: Advised, hitRate: number, asked: number): Advice[] {
  if (advised.policy === 'lru' || advised.shadows.some(({ policy }) => policy === 'lru')) return []
  const gain = gainOf(advised, hitRate, asked, measureOf(advised))
  if (gain === null) return []
  return compared(advised, { policy: 'lru', hitRate, expected: hitRate + gain(1), error: ERROR, source: 'curve' })
}

function ofShadows(advised: Advised, hitRate: number): Advice[] {
  return advised.shadows.flatMap((shadow) => {
    const { policy, maxItems, maxMemory, hitRate: expected } = shadow
    if (expected === null) return []
    const error = policy === 'lfu' ? ERROR_OF_LFU : ERROR
    if (maxItems === advised.maxItems && maxMemory === advised.maxMemory) {
      return policy === advised.policy ? [] : compared(advised, { policy, hitRate, expected, error, source: 'shadow' })
    }
    const setting = maxItems === advised.maxItems ? 'maxMemory' : 'maxItems'
    return [
      {
        advice: 'other limits' as const,
        cache: null,
        text: `${setting} ${shadow[setting]} under ${policy} would have hit ${percent(expected)} instead of ${percent(hitRate)}.`,
        setting,
        from: advised[setting],
        to: shadow[setting],
        hitRate,
        expected,
        error,
        atLeast: false,
        source: 'shadow' as const,
      },
    ]
  })
}

/** A policy that does better, or as well. */
function compared(
  { policy: from }: Advised,
  { policy, ...figures }: Pick<Advice, 'hitRate' | 'expected' | 'error' | 'source'> & { policy: PolicyName },
): Advice[] {
  const { hitRate, expected } = figures
  if (expected < hitRate - NO_LOSS) return []
  const text =
    expected > hitRate + NO_LOSS
      ? `${policy} would have hit ${percent(expected)} instead of ${percent(hitRate)}.`
      : `${policy} would have done as well: ${percent(expected)}, and ${from} ${percent(hitRate)}.`
  return [
    { advice: 'other policy', cache: null, text, setting: 'policy', from, to: policy, atLeast: false, ...figures },
  ]
}

function ofTtl({ caches }: Advised, hitRate: number): Advice[] {
  return caches
    .filter(({ ttl, medianAge, evicted, expired }) => {
      if (ttl === Number.POSITIVE_INFINITY || medianAge === null || evicted < LEAST_REQUESTS / 10) return false
      return medianAge * YOUNGER <= ttl && expired <= FEW * evicted
    })
    .map(({ name, ttl, medianAge }) => ({
      advice: 'needless ttl' as const,
      cache: name,
      text: `Half of the entries of ${name} live at most ${duration(medianAge as number)} before they are evicted: the TTL of ${duration(ttl)} hardly ever matters.`,
      setting: `caches.${name}.ttl`,
      from: ttl,
      to: 'Infinity',
      hitRate,
      expected: hitRate,
      error: 0.01,
      atLeast: false,
      source: 'counts' as const,
    }))
}

function room({ setting }: Measure): string {
  return setting === 'maxItems' ? 'entries' : 'memory'
}

function percent(share: number): string {
  return `${(100 * share).toFixed(share >= 0.1 ? 0 : 1)} %`
}

function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`
  if (ms < 120_000) return `${Math.round(ms / 1_000)} s`
  return ms < 7_200_000 ? `${Math.round(ms / 60_000)} min` : `${Math.round(ms / 3_600_000)} h`
}

function sum<T>(values: readonly T[], of: (value: T) => number): number {
  return values.reduce((total, value) => total + of(value), 0)
}
