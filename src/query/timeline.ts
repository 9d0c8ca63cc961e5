import type { EvictionCause } from '../event/vocabulary.ts'
import type { Database } from '../persist/reader.ts'
import type { Timeline, TimelinePoint, TimelineQuestion } from './analyses.ts'
import { type Bounds, boundsOf, countedWindow, countingGaps, firstCounted, IN_MINUTES, IN_RANGE } from './counts.ts'
import { joined } from './incomplete.ts'
import type { Asked } from './question.ts'
import { type RunRow, runState, SELECT_RUN_STATE } from './run-state.ts'
import { quoted } from './words.ts'

const MINUTE = 60_000
/** Widths that a person reads easily, in minutes. */
const WIDTHS = [1, 2, 3, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 10_080, 43_200]
/** Points at most where no width is asked for: as many as a terminal has room for. */
const POINTS = 60
/** Where one is asked for: an answer is one message between threads. */
const MOST_POINTS = 10_000

type Mutable<T> = { -readonly [Name in keyof T]: T[Name] }
type Point = Mutable<Omit<TimelinePoint, 'hitRate' | 'evictedByCause'>> & {
  readonly evictedByCause: Partial<Record<EvictionCause, number>>
}

/** Usage, hit rate, evictions, warnings and restarts over time, oldest first. */
export function timeline(database: Database, question: Asked<TimelineQuestion>): Timeline {
  const range = rangeOf(database, question)
  if (range === null) return { every: MINUTE, items: [], next: null, incomplete: null }
  const bounds = { ...boundsOf(database, question), ...range }
  const every = widthOf(question.every, range, longestSpan(database, bounds))
  const first = Math.floor(range.since / every) * every
  const count = Math.max(1, Math.ceil((range.until - first) / every))
  const points = Array.from({ length: count }, (_, index) => emptyPoint(first + index * every, every))
  const pointOf = (at: number) => points[Math.floor((at - first) / every)] ?? null
  countDepartures(database, bounds, every, pointOf)
  countTraffic(database, bounds, pointOf)
  countWarnings(database, bounds, pointOf)
  countRuns(database, bounds, pointOf)
  return {
    every,
    items: points.map((point) => ({ ...point, hitRate: ratio(point.hits, point.hits + point.misses) })),
    next: null,
    incomplete: joined(unknownCache(database, bounds), countingGaps(database, { ...question, ...range }, bounds)),
  }
}

const SELECT_CACHES = `
  select cache from usage where cache <> ''
  union select cache from rollups
  union select s.key from runs r, json_each(r.settings, '$.caches') s
  order by 1`

/** How many of the caches are named where the one asked for isn't among them. */
const NAMED = 20

/** That a log has never heard of the cache that is asked for: its name may be misspelt. `null`: it has. */
function unknownCache(database: Database, { cache }: Bounds): string | null {
  if (cache === null) return null
  const known = database.prepare(SELECT_CACHES).pluck().all() as string[]
  if (known.includes(cache)) return null
  const names = known.slice(0, NAMED).map(quoted).join(', ')
  const there = known.length === 0 ? 'none' : known.length > NAMED ? `${names} and ${known.length - NAMED} more` : names
  return `no cache ${quoted(cache)} is known here; known: ${there}`
}

/** From what was asked for, or else from the first count to the last event. */
function rangeOf(
  database: Database,
  { since, until }: Asked<TimelineQuestion>,
): { since: number; until: number } | null {
  const { last } = database.prepare('select max(last_at) as last from runs').get() as { last: number | null }
  const from = since ?? firstCounted(database)
  if (last === null || from === null) return null
  return countedWindow(from, Math.max(until ?? last + 1, from + 1))
}

const SELECT_SPAN = `
  select max(span) as span from (
    select max(span) as span from rollups where ${IN_MINUTES} union all select max(span) from usage where ${IN_MINUTES}
  )`

function longestSpan(database: Database, { cache: _, ...bounds }: Bounds): number {
  return (database.prepare(SELECT_SPAN).get(bounds) as { span: number | null }).span ?? MINUTE
}

function widthOf(asked: number | undefined, { since, until }: { since: number; until: number }, span: number): number {
  const least = Math.max(span, asked === undefined ? (until - since) / POINTS : (until - since) / MOST_POINTS)
  if (asked !== undefined) return Math.max(Math.ceil(asked / MINUTE) * MINUTE, Math.ceil(least / span) * span)
  const width = WIDTHS.find((minutes) => minutes * MINUTE >= least)
  return width === undefined ? Math.ceil(least / span) * span : width * MINUTE
}

