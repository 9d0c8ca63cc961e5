import { hostname } from 'node:os'
import { isAlive } from '../base/process-life.ts'

/** What a run's row says about how it ended. */
export interface RunRow {
  readonly run: string
  readonly host: string
  readonly pid: number
  readonly process_started_at: number
  readonly process_identity: string | null
  readonly started_at: number
  readonly stopped_at: number | null
  readonly stop_reason: 'close' | 'exit' | null
  readonly exit_code: number | null
  readonly last_seq: number
  readonly last_at: number
  readonly isOver: 0 | 1
}

/** Whether a later start found it crashed, or another process had the same pid on the same host later; `r` is the run. */
export const IS_OVER = `(exists (select 1 from gaps c where c.run_id = r.id and c.reason = 'crash') or exists (
  select 1 from runs l
  where l.host = r.host and l.pid = r.pid and l.id > r.id and l.process_started_at > r.process_started_at + 1000
    and (l.process_identity is null or l.process_identity is not r.process_identity)
))`

/** Of one or more runs, what `runState` needs. */
export const SELECT_RUN_STATE = `
  select run, host, pid, process_started_at, process_identity, started_at, stopped_at, stop_reason, exit_code, last_seq, last_at,
    ${IS_OVER} as isOver
  from runs r`

/** `running`: its process still lives on this host. `crashed`: no word of its end, or an exit with another code than 0. */
export function runState(row: RunRow): 'running' | 'closed' | 'crashed' {
  if (row.stopped_at !== null) {
    return row.stop_reason === 'close' || row.exit_code === 0 ? 'closed' : 'crashed'
  }
  const { pid, process_started_at: startedAt, process_identity: identity } = row
  return row.host === hostname() && !row.isOver && isAlive({ pid, startedAt, identity }) ? 'running' : 'crashed'
}
