import type { AuditLevel } from '../base/audit-options.ts'
import type { PolicyName, Settings } from '../base/settings.ts'
import type { Checked, Holdings, Warned } from '../event/catalogue.ts'
import type { CycleTrigger, EvictionCause, PeakMetric } from '../event/vocabulary.ts'
import type {
  CompareQuestion,
  Comparison,
  CrashQuestion,
  CrashReport,
  Diagnosis,
  DoctorQuestion,
  RegretAnswer,
  RegretQuestion,
  Timeline,
  TimelineQuestion,
  TimeWindow,
  TopQuestion,
  TopRecord,
} from './analyses.ts'

/* What the audit log answers: times in epoch ms, sizes in bytes, shares 0–1. */

/** One page of an answer. */
export interface Page<T> {
  readonly items: readonly T[]
  /** Pass it as `cursor` for the next page; `null` at the end. */
  readonly next: string | null
  /** Why the answer may lack something, in words; `null` where it is complete. */
  readonly incomplete: string | null
}

/** What every question takes. */
export interface Question {
  /** Only this run. */
  run?: string
  /** Epoch ms, inclusive. */
  since?: number
  /** Epoch ms, exclusive. */
  until?: number
  /** Rows a page, 1 to 10,000; default 100. */
  limit?: number
  /** `next` of the page before. */
  cursor?: string
  /** Aborts the question. */
  signal?: AbortSignal
}

export interface EvictionQuestion extends Question {
  cache?: string
  key?: string
  /** Keys that begin with this text. */
  prefix?: string
  cause?: EvictionCause
  policy?: PolicyName
  /** Id of an eviction cycle. */
  cycle?: string
  /** What comes first: the latest (default), or the largest, oldest, most often hit or longest unused. */
  order?: EvictionOrder
  /** The other way round. */
  reverse?: boolean
}

/** By what evictions are ordered. */
export const EVICTION_ORDERS = ['time', 'size', 'age', 'hits', 'idle'] as const
export type EvictionOrder = (typeof EVICTION_ORDERS)[number]

export interface ChangeQuestion extends Question {
  /** Only what this one did. */
  actor?: string
  /** Only what was done to this cache. */
  cache?: string
}

export interface ExportQuestion extends Omit<Question, 'limit' | 'cursor'> {
  /** Only events of these types; `gap` stands for events that are missing. */
  types?: readonly string[]
  /** Only what came after this event, `<run>:<seq>`: the rest of its run, and later runs. Nothing, if the log doesn't know the run. */
  after?: string
}

/** What `explain` takes besides the key. */
export interface ExplainQuestion {
  cache?: string
  run?: string
  signal?: AbortSignal
}

export interface EvictionRecord {
  readonly run: string
  readonly seq: number
  readonly at: number
  readonly cache: string
  readonly key: string
  readonly cause: EvictionCause
  readonly policy: PolicyName
  readonly size: number
  readonly hits: number
  readonly storedAt: number
  readonly storedBy: string | null
  readonly age: number
  readonly idle: number
  /** ms; `null`: it had no TTL. */
  readonly ttlLeft: number | null
  readonly cost: number
  readonly score: number
  readonly runnerUp: string | null
  readonly runnerUpScore: number | null
  /** By which of its modes an adaptive policy ran the cache, and since when; `null`: from the beginning, or not known. */
  readonly mode: string | null
  readonly modeSince: number | null
  readonly trigger: { readonly cache: string; readonly key: string; readonly size: number } | null
  readonly cycle: string | null
  /** The first miss of the key afterwards, where it was still remembered: what the eviction cost. */
  readonly missedAt: number | null
}

export interface RunRecord {
  readonly run: string
  readonly level: AuditLevel
  readonly startedAt: number
  /** `null` while it runs or where it ended without a word. */
  readonly stoppedAt: number | null
  readonly state: 'running' | 'closed' | 'crashed'
  readonly exitCode: number | null
  readonly version: string
  readonly node: string
  readonly host: string
  readonly pid: number
  readonly settings: Settings
  /**
   * Which of its keys are hashed; `null`: none. `prefix`: all but their prefix; `whole`: all of them, prefixes that stand
   * alone stay; `all`: prefixes, too.
   */
  readonly redaction: 'prefix' | 'whole' | 'all' | null
  /** Last event on disk. */
  readonly lastSeq: number
  readonly lastAt: number
  readonly evictedItems: number
  readonly evictedBytes: number
  readonly cycles: number
  readonly warnings: number
  readonly peakMemoryBytes: number
  readonly peakMemoryAt: number | null
  /** Events known to be missing from the log. */
  readonly lostEvents: number
}

