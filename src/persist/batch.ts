import type { AuditLevel, AuditSettings, RetentionSettings } from '../base/audit-options.ts'
import { processIdentity } from '../base/process-life.ts'
import type { RedactionSettings } from '../base/redaction.ts'
import type { Started } from '../event/catalogue.ts'
import type { EncodedRows } from './encoding.ts'
import type { Sums } from './rollup.ts'
import type { Tally } from './tally.ts'

/** Who writes: goes into the row of the run, which every file that the run writes to must have. */
export interface RunHeader {
  readonly run: string
  readonly level: AuditLevel
  readonly startedAt: number
  readonly version: string
  readonly node: string
  readonly host: string
  readonly pid: number
  readonly processStartedAt: number
  readonly processIdentity: string | null
  readonly seed: number
  /** JSON, with null for `Infinity`. */
  readonly settings: string
  readonly mayUse: string
  /** How the writer hashes the keys of all rows; `null`: it doesn't. */
  readonly redaction: RedactionSettings | null
  /** What the writer keeps of what it is given. */
  readonly retention: RetentionSettings
  readonly sampleAbove: number
}

export function runHeader(started: Started, { level, redaction, retention, sampleAbove }: AuditSettings): RunHeader {
  return {
    run: started.runId,
    level,
    startedAt: started.at,
    version: started.version,
    node: started.node,
    host: started.host,
    pid: started.pid,
    // Not from the event: it tells this process from another that gets the same pid, whatever clock the run has.
    processStartedAt: Date.now() - process.uptime() * 1000,
    processIdentity: processIdentity(process.pid),
    seed: started.seed,
    settings: JSON.stringify(started.settings),
    mayUse: JSON.stringify(started.mayUse),
    redaction,
    retention,
    sampleAbove,
  }
}

/** How the run ended. */
export interface RunEnd {
  readonly at: number
  readonly reason: 'close' | 'exit'
  readonly code: number | null
}

/** Why events are missing. */
export type GapReason =
  | 'overflow' // the writer fell behind, or could not write, and no more could wait
  | 'exit' // the process exited before they could be written
  | 'unwritable' // the database refused these rows
  | 'elsewhere' // they went to another file that had this name
  | 'crash' // the run ended without a word: from here on nobody knows; its last `seq` says nothing

export interface Gap {
  readonly lost: number | null
  readonly fromAt: number
  readonly reason: GapReason
}

/** What goes to disk in one transaction: the rows of a range of `seq`, or the gap that stands in their place. */
export interface Batch {
  /** 1, 2, 3 …: the order of delivery. */
  readonly number: number
  readonly first: number
  readonly last: number
  /** Time of its last event. */
  readonly at: number
  /** Number of events, the lost ones of a gap not counted. */
  readonly events: number
  /** `null` for a gap. */
  readonly rows: EncodedRows | null
  /** What it holds in memory while it waits. */
  readonly bytes: number
  readonly tally: Tally
  readonly end: RunEnd | null
  readonly gap: Gap | null
  /** What rollups gain from lost events; `null`: nothing. */
  readonly lostSums: Sums | null
}
