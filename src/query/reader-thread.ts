import { Worker } from 'node:worker_threads'
import { ClosedError, HistoryError } from '../base/errors.ts'
import type { Answered, Ask, FromReader, ReaderData, ToReader } from './reader-wire.ts'

/** Always the built file: Node 20 can't start a worker from TypeScript. */
const READER = new URL('../../dist/query/reader-worker.js', import.meta.url)
/** ms that `close` waits for a question that is being answered. */
const PATIENCE = 5_000

interface Asker {
  readonly ask: Ask
  settle(answered: Answered): void
  reject(error: unknown): void
}

/**
 * Puts questions to the reader's thread, one at a time, so that one whose asker has gone is never begun. The thread is
 * started by the first, and keeps the process alive only while it owes an answer.
 */
export class ReaderThread {
  readonly #path: string
  /** Those who wait, in the order in which they asked. */
  readonly #askers = new Map<number, Asker>()
  #worker: Worker | null = null
  #isAnswering = false
  #lastId = 0
  #isClosed = false

  constructor(path: string) {
    this.#path = path
  }

  /** The answer; rejected at once when the signal aborts, though an answer that has begun is worked out to its end. */
  ask(ask: Ask, signal: AbortSignal | undefined): Promise<unknown> {
    if (this.#isClosed) return Promise.reject(new ClosedError(`history.${ask.name}()`))
    if (signal?.aborted === true) return Promise.reject(signal.reason)
    return new Promise((resolve, reject) => {
      const id = ++this.#lastId
      const abort = () => this.#take(id)?.reject(signal?.reason)
      const settled = () => signal?.removeEventListener('abort', abort)
      signal?.addEventListener('abort', abort, { once: true })
      this.#askers.set(id, {
        ask,
        settle: (answered) => {
          settled()
          if ('answer' in answered) resolve(answered.answer)
          else reject(new HistoryError(answered.problem))
        },
        reject: (error) => {
          settled()
          reject(error)
        },
      })
      this.#next()
    })
  }

  /** Ends the thread, after what it is at; questions that it still owes are rejected. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#rejectAll(() => new ClosedError('history.close()'))
    const worker = this.#worker
    if (worker === null) return
    worker.ref()
    // Not terminated: an error of SQLite in a thread being torn down aborts the whole process.
    worker.postMessage({ end: true } satisfies ToReader)
    await new Promise<void>((resolve) => {
      const impatient = setTimeout(resolve, PATIENCE)
      worker.once('exit', () => {
        clearTimeout(impatient)
        resolve()
      })
    })
    worker.unref()
  }

  #next(): void {
    const first = this.#askers.entries().next()
    if (first.done === true || this.#isAnswering) return
    const [id, { ask }] = first.value
    this.#worker ??= this.#start()
    this.#worker.ref()
    this.#isAnswering = true
    this.#worker.postMessage({ id, ask } satisfies ToReader)
  }

  #start(): Worker {
    const workerData: ReaderData = { path: this.#path }
    const worker = new Worker(READER, { workerData, execArgv: [], name: 'muninn-history' })
    let lastWords = ''
    worker.on('message', ({ id, answered }: FromReader) => {
      this.#isAnswering = false
      this.#take(id)?.settle(answered)
      this.#next()
    })
    worker.on('error', (error) => {
      lastWords = `: ${error instanceof Error ? error.message : String(error)}`
    })
    worker.on('exit', () => {
      this.#worker = null
      this.#isAnswering = false
      this.#rejectAll(() => new HistoryError(`${this.#path}: the reader's thread ended${lastWords}`))
    })
    return worker
  }

  #take(id: number): Asker | undefined {
    const asker = this.#askers.get(id)
    this.#askers.delete(id)
    if (this.#askers.size === 0) this.#worker?.unref()
    return asker
  }

  #rejectAll(error: () => Error): void {
    for (const id of [...this.#askers.keys()]) this.#take(id)?.reject(error())
  }
}
