import { resolve } from 'node:path'
import { findSecret, type SecretOptions } from '../base/redact-options.ts'
import { requireDriver } from '../persist/reader.ts'
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
import {
  checkedComparison,
  checkedCrashQuestion,
  checkedDoctorQuestion,
  checkedRegretQuestion,
  checkedTimelineQuestion,
  checkedTopQuestion,
} from './analysis-question.ts'
import type {
  ChangeQuestion,
  ChangeRecord,
  CycleRecord,
  EvictionQuestion,
  EvictionRecord,
  ExplainQuestion,
  Explanation,
  Exported,
  ExportedEvent,
  ExportQuestion,
  History,
  Page,
  PeakRecord,
  Question,
  RunRecord,
  SampleRecord,
  StateAnswer,
  StateQuestion,
  Verification,
  VerifyQuestion,
  WarningRecord,
} from './answers.ts'
import type { ExportPlan, Portion } from './export.ts'
import { Exporting, eventsIn, textIn } from './exporting.ts'
import {
  checkedChangeQuestion,
  checkedEvictionQuestion,
  checkedExplainQuestion,
  checkedExportQuestion,
  checkedFormat,
  checkedQuestion,
  checkedStateQuestion,
  checkedVerifyQuestion,
} from './question.ts'
import { ReaderThread } from './reader-thread.ts'
import type { Ask } from './reader-wire.ts'
import { storedEvictions, storedKey } from './stored.ts'
import { verification } from './verification.ts'

export type * from './analyses.ts'
export type * from './answers.ts'

/** A log whose keys are hashed is asked for known ones with the secret (else that of `MUNINN_REDACT_SECRET(_FILE)`). */
export interface HistoryOptions extends SecretOptions {
  /** Awaited before each question, up to 2 s: lets a cache that writes the log put on disk what it has just done. */
  flush?: () => Promise<void>
  /** What is not on disk all the same, in words; `null`: nothing. */
  missing?: () => string | null
}

/** Longest wait for the writer before a question is answered without what still waits, in ms. */
const PATIENCE = 2_000

/**
 * The questions of an audit log, whether its cache runs, has stopped or was killed. Nothing is opened before the first
 * question: a file that is missing, unreadable or of a newer version rejects that one with a `HistoryError`.
 *
 * @throws {MissingDependencyError} where better-sqlite3 is not installed or not built.
 * @throws {OptionError} where a secret is given that is none.
 */
export function openHistory(path: string, options: HistoryOptions = {}): History {
  requireDriver()
  return new LogHistory(resolve(path), options)
}

/** Checks each question where it is asked, and has it answered off the asker's thread. */
class LogHistory implements History {
  readonly #reader: ReaderThread
  readonly #options: HistoryOptions
  readonly #secret: string | null

  constructor(path: string, options: HistoryOptions) {
    this.#reader = new ReaderThread(path)
    this.#options = options
    this.#secret = findSecret(options)
  }

