import type { Settings } from '../base/settings.ts'
import type { CacheSample, Curve, PrefixShare, Warned } from '../event/catalogue.ts'
import type { EvictionCause } from '../event/vocabulary.ts'
import type { Database } from '../persist/reader.ts'
import type { Finding } from './analyses.ts'
import { type Bounds, departures, IN_MINUTES, quantile, type Sums, spread, type Traffic, traffic } from './counts.ts'
import { settingsAt } from './settings-read.ts'
import { type Drift, driftOf } from './size-drift.ts'

/* What the doctor looks at, read once. */

/** Entries of one cache that left, and what it did. */
export interface CacheFacts {
  readonly name: string
  readonly traffic: Traffic
  /** By cause. */
  readonly evicted: ReadonlyMap<EvictionCause, Sums>
  readonly byPrefix: readonly (Sums & { readonly prefix: string })[]
  readonly expired: number
  readonly tooLarge: Sums | null
  readonly refused: number
  /** Of the regrets, how many are known to the millisecond: their evictions still had a row. */
  readonly timedRegrets: number
  /** Of the evicted, in ms. */
  readonly medianAge: number | null
  /** Of the newest evictions that have rows: how many, and of how many different keys. */
  readonly newest: { readonly evictions: number; readonly keys: number }
  /** Bytes stored by key prefix, by the newest checks. */
  readonly writers: readonly PrefixShare[]
}

export interface Facts {
  readonly settings: Settings
  /** Minutes in which something was counted, from the first to the last. */
  readonly minutes: number
  readonly caches: readonly CacheFacts[]
  readonly whole: Traffic
  /** Whether the rows of a tenth of the departures or more are missing, and what they would say of regrets with them. */
  readonly isHoley: boolean
  /** Levels entered, but for the first `warning` of each run. */
  readonly warnings: readonly Warned[]
  readonly cycles: number
  /** The largest in each minute or hour, oldest first, of the latest run. */
  readonly memory: readonly { readonly rss: number; readonly bytes: number }[]
  /** By cache, what the last check told of it. */
  readonly curves: ReadonlyMap<string, Pick<CacheSample, 'items' | 'bytes'> & { readonly curve: Curve | null }>
  readonly drift: Drift
  /** The newest refusal of an item that was too large. */
  readonly largeRefusal: {
    readonly cache: string
    readonly key: string
    readonly size: number
    readonly limitName: string
    readonly limit: number
  } | null
}

/** What a check comes to. */
export interface Checkup {
  readonly findings: readonly Finding[]
  readonly looked: string
}

const SELECT_RUN = `
  select id, last_seq as seq from runs
  where (:runId is null or id = :runId) and started_at < :until and coalesce(stopped_at, last_at) >= :since
  order by id desc limit 1`

/** `null`: no run lived then. */
export function readFacts(database: Database, bounds: Bounds): Facts | null {
  const { cache: _, ...scope } = bounds
  const run = database.prepare(SELECT_RUN).get(scope) as { id: number; seq: number } | undefined
  if (run === undefined) return null
  const flows = traffic(database, bounds)
  // The whole has a name that no cache is asked by.
  const whole =
    flows.find(({ cache }) => cache === '') ?? traffic(database, { ...bounds, cache: '' })[0] ?? noTraffic('')
  return {
    settings: settingsAt(database, run.id, run.seq + 1),
    minutes: minutesOf(database, scope),
    caches: cachesOf(database, bounds, flows),
    whole,
    isHoley: isHoley(database, bounds),
    warnings: warningsOf(database, scope),
    cycles: cyclesOf(database, scope),
    memory: memoryOf(database, { ...scope, runId: run.id }),
    curves: curvesOf(database, { ...scope, runId: run.id }),
    drift: driftOf(database, bounds),
    largeRefusal: largeRefusalOf(database, bounds),
  }
}

/** Share of the departures whose rows are lost from which on the rest don't speak for all of them. */
const MISSING = 0.1

