import { type Channel, channel } from 'node:diagnostics_channel'
import type { Logger } from '../base/logger.ts'
import { Outside } from '../base/outside.ts'
import { EVENT_TYPES, type EventOf, type EventType, type MuninnEvent } from '../event/catalogue.ts'

/** Somebody who is told of events. `closed` from the moment it stopped listening, also in the middle of a delivery. */
export interface Sink<E> {
  /** What it returns is looked at only for being a promise that rejects. */
  readonly next: (event: E) => unknown
  readonly complete: () => void
  closed: boolean
}

/**
 * Deliveries in one go, unless more were queued when it began: a subscriber that keeps the cache busy by answering each
 * event with a call gets the rest later.
 */
const DELIVERIES_AT_ONCE = 10_000

/** Who listens to one event type: a list that is replaced, never changed, and the type's diagnostics channel. */
export class Lane<E extends MuninnEvent = MuninnEvent> {
  private readonly channel: Channel
  /** Whether there are sinks: beside the list, so that the question is small enough for V8 to inline everywhere. */
  private hasSinks = false
  private list: readonly Sink<E>[] = []

  constructor(type: EventType) {
    this.channel = channel(`muninn:${type}`)
  }

  /** Asked before each publication: with nobody there, an event is never materialised. */
  get heard(): boolean {
    return this.hasSinks || this.channel.hasSubscribers
  }

  get sinks(): readonly Sink<E>[] {
    return this.list
  }

  set sinks(sinks: readonly Sink<E>[]) {
    this.list = sinks
    this.hasSinks = sinks.length !== 0
  }

  publishOnChannel(event: E): void {
    if (this.channel.hasSubscribers) this.channel.publish(event)
  }
}

type Lanes = { readonly [T in EventType]: Lane<EventOf<T>> }

/** Slots that an emptied queue keeps. */
const KEPT = 1024

/** What is to be delivered, and to whom, in order. Emptied, it keeps its arrays: a new one per event would cost 100 ns. */
class Deliveries {
  private lanes: (Lane | undefined)[] = []
  private events: (MuninnEvent | undefined)[] = []
  private first = 0
  private end = 0

  get isEmpty(): boolean {
    return this.first === this.end
  }

  get length(): number {
    return this.end - this.first
  }

  get lane(): Lane {
    return this.lanes[this.first] as Lane
  }

  get event(): MuninnEvent {
    return this.events[this.first] as MuninnEvent
  }

  push(lane: Lane, event: MuninnEvent): void {
    this.lanes[this.end] = lane
    this.events[this.end++] = event
  }

  next(): void {
    this.events[this.first++] = undefined
    if (this.first !== this.end) return
    this.first = 0
    this.end = 0
    if (this.events.length > KEPT) {
      this.lanes = []
      this.events = []
    }
  }
}

/**
 * Tells observers, in `seq` order, after the state has taken an event in and before the outermost call returns. An
 * observer can't hurt the cache: what it throws is caught, counted and logged; what it makes the cache do happens at
 * once, and is told after the present event.
 */
export class Publisher {
  readonly lanes: Lanes
  /** Told of first regretted misses only: an audit log that listened to every miss would cost each. */
  onFirstRegret: ((event: MuninnEvent) => void) | null = null
  /** Observers that threw. */
  errors = 0
  private readonly logger: Logger
  private readonly pending = new Deliveries()
  private delivering = false
  private ending = false
  private ended = false
  private later: NodeJS.Immediate | null = null
  private overloadLogged = false
  private readonly outside = new Outside()

  constructor(logger: Logger) {
    this.logger = logger
    this.lanes = Object.fromEntries(EVENT_TYPES.map((type) => [type, new Lane(type)])) as unknown as Lanes
  }

  /** Starts telling a sink; returns what stops it. After the end, a sink is only told that it is the end. */
  attach<T extends EventType>(types: readonly T[], sink: Sink<EventOf<T>>): () => void {
    if (this.ended) {
      sink.closed = true
      this.guarded(sink.complete)
      return () => {}
    }
    for (const type of types) {
      const lane = this.lanes[type] as Lane<EventOf<T>>
      lane.sinks = [...lane.sinks, sink]
    }
    return () => {
      sink.closed = true
      for (const type of types) {
        const lane = this.lanes[type] as Lane<EventOf<T>>
        lane.sinks = lane.sinks.filter((other) => other !== sink)
      }
    }
  }

