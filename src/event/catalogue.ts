import type { PolicyName, Settings, SettingsChange } from '../base/settings.ts'
import type {
  CycleTrigger,
  DivisionUnit,
  EvictionCause,
  Level,
  LimitName,
  PeakMetric,
  RejectionReason,
} from './vocabulary.ts'

/*
 * The catalogue: one closed union of all that can happen. Every event is written as one object literal with all its
 * fields (one hidden class per type keeps the fold monomorphic), is never changed afterwards, and never holds a value.
 * `Infinity` stands for "none" in expiries and limits.
 */

/** What every event carries. */
interface Happened<T extends string> {
  /** 1, 2, 3 … in one run; `<runId>:<seq>` is the event's identity. */
  readonly seq: number
  /** Epoch ms on a monotonic clock anchored at start: never backwards. */
  readonly at: number
  readonly type: T
}

/** What every event about one key carries. */
interface HappenedTo<T extends string> extends Happened<T> {
  readonly cache: string
  readonly key: string
}

/** Who did it: the actor and trace id that `withActor` or a call's `actor` gave. */
interface Done {
  readonly actor: string | null
  readonly traceId: string | null
}

/** What was stored. */
export interface Stored extends Done {
  /** Bytes charged, in all. */
  readonly size: number
  /** Those of `size` that lie outside the V8 heap (behind Buffers and typed arrays). */
  readonly offHeap: number
  /** Epoch ms; `Infinity`: never. */
  readonly expiresAt: number
  /** What a miss costs, in the caller's unit; 0 if not said. */
  readonly cost: number
  readonly tags: readonly string[] | null
  /** The key's prefix by the user's own rule; `null`: the default rule holds. */
  readonly prefix: string | null
}

/** What an entry that leaves leaves behind. */
interface Left {
  /** ms since its value was stored. */
  readonly age: number
  /** Hits since its value was stored. */
  readonly hits: number
  /** Bytes. */
  readonly size: number
}

export interface Added extends HappenedTo<'added'>, Stored {}

export interface Updated extends HappenedTo<'updated'>, Stored {
  readonly previousSize: number
  readonly previousAge: number
  readonly previousHits: number
}

export interface Accessed extends HappenedTo<'accessed'> {
  /** ms since its value was stored. */
  readonly age: number
}

export interface Missed extends HappenedTo<'missed'> {
  readonly cause: 'absent' | 'expired'
  /** `seq` of the eviction that this miss regrets: the key was evicted and is still remembered. */
  readonly regret: number | null
  /** Whether it is the first miss that regrets that eviction. */
  readonly firstRegret: boolean
}

export interface Expired extends HappenedTo<'expired'>, Left {
  /** ms since its last use. */
  readonly idle: number
}

/** The write that needed room. */
export interface EvictionTrigger {
  readonly cache: string
  readonly key: string
  readonly size: number
}

export interface Evicted extends HappenedTo<'evicted'>, Left {
  readonly cause: EvictionCause
  readonly policy: PolicyName
  readonly storedAt: number
  readonly storedBy: string | null
  /** ms since its last use. */
  readonly idle: number
  /** ms until it would have expired; `Infinity`: never. */
  readonly ttlLeft: number
  readonly cost: number
  /** The policy's score of the victim, in its own unit (`docs/events.md`). */
  readonly score: number
  /** Key of the entry that would have gone next, from the victim's cache. */
  readonly runnerUp: string | null
  readonly runnerUpScore: number | null
  /** By which of its modes an adaptive policy ran the cache, and since when (epoch ms; `null`: from the beginning). */
  readonly mode: string | null
  readonly modeSince: number | null
  readonly trigger: EvictionTrigger | null
  /** Id of the cycle; `null` for an eviction that a hard limit needed. */
  readonly cycle: string | null
}

export interface Removed extends HappenedTo<'removed'>, Left, Done {
  /** `replaced`: an overwrite of it was refused, and the older value must not outlive it. */
  readonly cause: 'deleted' | 'replaced'
}

export interface Cleared extends Happened<'cleared'>, Done {
  readonly cache: string
  readonly count: number
  readonly bytes: number
}

export interface Rejected extends HappenedTo<'rejected'>, Done {
  readonly size: number
  readonly reason: RejectionReason
  readonly limitName: LimitName | null
  /** The limit, in bytes or items. */
  readonly limit: number | null
}

/** Bytes that writers of one key prefix added; exact to within `error` (too high by at most that). */
export interface PrefixShare {
  readonly cache: string
  readonly prefix: string
  readonly bytes: number
  readonly error: number
}

