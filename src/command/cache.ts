import { NEAR } from '../base/clock.ts'
import type { Stored } from '../event/catalogue.ts'
import type { LimitName, RejectionReason } from '../event/vocabulary.ts'
import type { CacheState } from '../fold/cache-state.ts'
import { NONE } from '../fold/columns.ts'
import type { State } from '../fold/state.ts'
import type { Attribution } from './actor.ts'
import { Draft } from './draft.ts'
import type { Engine } from './engine.ts'
import {
  actorIn,
  checkAnnotations,
  checkFunction,
  checkKey,
  checkOptions,
  checkSetOptions,
  checkTtl,
  checkValue,
  cloneOf,
  type SetOptions,
} from './entry-options.ts'
import { type Loader, Loading, type LoadOptions } from './loading.ts'
import { makeRoom, type Refusal } from './making-room.ts'

/** What became of a `put`. */
export interface PutResult {
  readonly stored: boolean
  /** Why it was not stored; `null` if it was, or if the cache is closed. */
  readonly reason: RejectionReason | null
  readonly limit: LimitName | null
}

/** What is known of one entry; times in epoch ms, `Infinity` for never. */
export interface EntryInfo {
  /** Bytes charged. */
  readonly size: number
  /** Those of them that lie outside the V8 heap. */
  readonly offHeap: number
  readonly storedAt: number
  readonly expiresAt: number
  /** Hits since the value was stored. */
  readonly hits: number
  readonly lastAccess: number
  /** `seq` of the last use: the order of recency, where milliseconds are too coarse. */
  readonly lastUse: number
  readonly cost: number
  readonly tags: readonly string[]
  /** What the policy compares, in its own unit: see the policy. */
  readonly score: number
}

const STORED: PutResult = { stored: true, reason: null, limit: null }
const CLOSED: PutResult = { stored: false, reason: null, limit: null }
const NO_OPTIONS: SetOptions = {}

/**
 * A named cache: a `Map` with a memory budget that it shares with the other caches of its manager. Made by
 * `memory.cache(name)`.
 */
export class Cache<V = unknown> implements Iterable<[string, V]> {
  readonly name: string
  private readonly engine: Engine
  private readonly state: State
  /** What the present `put` is about to store; used again by the next. */
  private readonly draft: Draft
  private readonly loading: Loading<V>
  /** What is known of it; an empty one, known to nobody else, after `detach`. */
  private cache: CacheState
  private attached = true
  /** Key and hashes of the last miss: the `set` that mostly follows need not hash again. */
  private missedKey = ''
  private missedHash: number
  private missedCheck: number
  /** The miss's own event: while it is the last, the key is still absent. */
  private missedSeq = -1

  /** @internal */
  constructor(engine: Engine, cache: CacheState) {
    this.name = cache.name
    this.engine = engine
    this.state = engine.state
    this.cache = cache
    this.draft = new Draft(engine.sizing)
    this.loading = new Loading(this, engine)
    this.missedHash = this.state.hasher.hash('')
    this.missedCheck = this.state.hasher.checkOf('')
  }

  /** The value, or `undefined`; counts as an access. */
  get(key: string): V | undefined {
    checkKey(key)
    const { engine, cache, state } = this
    const hash = state.hasher.hash(key)
    const h = cache.index.find(key, hash)
    if (h === NONE) {
      this.miss(key, hash, 'absent', engine.clock.read())
      return undefined
    }
    const { columns } = state
    const expiresAt = columns.expiresAt[h] as number
    let at = engine.clock.read()
    if (expiresAt - at < NEAR) {
      at = engine.clock.refresh()
      if (expiresAt <= at) {
        engine.evictor.expire(cache, h, at)
        this.miss(key, hash, 'expired', at)
        engine.settle(at)
        return undefined
      }
    }
    const { recorder } = engine
    const value = recorder.values[h] as V
    recorder.accessed(at, cache, key, h, hash)
    return value
  }

  /** The value, or `undefined`; changes nothing and is no access. */
  peek(key: string): V | undefined {
    const h = this.live(key)
    return h === NONE ? undefined : (this.engine.recorder.values[h] as V)
  }

  /** Whether a value is there; changes nothing and is no access. */
  has(key: string): boolean {
    return this.live(key) !== NONE
  }

  /**
   * Stores a value; returns whether it was stored. After a refused overwrite the older value is gone, never stale.
   *
   * @throws {InvalidEntryError} for a bad key, value, size or TTL, and where a size function throws; nothing has changed.
   */
  set(key: string, value: V, options?: SetOptions): boolean {
    return this.put(key, value, options).stored
  }

  /** As `set`, and says why where it was not stored. */
  put(key: string, value: V, options: SetOptions = NO_OPTIONS): PutResult {
    return this.store(key, value, options, null)
  }

