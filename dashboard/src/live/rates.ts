import { computed } from '@preact/signals'
import { earlier, earlierMinutes, type Moment, moments } from './memory.ts'

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

/** Evictions of the minute that it was, where the audit log knew. */
function evictionsAt(at: number): number | null {
  const minute = earlierMinutes.value.find(({ from, to }) => Date.parse(from) <= at && at < Date.parse(to))
  return minute === undefined ? null : (minute.evicted * 60_000) / (Date.parse(minute.to) - Date.parse(minute.from))
}

export const curves = computed<Curves>(() => {
  const all = moments.value
  const begin = (all.at(-1)?.at ?? 0) - WINDOW
  const made: Curves = { at: [], usage: [], hitRate: [], evictions: [] }
  const live = all[0]?.at ?? Number.POSITIVE_INFINITY
  for (const sample of earlier.value) {
    const at = Date.parse(sample.at)
    if (at < begin || at >= live) continue
    const hits = sample.caches.reduce((total, cache) => total + cache.hits, 0)
    const misses = sample.caches.reduce((total, cache) => total + cache.misses, 0)
    push(made, at, sample.usage, rate(hits, misses), evictionsAt(at))
  }
  all.forEach((to, index) => {
    if (to.at < begin) return
    const previous = all[index - 1]
    // A restart, or seconds that nobody saw: the line is broken there.
    if (previous !== undefined && (previous.run !== to.run || to.at - previous.at > 4000)) {
      push(made, previous.at + 1, null, null, null)
    }
    const from = base(all, index)
    const long = base(all, index, EVICTION_SPAN)
    push(
      made,
      to.at,
      to.usage,
      from === null ? null : rate(grown(from.hits, to.hits), grown(from.misses, to.misses)),
      long === null || to.at - long.at < LEAST
        ? evictionsAt(to.at)
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

/** What the last checks of the log say of requests, until the page has seen a few seconds itself. */
function lastChecks() {
  const end = Date.parse(earlier.value.at(-1)?.at ?? '')
  const checks = earlier.value.filter(({ at }) => Date.parse(at) >= end - LOOK_BACK)
  const first = Date.parse(checks[0]?.at ?? '')
  if (checks.length < 2) return null
  const requests = new Map<string, { hits: number; misses: number }>()
  for (const { caches } of checks.slice(1)) {
    for (const { name, hits, misses } of caches) {
      const known = requests.get(name) ?? { hits: 0, misses: 0 }
      requests.set(name, { hits: known.hits + hits, misses: known.misses + misses })
    }
  }
  const rates = ({ hits, misses }: { hits: number; misses: number }) => ({
    hitRate: rate(hits, misses),
    requestsPerSecond: ((hits + misses) * 1000) / (end - first),
    evictedPerMinute: null,
  })
  const all = [...requests.values()]
  return {
    ...rates({ hits: all.reduce((n, one) => n + one.hits, 0), misses: all.reduce((n, one) => n + one.misses, 0) }),
    causes: [],
    caches: new Map([...requests].map(([name, counts]) => [name, rates(counts)] as const)),
  }
}

/** What the last minute was like, as far as it was seen. */
export const lastMinute = computed(() => {
  const all = moments.value
  const to = all.at(-1)
  const from = base(all, all.length - 1, 60)
  if (to === undefined || from === null) return lastChecks()
  const known = to.at - from.at >= LEAST
  const causes = Object.keys(to.evictedByCause).map((cause) => {
    const values = all.slice(-120).map((_, index, recent) => {
      const end = recent[index]
      const start = base(recent, index, EVICTION_SPAN)
      return end === undefined || start === null ? 0 : perMinute(start, end, (m) => m.evictedByCause[cause] ?? 0)
    })
    return { cause, perMinute: known ? perMinute(from, to, (m) => m.evictedByCause[cause] ?? 0) : null, recent: values }
  })
  const caches = Object.entries(to.caches).map(([name, end]) => {
    const start = from.caches[name]
    const hits = grown(start?.hits ?? end.hits, end.hits)
    const misses = grown(start?.misses ?? end.misses, end.misses)
    return [
      name,
      {
        hitRate: rate(hits, misses),
        requestsPerSecond: ((hits + misses) * 1000) / Math.max(1, to.at - from.at),
        evictedPerMinute: known ? perMinute(from, to, (m) => m.caches[name]?.evicted ?? 0) : null,
      },
    ] as const
  })
  const hits = grown(from.hits, to.hits)
  const misses = grown(from.misses, to.misses)
  return {
    hitRate: rate(hits, misses),
    requestsPerSecond: ((hits + misses) * 1000) / Math.max(1, to.at - from.at),
    /** `null`: not seen for long enough. */
    evictedPerMinute: known ? perMinute(from, to, (m) => sum(m.evictedByCause)) : null,
    causes: causes.sort((a, b) => (b.perMinute ?? 0) - (a.perMinute ?? 0) || a.cause.localeCompare(b.cause)),
    caches: new Map(caches),
  }
})