const SELECT_LOST = `
  select coalesce(sum(lost), 0) as lost from gaps
  where to_at >= :since and from_at < :until and (:runId is null or run_id = :runId)`

function isHoley(database: Database, bounds: Bounds): boolean {
  const { cache: _, ...scope } = bounds
  const { lost } = database.prepare(SELECT_LOST).get(scope) as { lost: number }
  const left = departures(database, bounds, ['type']).reduce((sum, { count }) => sum + count, 0)
  return lost > 0 && lost >= MISSING * left
}

function noTraffic(cache: string): Traffic {
  return { cache, hits: 0, misses: 0, bytesAdded: 0, mostBytes: 0, mostItems: 0, mostUsage: null, mostRss: null }
}

type Scope = Omit<Bounds, 'cache'>

const SELECT_MINUTES = `
  select min(first) as first, max(last) as last from (
    select min(from_at) as first, max(from_at + span) as last from rollups where ${IN_MINUTES}
    union all select min(from_at), max(from_at + span) from usage where ${IN_MINUTES}
  )`

function minutesOf(database: Database, scope: Scope): number {
  const { first, last } = database.prepare(SELECT_MINUTES).get(scope) as { first: number | null; last: number | null }
  return first === null || last === null ? 1 : (last - first) / 60_000
}

function cachesOf(database: Database, bounds: Bounds, flows: readonly Traffic[]): CacheFacts[] {
  const byCause = departures(database, bounds, ['cache', 'type', 'cause'])
  const byPrefix = departures(database, bounds, ['cache', 'type', 'prefix']).filter(({ type }) => type === 'evicted')
  const ages = spread(database, bounds, 'age')
  const delays = spread(database, bounds, 'delay')
  const writers = writersOf(database, bounds)
  const newest = newestOf(database, bounds)
  const names = new Set([...flows.map(({ cache }) => cache), ...byCause.map(({ cache }) => cache)])
  names.delete('')
  return [...names].map((name) => {
    const own = byCause.filter(({ cache }) => cache === name)
    const of = (type: string) => own.filter((row) => row.type === type)
    return {
      name,
      traffic: flows.find(({ cache }) => cache === name) ?? noTraffic(name),
      evicted: new Map(of('evicted').map((row) => [row.cause as EvictionCause, row])),
      byPrefix: byPrefix.filter(({ cache }) => cache === name),
      expired: of('expired').reduce((sum, { count }) => sum + count, 0),
      tooLarge: of('rejected').find(({ cause }) => cause === 'too-large') ?? null,
      refused: of('rejected').find(({ cause }) => cause === 'full')?.count ?? 0,
      timedRegrets: delays.reduce((sum, { cache, count }) => sum + (cache === name ? count : 0), 0),
      medianAge: quantile(
        ages.filter(({ cache }) => cache === name),
        0.5,
      ),
      newest: newest.find(({ cache }) => cache === name) ?? { evictions: 0, keys: 0 },
      writers: writers.filter(({ cache }) => cache === name),
    }
  })
}

/** Rows of evictions that are read for whether the same keys are evicted again and again: some 50 ms. */
const EVICTIONS = 20_000

const SELECT_NEWEST = `
  select cache, count(*) as evictions, count(distinct key) as keys from (
    select cache, key from evictions
    where at >= :since and at < :until and (:runId is null or run_id = :runId) order by at desc limit ${EVICTIONS}
  ) group by cache`

function newestOf(database: Database, { cache: _, ...scope }: Bounds): (CacheFacts['newest'] & { cache: string })[] {
  return database.prepare(SELECT_NEWEST).all(scope) as (CacheFacts['newest'] & { cache: string })[]
}

/** Checks that are read for who writes: a day of them, as a rule. */
const CHECKS = 3_000

const SELECT_CHECKS = `
  select json_extract(data, '$.caches') as caches from events
  where type = 'checked' and at >= :since and at < :until and (:runId is null or run_id = :runId)
  order by at desc limit ${CHECKS}`

