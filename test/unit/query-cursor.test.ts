import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readCursor, writeCursor } from '../../src/query/cursor.ts'
import { propertySeed } from '../support/property-seed.ts'

describe('a cursor', () => {
  test('gives the position back, to the last bit', () => {
    const finite = fc.double({ noNaN: true, noDefaultInfinity: true }).map((at) => at + 0)
    fc.assert(
      fc.property(finite, fc.nat(), fc.nat(), (at, runId, seq) => {
        expect(readCursor(writeCursor({ at, runId, seq }, 'evictions'), 'evictions')).toEqual({ at, runId, seq })
      }),
      { seed: propertySeed(1) },
    )
  })

  test('is refused by another question, and where it is made up', () => {
    const cursor = writeCursor({ at: 1, runId: 2, seq: 3 }, 'evictions')
    expect(() => readCursor(cursor, 'runs')).toThrow(/cursor: .* is not the "next" of an answer to the same question/)
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(() => readCursor(text, 'runs')).toThrow(/cursor/)
      }),
      { seed: propertySeed(2) },
    )
  })
})
