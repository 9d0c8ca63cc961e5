import type { Database } from '../persist/reader.ts'
import type { Page, Question } from './answers.ts'
import { type Position, readCursor, writeCursor } from './cursor.ts'
import { incompleteness } from './incomplete.ts'
import type { Asked } from './question.ts'
import type { Kind } from './retention-note.ts'

const ROWS = 100
/** Rows that are looked through from the newest on, by the index of times, before all are scanned in their own order. */
const NEWEST = 100_000

/** Rows to be read page by page, newest first. */
export interface Source {
  /** The question's name, for its cursors. */
  readonly question: string
  /** `select … from …`, which names its position `at`, `runId` and `seq`, and joins `runs` as `r`. */
  readonly select: string
  /** Expressions of that position. */
  readonly at: string
  /** Where a row stands for a span of time: an expression of its end. */
  readonly until?: string
  readonly runId: string
  readonly seq: string
  /** Default: rows about single entries. */
  readonly kind?: Kind
  readonly conditions: readonly string[]
  /** Another order than the newest first: by an expression, which the rows have under a name. */
  readonly order?: { readonly by: string; readonly column: string; readonly isAscending: boolean }
  /** Where rows that meet the conditions may be few among millions: `from …` of the table alone, with its alias. */
  readonly scanned?: string
  readonly parameters: Readonly<Record<string, string | number>>
}

/** One page of a source within a question's run and times. */
export function readPage<R extends Position, T>(
  database: Database,
  source: Source,
  question: Asked<Question>,
  record: (row: R) => T,
): Page<T> {
  const { run, since, until, cursor, limit = ROWS } = question
  const range: string[] = []
  const parameters: Record<string, string | number> = { ...source.parameters, limit: limit + 1 }
  const { at, runId, seq, order } = source
  if (run !== undefined) {
    range.push('r.run = :run')
    parameters.run = run
  }
  if (since !== undefined) {
    range.push(`${source.until ?? at} >= :since`)
    parameters.since = since
  }
  if (until !== undefined) {
    range.push(`${at} < :until`)
    parameters.until = until
  }
  if (cursor !== undefined) {
    const position = readCursor(cursor, source.question)
    const place = order === undefined ? at : order.by
    range.push(
      `(${place}, ${runId}, ${seq}) ${order?.isAscending === true ? '>' : '<'} (:cursorAt, :cursorRun, :cursorSeq)`,
    )
    parameters.cursorAt = position.at
    parameters.cursorRun = position.runId
    parameters.cursorSeq = position.seq
  }
  const rows = select<R>(database, source, range, parameters)
  const last = rows.length > limit ? rows[limit - 1] : undefined
  return {
    items: rows.slice(0, limit).map(record),
    next: last === undefined ? null : writeCursor(placeOf(last, order?.column), source.question),
    incomplete: incompleteness(database, question, source.kind),
  }
}

/** A cursor's place has the value that the order is by where the time would stand. */
function placeOf<R extends Position>(row: R, column: string | undefined): Position {
  return column === undefined ? row : { at: Number(Reflect.get(row, column)), runId: row.runId, seq: row.seq }
}

function select<R>(
  database: Database,
  source: Source,
  range: readonly string[],
  parameters: Readonly<Record<string, string | number>>,
): R[] {
  const { conditions, scanned, at, order } = source
  const all = [...conditions, ...range]
  const way = order?.isAscending === true ? 'asc' : 'desc'
  const ordered = `order by ${order?.by ?? at} ${way}, ${source.runId} ${way}, ${source.seq} ${way} limit :limit`
  const ask = (where: readonly string[], more = {}) =>
    database.prepare(`${source.select} ${whereOf(where)} ${ordered}`).all({ ...parameters, ...more }) as R[]
  if (order !== undefined || scanned === undefined || conditions.length === 0) return ask(all)
  const floor = database
    .prepare(
      `select ${at} ${scanned} join runs r on r.id = ${source.runId} ${whereOf(range)} order by ${at} desc limit 1 offset ${NEWEST}`,
    )
    .pluck()
    .get(bound(range, parameters)) as number | undefined
  if (floor === undefined) return ask(all)
  // In the place of an earlier `since`: beside one, it would not bound the index.
  const isBounded = parameters.since !== undefined
  const newest = ask(isBounded ? all : [...all, `${at} >= :since`], { since: floor })
  return newest.length === parameters.limit ? newest : scan(database, source, all, parameters)
}

/** Row by row through the index would take five times as long; only the places of what is found are sorted. */
function scan<R>(
  database: Database,
  { select, scanned, at, runId, seq }: Source,
  all: readonly string[],
  parameters: Readonly<Record<string, string | number>>,
): R[] {
  const found = `
    select ${runId} as found_run, ${seq} as found_seq ${scanned} join runs r on r.id = ${runId}
    ${whereOf(all.map((condition) => condition.replaceAll(at, `+${at}`)))}
    order by +${at} desc, ${runId} desc, ${seq} desc limit :limit`
  const sql = `
    with found as materialized (${found})
    ${select} where (${runId}, ${seq}) in (select found_run, found_seq from found) order by +${at} desc, ${runId} desc, ${seq} desc`
  return database.prepare(sql).all(parameters) as R[]
}

function whereOf(conditions: readonly string[]): string {
  return conditions.length > 0 ? `where ${conditions.join(' and ')}` : ''
}

/** Of the parameters, those that the conditions name: SQLite takes no others. */
function bound(
  conditions: readonly string[],
  parameters: Readonly<Record<string, string | number>>,
): Record<string, string | number> {
  const text = conditions.join(' ')
  return Object.fromEntries(Object.entries(parameters).filter(([name]) => new RegExp(`:${name}\\b`).test(text)))
}