export interface CycleRecord {
  readonly run: string
  readonly cycle: string
  readonly seq: number
  readonly startedAt: number
  /** `null`: it never completed. */
  readonly completedAt: number | null
  readonly trigger: CycleTrigger
  readonly policy: PolicyName
  readonly cache: string | null
  readonly count: number | null
  readonly bytes: number | null
  readonly usageBefore: number
  readonly usageAfter: number | null
}

/** What one act of administration was: a change of settings, a forced eviction, a cache cleared, statistics reset. */
export interface ChangeRecord {
  readonly run: string
  readonly seq: number
  readonly at: number
  readonly type: 'configured' | 'budget-changed' | 'cycle-started' | 'cleared' | 'stats-reset'
  readonly cache: string | null
  /** Who did it; `null`: nobody was named. */
  readonly actor: string | null
  readonly traceId: string | null
  /** One readable sentence. */
  readonly text: string
  /** The event's other fields. */
  readonly data: Readonly<Record<string, unknown>>
}

/** A change of level, as its `warned` told it. */
export interface WarningRecord extends Omit<Warned, 'type'> {
  readonly run: string
}

export interface PeakRecord {
  readonly run: string
  readonly seq: number
  readonly metric: PeakMetric
  readonly value: number
  /** When it was reached. */
  readonly at: number
  /** What held the memory; of logs of the first version, at the nearest check; `null`: nothing is known. */
  readonly held: Holdings | null
}

/** One periodic check, as `checked` carried it. */
export interface SampleRecord extends Omit<Checked, 'type'> {
  readonly run: string
}

/** One thing that happened to a key. */
export interface LifeEvent {
  readonly run: string
  readonly seq: number
  readonly at: number
  readonly type: string
  readonly cache: string
  /** One readable sentence. */
  readonly text: string
  /** The event's other fields. */
  readonly data: Readonly<Record<string, unknown>>
}

/** How much more room than the limit that evicted an entry would have kept it until it was asked for again. */
export interface RoomNeeded {
  readonly measure: 'items' | 'bytes'
  readonly more: number
  /** From a recording of every store; else a lower bound, by what was evicted in between. */
  readonly isExact: boolean
  /** Less would not have done. Not where entries expired or were deleted meanwhile: then it is an estimate. */
  readonly isLowerBound: boolean
  readonly askedAt: number
}

/** Why a key isn't there any more, as far as the log knows. */
export interface Explanation {
  readonly key: string
  readonly cache: string | null
  /**
   * `present`: by the log it is still there; `run ended`: it was, when its process ended. `no record`: the log has
   * nothing of this key (at its level, within its retention).
   */
  readonly verdict: 'evicted' | 'expired' | 'removed' | 'cleared' | 'rejected' | 'present' | 'run ended' | 'no record'
  /** A few sentences: what happened, why, what it cost and what would have kept it. */
  readonly summary: readonly string[]
  /** Of the last eviction; `null`: there is none, or it isn't known (the summary says why). */
  readonly roomNeeded: RoomNeeded | null
  /** Oldest first. */
  readonly life: readonly LifeEvent[]
  readonly incomplete: string | null
}

/** What a verification takes. */
export interface VerifyQuestion {
  /** Only this run. */
  run?: string
  /** What an earlier verification answered, kept where nobody who could change the log could change it, too. */
  anchor?: Anchor
  /** Told how many rows of how many are verified. */
  onProgress?: (rows: number, of: number) => void
  signal?: AbortSignal
}

/** The last hash of a run's chain, at a moment. */
export interface AnchorPoint {
  readonly run: string
  readonly seq: number
  /** SHA-256, in hexadecimal. */
  readonly hash: string
}

/** How far the chains went when it was made: a log that doesn't lead there any more was cut off or written anew. */
export interface Anchor {
  readonly madeAt: number
  readonly points: readonly AnchorPoint[]
}

/** The first place of a run's chain that isn't as it was written. */
export interface ChainFault {
  /** Range of `seq` of the batch or gap, or of what is missing. */
  readonly first: number
  readonly last: number
  readonly kind: 'changed' | 'missing' | 'added' | 'reordered'
  /** The table and row within, where one can be named. */
  readonly table: string | null
  readonly seq: number | null
  /** What is wrong, in words. */
  readonly text: string
}