  /** @internal Of what a load has brought, nothing is stored if its key was set, deleted or cleared since it began. */
  store(key: string, value: V, options: SetOptions, load: { readonly outdated: boolean } | null): PutResult {
    checkKey(key)
    checkValue(value)
    // All that may run the user's code comes first, each option read once: it may throw, or call this cache.
    checkOptions(options)
    const { ttl: statedTtl, size: statedSize, cost, tags, actor } = options
    if (cost !== undefined || tags !== undefined || actor !== undefined) checkAnnotations(cost, tags, actor)
    const ttl = statedTtl === undefined ? this.cache.settings.ttl : checkTtl(statedTtl)
    const ownTags = tags === undefined || tags.length === 0 ? null : [...tags]
    // The user's rule runs before anything is decided: it may call the cache.
    const prefix = this.engine.prefix?.(key) ?? null
    const { draft } = this
    const held = this.engine.clone ? cloneOf(value) : value
    draft.charge(key, held, statedSize, this.state.settings.policy)
    const { size, offHeap } = draft
    if (!this.attached || load?.outdated === true) return CLOSED
    if (this.loading.isBusy) this.loading.outdate(key)

    const { engine, state, cache } = this
    const at = ttl < NEAR ? engine.clock.refresh() : engine.clock.read()
    const justMissed = key === this.missedKey
    const hash = justMissed ? this.missedHash : state.hasher.hash(key)
    const check = justMissed ? this.missedCheck : state.hasher.checkOf(key)
    let h = justMissed && state.seq === this.missedSeq ? NONE : cache.index.find(key, hash)
    if (h !== NONE && (state.columns.expiresAt[h] as number) <= at) {
      engine.evictor.expire(cache, h, at)
      h = NONE
    }
    const by = engine.actors.attribution(actor)
    const refusal = makeRoom(engine, cache, key, size, offHeap, h, at)
    if (refusal !== null) return this.refuse(key, size, h, refusal, by, at)
    draft.annotate(at + ttl, cost ?? 0, ownTags, prefix, by)
    if (h === NONE) h = engine.recorder.added(at, cache, key, hash, check, draft, held)
    else engine.recorder.updated(at, cache, key, h, draft, held)
    engine.remeasuring.stored(h, statedSize !== undefined)
    if (ttl !== Number.POSITIVE_INFINITY && !engine.housekeeping.expectsExpiry) engine.housekeeping.expectExpiry()
    engine.settle(at)
    return STORED
  }

  /** Removes an entry; returns whether a live one was there. */
  delete(key: string, options: { actor?: string } = NO_OPTIONS): boolean {
    checkKey(key)
    const actor = actorIn(options)
    if (!this.attached) return false
    this.loading.outdate(key)
    const { engine, cache, state } = this
    const h = cache.index.find(key, state.hasher.hash(key))
    if (h === NONE) return false
    const at = engine.clock.refresh()
    const live = (state.columns.expiresAt[h] as number) > at
    if (live) {
      const by = engine.actors.attribution(actor)
      engine.recorder.removed(at, cache, h, 'deleted', by)
    } else {
      engine.evictor.expire(cache, h, at)
    }
    engine.settle(at)
    return live
  }

  /** Removes all entries; some 1 s per million. */
  clear(options: { actor?: string } = NO_OPTIONS): void {
    const actor = actorIn(options)
    if (!this.attached) return
    const at = this.engine.clock.refresh()
    this.empty(at, this.engine.actors.attribution(actor))
    this.engine.settle(at)
  }

  /** @internal Clears it without telling anyone yet. */
  empty(at: number, { actor, traceId }: Attribution): void {
    this.loading.outdateAll()
    const { cache, engine } = this
    const { items: count, bytes } = cache
    engine.recorder.record({
      seq: engine.recorder.nextSeq,
      at,
      type: 'cleared',
      cache: this.name,
      count,
      bytes,
      actor,
      traceId,
    })
  }

  /** The value, or what `make` returns, which is stored, unless it is `undefined`, and returned stored or not. */
  getOrInsert(key: string, make: (key: string) => V, options: SetOptions = NO_OPTIONS): V {
    checkFunction(make, 'make')
    checkSetOptions(options)
    const held = this.get(key)
    if (held !== undefined) return held
    const made = make(key)
    if (made !== undefined) this.put(key, made, options)
    return made
  }

  /**
   * The value, or what `loader` resolves to, which is stored, if its key was not set, deleted or cleared meanwhile. Calls
   * for one key share one load.
   */
  getOrLoad(key: string, loader: Loader<V>, options: LoadOptions = {}): Promise<V> {
    return this.loading.getOrLoad(key, loader, options)
  }

  /** Entries that occupy memory, those past their time and not yet freed included. */
  get size(): number {
    return this.cache.items
  }

  /** Bytes charged for them. */
  get bytes(): number {
    return this.cache.bytes
  }

