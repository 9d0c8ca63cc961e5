import type { PrefixShare } from '../event/catalogue.ts'
import type { EvictionCause } from '../event/vocabulary.ts'
import type { EvictionRecord, Page, Question, RunRecord, SampleRecord, WarningRecord } from './answers.ts'

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

/** What questions take that count within a range. */
interface Counting {
  run?: string
  cache?: string
  /** Epoch ms: the minutes (of old times, hours) that the range touches count in full. */
  since?: number
  until?: number
  signal?: AbortSignal
}

export interface RegretQuestion extends Question {
  cache?: string
  /** Only this key prefix, as a whole. */
  prefix?: string
  /** Of what most comes first; default `regretted`. */
  order?: RegretOrder
  /** The other way round. */
  reverse?: boolean
}

/** By what regrets are ordered. */
export const REGRET_ORDERS = ['regretted', 'evicted', 'share', 'bytes', 'cost', 'delay'] as const
export type RegretOrder = (typeof REGRET_ORDERS)[number]

/** Entries of one cache and key prefix that were evicted, and asked for again. */
export interface RegretRecord {
  readonly cache: string
  readonly prefix: string
  readonly evicted: number
  /** How many of them were asked for again, and missed; each counts once. */
  readonly regretted: number
  /** Of the regretted: bytes that had to be stored again, and what it cost, in the caller's unit (ms of a loader). */
  readonly bytes: number
  readonly cost: number
  /** Mean time from the eviction to the miss, in ms; `null`: there is none. */
  readonly delay: number | null
}

export interface RegretAnswer extends Page<RegretRecord> {
  /** Of all that was asked for, further pages included. */
  readonly total: Omit<RegretRecord, 'cache' | 'prefix'>
  /** How soon: how many misses came at most so many ms after the eviction, and later than the one before. */
  readonly delays: readonly { readonly atMost: number; readonly count: number }[]
  /** Evicted keys that the cache remembers at most, in the latest run asked for; beyond it nothing is known. */
  readonly remembered: number | null
}

export interface TimelineQuestion extends Counting {
  /** Width of a point in ms, whole minutes; left out, such that there are at most 60. */
  every?: number
}

export interface TimelinePoint {
  readonly from: number
  readonly to: number
  readonly hits: number
  readonly misses: number
  /** `null`: nothing was asked for. */
  readonly hitRate: number | null
  readonly bytesAdded: number
  /** At the last check in it; `null`: there was none. */
  readonly items: number | null
  readonly bytes: number | null
  readonly mostBytes: number | null
  /** Shares of the budget; of all caches together. */
  readonly mostUsage: number | null
  readonly mostRss: number | null
  readonly evicted: number
  /** The same by cause; causes of none are left out. */
  readonly evictedByCause: Readonly<Partial<Record<EvictionCause, number>>>
  readonly evictedBytes: number
  readonly expired: number
  readonly rejected: number
  readonly regretted: number
  /** Levels entered, runs begun, runs that ended without saying goodbye. */
  readonly warnings: number
  readonly starts: number
  readonly crashes: number
}

export interface Timeline extends Page<TimelinePoint> {
  /** Width of a point in ms. */
  readonly every: number
}

export interface TopQuestion extends Question {
  cache?: string
  /** What is listed: default `prefix`. */
  of?: 'key' | 'prefix'
  /** By what: default `evictions`. */
  by?: 'evictions' | 'bytes' | 'regrets'
}

export interface TopRecord {
  readonly cache: string
  /** The key, or the prefix. */
  readonly name: string
  readonly evicted: number
  readonly bytes: number
  /** `null` under `*`, where it stands for departures that have no row: what of them was asked for again, nobody knows. */
  readonly regretted: number | null
  readonly regrettedBytes: number | null
  readonly regrettedCost: number | null
}

/** From `since` on, before `until`. */
export interface TimeWindow {
  readonly since: number
  readonly until: number
}

export interface CompareQuestion {
  run?: string
  cache?: string
  signal?: AbortSignal
}

/** One figure that is not the same in both windows. */
export interface Difference {
  readonly what:
    | 'evictions' // a minute, by cause
    | 'evicted bytes' // a minute, by prefix
    | 'evicted entries' // a minute, by prefix
    | 'expirations' // a minute
    | 'rejections' // a minute, by reason
    | 'regrets' // a minute
    | 'size evicted' // bytes, mean
    | 'age at eviction' // ms: median and 90 %
    | 'never hit' // share of the evicted
    | 'hit rate'
    | 'requests' // a minute
    | 'bytes stored' // a minute
    | 'bytes held' // most
    | 'policy' // share of evictions under it
  readonly cache: string
  /** The cause, prefix, policy or quantile; '' where there is none. */
  readonly name: string
  readonly unit: 'per minute' | 'bytes' | 'bytes per minute' | 'ms' | 'share'
  /** `null`: nothing to measure it by. */
  readonly before: number | null
  readonly after: number | null
}

export interface Comparison {
  /** As counted: whole minutes (of old times, hours). */
  readonly before: TimeWindow
  readonly after: TimeWindow
  /** What changed most first; none where the windows are alike. */
  readonly items: readonly Difference[]
  readonly next: null
  readonly incomplete: string | null
}

export type DoctorQuestion = Counting

export type FindingName =
  | 'high eviction rate'
  | 'memory warnings'
  | 'growing process'
  | 'poor hit rate'
  | 'thrashing'
  | 'crowding prefix'
  | 'too-large items'
  | 'refused adds'
  | 'size drift'
  | 'fighting settings'
  | 'more memory pays'
  | 'memory to spare'
  | 'another policy does it'
  | 'needless TTL'

export interface Finding {
  readonly finding: FindingName
  /** `null`: the whole. */
  readonly cache: string | null
  readonly severity: 'critical' | 'warning' | 'notice'
  /** Sentences with the figures. */
  readonly evidence: readonly string[]
  /** The one setting to change, as the options spell it, from and to. */
  readonly setting: string
  readonly from: string
  readonly to: string
  /** `to` as the setting takes it; `null` where it is none that can be changed while the process runs. */
  readonly value: string | number | null
  readonly advice: string
}

export interface Diagnosis {
  readonly since: number | null
  readonly until: number | null
  /** The most severe first. */
  readonly items: readonly Finding[]
  readonly next: null
  /** What was looked at, each with its figure. */
  readonly looked: readonly string[]
  readonly incomplete: string | null
}
