import { Worker } from 'node:worker_threads'
import type { Batch, RunHeader } from './batch.ts'
import { BUSY, FAILED, type FromWriter, ON_DISK, SHARED_BYTES, STOP, type ToWriter, type WriterData } from './wire.ts'

/** Batches with the worker at a time: enough to keep it busy, few enough to bound the copies in its queue. */
const WINDOW = 8
const FIRST_RETRY = 100
const LAST_RETRY = 5_000
/** ms that `finish` waits for a writer that neither writes nor fails. */
const PATIENCE = 10_000

/** Starts the writer's thread; a test may start another. */
export type Spawn = (data: WriterData) => Worker

/** Always the built file: Node 20 can't start a worker from TypeScript. */
const WRITER = new URL('../../dist/persist/writer-worker.js', import.meta.url)

export const spawnWriter: Spawn = (workerData) => new Worker(WRITER, { workerData, execArgv: [], name: 'muninn-audit' })

/** Who is told how it goes. */
export interface DeliveryListener {
  /** So many more events are on disk, up to this batch. */
  delivered(last: Batch, events: number): void
  /** The database refused rows of a delivered batch. */
  refused(events: number): void
  /** The file was damaged: it has this path now, and a new one has begun. */
  setAside(newPath: string, problem: string): void
  /** From now on rows are kept of this share of the keys. */
  sampled(share: number): void
  /** Nothing can be written; it will be tried again. */
  failed(problem: string): void
}

/**
 * Brings batches to the writer's thread, in order, and keeps each until it is on disk. A failed batch is sent again
 * after a while, together with those behind it; a thread that died is started anew. Nothing of it keeps the process
 * alive, but `finish`.
 */
export class Delivery {
  readonly #path: string
  readonly header: RunHeader
  readonly #spawn: Spawn
  readonly #listener: DeliveryListener
  /** Not on disk yet, oldest first; the first `#sent` of them are with the worker. */
  readonly #waiting: Batch[] = []
  #sent = 0
  /** When the worker last made progress, or got something to do after a pause. */
  #heardAt = 0
  #bytes = 0
  #events = 0
  readonly #shared = new SharedArrayBuffer(SHARED_BYTES)
  readonly #numbers = new Int32Array(this.#shared)
  #worker: Worker | null = null
  #isEnding = false
  #lastWords = ''
  #failing = false
  #retryAfter = FIRST_RETRY
  #retryTimer: NodeJS.Timeout | null = null
  /** Called when all is on disk, or can't be brought there. */
  #settle: (() => void) | null = null
  /** Who waits for everything up to a batch. */
  #flushing: { readonly number: number; readonly resolve: () => void }[] = []

  constructor(path: string, header: RunHeader, spawn: Spawn, listener: DeliveryListener) {
    this.#path = path
    this.header = header
    this.#spawn = spawn
    this.#listener = listener
  }

  get bytes(): number {
    return this.#bytes
  }

  get events(): number {
    return this.#events
  }

  /** Batches that are not on disk, as far as is known here. */
  get waiting(): readonly Batch[] {
    return this.#waiting
  }

  /** Whether a worker is there and, as far as is known, able to write. */
  get isWorking(): boolean {
    return this.#worker !== null && !this.#failing
  }

  /** ms that the worker has been at the first batch without a word; 0 where it has nothing to do. */
  get silence(): number {
    return this.#sent === 0 ? 0 : performance.now() - this.#heardAt
  }

  add(batch: Batch): void {
    this.#waiting.push(batch)
    this.#bytes += batch.bytes
    this.#events += batch.events
  }

