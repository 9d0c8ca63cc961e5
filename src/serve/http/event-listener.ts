import type { ServerResponse } from 'node:http'
import { HistoryError } from '../../base/errors.ts'
import type { ExportedEvent, History } from '../../query/answers.ts'
import { type Batch, type EventFilter, type EventHub, type Frame, frameOf, matches } from './event-hub.ts'

/** Bytes that wait for a client that reads slowly; what happens beyond is counted, and told when it has caught up. */
const MOST_WAITING = 1024 * 1024
/** Characters of events kept for one that is still reading what the audit log has. */
const MOST_COLLECTED = 4 * 1024 * 1024
/** How often the log is read on for what happened while it was read; what is too much even then is counted, and told. */
const MOST_PASSES = 20

/** ms for which the log's writer is waited for: one that is silent for longer than this is called so in what the log answers. */
const WRITER_PATIENCE = 15_000

/** Heartbeats after which a client that takes nothing is given up. */
const MOST_SILENT = 4

/** Where a client was: the last event that it was told. */
export interface EventId {
  readonly run: string
  readonly seq: number
}

/** What the audit log tells to one that comes back. */
export interface Recollection {
  readonly history: History
  readonly run: string
  /** Resolves when the log has what happened so far, or can't have it at present. */
  readonly flush: () => Promise<void>
  /** The event with its keys as they may leave. */
  readonly shown: (event: ExportedEvent) => Promise<ExportedEvent>
}

interface Missed {
  first: number
  last: number
  count: number
}

/** One client of the live events. */
export class EventListener {
  readonly #hub: EventHub
  readonly #filter: EventFilter
  readonly #response: ServerResponse
  readonly #run: string
  #unlisten: () => void = () => {}
  #missed: Missed | null = null
  /** Live events, kept while the log is read; `null`: they are passed on. */
  #collected: Frame[] | null = null
  /** Characters in it. */
  #kept = 0
  /** Heartbeats for which nothing that waited has been taken. */
  #silent = 0