  /** What is known of an entry, or `undefined`; no access. */
  info(key: string): EntryInfo | undefined {
    const h = this.live(key)
    if (h === NONE) return undefined
    const { columns, policy } = this.state
    return {
      size: columns.size[h] as number,
      offHeap: this.state.offHeapOf(h),
      storedAt: columns.storedAt[h] as number,
      expiresAt: columns.expiresAt[h] as number,
      hits: columns.hits[h] as number,
      lastAccess: columns.usedAt[h] as number,
      lastUse: columns.usedSeq[h] as number,
      cost: this.state.costOf(h),
      tags: [...(columns.tags[h] ?? [])],
      score: policy.score(h),
    }
  }

  *keys(): MapIterator<string> {
    for (const h of this.liveHandles()) yield h.key
  }

  *values(): MapIterator<V> {
    for (const { h } of this.liveHandles()) yield this.engine.recorder.values[h] as V
  }

  *entries(): MapIterator<[string, V]> {
    for (const { h, key } of this.liveHandles()) yield [key, this.engine.recorder.values[h] as V]
  }

  [Symbol.iterator](): MapIterator<[string, V]> {
    return this.entries()
  }

  forEach(callback: (value: V, key: string, cache: this) => void, thisArg?: unknown): void {
    for (const [key, value] of this.entries()) callback.call(thisArg, value, key, this)
  }

  /** @internal Stores what a recording says was stored, at its charge; the value is `true`. */
  repeat(key: string, { size, offHeap, expiresAt, cost, tags, prefix, actor, traceId }: Stored): void {
    const { engine, state, cache, draft } = this
    const at = engine.clock.refresh()
    const hash = state.hasher.hash(key)
    const check = state.hasher.checkOf(key)
    let h = cache.index.find(key, hash)
    if (h !== NONE && (state.columns.expiresAt[h] as number) <= at) {
      engine.evictor.expire(cache, h, at)
      h = NONE
    }
    const by = { actor, traceId }
    const refusal = makeRoom(engine, cache, key, size, offHeap, h, at)
    if (refusal !== null) {
      this.refuse(key, size, h, refusal, by, at)
      return
    }
    draft.size = size
    draft.offHeap = offHeap
    draft.annotate(expiresAt, cost, tags, prefix, by)
    if (h === NONE) engine.recorder.added(at, cache, key, hash, check, draft, true)
    else engine.recorder.updated(at, cache, key, h, draft, true)
    engine.settle(at)
  }

  /** @internal From now on reads miss and writes return false. */
  detach(empty: CacheState): void {
    this.attached = false
    this.cache = empty
    this.loading.release()
  }

  /** @internal */
  get isAttached(): boolean {
    return this.attached
  }

  private miss(key: string, hash: number, cause: 'absent' | 'expired', at: number): void {
    this.missedKey = key
    this.missedHash = hash
    // Nothing was hashed since `hash` was.
    this.missedCheck = this.state.hasher.checkOf(key)
    if (!this.attached) return
    const { recorder } = this.engine
    this.missedSeq = recorder.nextSeq
    recorder.missed(at, this.cache, key, hash, this.missedCheck, cause)
  }

  private refuse(
    key: string,
    size: number,
    h: number,
    refusal: Refusal,
    by: { actor: string | null; traceId: string | null },
    at: number,
  ): PutResult {
    const { engine, cache, state } = this
    const { actor, traceId } = by
    if (h !== NONE) engine.recorder.removed(at, cache, h, 'replaced', by)
    engine.recorder.record({
      seq: state.seq + 1,
      at,
      type: 'rejected',
      cache: this.name,
      key,
      size,
      ...refusal,
      actor,
      traceId,
    })
    engine.settle(at)
    return { stored: false, reason: refusal.reason, limit: refusal.limitName }
  }

  private live(key: string): number {
    checkKey(key)
    const { cache, state } = this
    const h = cache.index.find(key, state.hasher.hash(key))
    return h !== NONE && !this.engine.clock.hasPassed(state.columns.expiresAt[h] as number) ? h : NONE
  }

  /**
   * In the order in which they were added, as a `Map`'s: what left or expired since the iteration began is passed over,
   * what came since is seen.
   */
  private *liveHandles(): Generator<{ h: number; key: string }> {
    const { columns } = this.state
    let seen = 0
    for (;;) {
      const { cache } = this
      const { added } = cache.counts
      const since = seen
      const entries = cache
        .handles()
        .map((h) => ({ h, addedSeq: columns.addedSeq[h] as number, key: columns.keys[h] as string }))
        .filter(({ addedSeq }) => addedSeq > since)
      for (const { h, addedSeq, key } of entries) {
        seen = addedSeq
        const present =
          this.cache === cache &&
          columns.addedSeq[h] === addedSeq &&
          cache.index.find(key, this.state.hasher.hash(key)) === h
        if (present && !this.engine.clock.hasPassed(columns.expiresAt[h] as number)) yield { h, key }
      }
      if (this.cache.counts.added === added) return
    }
  }
}
