import { ProblemError } from './problem.ts'

/** Where a page of a listing ended: unique in its order, so that entries that come and go meanwhile move nothing. */
export interface ListCursor {
  /** What it is ordered by. */
  readonly value: number
  /** `seq` of the last use, which no two entries have in common. */
  readonly lastUse: number
}

export function writeListCursor({ value, lastUse }: ListCursor, order: string, reverse: boolean): string {
  return Buffer.from(JSON.stringify([order, reverse, value, lastUse])).toString('base64url')
}

/** @throws {ProblemError} unless a page in the same order gave it. */
export function readListCursor(cursor: string, order: string, reverse: boolean): ListCursor {
  try {
    const parts: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString())
    if (Array.isArray(parts) && parts[0] === order && parts[1] === reverse) {
      const [, , value, lastUse] = parts as unknown[]
      if (typeof value === 'number' && typeof lastUse === 'number') return { value, lastUse }
    }
  } catch {
    // Said below.
  }
  const message = 'is not the next of a page in the same order'
  throw new ProblemError('invalid-input', `cursor ${message}`, { errors: [{ field: 'cursor', message }] })
}
