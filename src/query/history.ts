import { resolve } from 'node:path'
import { requireDriver } from '../persist/reader.ts'
import type {
  CycleRecord,
  EvictionQuestion,
  EvictionRecord,
  ExplainQuestion,
  Explanation,
  History,
  Page,
  PeakRecord,
  Question,
  RunRecord,
  SampleRecord,
  WarningRecord,
} from './answers.ts'
import { checkedEvictionQuestion, checkedExplainQuestion, checkedQuestion } from './question.ts'
import { ReaderThread } from './reader-thread.ts'
import type { Ask } from './reader-wire.ts'

export type * from './answers.ts'

export interface HistoryOptions {
  /** Awaited before each question: lets a cache that writes the log put on disk what it has just done. */
  flush?: () => Promise<void>
}

/**
 * The questions of an audit log, whether its cache runs, has stopped or was killed. Nothing is opened before the first
 * question: a file that is missing, unreadable or of a newer version rejects that one with a `HistoryError`.
 *
 * @throws {MissingDependencyError} where better-sqlite3 is not installed or not built.
 */
export function openHistory(path: string, options: HistoryOptions = {}): History {
  requireDriver()
  return new LogHistory(resolve(path), options.flush)
}

/** Checks each question where it is asked, and has it answered off the asker's thread. */
class LogHistory implements History {
  readonly #reader: ReaderThread
  readonly #flush: (() => Promise<void>) | undefined

  constructor(path: string, flush: (() => Promise<void>) | undefined) {
    this.#reader = new ReaderThread(path)
    this.#flush = flush
  }

  async evictions(question: EvictionQuestion = {}): Promise<Page<EvictionRecord>> {
    const ask: Ask = { name: 'evictions', question: checkedEvictionQuestion(question) }
    return (await this.#ask(ask, question.signal)) as Page<EvictionRecord>
  }

  async explain(key: string, question: ExplainQuestion = {}): Promise<Explanation> {
    const ask: Ask = { name: 'explain', question: checkedExplainQuestion(key, question) }
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

  peaks(question: Question = {}): Promise<Page<PeakRecord>> {
    return this.#page('peaks', question)
  }

  samples(question: Question = {}): Promise<Page<SampleRecord>> {
    return this.#page('samples', question)
  }

  close(): Promise<void> {
    return this.#reader.close()
  }

  async #page<T>(name: 'runs' | 'cycles' | 'warnings' | 'peaks' | 'samples', question: Question): Promise<Page<T>> {
    return (await this.#ask({ name, question: checkedQuestion(question, name) }, question.signal)) as Page<T>
  }

  async #ask(ask: Ask, signal: AbortSignal | undefined): Promise<unknown> {
    if (this.#flush !== undefined) await this.#flush()
    return this.#reader.ask(ask, signal)
  }
}