function writersOf(database: Database, { cache: _, ...scope }: Bounds): PrefixShare[] {
  const sums = new Map<string, PrefixShare>()
  for (const { caches } of database.prepare(SELECT_CHECKS).iterate(scope) as Iterable<{ caches: string }>) {
    for (const { writers } of JSON.parse(caches) as CacheSample[]) {
      for (const writer of writers) {
        const name = JSON.stringify([writer.cache, writer.prefix])
        const before = sums.get(name)
        const bytes = (before?.bytes ?? 0) + writer.bytes
        sums.set(name, { ...writer, bytes, error: (before?.error ?? 0) + writer.error })
      }
    }
  }
  return [...sums.values()].sort((a, b) => b.bytes - a.bytes)
}

const SELECT_WARNED = `
  select data, run_id as run from events
  where type = 'warned' and at >= :since and at < :until and (:runId is null or run_id = :runId) order by at`

/** Without the first `warning` of each run: every cache that fills up enters that level once. */
function warningsOf(database: Database, scope: Scope): Warned[] {
  const rows = database.prepare(SELECT_WARNED).all(scope) as { data: string; run: number }[]
  const filled = new Set<number>()
  return rows.flatMap(({ data, run }) => {
    const warned = JSON.parse(data) as Warned
    const isFirst = warned.level === 'warning' && !filled.has(run)
    if (isFirst) filled.add(run)
    return isFirst || warned.level === 'recovered' ? [] : [warned]
  })
}

const SELECT_CYCLES = `
  select count(*) as cycles from events
  where type = 'cycle-started' and at >= :since and at < :until and (:runId is null or run_id = :runId)
    and json_extract(data, '$.trigger') = 'threshold'`

function cyclesOf(database: Database, scope: Scope): number {
  return (database.prepare(SELECT_CYCLES).get(scope) as { cycles: number }).cycles
}

const SELECT_MEMORY = `
  select most_rss as rss, most_bytes as bytes from usage
  where cache = '' and most_rss is not null and ${IN_MINUTES} order by from_at`

function memoryOf(database: Database, scope: Scope): Facts['memory'] {
  return database.prepare(SELECT_MEMORY).all(scope) as { rss: number; bytes: number }[]
}

const SELECT_LAST_CHECK = `
  select json_extract(data, '$.caches') as caches from events
  where type = 'checked' and at >= :since and at < :until and run_id = :runId order by at desc limit 1`

/** Logs of older versions have checks without curves. */
function curvesOf(database: Database, scope: Scope): Facts['curves'] {
  const row = database.prepare(SELECT_LAST_CHECK).get(scope) as { caches: string } | undefined
  const caches = row === undefined ? [] : (JSON.parse(row.caches) as CacheSample[])
  return new Map(caches.map(({ cache, items, bytes, curve }) => [cache, { items, bytes, curve: curve ?? null }]))
}

const SELECT_LAST_MINUTE = `
  select max(from_at) as since, max(from_at) + span as until from rollups
  where type = 'rejected' and cause = 'too-large' and ${IN_MINUTES} and (:cache is null or cache = :cache)`

const SELECT_REFUSAL = `
  select cache, key, json_extract(data, '$.size') as size, json_extract(data, '$.limitName') as limitName,
    json_extract(data, '$.limit') as "limit"
  from key_events
  where at >= :since and at < :until and type = 'rejected' and json_extract(data, '$.reason') = 'too-large'
    and (:runId is null or run_id = :runId) and (:cache is null or cache = :cache)
  order by at desc limit 1`

/** The rollups know the minute in which to look for the row. */
function largeRefusalOf(database: Database, bounds: Bounds): Facts['largeRefusal'] {
  const minute = database.prepare(SELECT_LAST_MINUTE).get(bounds) as { since: number | null; until: number | null }
  if (minute.since === null) return null
  const found = database.prepare(SELECT_REFUSAL).get({ ...bounds, ...minute })
  return (found as Facts['largeRefusal'] | undefined) ?? null
}
