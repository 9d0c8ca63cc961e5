import { computed } from '@preact/signals'
import { evictionsAt, lateEvictions } from './logged-rates.ts'
import { type Moment, moments } from './memory.ts'
import { remembered } from './remembered.ts'

/** How far back the live curves go, in ms. */
const WINDOW = 5 * 60_000
/** Over how many moments a rate is taken: a second alone jumps too much to be read. */
const SPAN = 5
/** Evictions come in cycles, many at once: over fewer moments, their rate would be all peaks and zeros. */
const EVICTION_SPAN = 20
/** How far back the log's last checks are taken together, in ms: two of them, by default. */
const LOOK_BACK = 60_000
/** A rate over less than this, in ms, would be an extrapolation. */
const LEAST = 10_000

/** Curves over the last minutes; times in epoch seconds, as uPlot has them; gaps are `null`. */
export interface Curves {
  readonly at: number[]
  readonly usage: (number | null)[]
  readonly hitRate: (number | null)[]
  /** Evictions a minute. */
  readonly evictions: (number | null)[]
}

/** The difference of a count between two moments of one run: 0 where the statistics were reset in between. */
function grown(from: number, to: number): number {
  return Math.max(0, to - from)
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((all, one) => all + one, 0)
}

/** A count's growth a minute. */
function perMinute(from: Moment, to: Moment, count: (moment: Moment) => number): number {
  return to.at > from.at ? (grown(count(from), count(to)) * 60_000) / (to.at - from.at) : 0
}

/** The moment that the rates at `index` are measured from: of the same run. */
function base(all: readonly Moment[], index: number, span = SPAN): Moment | null {
  const to = all[index]
  for (let from = Math.max(0, index - span); from < index; from++) {
    if (all[from]?.run === to?.run) return all[from] ?? null
  }
  return null
}

function rate(hits: number, misses: number): number | null {
  return hits + misses > 0 ? hits / (hits + misses) : null
}

export const curves = computed<Curves>(() => {
  const all = moments.value
  const log = remembered.value
  const logged = (at: number) => (log === null ? null : evictionsAt(log, at))
  const begin = (all.at(-1)?.at ?? 0) - WINDOW
  const made: Curves = { at: [], usage: [], hitRate: [], evictions: [] }
  const live = all[0]?.at ?? Number.POSITIVE_INFINITY
  for (const sample of log?.checks ?? []) {
    const at = Date.parse(sample.at)
    if (at < begin || at >= live) continue
    const hits = sample.caches.reduce((total, cache) => total + cache.hits, 0)
    const misses = sample.caches.reduce((total, cache) => total + cache.misses, 0)
    push(made, at, sample.usage, rate(hits, misses), logged(at))
  }
  all.forEach((to, index) => {
    if (to.at < begin) return
    const previous = all[index - 1]
    // A restart, or seconds that nobody saw: the line is broken there.
    if (previous !== undefined && (previous.run !== to.run || to.at - previous.at > 4000)) {
      push(made, previous.at + 1, null, null, null)
    }
    const from = base(all, index)
    // The first of the page tells no rate yet: the log's curve goes on without it.
    if (index === 0 && from === null && made.at.length > 0) return
    const long = base(all, index, EVICTION_SPAN)
    push(
      made,
      to.at,
      to.usage,
      from === null ? null : rate(grown(from.hits, to.hits), grown(from.misses, to.misses)),
      long === null || to.at - long.at < LEAST
        ? logged(to.at)
        : perMinute(long, to, (moment) => sum(moment.evictedByCause)),
    )
  })
  return made
})

function push(
  { at, usage, hitRate, evictions }: Curves,
  time: number,
  used: number | null,
  hit: number | null,
  evicted: number | null,
): void {
  at.push(time / 1000)
  usage.push(used)
  hitRate.push(hit)
  evictions.push(evicted)
}

