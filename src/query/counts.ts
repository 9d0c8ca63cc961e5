import type { Database } from '../persist/reader.ts'
import { incompleteness } from './incomplete.ts'

/* What the log has counted by the minute: rollups, usage and histograms, of a range. */

const MINUTE = 60_000
/** Rows of old times stand for an hour. */
const LONGEST_SPAN = 3_600_000

/** Of which minutes, run and cache. */
export interface Range {
  readonly run?: string
  readonly cache?: string
  readonly since?: number
  readonly until?: number
}

/** A range as statements take it. */
export interface Bounds {
  readonly runId: number | null
  readonly cache: string | null
  readonly since: number
  readonly until: number
}

/** No run has this id: what was asked for isn't there. */
const NO_RUN = -1

export function boundsOf(database: Database, { run, cache, since, until }: Range): Bounds {
  return {
    runId: run === undefined ? null : runIdOf(database, run),
    cache: cache ?? null,
    since: since ?? Number.NEGATIVE_INFINITY,
    until: until ?? Number.POSITIVE_INFINITY,
  }
}

function runIdOf(database: Database, run: string): number {
  const row = database.prepare('select id from runs where run = :run').get({ run }) as { id: number } | undefined
  return row?.id ?? NO_RUN
}

/** Rows that the bounds touch; the first condition finds them by the primary key. */
export const IN_MINUTES = `from_at > :since - ${LONGEST_SPAN} and from_at + span > :since and from_at < :until
  and (:runId is null or run_id = :runId)`

export const IN_RANGE = `${IN_MINUTES} and (:cache is null or cache = :cache)`

/** When the minutes that were counted begin and end. */
export function countedWindow(since: number, until: number): { since: number; until: number } {
  return { since: Math.floor(since / MINUTE) * MINUTE, until: Math.ceil(until / MINUTE) * MINUTE }
}

const SELECT_FIRST = `
  select min(at) as at from (
    select min(from_at) as at from rollups union all select min(from_at) as at from usage
  )`

/** When the counts of this log begin; `null`: there are none. */
export function firstCounted(database: Database): number | null {
  return (database.prepare(SELECT_FIRST).get() as { at: number | null }).at
}

/** Departures, as sums. */
export interface Sums {
  readonly count: number
  readonly bytes: number
  readonly hits: number
  readonly unused: number
  readonly age: number
  readonly idle: number
  readonly cost: number
  readonly regretted: number
  readonly regrettedBytes: number
  readonly regrettedCost: number
  readonly regretDelay: number
}

const SUMS = `
  sum(count) as count, sum(bytes) as bytes, sum(hits) as hits, sum(unused) as unused,
  sum(age) as age, sum(idle) as idle, sum(cost) as cost,
  sum(regretted) as regretted, sum(regretted_bytes) as regrettedBytes,
  sum(regretted_cost) as regrettedCost, sum(regret_delay) as regretDelay`

/** What tells departures apart. */
type Word = 'cache' | 'type' | 'cause' | 'policy' | 'prefix'

/** Departures in the bounds, summed by the words. */
export function departures<W extends Word>(
  database: Database,
  bounds: Bounds,
  words: readonly W[],
): (Sums & Record<W, string>)[] {
  const names = words.join(', ')
  const sql = `select ${names}, ${SUMS} from rollups where ${IN_RANGE} group by ${names}`
  return database.prepare(sql).all(bounds) as (Sums & Record<W, string>)[]
}

/** Traffic and usage of one cache (`''`: the whole). */
export interface Traffic {
  readonly cache: string
  readonly hits: number
  readonly misses: number
  readonly bytesAdded: number
  readonly mostBytes: number
  readonly mostItems: number
  readonly mostUsage: number | null
  readonly mostRss: number | null
}

const SELECT_TRAFFIC = `
  select cache, sum(hits) as hits, sum(misses) as misses, sum(bytes_added) as bytesAdded,
    max(most_bytes) as mostBytes, max(items) as mostItems, max(most_usage) as mostUsage, max(most_rss) as mostRss
  from usage where ${IN_RANGE} group by cache`

export function traffic(database: Database, bounds: Bounds): Traffic[] {
  return database.prepare(SELECT_TRAFFIC).all(bounds) as Traffic[]
}

const SELECT_BUCKETS = `
  select cache, bucket, sum(count) as count from histograms
  where measure = :measure and ${IN_RANGE} group by cache, bucket order by cache, bucket`

/** How many entries by cache and bucket: 0 holds 0, n what is below 2^n and not below half of that. */
export function spread(
  database: Database,
  bounds: Bounds,
  measure: 'age' | 'size' | 'delay',
): { cache: string; bucket: number; count: number }[] {
  return database.prepare(SELECT_BUCKETS).all({ ...bounds, measure }) as {
    cache: string
    bucket: number
    count: number
  }[]
}

/** Upper end of a bucket. */
export function bucketEnd(bucket: number): number {
  return bucket === 0 ? 0 : 2 ** bucket
}

/** A quantile from buckets, the middle of the bucket that it is in; `null`: they are empty. */
export function quantile(buckets: readonly { bucket: number; count: number }[], share: number): number | null {
  const sorted = [...buckets].sort((a, b) => a.bucket - b.bucket)
  const total = sorted.reduce((sum, { count }) => sum + count, 0)
  let seen = 0
  for (const { bucket, count } of sorted) {
    seen += count
    if (seen >= share * total && count > 0) return bucket === 0 ? 0 : 2 ** (bucket - 1) * 1.5
  }
  return null
}

const SELECT_UNCOUNTED = `
  select count(*) as runs from runs r
  where (:runId is null or r.id = :runId) and r.started_at < :until and coalesce(r.stopped_at, r.last_at) >= :since
    and r.evicted_items > 0 and not exists (
      select 1 from batches b where b.run_id = r.id and b.hash is not null
    )`

/**
 * What may be missing from an answer that counts, in words.
 *
 * @param kind of rows that it counts.
 */
export function countingGaps(
  database: Database,
  range: Range,
  bounds: Bounds,
  kind: 'rollups' | 'departures' = 'rollups',
): string | null {
  const { cache: _, ...scope } = bounds
  const { runs } = database.prepare(SELECT_UNCOUNTED).get(scope) as { runs: number }
  const old =
    runs === 0
      ? null
      : `${runs === 1 ? '1 run was' : `${runs} runs were`} written by version 0.1 and not counted by the minute`
  const { run, since, until } = range
  const asked = {
    ...(run === undefined ? {} : { run }),
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until }),
  }
  const known = incompleteness(database, asked, kind)
  const said = [known, old].filter((text) => text !== null)
  return said.length === 0 ? null : said.join('; ')
}
