import { ProblemError } from './problem.ts'

/** Where a page of a listing ended: unique in its order, so that entries that come and go meanwhile move nothing. */
export interface ListCursor {
  /** What it is ordered by. */
  readonly value: number
  readonly lastAccess: number
  readonly key: string
}

export function writeListCursor({ value, lastAccess, key }: ListCursor, order: string, reverse: boolean): string {
  return Buffer.from(JSON.stringify([order, reverse, String(value), lastAccess, key])).toString('base64url')
}

/** @throws {ProblemError} unless a page in the same order gave it. */
export function readListCursor(cursor: string, order: string, reverse: boolean): ListCursor {
  try {
    const parts: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString())
    if (Array.isArray(parts) && parts[0] === order && parts[1] === reverse) {
      const [, , value, lastAccess, key] = parts as unknown[]
      if (typeof value === 'string' && typeof lastAccess === 'number' && typeof key === 'string')
        return { value: Number(value), lastAccess, key }
    }
  } catch {
    // Said below.
  }
  const message = 'is not the next of a page in the same order'
  throw new ProblemError('invalid-input', `cursor ${message}`, { errors: [{ field: 'cursor', message }] })
}
