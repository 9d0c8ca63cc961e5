import type { Settings } from '../base/settings.ts'
import type { Database } from '../persist/reader.ts'
import type { EvictionRecord, RoomNeeded } from './answers.ts'
import { IN_MINUTES } from './counts.ts'
import type { Moment } from './life.ts'
import { settingsAt } from './settings-read.ts'

/*
 * Where every store is a row (levels `changes` and `all`): what a larger cache under lru would have held, moment by moment.
 * From the eviction to the ask it holds what the real one holds, the entry, and all that the real one evicted in between
 * and that wasn't stored again. Hits don't matter: all of these were used after the entry.
 */

/** How much more than the limit, in its measure. */
export type Room = Pick<RoomNeeded, 'more' | 'isExact' | 'isLowerBound'>

/** When it was asked for again: before this event, at this time. */
export type Ask = Pick<Moment, 'seq' | 'at'>

/** Rows walked at most. */
const MOST_ROWS = 500_000

const SELECT_ROWS = `
  select seq, type, cache, key, size, previous, ttlLeft, cause from (
    select seq, at, 'evicted' as type, cache, key, size, 0 as previous, ttl_left as ttlLeft, cause
    from evictions where run_id = :runId and seq > :fromSeq and seq < :toSeq
    union all
    select seq, at, type, cache, key, json_extract(data, '$.size'), coalesce(json_extract(data, '$.previousSize'), 0), null, null
    from key_events where run_id = :runId and seq > :fromSeq and seq < :toSeq
      and type in ('added', 'updated', 'expired', 'removed')
    union all
    select seq, at, type, cache, '', json_extract(data, '$.bytes'), json_extract(data, '$.count'), null, null
    from events where run_id = :runId and seq > :fromSeq and seq < :toSeq and type = 'cleared'
    union all
    select e.seq, e.at, 'resized', r.value ->> 'cache', r.value ->> 'key', r.value ->> 'size', r.value ->> 'previousSize', null, null
    from events e, json_each(e.data, '$.entries') r
    where e.run_id = :runId and e.seq > :fromSeq and e.seq < :toSeq and e.type = 'remeasured'
  )
  where at <= :toAt
  order by seq limit ${MOST_ROWS + 1}`

interface Row {
  readonly seq: number
  readonly type: 'evicted' | 'added' | 'updated' | 'expired' | 'removed' | 'cleared' | 'resized'
  readonly cache: string
  readonly key: string
  readonly size: number
  /** Of `updated` and `resized` the size before, of `cleared` the count. */
  readonly previous: number
  readonly ttlLeft: number | null
  /** Of `evicted`. */
  readonly cause: string | null
}

/**
 * `null`: it can't be told exactly: under another policy, where another limit evicted besides, where entries expired or
 * were removed (the larger cache may have held older ones), without a check to count from, or of too many rows.
 */
export function recordedRoom(
  database: Database,
  { eviction, runId }: Moment,
  ask: Ask,
  measure: RoomNeeded['measure'],
): Room | null {
  if (eviction === null || eviction.policy !== 'lru' || eviction.cause === 'threshold') return null
  const own = eviction.cause === 'cache-items' || eviction.cause === 'cache-memory' ? eviction.cache : null
  const settings = settingsAt(database, runId, eviction.seq)
  const limit = limitOf(settings, eviction)
  const start = startOf(database, runId, eviction.seq, own, measure)
  if (!Number.isFinite(limit) || start === null) return null
  const parameters = { runId, fromSeq: start.seq, toSeq: ask.seq, toAt: ask.at }
  const rows = database.prepare(SELECT_ROWS).all(parameters) as Row[]
  if (rows.length > MOST_ROWS || hasGap(database, runId, start.seq, ask.seq)) return null
  if (isDeleting(database, runId, eviction.at, ask.at)) return null
  const isPlain = (row: Row) => isOfThatLimit(row, eviction, own === null ? settings : null)
  if (eviction.ttlLeft !== null || !rows.every((row) => row.seq < eviction.seq || isPlain(row))) return null
  const weight = (size: number) => (measure === 'items' ? 1 : size)
  /** What the limit counts, and what is held in all. */
  let { held, whole } = start
  let most = 0
  let mostWhole = 0
  /** What only the larger cache holds: the entry from its eviction on, then the others. */
  const beyond = new Map<string, number>()
  let extra = 0
  for (const row of rows) {
    const id = JSON.stringify([row.cache, row.key])
    const grown = growth(row, measure)
    whole += grown
    if (own === null || row.cache === own) held += grown
    if (row.seq < eviction.seq) continue
    if (row.type === 'added') {
      extra -= beyond.get(id) ?? 0
      beyond.delete(id)
    } else if (row.type === 'evicted') {
      beyond.set(id, weight(row.size))
      extra += weight(row.size)
    }
    most = Math.max(most, held + extra)
    mostWhole = Math.max(mostWhole, whole + extra)
  }
  // A cache with more room of its own would have met the limit of the whole.
  if (own !== null && mostWhole > (measure === 'items' ? settings.maxItems : settings.maxMemory)) return null
  return { more: Math.max(1, most - limit), isExact: true, isLowerBound: true }
}

