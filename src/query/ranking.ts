import type { Database } from '../persist/reader.ts'
import type { Page } from './answers.ts'
import { type Position, type Rank, readCursor, writeCursor } from './cursor.ts'

export const ROWS = 100

/** What a page of a ranking takes. */
interface Ranked {
  readonly limit?: number
  readonly cursor?: string
}

const SELECT_NEWEST = 'select max(last_at) from runs'

/**
 * Where the first page found the log's end (`at`), and how many rows came before this one (`seq`): further pages count
 * nothing later, so that what the log gains meanwhile moves nothing.
 */
export function startOf(database: Database, { cursor }: Ranked, question: string): Position {
  if (cursor !== undefined) return readCursor(cursor, question)
  const at = (database.prepare(SELECT_NEWEST).pluck().get() as number | null) ?? 0
  return { at, runId: 0, seq: 0 }
}

/** The range that a page counts in: up to where the first found the log's end. */
export function upTo<Q extends { readonly until?: number }>({ at }: Position, question: Q): Q {
  // The bound is exclusive, and the log's last event counts.
  return { ...question, until: Math.min(question.until ?? Number.POSITIVE_INFINITY, at + 1) }
}

/** A page of rows in the order of their ranks, those of the pages before left out already. */
export function pageOf<R, T>(
  rows: readonly R[],
  { limit = ROWS }: Ranked,
  question: string,
  start: Position,
  record: (row: R) => T,
  rankOf?: (row: R) => Rank,
): Omit<Page<T>, 'incomplete'> {
  const last = rows.length > limit ? rows[limit - 1] : undefined
  const { at, runId, seq } = start
  const rank = last === undefined ? undefined : rankOf?.(last)
  const end = { at, runId, seq: seq + limit, ...(rank === undefined ? {} : { rank }) }
  return { items: rows.slice(0, limit).map(record), next: last === undefined ? null : writeCursor(end, question) }
}

/**
 * The rows in their order, from below where the page before ended. Counts are of whole minutes, and the last of them may
 * still gain: what was on a page can only rise meanwhile, so it is on no further one.
 */
export function rankedFrom<R>(rows: readonly R[], { rank }: Position, rankOf: (row: R) => Rank): R[] {
  const ranked = rows.toSorted((a, b) => byRank(rankOf(a), rankOf(b)))
  return rank === undefined ? ranked : ranked.filter((row) => byRank(rank, rankOf(row)) < 0)
}

function byRank(a: Rank, b: Rank): number {
  return b.figure - a.figure || b.evicted - a.evicted || compared(a.name, b.name) || compared(a.cache, b.cache)
}

function compared(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1
}
