import { EVENT_TYPES } from '../event/catalogue.ts'
import type { GapLink } from '../persist/link-hash.ts'
import type { Database } from '../persist/reader.ts'
import type { ExportedEvent, ExportQuestion } from './answers.ts'
import { CSV_HEADER, csvLine, jsonLine } from './export-text.ts'
import { incompleteness } from './incomplete.ts'
import type { Asked } from './question.ts'
import { recorded } from './recorded.ts'
import { seqOfTime } from './seq-of-time.ts'

/*
 * The log from its beginning to its end, in portions: the asker takes one when it has dealt with the one before, so that
 * neither thread ever holds more than two. What is written meanwhile is left out, else a busy log would have no end.
 */

/** Events, or bytes of text, from which on a portion is full. */
const PORTION_EVENTS = 1_000
const PORTION_BYTES = 256 * 1024
/** Runs that go with one question for a portion. */
const SPANS_AT_ONCE = 32

/** What is to be told of one run. */
export interface Span {
  readonly runId: number
  readonly run: string
  /** The first and the last `seq`, both included. */
  readonly first: number
  readonly last: number
}

/** All that is to be told. */
export interface ExportPlan {
  readonly spans: readonly Span[]
  readonly incomplete: string | null
}

export type ExportFormat = 'jsonl' | 'csv'

export interface PortionQuestion {
  /** Of the plan, what is left. */
  readonly spans: readonly Span[]
  readonly until?: number
  readonly types?: readonly string[]
  /** As text; as objects without. */
  readonly format?: ExportFormat
  /** Whether it is the first one: a table has a head. */
  readonly isFirst: boolean
}

export interface Portion {
  readonly events: readonly ExportedEvent[]
  readonly text: string
  /** Of the plan, what is left then. */
  readonly spans: readonly Span[]
}

const SELECT_SPANS = `
  select id as runId, run, last_seq + 1 as last from runs r
  where (:run is null or run = :run) and started_at < :until and coalesce(stopped_at, last_at) >= :since
    and (:afterRun is null or id >= (select id from runs where run = :afterRun))
  order by id`

/** Which runs, and of each which part. A gap stands right after the last event that there is. */
export function exportPlan(database: Database, question: Asked<ExportQuestion>): ExportPlan {
  const { run, since = Number.NEGATIVE_INFINITY, until = Number.POSITIVE_INFINITY } = question
  const [afterRun = null, afterSeq] = question.after?.split(':') ?? []
  const rows = database.prepare(SELECT_SPANS).all({ run: run ?? null, since, until, afterRun }) as Omit<Span, 'first'>[]
  const spans = rows.map((row) => {
    const first = since < 0 ? 1 : seqOfTime(database, row.runId, row.last, since)
    return { ...row, first: row.run === afterRun ? Math.max(first, Number(afterSeq) + 1) : first }
  })
  return { spans, incomplete: incompleteness(database, question) }
}

/** The next events of the plan. */
export function exportPortion(database: Database, question: PortionQuestion): Portion {
  const { format, isFirst } = question
  const events: ExportedEvent[] = []
  let text = isFirst && format === 'csv' ? CSV_HEADER : ''
  const line = format === 'csv' ? csvLine : jsonLine
  let told = 0
  for (const [index, span] of question.spans.slice(0, SPANS_AT_ONCE).entries()) {
    for (const event of eventsOf(database, span, question)) {
      if (format === undefined) events.push(event)
      else text += line(event)
      told++
      if (told >= PORTION_EVENTS || text.length >= PORTION_BYTES) {
        return { events, text, spans: [{ ...span, first: event.seq + 1 }, ...question.spans.slice(index + 1)] }
      }
    }
  }
  return { events, text, spans: question.spans.slice(SPANS_AT_ONCE) }
}

/** One run's events in the order of `seq`, and its gaps where they stand. */
function* eventsOf(database: Database, span: Span, { until, types }: PortionQuestion): Generator<ExportedEvent> {
  const parameters = {
    runId: span.runId,
    first: span.first,
    last: span.last,
    types: JSON.stringify(types ?? [...EVENT_TYPES, 'gap']),
  }
  const wanted = (type: string) => types === undefined || types.includes(type)
  const sources = [
    ...(wanted('evicted') ? [evictionsOf(database, span, parameters)] : []),
    keyEventsOf(database, span, parameters),
    recordedOf(database, span, wanted),
    generalEventsOf(database, span, parameters),
    ...(wanted('gap') ? [gapsOf(database, span, parameters)] : []),
  ]
  try {
    for (const event of inOrder(sources)) {
      if (until !== undefined && event.at >= until) return
      yield event
    }
  } finally {
    for (const source of sources) source.return(undefined)
  }
}

