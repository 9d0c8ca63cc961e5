import { EVENT_TYPES, type EventType, type MuninnEvent } from '../../event/catalogue.ts'
import { redacted } from '../../event/redacted.ts'
import type { MemoryManager } from '../../muninn.ts'
import type { ExportedEvent } from '../../query/answers.ts'
import { jsonLine } from '../../query/export-text.ts'

/** Which events a listener wants; `null`: of all kinds. */
export interface EventFilter {
  readonly types: readonly EventType[] | null
  readonly cache: string | null
  /** Of the key, as it is shown: hashed, where keys are. */
  readonly prefix: string | null
}

/** An event as it goes over the wire. */
export interface Frame {
  readonly seq: number
  readonly text: string
}

/** What listeners with the same filter are told at a time, oldest first. */
export class Batch {
  readonly frames: readonly Frame[]
  #bytes: Buffer | null = null

  constructor(frames: readonly Frame[]) {
    this.frames = frames
  }

  /** Made once, however many are told. */
  get bytes(): Buffer {
    this.#bytes ??= Buffer.from(this.frames.map(({ text }) => text).join(''))
    return this.#bytes
  }
}

export type Sink = (batch: Batch) => void

interface Group {
  readonly id: string
  readonly filter: EventFilter
  readonly sinks: Set<Sink>
  /** What it is to be told next. */
  frames: Frame[]
}

/** ms between two deliveries: what happens meanwhile is told in one write. */
const PAUSE = 20
/** Events from which on they are told at once: a burst is passed on, not collected. */
const MOST_COLLECTED = 1_000

/**
 * Passes the cache's events on to many listeners at the price of one. It listens only to types that somebody wants; in
 * the cache's own time an event is put into a list and no more. It is made text once, whoever is told.
 */
export class EventHub {
  readonly #memory: MemoryManager
  readonly #failed: (error: unknown) => void
  readonly #groups = new Map<string, Group>()
  /** By type, and by type and cache: who might want an event. */
  readonly #interested = new Map<string, Group[]>()
  readonly #unlisten = new Map<EventType, () => void>()
  #collected: MuninnEvent[] = []
  #timer: NodeJS.Timeout | null = null

  constructor(memory: MemoryManager, failed: (error: unknown) => void) {
    this.#memory = memory
    this.#failed = failed
  }

  /** Tells a sink of what happens from now on, until what is returned is called. */
  listen(filter: EventFilter, sink: Sink): () => void {
    // What happened before is not for it.
    this.deliver()
    const id = JSON.stringify([filter.types, filter.cache, filter.prefix])
    const group = this.#groups.get(id) ?? this.#open({ id, filter, sinks: new Set(), frames: [] })
    group.sinks.add(sink)
    return () => {
      group.sinks.delete(sink)
      if (group.sinks.size === 0 && this.#groups.get(id) === group) this.#shut(group)
    }
  }

  #open(group: Group): Group {
    this.#groups.set(group.id, group)
    for (const type of group.filter.types ?? EVENT_TYPES) {
      const place = placeOf(type, group.filter.cache)
      this.#interested.set(place, [...(this.#interested.get(place) ?? []), group])
      if (!this.#unlisten.has(type))
        this.#unlisten.set(
          type,
          this.#memory.on(type, (event) => this.#collect(event)),
        )
    }
    return group
  }

  #shut(group: Group): void {
    this.#groups.delete(group.id)
    for (const type of group.filter.types ?? EVENT_TYPES) {
      const place = placeOf(type, group.filter.cache)
      const others = (this.#interested.get(place) ?? []).filter((other) => other !== group)
      if (others.length > 0) this.#interested.set(place, others)
      else this.#interested.delete(place)
    }
    for (const [type, unlisten] of this.#unlisten) {
      const isWanted = [...this.#groups.values()].some(({ filter }) => filter.types?.includes(type) ?? true)
      if (isWanted) continue
      unlisten()
      this.#unlisten.delete(type)
    }
  }

  #collect(event: MuninnEvent): void {
    if (this.#collected.push(event) >= MOST_COLLECTED) this.deliver()
    else this.#timer ??= setTimeout(() => this.deliver(), PAUSE).unref()
  }

  /** Tells at once what has happened. */
  deliver(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    const events = this.#collected
    if (events.length === 0) return
    this.#collected = []
    const told = new Set<Group>()
    for (const event of events) this.#guarded(() => this.#sort(event, told))
    for (const group of told) {
      const batch = new Batch(group.frames)
      group.frames = []
      for (const sink of group.sinks) this.#guarded(() => sink(batch))
    }
  }

  /** It runs from a timer, where an error would end the process. */
  #guarded(run: () => void): void {
    try {
      run()
    } catch (error) {
      this.#failed(error)
    }
  }

  #sort(event: MuninnEvent, told: Set<Group>): void {
    const any = this.#interested.get(event.type)
    const own =
      'cache' in event && event.cache !== null ? this.#interested.get(placeOf(event.type, event.cache)) : undefined
    if (any === undefined && own === undefined) return
    const shown = this.#memory.redaction === null ? event : redacted(event, this.#memory.redaction)
    let frame: Frame | null = null
    for (const groups of [any, own]) {
      for (const group of groups ?? []) {
        if (!hasPrefix(shown, group.filter.prefix)) continue
        frame ??= frameOf(exported(shown, this.#memory.runId))
        group.frames.push(frame)
        told.add(group)
      }
    }
  }
}

/** Server-sent, in the form in which the audit log's events are exported as lines: the event may be changed by it. */
export function frameOf(event: ExportedEvent): Frame {
  const { run, seq, type } = event
  return { seq, text: `id: ${run}:${seq}\nevent: ${type}\ndata: ${jsonLine(event)}\n` }
}

/** Whether a listener wants it. */
export function matches(
  event: { readonly type: string; readonly cache?: string | null; readonly key?: string | null },
  filter: EventFilter,
): boolean {
  if (filter.types !== null && !(filter.types as readonly string[]).includes(event.type)) return false
  return (filter.cache === null || event.cache === filter.cache) && hasPrefix(event, filter.prefix)
}

function hasPrefix(event: object, prefix: string | null): boolean {
  if (prefix === null) return true
  return 'key' in event && typeof event.key === 'string' && event.key.startsWith(prefix)
}

function placeOf(type: EventType, cache: string | null): string {
  return cache === null ? type : `${type} ${cache}`
}

/** In the form in which the audit log's events are exported. */
function exported(event: MuninnEvent, run: string): ExportedEvent {
  const { seq, at, type, ...rest } = event
  const evicted = type === 'evicted' ? { missedAt: null } : {}
  return { run, seq, at, type, cache: null, key: null, ...rest, ...evicted }
}
