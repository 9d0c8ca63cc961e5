import type { Page } from './answers.ts'
import { readCursor, writeCursor } from './cursor.ts'

export const ROWS = 100

/** How many rows came on the pages before. */
export function rankedBefore({ cursor }: { readonly cursor?: string }, question: string): number {
  return cursor === undefined ? 0 : readCursor(cursor, question).seq
}

/** One page of rows that are ranked already, and all at hand; a cursor says how many came before. */
export function pageOf<R, T>(
  rows: readonly R[],
  { limit = ROWS, cursor }: { readonly limit?: number; readonly cursor?: string },
  question: string,
  record: (row: R) => T,
): Omit<Page<T>, 'incomplete'> {
  const from = rankedBefore(cursor === undefined ? {} : { cursor }, question)
  const end = from + limit
  return {
    items: rows.slice(from, end).map(record),
    next: end < rows.length ? writeCursor({ at: 0, runId: 0, seq: end }, question) : null,
  }
}