/** Hits and misses of all caches together. */
function requestsIn(caches: Iterable<{ readonly hits: number; readonly misses: number }>) {
  let [hits, misses] = [0, 0]
  for (const cache of caches) {
    hits += cache.hits
    misses += cache.misses
  }
  return { hits, misses }
}

function requestRates({ hits, misses }: { hits: number; misses: number }, ms: number) {
  return { hitRate: rate(hits, misses), requestsPerSecond: ((hits + misses) * 1000) / Math.max(1, ms) }
}

/** Requests by cache, as the log's last checks have them, and over how many ms. */
function checkedRequests() {
  const known = remembered.value?.checks ?? []
  const end = Date.parse(known.at(-1)?.at ?? '')
  const checks = known.filter(({ at }) => Date.parse(at) >= end - LOOK_BACK)
  if (checks.length < 2) return null
  const requests = new Map<string, { hits: number; misses: number }>()
  for (const { caches } of checks.slice(1)) {
    for (const cache of caches) requests.set(cache.name, requestsIn([cache, requests.get(cache.name) ?? NONE]))
  }
  return { requests, ms: end - Date.parse(checks[0]?.at ?? '') }
}

const NONE = { hits: 0, misses: 0 }

/** Requests by cache, as the page has seen them, and over how many ms. */
function seenRequests(from: Moment, to: Moment) {
  const requests = Object.entries(to.caches).map(([name, end]) => {
    const start = from.caches[name] ?? end
    return [name, { hits: grown(start.hits, end.hits), misses: grown(start.misses, end.misses) }] as const
  })
  return { requests: new Map(requests), ms: to.at - from.at }
}

function isEnough(from: Moment | null, to: Moment): from is Moment {
  return from !== null && to.at - from.at >= LEAST
}

/** Evictions a minute, as the page has seen them once it has looked for long enough, until then as the log counts. */
function evictions(from: Moment | null, to: Moment) {
  if (isEnough(from, to)) {
    return {
      all: perMinute(from, to, (moment) => sum(moment.evictedByCause)),
      ofCause: (cause: string) => perMinute(from, to, (moment) => moment.evictedByCause[cause] ?? 0),
      ofCache: (cache: string) => perMinute(from, to, (moment) => moment.caches[cache]?.evicted ?? 0),
    }
  }
  return remembered.value === null ? null : lateEvictions(remembered.value)
}

/** What the last minute was like, as far as the page or the log has seen it; `null` in it: neither has. */
export const lastMinute = computed(() => {
  const all = moments.value
  const to = all.at(-1)
  if (to === undefined) return null
  const from = base(all, all.length - 1, 60)
  const asked = (isEnough(from, to) ? null : checkedRequests()) ?? (from === null ? null : seenRequests(from, to))
  const evicted = evictions(from, to)
  const causes = Object.entries(to.evictedByCause).map(([cause, total]) => {
    const recent = all.slice(-120).map((end, index, last) => {
      const start = base(last, index, EVICTION_SPAN)
      return start === null ? 0 : perMinute(start, end, (moment) => moment.evictedByCause[cause] ?? 0)
    })
    return { cause, total, perMinute: evicted?.ofCause(cause) ?? null, recent }
  })
  const caches = Object.keys(to.caches).map((name) => {
    const requests = asked?.requests.get(name)
    return [
      name,
      {
        ...(asked === null || requests === undefined ? UNKNOWN : requestRates(requests, asked.ms)),
        evictedPerMinute: evicted?.ofCache(name) ?? null,
      },
    ] as const
  })
  return {
    ...(asked === null ? UNKNOWN : requestRates(requestsIn(asked.requests.values()), asked.ms)),
    evictedPerMinute: evicted?.all ?? null,
    /** Those of this run, since the last reset. */
    causes: causes
      .filter(({ total }) => total > 0)
      .sort((a, b) => (b.perMinute ?? 0) - (a.perMinute ?? 0) || a.cause.localeCompare(b.cause)),
    caches: new Map(caches),
  }
})

const UNKNOWN = { hitRate: null, requestsPerSecond: null }
