import type { Finding } from './analyses.ts'
import { BY_LIMIT, evictedByLimits, mainCause, raised } from './binding-limit.ts'
import type { CacheFacts, Checkup, Facts } from './facts.ts'
import { causeInWords } from './sentences.ts'
import { countInWords, durationInWords, percentInWords, quoted } from './words.ts'

/** Fewer evictions, requests or misses than this say nothing. */
const ENOUGH = 100
/** The whole content was exchanged within this time, in minutes. */
const TURNED_OVER = 10
/** Evictions a minute that are few whatever is held. */
const FEW_A_MINUTE = 60
/** Shares of the evicted that were asked for again: too many of young ones, and of whatever age. */
const MISSED_MUCH = 0.2
const MISSED_MOST = 0.5
/** Age at which an entry is young, in ms; and the share of never hit ones that a scan shows. */
const YOUNG = 300_000
const SCANNED = 0.8
/** Requests from which a hit rate is judged, and below which it is poor. */
const REQUESTS = 1_000
const POOR = 0.5
/** Share of the misses that one reason explains. */
const EXPLAINS = 0.2

/** High eviction rate: what is held was exchanged within minutes. */
export function evictionRate(facts: Facts): Checkup {
  const { caches, minutes, whole } = facts
  const evicted = caches.reduce((sum, cache) => sum + evictedByLimits(cache), 0)
  const rate = evicted / minutes
  const looked = `evictions by limits: ${perMinute(rate)}, of ${countInWords(whole.mostItems, 'entry', 'entries')} held (high: a tenth of them, and ${FEW_A_MINUTE}, a minute)`
  const main = mainCause(caches)
  if (
    main === null ||
    evicted < ENOUGH ||
    whole.mostItems === 0 ||
    rate < FEW_A_MINUTE ||
    rate * TURNED_OVER < whole.mostItems
  ) {
    return { findings: [], looked }
  }
  const share = (main.cache.evicted.get(main.cause)?.count ?? 0) / evicted
  return {
    looked,
    findings: [
      {
        finding: 'high eviction rate',
        cache: null,
        severity: 'warning',
        evidence: [
          `${countInWords(evicted, 'eviction')} in ${countInWords(Math.round(minutes), 'minute')}, ${perMinute(rate)}; ${countInWords(whole.mostItems, 'entry', 'entries')} were held at most.`,
          `${percentInWords(share)} of them in cache ${quoted(main.cache.name)}, because ${causeInWords(main.cause)}.`,
        ],
        ...raised(facts, main.cache.name, main.cause),
        advice: 'Raise the limit that evicts; "replay" or "regrets" say whether it pays.',
      },
    ],
  }
}

/** Thrashing: what is evicted is young, and asked for again. */
export function thrashing(facts: Facts): Checkup {
  const looks = facts.caches.map((cache) => thrashingOf(facts, cache))
  return {
    findings: looks.flatMap(({ finding }) => (finding === null ? [] : [finding])),
    looked: `age at eviction and regrets: ${looks.map(({ looked }) => looked).join('; ') || 'nothing was evicted'} (thrashing: ${percentInWords(MISSED_MOST)} asked for again, or ${percentInWords(MISSED_MUCH)} and a median age below ${durationInWords(YOUNG)})`,
  }
}

function thrashingOf(facts: Facts, cache: CacheFacts): { finding: Finding | null; looked: string } {
  const rows = BY_LIMIT.flatMap((cause) => cache.evicted.get(cause) ?? [])
  const sum = (field: 'count' | 'regretted' | 'unused') => rows.reduce((all, row) => all + row[field], 0)
  const evicted = sum('count')
  const name = quoted(cache.name)
  if (evicted < ENOUGH || cache.medianAge === null) {
    return { finding: null, looked: `${name} ${countInWords(evicted, 'eviction')}` }
  }
  const regretted = sum('regretted') / evicted
  const unused = sum('unused') / evicted
  const age = durationInWords(cache.medianAge)
  const looked = `${name} median age ${age}, ${percentInWords(regretted)} asked for again`
  const main = mainCause([cache])
  const isScan = unused >= SCANNED && regretted < MISSED_MUCH && facts.settings.policy !== 'hybrid' && !comesBack(cache)
  const isYoung = cache.medianAge < YOUNG
  const isThrashing = regretted >= MISSED_MOST || (isYoung && (regretted >= MISSED_MUCH || isScan))
  if (main === null || !isThrashing) return { finding: null, looked }
  const evidence = [
    `Half of the ${countInWords(evicted, 'entry', 'entries')} that cache ${name} evicted were younger than some ${age}; ${percentInWords(unused)} were never hit.`,
  ]
  if (regretted > 0) {
    // Of those evictions only that had a row: the others' delays are in no sum.
    const delays = [...cache.evicted.values()].reduce((all, row) => all + row.regretDelay, 0)
    const delay = cache.timedRegrets === 0 ? '' : `, ${durationInWords(delays / cache.timedRegrets)} later on average`
    evidence.push(`${percentInWords(regretted)} were asked for again${delay}.`)
  }
  const change = isScan
    ? { setting: 'policy', from: facts.settings.policy, to: 'hybrid', value: 'hybrid' }
    : raised(facts, cache.name, main.cause)
  const advice = isScan
    ? 'Entries that come once push out the rest: hybrid lets them pass through a small window.'
    : 'What is used again does not fit: give it room.'
  return {
    looked,
    finding: {
      finding: 'thrashing',
      cache: cache.name,
      severity: isScan ? 'warning' : 'critical',
      evidence,
      ...change,
      advice,
    },
  }
}