export interface Warned extends Happened<'warned'> {
  readonly level: Exclude<Level, 'normal'> | 'recovered'
  readonly from: Level
  readonly to: Level
  /** The larger of bytes over the budget and heap bytes over the heap budget, 0–1. */
  readonly usage: number
  /** Of the level entered or, recovered, of the lowest one left. */
  readonly threshold: number
  readonly bytes: number
  readonly heapBytes: number
  /** What was added since the last change of level (or since start): in all, by cache, and by the largest writers. */
  readonly since: {
    readonly at: number
    readonly bytesAdded: number
    readonly caches: readonly { readonly cache: string; readonly bytes: number }[]
    readonly writers: readonly PrefixShare[]
  }
  /** ms until a budget is full at the net rate since then, of bytes or of heap; `null` where neither is growing. */
  readonly timeLeft: number | null
}

export interface CycleStarted extends Happened<'cycle-started'>, Done {
  readonly cycle: string
  readonly trigger: CycleTrigger
  readonly policy: PolicyName
  /** The only cache it takes from, or `null` for all. */
  readonly cache: string | null
  readonly bytes: number
  readonly items: number
  readonly usage: number
  /** It runs until `bytes` (of that cache, or in all) is at most this, */
  readonly targetBytes: number
  /** and the bytes on the heap at most this. */
  readonly targetHeapBytes: number
}

export interface CycleContinued extends Happened<'cycle-continued'> {
  readonly cycle: string
  readonly trigger: CycleTrigger
  readonly policy: PolicyName
  /** Entries and bytes given up so far. */
  readonly count: number
  readonly bytes: number
  readonly usage: number
}

export interface CycleCompleted extends Happened<'cycle-completed'> {
  readonly cycle: string
  readonly trigger: CycleTrigger
  readonly policy: PolicyName
  readonly cache: string | null
  readonly count: number
  readonly bytes: number
  readonly usageBefore: number
  readonly usageAfter: number
  /** ms since it started. */
  readonly duration: number
}

/** Sizes and, of each, the hit ratio (0–1) of a cache of that size under LRU; both ascend. */
export type CurvePoint = readonly [size: number, hitRatio: number]

/** A miss-ratio curve, by items and by bytes. */
export interface Curve {
  /** Requests that it speaks for. */
  readonly requests: number
  /** Mean absolute error that is to be expected; 0: exact. */
  readonly error: number
  readonly byItems: readonly CurvePoint[]
  readonly byBytes: readonly CurvePoint[]
}

/** What one cache did since the last check. */
export interface CacheSample {
  readonly cache: string
  readonly items: number
  readonly bytes: number
  readonly hits: number
  readonly misses: number
  readonly bytesAdded: number
  readonly writers: readonly PrefixShare[]
  /** What other sizes would have hit so far; `null`: nothing was asked for yet, or there are too many caches. */
  readonly curve: Curve | null
}

export interface Checked extends Happened<'checked'> {
  readonly bytes: number
  readonly heapBytes: number
  readonly items: number
  readonly usage: number
  readonly level: Level
  /** Of the whole process, in bytes. */
  readonly rss: number
  readonly heapUsed: number
  readonly caches: readonly CacheSample[]
}

/** What one cache held. */
export interface CacheHolding {
  readonly cache: string
  readonly items: number
  readonly bytes: number
}

/** What held the memory at a peak. */
export interface Holdings {
  /** At the peak, exact; the largest ten. */
  readonly caches: readonly CacheHolding[]
  /**
   * By key prefix, of what was there when the peak was told: the largest ten. Estimated from `counted` entries where
   * that is fewer than `items`; empty under a prefix rule of the user's own.
   */
  readonly prefixes: readonly (CacheHolding & { readonly prefix: string })[]
  readonly counted: number
  readonly items: number
}

export interface Peaked extends Happened<'peaked'> {
  readonly metric: PeakMetric
  readonly value: number
  readonly previous: number
  /** When it was reached. */
  readonly peakedAt: number
  readonly held: Holdings
}

/** What an entry is charged from now on, its value having changed since it was stored. */
export interface Resized {
  readonly cache: string
  readonly key: string
  readonly size: number
  readonly offHeap: number
  readonly previousSize: number
}

export interface Remeasured extends Happened<'remeasured'> {
  /** Entries that were sized again, and what they were charged before and after. */
  readonly sampled: number
  readonly bytesBefore: number
  readonly bytesAfter: number
  /** Those among them whose size had changed. */
  readonly entries: readonly Resized[]
}

export interface Configured extends Happened<'configured'>, Done {
  readonly from: SettingsChange
  readonly to: SettingsChange
  readonly reason: 'cache-created' | 'cache-dropped' | 'limits' | 'policy'
}

/** The budget and the heap budget, in bytes. */
export interface Budgets {
  readonly maxMemory: number
  readonly maxHeap: number
}