function emptyPoint(from: number, every: number): Point {
  return {
    from,
    to: from + every,
    hits: 0,
    misses: 0,
    bytesAdded: 0,
    items: null,
    bytes: null,
    mostBytes: null,
    mostUsage: null,
    mostRss: null,
    evicted: 0,
    evictedByCause: {},
    evictedBytes: 0,
    expired: 0,
    rejected: 0,
    regretted: 0,
    warnings: 0,
    starts: 0,
    crashes: 0,
  }
}

type PointOf = (at: number) => Point | null

const SELECT_DEPARTURES = `
  select cast(from_at / :every as integer) * :every as at, type, cause, sum(count) as count, sum(bytes) as bytes,
    sum(regretted) as regretted
  from rollups where ${IN_RANGE} group by 1, type, cause`

function countDepartures(database: Database, bounds: Bounds, every: number, pointOf: PointOf): void {
  const rows = database.prepare(SELECT_DEPARTURES).all({ ...bounds, every }) as {
    at: number
    type: string
    cause: EvictionCause
    count: number
    bytes: number
    regretted: number
  }[]
  for (const { at, type, cause, count, bytes, regretted } of rows) {
    const point = pointOf(at)
    if (point === null) continue
    if (type === 'evicted') {
      point.evicted += count
      point.evictedByCause[cause] = (point.evictedByCause[cause] ?? 0) + count
      point.evictedBytes += bytes
      point.regretted += regretted
    } else if (type === 'expired') point.expired += count
    else if (type === 'rejected') point.rejected += count
  }
}

const SELECT_USAGE = `
  select from_at as at, run_id as runId, cache, hits, misses, bytes_added as bytesAdded, items, bytes,
    most_bytes as mostBytes, most_usage as mostUsage, most_rss as mostRss
  from usage where ${IN_MINUTES} order by from_at, run_id`

interface UsageRow {
  readonly at: number
  readonly runId: number
  readonly cache: string
  readonly hits: number
  readonly misses: number
  readonly bytesAdded: number
  readonly items: number
  readonly bytes: number
  readonly mostBytes: number
  readonly mostUsage: number | null
  readonly mostRss: number | null
}

/** Traffic is the caches' sum; what is held is of the whole, or of the cache that is asked for. */
function countTraffic(database: Database, { cache, ...bounds }: Bounds, pointOf: PointOf): void {
  for (const row of database.prepare(SELECT_USAGE).iterate(bounds) as Iterable<UsageRow>) {
    const point = pointOf(row.at)
    if (point === null) continue
    if (row.cache === '') {
      point.mostUsage = most(point.mostUsage, row.mostUsage)
      point.mostRss = most(point.mostRss, row.mostRss)
    } else if (cache === null || row.cache === cache) {
      point.hits += row.hits
      point.misses += row.misses
      point.bytesAdded += row.bytesAdded
    }
    if (row.cache !== (cache ?? '')) continue
    point.items = row.items
    point.bytes = row.bytes
    point.mostBytes = most(point.mostBytes, row.mostBytes)
  }
}

const SELECT_WARNED = `
  select at from events
  where type = 'warned' and at >= :since and at < :until and (:runId is null or run_id = :runId)
    and json_extract(data, '$.level') <> 'recovered'`

function countWarnings(database: Database, { cache: _, ...bounds }: Bounds, pointOf: PointOf): void {
  for (const { at } of database.prepare(SELECT_WARNED).all(bounds) as { at: number }[]) {
    const point = pointOf(at)
    if (point !== null) point.warnings++
  }
}

const SELECT_RUNS = `
  ${SELECT_RUN_STATE}
  where (:runId is null or id = :runId) and started_at < :until and coalesce(stopped_at, last_at) >= :since`

function countRuns(database: Database, { cache: _, ...bounds }: Bounds, pointOf: PointOf): void {
  for (const row of database.prepare(SELECT_RUNS).all(bounds) as RunRow[]) {
    const start = row.started_at < bounds.since ? null : pointOf(row.started_at)
    if (start !== null) start.starts++
    const end = runState(row) === 'crashed' ? pointOf(row.stopped_at ?? row.last_at) : null
    if (end !== null) end.crashes++
  }
}

function most(a: number | null, b: number | null): number | null {
  return a === null ? b : b === null ? a : Math.max(a, b)
}

function ratio(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole
}
