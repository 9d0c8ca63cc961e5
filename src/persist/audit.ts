import type { AuditLevel } from '../base/audit-options.ts'

/** State of the audit log, as `stats()` and `/readyz` show it. */
export interface AuditState {
  readonly path: string
  readonly level: AuditLevel
  /** `degraded`: what happens now may be lost; `problem` says why. */
  readonly status: 'ok' | 'degraded' | 'closed'
  readonly problem: string | null
  /** The newest path of a damaged file that this run has set aside; `null`: none. */
  readonly setAside: string | null
  /** Of which share of the keys departures get rows at present; below 1 there are more of them than `sampleAbove`. */
  readonly sampledShare: number
  /** Events acknowledged by the writer, waiting, and lost, in this run. */
  readonly writtenEvents: number
  readonly pendingEvents: number
  readonly lostEvents: number
  /** `seq` up to which everything the level keeps is on disk. */
  readonly acknowledgedSeq: number
}

/** Figures that survive restarts, this run included. */
export interface Lifetime {
  readonly runs: number
  readonly peakMemoryBytes: number
  readonly peakMemoryAt: number | null
  readonly peakItems: number
  readonly evictionCount: number
  readonly evictedItems: number
  readonly evictedBytes: number
  readonly memoryWarnings: number
}