  constructor(hub: EventHub, filter: EventFilter, response: ServerResponse, run: string) {
    this.#hub = hub
    this.#filter = filter
    this.#response = response
    this.#run = run
    response.on('drain', () => this.#drained())
  }

  /** Tells what happens from now on, after what the log has since the event, where one is given. */
  async start(after: EventId | null, recollection: Recollection | null): Promise<void> {
    if (after !== null) this.#collected = []
    this.#unlisten = this.#hub.listen(this.#filter, (batch) => this.#take(batch))
    this.#write(': listening\n\n')
    if (after === null) return
    if (recollection === null) this.#say('stream-missed', { after: idOf(after), reason: 'no audit log is kept here' })
    else await this.#recall(after, recollection)
    const waiting = this.#collected ?? []
    this.#collected = null
    this.#write(waiting.map(({ text }) => text).join(''))
    this.#tellMissed()
  }

  /** Keeps the connection open, and ends one on which nobody reads. */
  beat(): void {
    if (!this.#response.writableNeedDrain) this.#write(':\n\n')
    else if (++this.#silent >= MOST_SILENT) this.#response.destroy()
  }

  stop(): void {
    this.#unlisten()
  }

  /**
   * The log's events up to where the live ones begin, each once: what both have is left to the live ones. If more happens
   * meanwhile than is kept, the log is read on. Where it can't be read, the live ones come all the same.
   */
  async #recall(after: EventId, { history, run, flush, shown }: Recollection): Promise<void> {
    const types = this.#filter.types === null ? {} : { types: [...this.#filter.types, 'gap'] }
    let position = after
    let count = 0
    let incomplete: string | null = null
    try {
      const { items } = await history.runs({ run: after.run, limit: 1 })
      if (items.length === 0) {
        this.#say('stream-missed', { after: idOf(after), reason: 'the audit log has no record of that run' })
        return
      }
      for (let pass = 1; pass === 1 || (this.#missed !== null && pass <= MOST_PASSES); pass++) {
        // Where too much has come, what is kept begins anew: the log will be read from where it was.
        if (this.#missed !== null) this.#forget()
        // A question by itself waits for a busy writer only so long, and what was let go of is nowhere else.
        await Promise.race([flush(), new Promise((done) => setTimeout(done, WRITER_PATIENCE).unref())])
        const told = history.export({ after: idOf(position), ...types })
        for await (const event of told) {
          if (this.#isClosed) return
          if (event.run === run && event.seq >= (this.#collected?.[0]?.seq ?? Number.POSITIVE_INFINITY)) break
          // Another process may write a run of its own to the same log: the live events are of this one.
          if (position.run === run && event.run !== run) break
          position = { run: event.run, seq: event.seq }
          if (event.type === 'gap') this.#say('stream-missed', gapOf(event))
          else if (await this.#retell(await shown(event))) count++
        }
        incomplete = told.incomplete
        // The log may have told what is still on its way here.
        this.#hub.deliver()
      }
      this.#say('stream-resumed', { after: idOf(after), count, incomplete })
    } catch (error) {
      if (!(error instanceof HistoryError)) throw error
      this.#hub.deliver()
      this.#say('stream-missed', { after: idOf(position), reason: error.message })
    }
    if (position.run === run) this.#collected = this.#collected?.filter(({ seq }) => seq > position.seq) ?? null
  }

  #forget(): void {
    this.#collected = []
    this.#kept = 0
    this.#missed = null
  }

  async #retell(event: ExportedEvent): Promise<boolean> {
    if (!matches(event, this.#filter)) return false
    await this.#writeAll(frameOf(event).text)
    return true
  }

  #take(batch: Batch): void {
    if (this.#collected !== null) {
      this.#collect(this.#collected, batch.frames)
    } else if (this.#response.writableLength > MOST_WAITING) {
      this.#miss(batch.frames)
    } else {
      this.#response.write(batch.bytes)
    }
  }

  #collect(collected: Frame[], frames: readonly Frame[]): void {
    this.#kept += frames.reduce((sum, { text }) => sum + text.length, 0)
    if (this.#missed !== null || this.#kept > MOST_COLLECTED) this.#miss(frames)
    else collected.push(...frames)
  }

  #miss(frames: readonly Frame[]): void {
    const [first, last] = [frames[0]?.seq ?? 0, frames.at(-1)?.seq ?? 0]
    this.#missed ??= { first, last, count: 0 }
    this.#missed.last = last
    this.#missed.count += frames.length
  }

  #drained(): void {
    this.#silent = 0
    if (this.#collected === null) this.#tellMissed()
  }

  #tellMissed(): void {
    const missed = this.#missed
    if (missed === null) return
    this.#missed = null
    this.#say('stream-missed', {
      first: idOf({ run: this.#run, seq: missed.first }),
      last: idOf({ run: this.#run, seq: missed.last }),
      count: missed.count,
      reason: 'they were not read in time',
    })
  }

  /** An event about the stream itself: without an id, so that the client's place stays where it is. */
  #say(type: 'stream-missed' | 'stream-resumed', data: object): void {
    this.#write(`event: ${type}\ndata: ${JSON.stringify(data)}\n\n`)
  }

  #write(text: string): void {
    if (text !== '' && !this.#isClosed) this.#response.write(text)
  }

  /** Waits until it may write on: the log is read as fast as the client does. */
  async #writeAll(text: string): Promise<void> {
    if (this.#isClosed || this.#response.write(text)) return
    await new Promise<void>((resolve) => {
      const done = () => {
        this.#response.off('drain', done)
        this.#response.off('close', done)
        resolve()
      }
      this.#response.on('drain', done)
      this.#response.on('close', done)
    })
  }

  get #isClosed(): boolean {
    return this.#response.destroyed || this.#response.writableEnded
  }
}

function idOf({ run, seq }: EventId): string {
  return `${run}:${seq}`
}

function gapOf({ run, first, last, lost, reason }: ExportedEvent): object {
  const id = (seq: unknown) => `${run}:${String(seq)}`
  return { first: id(first), last: id(last), count: lost, reason: `they are not in the audit log: ${String(reason)}` }
}