  /** Takes note of what is on disk by now; needs no turn of the event loop. */
  collect(): void {
    const onDisk = Atomics.load(this.#numbers, ON_DISK)
    const count = onDisk - (this.#waiting[0]?.number ?? onDisk + 1) + 1
    if (count <= 0) return
    const delivered = this.#waiting.splice(0, count)
    this.#sent = Math.max(0, this.#sent - count)
    this.#heardAt = performance.now()
    let events = 0
    for (const batch of delivered) {
      this.#bytes -= batch.bytes
      events += batch.events
    }
    this.#events -= events
    this.#failing = false
    this.#retryAfter = FIRST_RETRY
    this.#listener.delivered(delivered.at(-1) as Batch, events)
  }

  /** Sends what may be sent: `most` batches at a time, one where the last attempt failed. */
  pump(most = WINDOW): void {
    this.collect()
    this.#wake(this.#waiting[0]?.number)
    if (this.#retryTimer !== null) return
    const window = this.#failing ? 1 : most
    for (
      let batch = this.#waiting[this.#sent];
      batch !== undefined && this.#sent < window;
      batch = this.#waiting[this.#sent]
    ) {
      const worker = this.#worker ?? this.#start()
      if (worker === null) return
      if (this.#sent++ === 0) this.#heardAt = performance.now()
      worker.postMessage({ batch } satisfies ToWriter)
    }
  }

  /** Resolves when all that waits now is on disk, or can't be brought there at present. */
  flush(): Promise<void> {
    this.pump()
    const last = this.#waiting.at(-1)
    if (last === undefined || this.#failing) return Promise.resolve()
    this.#worker?.ref()
    return new Promise((resolve) => this.#flushing.push({ number: last.number, resolve }))
  }

  /** Brings what it can to disk, and ends the worker; what still waits then is lost. */
  async finish(): Promise<void> {
    this.#stopRetrying()
    // Twice: the first attempt may meet a thread that has died without our having heard of it.
    for (let attempt = 0; attempt < 2 && this.#waiting.length > 0; attempt++) {
      await this.#lastAttempt()
      this.#stopRetrying()
    }
    const worker = this.#worker
    if (worker === null) return
    this.#isEnding = true
    const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
    worker.ref()
    worker.postMessage({ end: true } satisfies ToWriter)
    let impatient: NodeJS.Timeout | undefined
    const patience = new Promise<void>((resolve) => {
      impatient = setTimeout(resolve, PATIENCE)
    })
    await Promise.race([ended, patience])
    clearTimeout(impatient)
    // One that hangs in the file system is left behind, not terminated: an error reaching it then aborts the process.
    worker.unref()
  }

  /** Blocks until all is on disk, the writer fails, or the deadline (of `performance.now()`) has passed. */
  waitBlocking(deadline: number): void {
    for (this.collect(); this.#waiting.length > 0; this.collect()) {
      const left = deadline - performance.now()
      if (left <= 0 || Atomics.load(this.#numbers, FAILED) === this.#waiting[0]?.number) return
      Atomics.wait(this.#numbers, ON_DISK, (this.#waiting[0]?.number ?? 0) - 1, left)
    }
  }

  /** Blocks until the worker is where it can be torn down, or the deadline has passed; it writes nothing more. */
  stopBlocking(deadline: number): void {
    if (this.#worker === null) return
    Atomics.store(this.#numbers, STOP, 1)
    const left = deadline - performance.now()
    if (left > 0) Atomics.wait(this.#numbers, BUSY, 1, left)
    this.collect()
  }

  #lastAttempt(): Promise<void> {
    return new Promise((resolve) => {
      const impatient = setTimeout(() => this.#settle?.(), PATIENCE)
      this.#settle = () => {
        this.#settle = null
        clearTimeout(impatient)
        resolve()
      }
      this.pump()
      this.#worker?.ref()
      if (this.#waiting.length === 0 || this.#worker === null) this.#settle?.()
    })
  }

  #start(): Worker | null {
    const expected = this.#waiting[0]?.number ?? 1
    try {
      const data: WriterData = {
        path: this.#path,
        header: this.header,
        expected,
        shared: this.#shared,
      }
      Atomics.store(this.#numbers, BUSY, 1)
      const worker = this.#spawn(data)
      worker.on('message', (message: FromWriter) => this.#heard(message))
      worker.on('error', (error) => {
        this.#lastWords = `: ${error instanceof Error ? error.message : String(error)}`
      })
      worker.on('exit', () => this.#died(worker))
      // After the listeners: one for messages makes the thread count again.
      worker.unref()
      this.#worker = worker
      return worker
    } catch (error) {
      this.#fail(`the writer's thread can't be started: ${error instanceof Error ? error.message : String(error)}`)
      return null
    }
  }

  #heard(message: FromWriter): void {
    if ('setAside' in message) {
      this.#listener.setAside(message.setAside, message.problem)
      return
    }
    if ('share' in message) {
      this.#listener.sampled(message.share)
      return
    }
    if ('failed' in message) {
      this.collect()
      this.#fail(message.problem)
      return
    }
    if (message.lost > 0) this.#listener.refused(message.lost)
    this.pump()
    if (this.#waiting.length === 0) this.#settle?.()
  }

  #died(worker: Worker): void {
    if (worker !== this.#worker) return
    this.#worker = null
    Atomics.store(this.#numbers, BUSY, 0)
    if (this.#isEnding) return
    this.collect()
    this.#fail(`the writer's thread ended${this.#lastWords}`)
    this.#lastWords = ''
  }

  #fail(problem: string): void {
    Atomics.store(this.#numbers, FAILED, 0)
    this.#sent = 0
    this.#failing = true
    this.#listener.failed(problem)
    this.#wake()
    this.#settle?.()
    this.#stopRetrying()
    if (this.#isEnding) return
    this.#retryTimer = setTimeout(() => {
      this.#retryTimer = null
      this.pump()
    }, this.#retryAfter)
    this.#retryTimer.unref()
    this.#retryAfter = Math.min(this.#retryAfter * 2, LAST_RETRY)
  }

  #stopRetrying(): void {
    if (this.#retryTimer !== null) clearTimeout(this.#retryTimer)
    this.#retryTimer = null
  }

  /** Lets those go on whose batches come before `waiting`, the first that is not on disk; all where there is none. */
  #wake(waiting = Number.POSITIVE_INFINITY): void {
    if (this.#flushing.length === 0) return
    const woken = this.#flushing.filter(({ number }) => number < waiting)
    this.#flushing = this.#flushing.filter(({ number }) => number >= waiting)
    for (const { resolve } of woken) resolve()
    if (this.#flushing.length === 0 && this.#settle === null) this.#worker?.unref()
  }
}
