import type { ServerResponse } from 'node:http'
import { redacted } from '../../event/redacted.ts'
import type { MemoryManager } from '../../muninn.ts'
import type { ExportedEvent, History } from '../../query/answers.ts'
import { type EventFilter, EventHub } from './event-hub.ts'
import { type EventId, EventListener, type Recollection } from './event-listener.ts'
import { ProblemError } from './problem.ts'

/** Clients at a time: each may have a megabyte waiting. */
const MOST_LISTENERS = 2_000
/** ms: shorter than the idle timeouts of proxies. */
const HEARTBEAT = 15_000

/** The clients that listen to the live events, and what they share. */
export class EventStreams {
  readonly #memory: MemoryManager
  readonly #hub: EventHub
  readonly #listeners = new Map<EventListener, ServerResponse>()
  #heart: NodeJS.Timeout | null = null

  /** @param failed told of what goes wrong where nobody waits for an answer. */
  constructor(memory: MemoryManager, failed: (error: unknown) => void) {
    this.#memory = memory
    this.#hub = new EventHub(memory, failed)
  }

  get size(): number {
    return this.#listeners.size
  }

  /** @throws {ProblemError} where there are too many. */
  demandRoom(): void {
    if (this.#listeners.size < MOST_LISTENERS) return
    throw new ProblemError('unavailable', `${MOST_LISTENERS} clients listen already: come again later`)
  }

  /** Tells a client of events until it goes; its response is this one's from now on. */
  async add(response: ServerResponse, filter: EventFilter, after: EventId | null): Promise<void> {
    const { history, runId } = this.#memory
    const listener = new EventListener(this.#hub, filter, response, runId)
    this.#listeners.set(listener, response)
    this.#heart ??= setInterval(() => this.#beat(), HEARTBEAT).unref()
    response.on('error', () => response.destroy())
    response.on('close', () => {
      listener.stop()
      this.#listeners.delete(listener)
    })
    await listener.start(after, history === null ? null : this.#recollection(history))
  }

  /** Ends every stream: clients come back, here or to what comes after, with the last id that they have seen. */
  close(): void {
    if (this.#heart !== null) clearInterval(this.#heart)
    for (const response of this.#listeners.values()) response.end()
  }

  #beat(): void {
    for (const listener of this.#listeners.keys()) listener.beat()
  }

  /** A run whose keys are not hashed may be in a log of one that hashes them: they don't leave as they are. */
  #recollection(history: History): Recollection {
    const { redaction, runId } = this.#memory
    const isHashed = new Map<string, Promise<boolean>>()
    const asked = (run: string) => {
      const known =
        isHashed.get(run) ?? history.runs({ run, limit: 1 }).then(({ items }) => items[0]?.redaction != null)
      isHashed.set(run, known)
      return known
    }
    const shown = async (event: ExportedEvent) =>
      redaction === null || (await asked(event.run)) ? event : redacted(event, redaction)
    return { history, run: runId, flush: () => this.#memory.flush(), shown }
  }
}
