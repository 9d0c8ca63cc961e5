import type { Settings } from '../base/settings.ts'
import type { Database } from '../persist/reader.ts'
import type { EvictionRecord, RoomNeeded } from './answers.ts'
import type { Moment } from './life.ts'
import { settingsAt } from './settings-read.ts'

/*
 * Where every store is a row (levels `changes` and `all`): what a larger cache under lru would have held, moment by moment.
 * From the eviction to the ask it holds what the real one holds, the entry, and all that the real one evicted in between
 * and that wasn't stored again. Hits don't matter: all of these were used after the entry.
 */

/** How much more than the limit, in its measure. */
export type Room = Pick<RoomNeeded, 'more' | 'isExact'>

/** When it was asked for again: before this event, at this time. */
export type Ask = Pick<Moment, 'seq' | 'at'>

/** Rows walked at most. */
const MOST_ROWS = 500_000

const SELECT_ROWS = `
  select seq, at, type, cache, key, size, previous, ttlLeft, data from (
    select seq, at, 'evicted' as type, cache, key, size, 0 as previous, ttl_left as ttlLeft, cause as data
    from evictions where run_id = :runId and seq > :fromSeq and seq < :toSeq
    union all
    select seq, at, type, cache, key, json_extract(data, '$.size'), coalesce(json_extract(data, '$.previousSize'), 0), null, null
    from key_events where run_id = :runId and seq > :fromSeq and seq < :toSeq
      and type in ('added', 'updated', 'expired', 'removed')
    union all
    select seq, at, type, cache, '', json_extract(data, '$.bytes'), json_extract(data, '$.count'), null, null
    from events where run_id = :runId and seq > :fromSeq and seq < :toSeq and type = 'cleared'
  )
  where (:cache is null or cache = :cache) and at <= :toAt
  order by seq limit ${MOST_ROWS + 1}`

interface Row {
  readonly seq: number
  readonly at: number
  readonly type: 'evicted' | 'added' | 'updated' | 'expired' | 'removed' | 'cleared'
  readonly cache: string
  readonly key: string
  readonly size: number
  /** Of `updated` the size before, of `cleared` the count. */
  readonly previous: number
  readonly ttlLeft: number | null
}

/** `null`: it can't be told exactly, under another policy, without a check to count from, or of too many rows. */
export function recordedRoom(
  database: Database,
  { eviction, runId }: Moment,
  ask: Ask,
  measure: RoomNeeded['measure'],
): Room | null {
  if (eviction === null || eviction.policy !== 'lru' || eviction.cause === 'threshold') return null
  const own = eviction.cause === 'cache-items' || eviction.cause === 'cache-memory' ? eviction.cache : null
  const limit = limitOf(settingsAt(database, runId, eviction.seq), eviction)
  const start = startOf(database, runId, eviction.seq, own, measure)
  if (!Number.isFinite(limit) || start === null) return null
  const parameters = { runId, fromSeq: start.seq, toSeq: ask.seq, toAt: ask.at, cache: own }
  const rows = database.prepare(SELECT_ROWS).all(parameters) as Row[]
  if (rows.length > MOST_ROWS || hasGap(database, runId, start.seq, ask.seq)) return null
  const weight = (size: number) => (measure === 'items' ? 1 : size)
  let held = start.held
  let most = 0
  /** What only the larger cache holds: the entry from its eviction on, then the others. */
  const beyond = new Map<string, { weight: number; until: number }>()
  let extra = 0
  /** No other expires before this. */
  let soonest = Number.POSITIVE_INFINITY
  const drop = (id: string) => {
    extra -= beyond.get(id)?.weight ?? 0
    beyond.delete(id)
  }
  for (const row of rows) {
    const id = JSON.stringify([row.cache, row.key])
    if (row.type === 'added') {
      held += weight(row.size)
      drop(id)
    } else if (row.type === 'updated') held += measure === 'items' ? 0 : row.size - row.previous
    else if (row.type === 'cleared') held -= measure === 'items' ? row.previous : row.size
    else held -= weight(row.size)
    if (row.seq < eviction.seq) continue
    if (row.type === 'cleared') {
      for (const other of [...beyond.keys()]) if (JSON.parse(other)[0] === row.cache) drop(other)
      // The entry would have gone with the rest.
      if (row.cache === eviction.cache) return null
    }
    if (row.at >= soonest) {
      for (const [other, { until }] of beyond) if (until <= row.at) drop(other)
      soonest = Math.min(...[...beyond.values()].map(({ until }) => until))
    }
    if (row.type === 'evicted') {
      const until = row.ttlLeft === null ? Number.POSITIVE_INFINITY : row.at + row.ttlLeft
      soonest = Math.min(soonest, until)
      beyond.set(id, { weight: weight(row.size), until })
      extra += weight(row.size)
    }
    most = Math.max(most, held + extra)
  }
  return { more: Math.max(1, most - limit), isExact: true }
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
): { seq: number; held: number } | null {
  const row = database.prepare(SELECT_CHECK).get({ runId, seq }) as { seq: number; data: string } | undefined
  if (row === undefined) {
    const { first } = database.prepare(SELECT_FIRST).get({ runId }) as { first: number | null }
    return first === 1 ? { seq: 0, held: 0 } : null
  }
  const check = JSON.parse(row.data) as Check
  const of = cache === null ? check : check.caches.find((one) => one.cache === cache)
  return { seq: row.seq, held: of?.[measure] ?? 0 }
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