/** What was read when the budgets changed: bytes, unless said otherwise. */
export interface PressureEvidence {
  /** What was judged: V8's old generation, or what the process, its container or the machine uses. */
  readonly watched: 'heap' | 'memory'
  /** Whose figures `used` and `limit` are. */
  readonly source: string
  readonly used: number
  readonly limit: number
  /** Whether a garbage collection had just ended; else some of `used` is garbage. */
  readonly afterCollection: boolean
  /** What the caches held of it. */
  readonly held: number
  readonly heapUsed: number
  readonly rss: number
  /** Bytes a second since the reading before; `null` where there was none. */
  readonly growth: number | null
  /** Share of the time that garbage collections took lately, 0–1. */
  readonly collecting: number
  /** Percent of the last 10 s in which somebody waited for memory (PSI); `null` where it isn't told. */
  readonly stalled: number | null
}

export interface BudgetChanged extends Happened<'budget-changed'> {
  /** The effective ones: what adds are held to, and cycles aim at. */
  readonly from: Budgets
  readonly to: Budgets
  /** What holds where the process isn't short of memory, from now on: another one only by reason `allowance`. */
  readonly stated: Budgets
  /** `allowance`: what the process may use changed. `pressure`, `relief`: it runs short of memory, or no longer. */
  readonly reason: 'allowance' | 'pressure' | 'relief'
  readonly evidence: PressureEvidence | null
  /** What the process may use, by reason `allowance`. */
  readonly mayUse: MayUse | null
}

export interface Adapted extends Happened<'adapted'> {
  readonly policy: PolicyName
  readonly cache: string
  /** Modes of the policy. */
  readonly from: string
  readonly to: string
  /** What they differed in, in words. */
  readonly reason: string
}

/** One cache's part of the room that all have in common. */
export interface Share {
  readonly cache: string
  /** 0–1. */
  readonly from: number
  readonly to: number
  /** Where it would bring most; a change goes so far in steps. */
  readonly wished: number
  /** Its share of all requests, and how many of them were hits, of late; 0–1. */
  readonly requests: number
  readonly hitRatio: number
}

export interface Divided extends Happened<'divided'> {
  readonly policy: PolicyName
  readonly unit: DivisionUnit
  readonly shares: readonly Share[]
  /** Hits that are expected beyond those of before, as a share of all requests. */
  readonly gain: number
}

export interface ClockChanged extends Happened<'clock-changed'> {
  /** Offset of the wall clock from this run's clock, in ms, before and after. */
  readonly from: number
  readonly to: number
}

export interface StatsReset extends Happened<'stats-reset'>, Done {}

/** One source of what this process may use. */
export interface BudgetSource {
  readonly source: string
  /** Bytes; `Infinity`: no limit from there. */
  readonly bytes: number
}

/** What the process may use: every source that was asked, and the one that won; of the heap likewise. */
export interface MayUse {
  readonly bytes: number
  readonly source: string
  readonly sources: readonly BudgetSource[]
  readonly heapLimit: number
  readonly heapSource: string
  readonly heapSources: readonly BudgetSource[]
}

export interface Started extends Happened<'started'> {
  readonly runId: string
  readonly version: string
  readonly seed: number
  readonly settings: Settings
  readonly host: string
  readonly pid: number
  readonly node: string
  readonly mayUse: MayUse
}

export interface Stopped extends Happened<'stopped'> {
  readonly reason: 'close' | 'exit'
  /** The process's exit code, where it exits. */
  readonly code: number | null
  /** Name of the exception that nobody caught, where it exits for one; its message may hold values, and stays out. */
  readonly error: string | null
}

export interface Loaded extends HappenedTo<'loaded'> {
  /** ms that the loader took. */
  readonly duration: number
}

export interface LoadFailed extends HappenedTo<'load-failed'> {
  readonly duration: number
  /** The error's name; its message may hold values, and stays out. */
  readonly error: string
}

export type MuninnEvent =
  | Added
  | Updated
  | Accessed
  | Missed
  | Expired
  | Evicted
  | Removed
  | Cleared
  | Rejected
  | Warned
  | CycleStarted
  | CycleContinued
  | CycleCompleted
  | Checked
  | Peaked
  | Remeasured
  | Configured
  | BudgetChanged
  | Adapted
  | Divided
  | ClockChanged
  | StatsReset
  | Started
  | Stopped
  | Loaded
  | LoadFailed

export type EventType = MuninnEvent['type']
export type EventOf<T extends EventType> = Extract<MuninnEvent, { readonly type: T }>

/** All event types; a missing or misspelt one does not compile. */
export const EVENT_TYPES = Object.keys({
  added: 0,
  updated: 0,
  accessed: 0,
  missed: 0,
  expired: 0,
  evicted: 0,
  removed: 0,
  cleared: 0,
  rejected: 0,
  warned: 0,
  'cycle-started': 0,
  'cycle-continued': 0,
  'cycle-completed': 0,
  checked: 0,
  peaked: 0,
  remeasured: 0,
  configured: 0,
  'budget-changed': 0,
  adapted: 0,
  divided: 0,
  'clock-changed': 0,
  'stats-reset': 0,
  started: 0,
  stopped: 0,
  loaded: 0,
  'load-failed': 0,
} satisfies Record<EventType, 0>) as readonly EventType[]