const SELECT_DELETES = `
  select 1 from rollups
  where ${IN_MINUTES} and type in ('removed', 'cleared') limit 1`

/** Whether entries were deleted in these minutes: where some were, others may have been that had been evicted. */
export function isDeleting(database: Database, runId: number, since: number, until: number): boolean {
  return database.prepare(SELECT_DELETES).get({ runId, since, until: until + 1 }) !== undefined
}

/**
 * Whether the larger cache would have done the same. Not where an entry ended otherwise or has a TTL, of which it may have
 * held an older copy; nor where another limit evicted, or would have.
 */
function isOfThatLimit(
  { type, cause, cache, ttlLeft }: Row,
  eviction: EvictionRecord,
  settings: Settings | null,
): boolean {
  if (type === 'added' || type === 'updated' || type === 'resized') return true
  if (type !== 'evicted' || ttlLeft !== null || cause !== eviction.cause) return false
  return settings === null || !isBounded(settings, cache)
}

/** Whether the cache has a limit of its own, which evicts in a larger whole all the same. */
export function isBounded({ caches }: Settings, cache: string): boolean {
  const own = caches[cache]
  return own !== undefined && (Number.isFinite(own.maxItems) || Number.isFinite(own.maxMemory))
}

/** By how much an event changes what is held. */
function growth({ type, size, previous }: Row, measure: RoomNeeded['measure']): number {
  if (type === 'added') return measure === 'items' ? 1 : size
  if (type === 'updated' || type === 'resized') return measure === 'items' ? 0 : size - previous
  if (type === 'cleared') return measure === 'items' ? -previous : -size
  return measure === 'items' ? -1 : -size
}

function limitOf({ maxItems, maxMemory, caches }: Settings, { cause, cache }: EvictionRecord): number {
  const own = caches[cache]
  switch (cause) {
    case 'items':
      return maxItems
    case 'memory':
      return maxMemory
    case 'cache-items':
      return own?.maxItems ?? Number.POSITIVE_INFINITY
    default:
      return own?.maxMemory ?? Number.POSITIVE_INFINITY
  }
}

const SELECT_CHECK = `
  select seq, data from events where run_id = :runId and type = 'checked' and seq < :seq order by seq desc limit 1`

interface Check {
  readonly items: number
  readonly bytes: number
  readonly caches: readonly { cache: string; items: number; bytes: number }[]
}

const SELECT_FIRST = 'select min(first_seq) as first from batches where run_id = :runId'

/** What was held at the last check before, or nothing at the start of the run. */
function startOf(
  database: Database,
  runId: number,
  seq: number,
  cache: string | null,
  measure: RoomNeeded['measure'],
): { seq: number; held: number; whole: number } | null {
  const row = database.prepare(SELECT_CHECK).get({ runId, seq }) as { seq: number; data: string } | undefined
  if (row === undefined) {
    const { first } = database.prepare(SELECT_FIRST).get({ runId }) as { first: number | null }
    return first === 1 ? { seq: 0, held: 0, whole: 0 } : null
  }
  const check = JSON.parse(row.data) as Check
  const of = cache === null ? check : check.caches.find((one) => one.cache === cache)
  return { seq: row.seq, held: of?.[measure] ?? 0, whole: check[measure] }
}

const SELECT_GAP = 'select 1 from gaps where run_id = :runId and last_seq > :from and first_seq < :to limit 1'
const SELECT_SAMPLED = 'select 1 from samplings where run_id = :runId and share < 1 limit 1'
const SELECT_RETIRED = `select 1 from horizons where run_id = :runId and kind = 'departures' and seq >= :from limit 1`

function hasGap(database: Database, runId: number, from: number, to: number): boolean {
  const found =
    database.prepare(SELECT_GAP).get({ runId, from, to }) ??
    database.prepare(SELECT_SAMPLED).get({ runId }) ??
    database.prepare(SELECT_RETIRED).get({ runId, from })
  return found !== undefined
}
