import { OptionError } from '../base/errors.ts'
import { shown } from '../base/units.ts'

/** Where a page ended: unique in its question's order, so that rows that come meanwhile move nothing. */
export interface Position {
  readonly at: number
  readonly runId: number
  readonly seq: number
  /** Where rows are ranked: the last of the page. */
  readonly rank?: Rank
}

/** A row's place in a ranking: by the figure, then by how many were evicted, then by name. */
export interface Rank {
  readonly figure: number
  readonly evicted: number
  readonly cache: string
  readonly name: string
}

export function writeCursor({ at, runId, seq, rank }: Position, question: string): string {
  const place = rank === undefined ? [] : [rank.figure, rank.evicted, rank.cache, rank.name]
  return Buffer.from(JSON.stringify([question, at, runId, seq, ...place])).toString('base64url')
}

/** @throws {OptionError} unless an answer to the same question gave it. */
export function readCursor(cursor: string, question: string): Position {
  try {
    const parts: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString())
    if (Array.isArray(parts) && parts[0] === question) {
      const [, at, runId, seq, ...place] = parts as unknown[]
      const isPosition = typeof at === 'number' && typeof runId === 'number' && typeof seq === 'number'
      if (isPosition && place.length === 0) return { at, runId, seq }
      const [figure, evicted, cache, name, ...more] = place
      const isRank = typeof figure === 'number' && typeof evicted === 'number' && more.length === 0
      if (isPosition && isRank && typeof cache === 'string' && typeof name === 'string') {
        return { at, runId, seq, rank: { figure, evicted, cache, name } }
      }
    }
  } catch {
    // Said below.
  }
  throw new OptionError('cursor', `${shown(cursor)} is not the "next" of an answer to the same question`)
}