/** Poor hit rate: whom it concerns, and which of the reasons explains it. */
export function hitRates(facts: Facts): Checkup {
  const looked = facts.caches.map(({ name, traffic: { hits, misses } }) => {
    const rate = hits + misses === 0 ? 'no requests' : percentInWords(hits / (hits + misses))
    return `${quoted(name)} ${rate} of ${countInWords(hits + misses, 'request')}`
  })
  return {
    findings: facts.caches.flatMap((cache) => poor(facts, cache)),
    looked: `hit rates: ${looked.join(', ') || 'no requests'} (poor: below ${percentInWords(POOR)} of ${countInWords(REQUESTS, 'request')} or more)${facts.isHoley ? '; no reasons are given, since a tenth of the departures or more has no rows' : ''}`,
  }
}

function poor(facts: Facts, cache: CacheFacts): Finding[] {
  const { hits, misses } = cache.traffic
  // Where rows are missing, so are regrets: no reason can be given.
  if (facts.isHoley || hits + misses < REQUESTS || hits / (hits + misses) >= POOR) return []
  const rows = [...cache.evicted.values()]
  const regretted = rows.reduce((sum, row) => sum + row.regretted, 0)
  const evidence = [
    `Cache ${quoted(cache.name)} answered ${percentInWords(hits / (hits + misses))} of ${countInWords(hits + misses, 'request')}.`,
    `Of ${countInWords(misses, 'miss', 'misses')}, ${percentInWords(regretted / misses)} were of evicted entries; ${countInWords(cache.expired, 'entry', 'entries')} had expired.`,
  ]
  const common = { finding: 'poor hit rate', cache: cache.name, severity: 'warning', evidence } as const
  const main = mainCause([cache])
  if (main !== null && regretted / misses >= EXPLAINS) {
    return [
      {
        ...common,
        ...raised(facts, cache.name, main.cause),
        advice: 'Evictions cost these hits: give the entries room.',
      },
    ]
  }
  if (cache.expired / misses >= EXPLAINS) {
    const ttl = facts.settings.caches[cache.name]?.ttl ?? Number.POSITIVE_INFINITY
    const known = Number.isFinite(ttl)
    return [
      {
        ...common,
        setting: `caches.${cache.name}.ttl`,
        from: known ? durationInWords(ttl) : 'as each set() says',
        to: known ? durationInWords(ttl * 2) : 'twice that',
        value: known ? ttl * 2 : null,
        advice: 'Entries expire before they are asked for again: let them live longer, if their content allows it.',
      },
    ]
  }
  const back = comingBack(facts, cache)
  if (main !== null && back !== null) {
    return [
      {
        ...common,
        evidence: [...evidence, `${back}: keys come back, though later than a cache remembers what it evicted.`],
        ...raised(facts, cache.name, main.cause),
        advice: 'What is asked for again does not fit by far: give it room.',
      },
    ]
  }
  return [
    {
      ...common,
      setting: keysOf(cache),
      from: 'asked for once each',
      to: 'asked for again',
      value: null,
      advice:
        'Hardly a key is evicted twice: no limit, TTL or policy helps. Leave out of the keys what is never the same again (times, request ids, the order of parameters), or do not cache them.',
    },
  ]
}

/** What says that room would explain the misses, by the newest rows or the curve; `null`: nothing does. */
function comingBack({ curves }: Facts, cache: CacheFacts): string | null {
  const { newest, traffic } = cache
  if (comesBack(cache))
    return `Its newest ${countInWords(newest.evictions, 'eviction')} were of ${countInWords(newest.keys, 'key')}`
  const { hits, misses } = traffic
  const atMost = curves.get(cache.name)?.curve?.byItems.at(-1)?.[1] ?? 0
  return atMost * (hits + misses) - hits >= EXPLAINS * misses
    ? `With room for all it would answer ${percentInWords(atMost)}, by its miss-ratio curve`
    : null
}

/** Whether the same keys are evicted again and again, by the newest rows. */
function comesBack({ newest: { evictions, keys } }: CacheFacts): boolean {
  return evictions >= ENOUGH && evictions - keys >= EXPLAINS * evictions
}

function keysOf({ writers }: CacheFacts): string {
  const [first] = writers
  return first === undefined || first.prefix === '' ? 'the keys' : `the keys of prefix ${quoted(first.prefix)}`
}

function perMinute(rate: number): string {
  return `${rate < 10 ? rate.toFixed(1) : Math.round(rate)} a minute`
}
