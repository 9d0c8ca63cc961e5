import { type Eviction, evictedEvent, expiredEvent, removedEvent } from '../decide/departure.ts'
import type * as Event from '../event/catalogue.ts'
import type { EvictionCause } from '../event/vocabulary.ts'
import { apply } from '../fold/apply.ts'
import type { CacheState } from '../fold/cache-state.ts'
import { NONE } from '../fold/columns.ts'
import type { State } from '../fold/state.ts'
import type { Lane, Publisher } from '../observe/publisher.ts'
import type { Attribution } from './actor.ts'
import type { ShadowCaches } from './shadow-caches.ts'

/** Events about one entry: these have methods of their own, which are given what the operation has looked up already. */
type EntryEventType = 'accessed' | 'missed' | 'added' | 'updated' | 'expired' | 'evicted' | 'removed'

/**
 * The one way of every event: folded into the state, then, if somebody listens, made an object and published. Nothing
 * else writes state. An event about one entry goes through a method of its own; every other through `record`.
 * Nine of ten events are never seen by anyone: as objects they would take half of the time of a hit.
 */
export class Recorder {
  readonly state: State
  readonly publisher: Publisher
  /** The values by handle, beside the state: values are in no event. */
  readonly values: unknown[] = []
  /** Candidates that are tried on the same traffic. */
  shadows: ShadowCaches | null = null

  private readonly onAccessed: Lane
  private readonly onMissed: Lane
  private readonly onAdded: Lane
  private readonly onUpdated: Lane
  private readonly onExpired: Lane
  private readonly onEvicted: Lane
  private readonly onRemoved: Lane

  constructor(state: State, publisher: Publisher) {
    this.state = state
    this.publisher = publisher
    const { lanes } = publisher
    this.onAccessed = lanes.accessed as Lane
    this.onMissed = lanes.missed as Lane
    this.onAdded = lanes.added as Lane
    this.onUpdated = lanes.updated as Lane
    this.onExpired = lanes.expired as Lane
    this.onEvicted = lanes.evicted as Lane
    this.onRemoved = lanes.removed as Lane
  }

  get nextSeq(): number {
    return this.state.seq + 1
  }

  /** Whether anybody is told of evictions, so that it is worth saying for whom they are. */
  get tellsEvictions(): boolean {
    return this.onEvicted.heard
  }

  /** The end of its call: it is told already. */
  accessed(at: number, cache: CacheState, key: string, h: number, hash: number): void {
    const { state } = this
    const seq = state.seq + 1
    state.accessed(seq, at, cache, h, hash)
    if (this.shadows !== null) this.shadows.requested(cache, key, hash, h, at)
    if (this.onAccessed.heard) this.tellAccessed(seq, at, cache, key, h)
  }

  /** Of an absent key, the end of its call: it is told already. */
  missed(at: number, cache: CacheState, key: string, hash: number, check: number, cause: Event.Missed['cause']): void {
    const { state } = this
    const seq = state.seq + 1
    const evictedSeq = state.regrets.find(hash ^ cache.salt, check)
    state.missed(seq, at, cache, hash, evictedSeq)
    if (this.shadows !== null) this.shadows.requested(cache, key, hash, NONE, at)
    if (this.onMissed.heard || (evictedSeq > 0 && this.publisher.onFirstRegret !== null))
      this.tellMissed(seq, at, cache, key, cause, evictedSeq)
  }

  /** Returns the handle of the new entry. */
  added(
    at: number,
    cache: CacheState,
    key: string,
    hash: number,
    check: number,
    stored: Event.Stored,
    value: unknown,
  ): number {
    const { state } = this
    const seq = state.seq + 1
    const h = state.added(seq, at, cache, key, hash, check, stored)
    this.values[h] = value
    if (this.shadows !== null) this.shadows.stored(cache, key, hash, true, stored, at)
    if (this.onAdded.heard) this.tellAdded(seq, at, cache, key, stored)
    return h
  }

  updated(at: number, cache: CacheState, key: string, h: number, stored: Event.Stored, value: unknown): void {
    const { state } = this
    const seq = state.seq + 1
    if (this.onUpdated.heard) this.tellUpdated(seq, at, cache, key, h, stored)
    state.updated(seq, at, cache, key, h, stored)
    this.values[h] = value
    if (this.shadows !== null) this.shadows.stored(cache, key, state.columns.hash[h] as number, false, stored, at)
  }

