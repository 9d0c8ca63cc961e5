import { OptionError } from '../base/errors.ts'
import { shown } from '../base/units.ts'

/** Where a page ended: unique in its question's order, so that rows that come meanwhile move nothing. */
export interface Position {
  readonly at: number
  readonly runId: number
  readonly seq: number
}

export function writeCursor({ at, runId, seq }: Position, question: string): string {
  return Buffer.from(JSON.stringify([question, at, runId, seq])).toString('base64url')
}

/** @throws {OptionError} unless an answer to the same question gave it. */
export function readCursor(cursor: string, question: string): Position {
  try {
    const parts: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString())
    if (Array.isArray(parts) && parts.length === 4 && parts[0] === question) {
      const [, at, runId, seq] = parts as unknown[]
      if (typeof at === 'number' && typeof runId === 'number' && typeof seq === 'number') return { at, runId, seq }
    }
  } catch {
    // Said below.
  }
  throw new OptionError('cursor', `${shown(cursor)} is not the "next" of an answer to the same question`)
}
