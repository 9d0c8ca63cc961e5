import type { Database } from '../persist/reader.ts'
import type { Page, Question } from './answers.ts'
import { type Position, readCursor, writeCursor } from './cursor.ts'
import { incompleteness } from './incomplete.ts'
import type { Asked } from './question.ts'
import type { Kind } from './retention-note.ts'

const ROWS = 100

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
  const conditions = [...source.conditions]
  const parameters: Record<string, string | number> = { ...source.parameters, limit: limit + 1 }
  const { at, runId, seq } = source
  if (run !== undefined) {
    conditions.push('r.run = :run')
    parameters.run = run
  }
  if (since !== undefined) {
    conditions.push(`${source.until ?? at} >= :since`)
    parameters.since = since
  }
  if (until !== undefined) {
    conditions.push(`${at} < :until`)
    parameters.until = until
  }
  if (cursor !== undefined) {
    const position = readCursor(cursor, source.question)
    conditions.push(`(${at}, ${runId}, ${seq}) < (:cursorAt, :cursorRun, :cursorSeq)`)
    parameters.cursorAt = position.at
    parameters.cursorRun = position.runId
    parameters.cursorSeq = position.seq
  }
  const where = conditions.length > 0 ? `where ${conditions.join(' and ')}` : ''
  const sql = `${source.select} ${where} order by ${at} desc, ${runId} desc, ${seq} desc limit :limit`
  const rows = database.prepare(sql).all(parameters) as R[]
  const last = rows.length > limit ? rows[limit - 1] : undefined
  return {
    items: rows.slice(0, limit).map(record),
    next: last === undefined ? null : writeCursor(last, source.question),
    incomplete: incompleteness(database, question, source.kind),
  }
}