  expired(at: number, cache: CacheState, h: number): void {
    const { state } = this
    const seq = state.seq + 1
    if (this.onExpired.heard) this.publisher.enqueue(this.onExpired, expiredEvent(state, cache, h, seq, at))
    state.expired(seq, at, cache, h)
    this.values[h] = undefined
  }

  evicted(
    at: number,
    cache: CacheState,
    h: number,
    cause: EvictionCause,
    trigger: Eviction['trigger'],
    cycle: string | null,
  ): void {
    const { state } = this
    const seq = state.seq + 1
    if (this.onEvicted.heard)
      this.publisher.enqueue(this.onEvicted, evictedEvent(state, cache, h, { cause, trigger, cycle }, seq, at))
    state.evicted(seq, at, cache, h, cause, cycle)
    this.values[h] = undefined
  }

  removed(at: number, cache: CacheState, h: number, cause: Event.Removed['cause'], by: Attribution): void {
    const { state } = this
    const seq = state.seq + 1
    if (this.onRemoved.heard) this.publisher.enqueue(this.onRemoved, removedEvent(state, cache, h, cause, by, seq, at))
    const { columns } = state
    if (this.shadows !== null && cause === 'deleted')
      this.shadows.removed(cache, columns.keys[h] as string, columns.hash[h] as number, at)
    state.removed(seq, at, cache, h)
    this.values[h] = undefined
  }

  /** Every other event, numbered `nextSeq` by its maker. */
  record(e: Exclude<Event.MuninnEvent, { type: EntryEventType }>): void {
    if (e.type === 'cleared')
      for (const h of this.state.caches.get(e.cache)?.handles() ?? []) this.values[h] = undefined
    apply(this.state, e)
    if (this.shadows !== null) {
      if (e.type === 'cleared') this.shadows.cleared(e.cache, e.at)
      else if (e.type === 'configured' || e.type === 'budget-changed') this.shadows.configured(e.at)
      else if (e.type === 'stats-reset') this.shadows.reset()
    }
    const lane = this.publisher.lanes[e.type] as Lane
    if (lane.heard) this.publisher.enqueue(lane, e)
  }

  // What an event says, apart from what it does: nine of ten are never told, and V8 inlines what is small.

  private tellAccessed(seq: number, at: number, cache: CacheState, key: string, h: number): void {
    const age = at - (this.state.columns.storedAt[h] as number)
    this.publisher.tell(this.onAccessed, { seq, at, type: 'accessed', cache: cache.name, key, age })
  }

  private tellMissed(
    seq: number,
    at: number,
    cache: CacheState,
    key: string,
    cause: Event.Missed['cause'],
    evictedSeq: number,
  ): void {
    const regret = evictedSeq === 0 ? null : Math.abs(evictedSeq)
    const firstRegret = evictedSeq > 0
    const event: Event.Missed = { seq, at, type: 'missed', cache: cache.name, key, cause, regret, firstRegret }
    if (cause === 'absent') this.publisher.tell(this.onMissed, event)
    else this.publisher.enqueue(this.onMissed, event)
  }

  private tellAdded(seq: number, at: number, cache: CacheState, key: string, stored: Event.Stored): void {
    // Written out, as in `tellUpdated`: what `stored` is the next operation uses again, and a spread would take 60 ns or more.
    const { size, offHeap, expiresAt, cost, prefix, actor, traceId } = stored
    const tags = copyOf(stored.tags)
    this.publisher.enqueue(this.onAdded, {
      seq,
      at,
      type: 'added',
      cache: cache.name,
      key,
      size,
      offHeap,
      expiresAt,
      cost,
      tags,
      prefix,
      actor,
      traceId,
    })
  }

  /** Before the state takes it in, which knows what was there. */
  private tellUpdated(seq: number, at: number, cache: CacheState, key: string, h: number, stored: Event.Stored): void {
    const { size, offHeap, expiresAt, cost, prefix, actor, traceId } = stored
    const tags = copyOf(stored.tags)
    const { columns } = this.state
    this.publisher.enqueue(this.onUpdated, {
      seq,
      at,
      type: 'updated',
      cache: cache.name,
      key,
      size,
      offHeap,
      expiresAt,
      cost,
      tags,
      prefix,
      actor,
      traceId,
      previousSize: columns.size[h] as number,
      previousAge: at - (columns.storedAt[h] as number),
      previousHits: columns.hits[h] as number,
    })
  }
}

/** An event's own: whoever is told of it may change it. */
function copyOf(tags: readonly string[] | null): readonly string[] | null {
  return tags === null ? null : [...tags]
}