  /** Tells a plain function, until what is returned is called. */
  listen<T extends EventType>(types: readonly T[], next: (event: EventOf<T>) => unknown): () => void {
    return this.attach(types, { next, complete: () => {}, closed: false })
  }

  /** Queues an event of the lane's type for `flush`. */
  enqueue(lane: Lane, event: MuninnEvent): void {
    this.pending.push(lane, event)
  }

  /**
   * Tells an event that ends its public call: at once, where nothing waits before it and nobody is being told. Queueing
   * a new object in old arrays costs 15 ns (V8's write barrier), a quarter of what an observed hit adds.
   */
  tell(lane: Lane, event: MuninnEvent): void {
    if (this.delivering || !this.pending.isEmpty) {
      this.pending.push(lane, event)
      this.flush()
      return
    }
    this.delivering = true
    this.deliver(lane, event)
    this.delivering = false
    if (!this.pending.isEmpty || this.ending) this.drain(DELIVERIES_AT_ONCE - 1)
  }

  /** Delivers what is queued; called where the state is consistent: at the end of each public call. */
  flush(): void {
    if (this.pending.isEmpty || this.delivering) return
    this.drain(DELIVERIES_AT_ONCE)
  }

  /**
   * Delivers everything, and tells everyone that it was the last. Called from inside a subscriber, that happens after
   * the present event, unless `now`: the process exits, and nothing comes after.
   */
  complete(now: boolean): void {
    this.ending = true
    if (!this.delivering || now) this.drain(Number.POSITIVE_INFINITY)
  }

  /** Runs what an observer gave; what it throws, or rejects with later, is counted and logged. */
  guarded(run: () => unknown): void {
    try {
      const result = run()
      if (result !== undefined) this.watch(result)
    } catch (error) {
      this.failed(error)
    }
  }

  failed(error: unknown, what = 'a subscriber threw; the cache goes on'): void {
    this.errors++
    this.logger.error({ err: error }, what)
  }

  /** An async observer's rejection would end the process, as one that nobody handles. */
  private watch(result: unknown): void {
    if (result instanceof Promise) result.catch((error: unknown) => this.failed(error))
  }

  private drain(most: number): void {
    this.delivering = true
    const last = Math.max(this.pending.length, most)
    for (let delivered = 0; (delivered < last || this.ending) && !this.pending.isEmpty; delivered++) {
      const { lane, event } = this.pending
      this.pending.next()
      this.deliver(lane, event)
    }
    this.delivering = false
    if (this.ending) this.end()
    else if (!this.pending.isEmpty) this.drainLater()
  }

  private end(): void {
    if (this.ended) return
    this.ended = true
    if (this.later !== null) clearImmediate(this.later)
    const sinks = new Set<Sink<never>>(
      Object.values(this.lanes).flatMap((lane) => lane.sinks as readonly Sink<never>[]),
    )
    for (const lane of Object.values(this.lanes)) lane.sinks = []
    for (const sink of sinks) {
      if (!sink.closed) this.guarded(() => sink.complete())
      sink.closed = true
    }
  }

  private deliver(lane: Lane, event: MuninnEvent): void {
    const { sinks } = lane
    for (let i = 0; i < sinks.length; i++) {
      const { closed, next } = sinks[i] as Sink<MuninnEvent>
      if (closed) continue
      try {
        const result = next(event)
        if (result !== undefined) this.watch(result)
      } catch (error) {
        this.failed(error)
      }
    }
    if (this.onFirstRegret !== null && event.type === 'missed' && event.firstRegret) this.onFirstRegret(event)
    lane.publishOnChannel(event)
  }

  private drainLater(): void {
    if (!this.overloadLogged) {
      this.overloadLogged = true
      this.logger.warn(
        { queued: this.pending.length },
        `more than ${DELIVERIES_AT_ONCE} events in one go: the rest is delivered from setImmediate (logged once)`,
      )
    }
    this.later ??= setImmediate(() =>
      this.outside.run(() => {
        this.later = null
        this.flush()
      }),
    ).unref()
  }
}
