import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'

/** What a run's row says about how it ended. */
export interface RunRow {
  readonly run: string
  readonly host: string
  readonly pid: number
  readonly process_started_at: number
  readonly started_at: number
  readonly stopped_at: number | null
  readonly stop_reason: 'close' | 'exit' | null
  readonly exit_code: number | null
  readonly last_seq: number
  readonly last_at: number
  readonly isSucceeded: 0 | 1
}

/** Whether another process had the same pid on the same host later; `r` is the run. */
export const IS_SUCCEEDED = `exists (
  select 1 from runs l
  where l.host = r.host and l.pid = r.pid and l.id > r.id and l.process_started_at > r.process_started_at + 1000
)`

/** Of one or more runs, what `runState` needs. */
export const SELECT_RUN_STATE = `
  select run, host, pid, process_started_at, started_at, stopped_at, stop_reason, exit_code, last_seq, last_at,
    ${IS_SUCCEEDED} as isSucceeded
  from runs r`

/** How much younger than a run a process must be to count as another: less may be a step of the wall clock. */
const YOUNGER = 60_000
/** Ticks a second in which Linux counts; the same everywhere since 2.6. */
const TICKS = 100

/** `running`: its process still lives on this host. `crashed`: no word of its end, or an exit with another code than 0. */
export function runState(row: RunRow): 'running' | 'closed' | 'crashed' {
  if (row.stopped_at !== null) {
    return row.stop_reason === 'close' || row.exit_code === 0 ? 'closed' : 'crashed'
  }
  return row.host === hostname() && !row.isSucceeded && isAlive(row) ? 'running' : 'crashed'
}

/** In a container every process has pid 1: a pid that lives isn't enough. */
function isAlive({ pid, process_started_at: startedAt }: RunRow): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    // Somebody else's process lives, too.
    if (!(error instanceof Error && 'code' in error && error.code === 'EPERM')) return false
  }
  const age = processAge(pid)
  return age === null || age > Date.now() - startedAt - YOUNGER
}

/** ms since a process started; `null` where the system doesn't tell (it does on Linux). */
function processAge(pid: number): number | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The second field is a name in parentheses, and may hold anything; the start is the 20th after it.
    const started = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]) / TICKS
    const up = Number.parseFloat(readFileSync('/proc/uptime', 'utf8'))
    return Number.isFinite(up - started) ? (up - started) * 1000 : null
  } catch {
    return null
  }
}
