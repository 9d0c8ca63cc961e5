import type { Page } from './answers.ts'
import { readCursor, writeCursor } from './cursor.ts'

const ROWS = 100

/** One page of rows that are ranked already, and all at hand; a cursor says how many came before. */
export function pageOf<R, T>(
  rows: readonly R[],
  { limit = ROWS, cursor }: { readonly limit?: number; readonly cursor?: string },
  question: string,
  record: (row: R) => T,
): Omit<Page<T>, 'incomplete'> {
  const from = cursor === undefined ? 0 : readCursor(cursor, question).seq
  const end = from + limit
  return {
    items: rows.slice(from, end).map(record),
    next: end < rows.length ? writeCursor({ at: 0, runId: 0, seq: end }, question) : null,
  }
}
