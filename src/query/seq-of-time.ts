import type { Database } from '../persist/reader.ts'
import { recorded } from './recorded.ts'

/**
 * The first `seq` of a run whose event is at or (`after`) later than a time, at most `last`. Within a run time goes with
 * `seq`: halving finds it in a few steps, without an index on it.
 */
export function seqOfTime(database: Database, runId: number, last: number, time: number, after = false): number {
  const next = ['evictions', 'key_events', 'events'].map((table) =>
    database.prepare(`select at from ${table} where run_id = ? and seq >= ? order by seq limit 1`).pluck(),
  )
  const isLater = (at: number) => (after ? at > time : at >= time)
  const isLate = (seq: number) =>
    isLater(recordedAt(database, runId, seq, last)) &&
    next.every((statement) => isLater((statement.get(runId, seq) as number | undefined) ?? Number.POSITIVE_INFINITY))
  let early = 0
  let late = last
  while (late - early > 1) {
    const middle = Math.floor((early + late) / 2)
    if (isLate(middle)) late = middle
    else early = middle
  }
  return late
}

/** When the first recorded event of a range was; `Infinity`: there is none. */
function recordedAt(database: Database, runId: number, first: number, last: number): number {
  for (const [, at] of recorded(database, runId, first, last)) return at
  return Number.POSITIVE_INFINITY
}