  async evictions(question: EvictionQuestion = {}): Promise<Page<EvictionRecord>> {
    const ask: Ask = { name: 'evictions', question: storedEvictions(checkedEvictionQuestion(question), this.#secret) }
    return (await this.#ask(ask, question.signal)) as Page<EvictionRecord>
  }

  async explain(key: string, question: ExplainQuestion = {}): Promise<Explanation> {
    const ask: Ask = { name: 'explain', question: storedKey(checkedExplainQuestion(key, question), this.#secret) }
    return (await this.#ask(ask, question.signal)) as Explanation
  }

  runs(question: Question = {}): Promise<Page<RunRecord>> {
    return this.#page('runs', question)
  }

  cycles(question: Question = {}): Promise<Page<CycleRecord>> {
    return this.#page('cycles', question)
  }

  warnings(question: Question = {}): Promise<Page<WarningRecord>> {
    return this.#page('warnings', question)
  }

  async changes(question: ChangeQuestion = {}): Promise<Page<ChangeRecord>> {
    const ask: Ask = { name: 'changes', question: checkedChangeQuestion(question) }
    return (await this.#ask(ask, question.signal)) as Page<ChangeRecord>
  }

  peaks(question: Question = {}): Promise<Page<PeakRecord>> {
    return this.#page('peaks', question)
  }

  samples(question: Question = {}): Promise<Page<SampleRecord>> {
    return this.#page('samples', question)
  }

  async verify(question: VerifyQuestion = {}): Promise<Verification> {
    const asked = checkedVerifyQuestion(question)
    await this.#flush(question.signal)
    return verification(asked, question, (part) =>
      this.#reader.ask({ name: 'verify', question: part }, question.signal),
    )
  }

  async crash(question: CrashQuestion = {}): Promise<CrashReport> {
    const ask: Ask = { name: 'crash', question: checkedCrashQuestion(question) }
    return (await this.#ask(ask, question.signal)) as CrashReport
  }

  async regrets(question: RegretQuestion = {}): Promise<RegretAnswer> {
    const ask: Ask = { name: 'regrets', question: checkedRegretQuestion(question) }
    return (await this.#ask(ask, question.signal)) as RegretAnswer
  }

  async timeline(question: TimelineQuestion = {}): Promise<Timeline> {
    const ask: Ask = { name: 'timeline', question: checkedTimelineQuestion(question) }
    return (await this.#ask(ask, question.signal)) as Timeline
  }

  async top(question: TopQuestion = {}): Promise<Page<TopRecord>> {
    const ask: Ask = { name: 'top', question: checkedTopQuestion(question) }
    return (await this.#ask(ask, question.signal)) as Page<TopRecord>
  }

  async compare(before: TimeWindow, after: TimeWindow, question: CompareQuestion = {}): Promise<Comparison> {
    const ask: Ask = { name: 'compare', question: checkedComparison(before, after, question) }
    return (await this.#ask(ask, question.signal)) as Comparison
  }

  async doctor(question: DoctorQuestion = {}): Promise<Diagnosis> {
    const ask: Ask = { name: 'doctor', question: checkedDoctorQuestion(question) }
    return (await this.#ask(ask, question.signal)) as Diagnosis
  }

  async state(question: StateQuestion): Promise<StateAnswer> {
    const ask: Ask = { name: 'state', question: checkedStateQuestion(question) }
    return (await this.#ask(ask, question.signal)) as StateAnswer
  }

  export(question: ExportQuestion = {}): Exported<ExportedEvent> {
    return this.#export(question, undefined, eventsIn)
  }

  exportText(format: 'jsonl' | 'csv', question: ExportQuestion = {}): Exported<string> {
    return this.#export(question, checkedFormat(format), textIn)
  }

  close(): Promise<void> {
    return this.#reader.close()
  }

  #export<T>(
    question: ExportQuestion,
    format: 'jsonl' | 'csv' | undefined,
    take: (portion: Portion) => readonly T[],
  ): Exported<T> {
    const { signal } = question
    const asked = checkedExportQuestion(question)
    const { until, types } = asked
    return new Exporting(
      async () => (await this.#ask({ name: 'export-plan', question: asked }, signal)) as ExportPlan,
      (ask) => this.#reader.ask(ask, signal),
      { ...(until === undefined ? {} : { until }), ...(types === undefined ? {} : { types }) },
      format,
      take,
    )
  }

  async #page<T>(name: 'runs' | 'cycles' | 'warnings' | 'peaks' | 'samples', question: Question): Promise<Page<T>> {
    return (await this.#ask({ name, question: checkedQuestion(question, name) }, question.signal)) as Page<T>
  }

  async #flush(signal: AbortSignal | undefined): Promise<void> {
    const { flush } = this.#options
    if (flush !== undefined) await withPatience(flush(), signal)
  }

  async #ask(ask: Ask, signal: AbortSignal | undefined): Promise<unknown> {
    await this.#flush(signal)
    const unwritten = this.#options.missing?.() ?? null
    const answer = (await this.#reader.ask(ask, signal)) as { incomplete: string | null }
    if (unwritten === null) return answer
    return { ...answer, incomplete: answer.incomplete === null ? unwritten : `${answer.incomplete}; ${unwritten}` }
  }
}

/** Settles with the work, with the signal, or when patience is over: a writer that is stuck keeps no question. */
async function withPatience(work: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted()
  const over = AbortSignal.timeout(PATIENCE)
  const ended = signal === undefined ? over : AbortSignal.any([over, signal])
  await Promise.race([
    work,
    new Promise<void>((resolve) => ended.addEventListener('abort', () => resolve(), { once: true })),
  ])
  signal?.throwIfAborted()
}
