import type { Database } from '../persist/reader.ts'
import type { Page, Question, RunRecord } from './answers.ts'
import { readPage, type Source } from './page.ts'
import type { Asked } from './question.ts'
import { IS_OVER, type RunRow, runState } from './run-state.ts'
import { readSettings } from './settings-read.ts'

export const SELECT_RUNS = `
  select r.*, r.started_at as at, r.id as runId, r.id as seq,
    ${IS_OVER} as isOver
  from runs r`

export interface FullRunRow extends RunRow {
  readonly at: number
  readonly runId: number
  readonly seq: number
  readonly level: RunRecord['level']
  readonly version: string
  readonly node: string
  readonly settings: string
  readonly redaction: RunRecord['redaction']
  readonly may_use: string
  readonly evicted_items: number
  readonly evicted_bytes: number
  readonly cycles: number
  readonly warnings: number
  readonly peak_bytes: number
  readonly peak_bytes_at: number | null
  readonly lost_events: number
}

/** The runs that lived in the range: how each ended, with what settings it ran, and what it counted. */
export function runs(database: Database, question: Asked<Question>): Page<RunRecord> {
  const source: Source = {
    question: 'runs',
    kind: 'general',
    select: SELECT_RUNS,
    at: 'r.started_at',
    until: 'coalesce(r.stopped_at, r.last_at)',
    runId: 'r.id',
    seq: 'r.id',
    conditions: [],
    parameters: {},
  }
  return readPage(database, source, question, runRecord)
}

export function runRecord(row: FullRunRow): RunRecord {
  return {
    run: row.run,
    level: row.level,
    startedAt: row.started_at,
    stoppedAt: row.stopped_at,
    state: runState(row),
    exitCode: row.exit_code,
    version: row.version,
    node: row.node,
    host: row.host,
    pid: row.pid,
    settings: readSettings(row.settings),
    redaction: row.redaction,
    lastSeq: row.last_seq,
    lastAt: row.last_at,
    evictedItems: row.evicted_items,
    evictedBytes: row.evicted_bytes,
    cycles: row.cycles,
    warnings: row.warnings,
    peakMemoryBytes: row.peak_bytes,
    peakMemoryAt: row.peak_bytes_at,
    lostEvents: row.lost_events,
  }
}
