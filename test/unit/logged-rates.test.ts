import { expect, test } from 'vitest'
import type { TimelinePoint } from '../../dashboard/src/api/answers.ts'
import { evictionsAt, lateEvictions, type Remembered } from '../../dashboard/src/live/logged-rates.ts'

const NOON = Date.parse('2026-01-01T12:00:00Z')

/** Sixty evictions in the last whole minute and thirty in the half of the present one, at the page's clock. */
function remembered(at: number): Remembered {
  const minute = (begin: number, evicted: number) => {
    const [from, to] = [new Date(begin).toISOString(), new Date(begin + 60_000).toISOString()]
    return { from, to, evicted, evictedByCause: { items: evicted } } as unknown as TimelinePoint
  }
  const minutes = [minute(NOON - 60_000, 60), minute(NOON, 30)]
  return { at, checks: [], minutes, evictedByCache: new Map([['c', 90]]) }
}

test('rates out of the log are of the time that is over', () => {
  const log = remembered(NOON + 30_000)
  const { all, ofCause, ofCache } = lateEvictions(log)
  expect([all, ofCause('items'), ofCause('heap'), ofCache('c'), ofCache('other')]).toEqual([60, 60, 0, 60, 0])
  expect([evictionsAt(log, NOON - 1), evictionsAt(log, NOON + 1), evictionsAt(log, NOON + 60_000)]).toEqual([
    60,
    60,
    null,
  ])
})

test.each([-300_000, -30_000, 300_000])('a clock of the page that is %i ms off does not make them absurd', (off) => {
  const { all } = lateEvictions(remembered(NOON + 30_000 + off))
  expect(all).toBeGreaterThanOrEqual(45)
  expect(all).toBeLessThanOrEqual(90)
})