/** Merges what is in the order of `seq` each. */
function* inOrder(sources: readonly Generator<ExportedEvent>[]): Generator<ExportedEvent> {
  const heads = sources.map((source) => ({ source, event: source.next().value as ExportedEvent | undefined }))
  for (;;) {
    let least: (typeof heads)[number] | undefined
    for (const head of heads) {
      if (head.event !== undefined && (least?.event === undefined || head.event.seq < least.event.seq)) least = head
    }
    if (least?.event === undefined) return
    yield least.event
    least.event = least.source.next().value as ExportedEvent | undefined
  }
}

interface Parameters {
  readonly runId: number
  readonly first: number
  readonly last: number
  readonly types: string
}

const OF_SPAN = 'run_id = :runId and seq >= :first and seq <= :last'
const OF_TYPES = 'type in (select value from json_each(:types))'

const SELECT_EVICTED = `
  select seq, at, cache, key, cause, policy, size, hits, stored_at, stored_by, age, idle, ttl_left, cost, score, runner_up,
    runner_up_score, trigger_cache, trigger_key, trigger_size, cycle, mode, mode_since, missed_at
  from evictions where ${OF_SPAN} order by seq`

/** As `evictions` tells them. From bare rows, and each written as one literal: with objects of the driver's it takes thrice as long. */
function* evictionsOf(database: Database, { run }: Span, parameters: Parameters): Generator<ExportedEvent> {
  const { types: _, ...span } = parameters
  const rows = database.prepare(SELECT_EVICTED).raw().iterate(span) as IterableIterator<(string | number | null)[]>
  for (const row of rows) {
    yield {
      run,
      seq: row[0] as number,
      at: row[1] as number,
      type: 'evicted',
      cache: row[2] as string,
      key: row[3] as string,
      cause: row[4],
      policy: row[5],
      size: row[6],
      hits: row[7],
      storedAt: row[8],
      storedBy: row[9],
      age: row[10],
      idle: row[11],
      ttlLeft: row[12],
      cost: row[13],
      // As in `evictionRecord`: a score that is no number in the file is an infinite one.
      score: row[14] ?? Number.POSITIVE_INFINITY,
      runnerUp: row[15],
      runnerUpScore: row[15] === null ? null : (row[16] ?? Number.POSITIVE_INFINITY),
      trigger: row[17] === null ? null : { cache: row[17], key: row[18], size: row[19] },
      cycle: row[20],
      mode: row[21],
      modeSince: row[22],
      missedAt: row[23],
    }
  }
}

interface DataRow {
  readonly seq: number
  readonly at: number
  readonly type: string
  readonly cache: string | null
  readonly key: string | null
  readonly data: string
}

function* dataOf(database: Database, { run }: Span, sql: string, parameters: Parameters): Generator<ExportedEvent> {
  for (const row of database.prepare(sql).iterate(parameters) as IterableIterator<DataRow>) {
    const { seq, at, type, cache, key } = row
    yield { run, seq, at, type, cache, key, ...(JSON.parse(row.data) as object) }
  }
}

function keyEventsOf(database: Database, span: Span, parameters: Parameters): Generator<ExportedEvent> {
  const sql = `select seq, at, type, cache, key, data from key_events where ${OF_SPAN} and ${OF_TYPES} order by seq`
  return dataOf(database, span, sql, parameters)
}

function* recordedOf(
  database: Database,
  { runId, run, first, last }: Span,
  wanted: (type: string) => boolean,
): Generator<ExportedEvent> {
  for (const [seq, at, type, cache, key, data] of recorded(database, runId, first, last)) {
    if (wanted(type)) yield { run, seq, at, type, cache, key, ...data }
  }
}

function generalEventsOf(database: Database, span: Span, parameters: Parameters): Generator<ExportedEvent> {
  const sql = `select seq, at, type, cache, null as key, data from events where ${OF_SPAN} and ${OF_TYPES} order by seq`
  return dataOf(database, span, sql, parameters)
}

const SELECT_GAPS = `
  select first_seq as first, last_seq as last, from_at as fromAt, to_at as toAt, lost, reason from gaps
  where run_id = :runId and first_seq >= :first and first_seq <= :last order by first_seq`

function* gapsOf(database: Database, { run }: Span, { types: _, ...parameters }: Parameters): Generator<ExportedEvent> {
  for (const row of database.prepare(SELECT_GAPS).iterate(parameters) as IterableIterator<GapLink>) {
    yield { run, seq: row.first, at: row.fromAt, type: 'gap', cache: null, key: null, ...row }
  }
}