export interface RunVerification {
  readonly run: string
  /** `not covered`: written by a version without a chain. */
  readonly state: 'intact' | 'broken' | 'not covered'
  /** What was verified, up to the fault where there is one. */
  readonly batches: number
  readonly rows: number
  /** Those of `rows` that no hash covers. */
  readonly uncoveredRows: number
  /** `seq` up to which retention has taken the departures; `null`: none. */
  readonly retiredTo: number | null
  readonly lastSeq: number
  /** The chain's last hash. */
  readonly hash: string | null
  readonly fault: ChainFault | null
}

/** Whether a log is as it was written. */
export interface Verification {
  readonly intact: boolean
  readonly rows: number
  readonly runs: readonly RunVerification[]
  /** To be kept elsewhere, for a later verification. */
  readonly anchor: Anchor
  /** What can't be told, in words; `null`: nothing. */
  readonly incomplete: string | null
}

/** Which moment: a time, or the `seq` of an event of one run. */
export interface StateQuestion {
  /** Epoch ms: what every run that was there then held. */
  at?: number
  /** What a run held after this event; `run` is needed where there is more than one. */
  seq?: number
  run?: string
  cache?: string
  /** Entries a page, 1 to 10,000; default 100. */
  limit?: number
  cursor?: string
  signal?: AbortSignal
}

/** An entry that was there. */
export interface StateEntry {
  readonly run: string
  readonly cache: string
  readonly key: string
  /** Of the event that stored it. */
  readonly seq: number
  readonly size: number
  readonly storedAt: number
  /** `null`: never. */
  readonly expiresAt: number | null
  /** Past its time, and still held. */
  readonly isExpired: boolean
  readonly cost: number
  readonly tags: readonly string[]
  readonly actor: string | null
  readonly traceId: string | null
}

/** What a run held, by cache. */
export interface StateOfRun {
  readonly run: string
  /** The last event before or at the moment. */
  readonly seq: number
  readonly caches: readonly { readonly cache: string; readonly items: number; readonly bytes: number }[]
}

/** What was in the caches; of each run the last stored first. */
export interface StateAnswer extends Page<StateEntry> {
  /** The moment, where a time was asked for. */
  readonly at: number | null
  /** Why it can't be told at all, and what would have to be set; `null`: it can. */
  readonly no: string | null
  readonly runs: readonly StateOfRun[]
}

/** One event as the log has it, or (`gap`) a range of events that are missing. */
export interface ExportedEvent {
  readonly run: string
  readonly seq: number
  readonly at: number
  readonly type: string
  readonly cache: string | null
  readonly key: string | null
  /** The event's other fields. */
  readonly [field: string]: unknown
}

/** Events in the order of runs and `seq`, read as they are asked for. */
export interface Exported<T> extends AsyncIterable<T> {
  /** Why events may be missing, in words, once the first has been read; `null`: none are known to be. */
  readonly incomplete: string | null
}

/** The audit log's questions. Every one runs off the caller's thread and takes a `signal`. */
export interface History {
  evictions(question?: EvictionQuestion): Promise<Page<EvictionRecord>>
  explain(key: string, question?: ExplainQuestion): Promise<Explanation>
  crash(question?: CrashQuestion): Promise<CrashReport>
  regrets(question?: RegretQuestion): Promise<RegretAnswer>
  timeline(question?: TimelineQuestion): Promise<Timeline>
  top(question?: TopQuestion): Promise<Page<TopRecord>>
  compare(before: TimeWindow, after: TimeWindow, question?: CompareQuestion): Promise<Comparison>
  doctor(question?: DoctorQuestion): Promise<Diagnosis>
  runs(question?: Question): Promise<Page<RunRecord>>
  cycles(question?: Question): Promise<Page<CycleRecord>>
  warnings(question?: Question): Promise<Page<WarningRecord>>
  changes(question?: ChangeQuestion): Promise<Page<ChangeRecord>>
  peaks(question?: Question): Promise<Page<PeakRecord>>
  samples(question?: Question): Promise<Page<SampleRecord>>
  verify(question?: VerifyQuestion): Promise<Verification>
  state(question: StateQuestion): Promise<StateAnswer>
  /** What the log has, from its beginning to its end, at whatever size in the same few megabytes of memory. */
  export(question?: ExportQuestion): Exported<ExportedEvent>
  /** As `export`, as text: some lines at a time, made off the caller's thread. */
  exportText(format: 'jsonl' | 'csv', question?: ExportQuestion): Exported<string>
  close(): Promise<void>
}
