import type { AuditLevel } from '../base/audit-options.ts'
import { eventsOfKeys } from '../persist/block.ts'
import type { Database } from '../persist/reader.ts'
import type { EvictionRecord, LifeEvent } from './answers.ts'
import { type EvictionRow, evictionRecord, SELECT_EVICTIONS_OF_KEYS } from './evictions.ts'
import { rowsOfKeys } from './key-places.ts'
import { evictedSentence, sentence } from './sentences.ts'
import type { StoredLifeQuestion } from './stored.ts'

/** Rows of one kind that a life shows at most: the newest. A key may have been hit a million times. */
export const MOST_OF_A_KIND = 1_000

/** One event of a key's life, and what tells it from others in the file. */
export interface Moment extends LifeEvent {
  readonly runId: number
  readonly level: AuditLevel
  /** Where it is an eviction. */
  readonly eviction: EvictionRecord | null
}

/** Which key is asked for. */
export interface LifeQuestion {
  readonly key: string
  readonly cache?: string
  readonly run?: string
}

const SELECT_LEVELS = 'select id, level from runs'

const SCOPE = '(:cache is null or e.cache = :cache) and (:run is null or r.run = :run)'
const NEWEST = `order by e.run_id desc, e.seq desc limit ${MOST_OF_A_KIND}`

const SELECT_KEY_EVENTS = `
  select r.run, e.run_id as runId, e.seq, e.at, e.type, e.cache, e.data
  from ${rowsOfKeys('key_events')} join runs r on r.id = e.run_id
  where ${SCOPE} ${NEWEST}`

const SELECT_CLEARED = `
  select r.run, e.run_id as runId, e.seq, e.at, e.type, e.cache, e.data
  from events e join runs r on r.id = e.run_id
  where e.type = 'cleared' and ${SCOPE} ${NEWEST}`

const SELECT_BLOCKS = `
  select r.run, b.run_id as runId, b.data from blocks b join runs r on r.id = b.run_id
  where (:run is null or r.run = :run) order by b.run_id desc, b.first_seq desc`

interface EventRow {
  readonly run: string
  readonly runId: number
  readonly seq: number
  readonly at: number
  readonly type: string
  readonly cache: string
  readonly data: string
}

/** All that the log has of a key, oldest first: by run, then by `seq`. */
export function readLife(database: Database, question: StoredLifeQuestion): readonly Moment[] {
  const parameters = { keys: JSON.stringify(question.keys), cache: question.cache ?? null, run: question.run ?? null }
  const levels = new Map(
    (database.prepare(SELECT_LEVELS).all() as { id: number; level: AuditLevel }[]).map(({ id, level }) => [id, level]),
  )
  const levelOf = (runId: number): AuditLevel => levels.get(runId) ?? 'departures'
  const evicted = database
    .prepare(`${SELECT_EVICTIONS_OF_KEYS} where ${SCOPE} ${NEWEST}`)
    .all(parameters) as EvictionRow[]
  const others = database.prepare(SELECT_KEY_EVENTS).all(parameters) as EventRow[]
  const own = [
    ...evicted.map((row) => evictionMoment(row, levelOf(row.runId))),
    ...others.map((row) => moment(row, levelOf(row.runId))),
    ...recorded(database, question),
  ]
  const { keys: _, ...scope } = parameters
  const cleared = (database.prepare(SELECT_CLEARED).all(scope) as EventRow[]).map((row) =>
    moment(row, levelOf(row.runId)),
  )
  return concerning([...own, ...cleared].sort(inOrder), question.cache !== undefined)
}

/** Hits, misses and loads, which level `all` keeps in blocks. */
function recorded(database: Database, { keys, cache, run }: StoredLifeQuestion): readonly Moment[] {
  const moments: Moment[] = []
  for (const block of database.prepare(SELECT_BLOCKS).iterate({ run: run ?? null }) as Iterable<BlockRow>) {
    for (const [seq, at, type, place, , data] of eventsOfKeys(block.data, keys)) {
      if (cache !== undefined && place !== cache) continue
      const { runId } = block
      const text = sentence(type, data)
      moments.push({ run: block.run, runId, seq, at, type, cache: place, data, level: 'all', text, eviction: null })
    }
    if (moments.length >= MOST_OF_A_KIND) break
  }
  return moments
}

interface BlockRow {
  readonly run: string
  readonly runId: number
  readonly data: Buffer
}

function inOrder(a: Moment, b: Moment): number {
  return a.runId - b.runId || a.seq - b.seq
}

/**
 * Without the clearings that can't have concerned the key: of caches that it is not known to have been in, and where
 * stores are kept and it was not there. Asked for by cache, a key without rows may have gone with any of them.
 */
function concerning(moments: readonly Moment[], cacheIsAsked: boolean): readonly Moment[] {
  const caches = new Set(moments.filter(({ type }) => type !== 'cleared').map(({ cache }) => cache))
  const isKnown = caches.size > 0
  const present = new Set<string>()
  return moments.filter((moment) => {
    const place = `${moment.runId} ${moment.cache}`
    if (moment.type === 'cleared') {
      if (moment.level !== 'departures') return present.delete(place)
      return isKnown ? caches.has(moment.cache) : cacheIsAsked
    }
    if (moment.type === 'added' || moment.type === 'updated') present.add(place)
    else if (LEAVES.has(moment.type)) present.delete(place)
    return true
  })
}

/** Types after which the key is not there. */
const LEAVES: ReadonlySet<string> = new Set(['evicted', 'expired', 'removed'])

function moment(row: EventRow, level: AuditLevel): Moment {
  const data = JSON.parse(row.data) as Record<string, unknown>
  return { ...row, level, data, text: sentence(row.type, data), eviction: null }
}

function evictionMoment(row: EvictionRow, level: AuditLevel): Moment {
  const record = evictionRecord(row)
  const { run, seq, at, cache, key: _, ...data } = record
  return {
    run,
    runId: row.runId,
    seq,
    at,
    type: 'evicted',
    cache,
    text: evictedSentence(record),
    data,
    level,
    eviction: record,
  }
}
