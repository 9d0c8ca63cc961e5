import { hostname } from 'node:os'
import { isAlive, type ProcessMark } from '../base/process-life.ts'
import type { Database } from './driver.ts'

/** ms without a word after which a run of another host counts as over: a check, as a rule every 30 s, makes a row. */
const SILENCE = 600_000

const SELECT_UNFINISHED = `
  select id, host, pid, process_started_at as startedAt, process_identity as identity, last_seq as lastSeq, last_at as lastAt
  from runs r
  where stopped_at is null and id <> :id
    and not exists (select 1 from gaps g where g.run_id = r.id and g.reason = 'crash')`

interface UnfinishedRow extends ProcessMark {
  readonly id: number
  readonly host: string
  readonly lastSeq: number
  readonly lastAt: number
}

/** Where a run ended of which nobody heard the end. */
export interface UnknownEnd {
  readonly id: number
  readonly first: number
  readonly at: number
}

/** Runs without an end whose process is gone: what they did after their last row, nobody knows. `id` is who asks. */
export function unknownEnds(database: Database, id: number): readonly UnknownEnd[] {
  const unfinished = database.prepare(SELECT_UNFINISHED).all({ id }) as UnfinishedRow[]
  return unfinished
    .filter((row) => (row.host === hostname() ? !isAlive(row) : row.lastAt < Date.now() - SILENCE))
    .map((row) => ({ id: row.id, first: row.lastSeq + 1, at: row.lastAt }))
}
