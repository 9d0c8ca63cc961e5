import type { PrefixShare } from '../event/catalogue.ts'
import type { EvictionCause } from '../event/vocabulary.ts'
import type { EvictionRecord, RunRecord, SampleRecord, WarningRecord } from './answers.ts'

/* Answers that are no lists of what is in the log, but what follows from it: times in epoch ms, sizes in bytes. */

export interface CrashQuestion {
  /** This run; left out, the latest that ended without saying goodbye. */
  run?: string
  /** How much before the end is shown, in ms; default 10 minutes. */
  window?: number
  signal?: AbortSignal
}

/** What a run ended by, as far as the log can tell. */
export type CrashVerdict =
  | 'out of memory' // the process was near all that it may use
  | 'heap out of memory' // its V8 heap was near its limit
  | 'exception' // one that nobody caught
  | 'signal' // a handler of it exited with 128 + its number
  | 'exit code' // process.exit() with another code than 0
  | 'host restarted'
  | 'killed' // no word, and nothing points to memory
  | 'no crash'

/** Process memory against what it may use, at the last check. */
export interface CrashMemory {
  readonly at: number
  readonly rss: number
  readonly heapUsed: number
  readonly mayUse: number
  readonly mayUseSource: string
  /** `null`: the run did not record it. */
  readonly heapLimit: number | null
  /** Bytes a minute over the window; `null` with fewer than two checks. */
  readonly rssGrowth: number | null
  readonly heapGrowth: number | null
}

export interface CrashEvictions {
  readonly cache: string
  readonly cause: EvictionCause
  readonly count: number
  readonly bytes: number
}

/** A change of settings or of the clock, or a reset, in the window. */
export interface CrashChange {
  readonly seq: number
  readonly at: number
  readonly type: string
  readonly actor: string | null
  readonly data: Readonly<Record<string, unknown>>
}

export interface CrashReport {
  /** `null`: no run of this log ended without saying goodbye. */
  readonly run: RunRecord | null
  readonly verdict: CrashVerdict
  /** `known`: the log says so. `likely`: what it shows points there. `unknown`: it can't tell. */
  readonly certainty: 'known' | 'likely' | 'unknown'
  /** Sentences: the evidence, and what can't be known. */
  readonly summary: readonly string[]
  readonly from: number | null
  readonly to: number | null
  /** What is missing at the end; `until`: when the next run of this log began, at the latest then it was over. */
  readonly gap: { readonly afterSeq: number; readonly at: number; readonly until: number | null } | null
  readonly memory: CrashMemory | null
  /** Oldest first, as everything here. */
  readonly samples: readonly SampleRecord[]
  readonly levels: readonly WarningRecord[]
  /** Who wrote most in the window, largest first. */
  readonly writers: readonly PrefixShare[]
  readonly evictions: readonly CrashEvictions[]
  readonly lastEvictions: readonly EvictionRecord[]
  /** Cycles that began and never completed. */
  readonly unfinishedCycles: readonly string[]
  readonly changes: readonly CrashChange[]
  readonly incomplete: string | null
}
