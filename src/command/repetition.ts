import type { Configured, CycleStarted, MuninnEvent, Remeasured, Stored } from '../event/catalogue.ts'
import type { CacheState } from '../fold/cache-state.ts'
import { NONE } from '../fold/columns.ts'
import type { Cache } from './cache.ts'
import type { Engine } from './engine.ts'

/** What a repetition needs of the manager in which it happens. */
export interface Repeating {
  readonly engine: Engine
  /** The named cache, if it is there. */
  cacheOf(name: string): Cache<never> | null
  /** That cache was dropped: what is held of it is detached. */
  forget(name: string): void
}

/** Settings that stay what they are here, whatever was recorded. */
export type Held = ReadonlySet<'policy' | 'maxItems' | 'maxMemory' | 'maxHeap'>

interface Kept {
  readonly stored: Stored
  /** ms; `Infinity`: none. */
  readonly ttl: number
}

const NOBODY = { actor: null, traceId: null }

/**
 * Does again what was asked of a recorded run, event by event, in a manager whose policy and limits may be others: what the
 * recorded one decided (whom it gave up, when a cycle began) is decided anew, and under the same settings comes to the same.
 * Time is the events'; nothing happens between them.
 */
export class Repetition {
  requests = 0
  hits = 0
  private readonly of: Repeating
  private readonly held: Held
  /** By cache and key, how it was stored last: what was a hit then and is a miss now would have been stored again. */
  private readonly kept = new Map<string, Map<string, Kept>>()
  /** By cache, keys that were missed then and are hit now: the store that follows would not have been. */
  private readonly spared = new Map<string, Set<string>>()

  constructor(of: Repeating, held: Held) {
    this.of = of
    this.held = held
    of.engine.housekeeping.holdTimers()
  }

  repeat(e: MuninnEvent): void {
    this.doAgain(e)
    this.of.engine.publisher.flush()
  }

  private doAgain(e: MuninnEvent): void {
    const { evictor, housekeeping, recorder } = this.of.engine
    switch (e.type) {
      case 'accessed':
      case 'missed':
        return this.request(e.cache, e.key, e.at, e.type === 'accessed')
      case 'added':
      case 'updated':
        return this.store(e.cache, e.key, { stored: e, ttl: e.expiresAt - e.at })
      case 'rejected':
        return this.store(e.cache, e.key, this.refused(e.cache, e.size))
      case 'expired':
        return this.expire(e.cache, e.key, e.at)
      case 'removed':
        if (e.cause === 'deleted') this.of.cacheOf(e.cache)?.delete(e.key)
        return
      case 'cleared':
        return this.of.cacheOf(e.cache)?.clear()
      case 'configured':
        return this.configure(e)
      case 'cycle-started':
        return this.force(e)
      case 'cycle-continued':
        return evictor.continueBackground(e.at)
      case 'remeasured':
        return this.remeasured(e)
      case 'checked':
        return housekeeping.check()
      case 'budget-changed':
        if (!this.held.has('maxMemory')) recorder.record({ ...e, seq: recorder.nextSeq })
        return
      case 'stats-reset':
      case 'loaded':
      case 'load-failed':
      case 'clock-changed':
        return recorder.record({ ...e, seq: recorder.nextSeq })
    }
  }

  private request(name: string, key: string, at: number, wasHit: boolean): void {
    const cache = this.of.cacheOf(name)
    if (cache === null) return
    this.requests++
    const isHit = cache.get(key) !== undefined
    if (isHit) this.hits++
    if (isHit && !wasHit) ofCache(this.spared, name, () => new Set()).add(key)
    if (isHit || !wasHit) return
    const kept = this.kept.get(name)?.get(key)
    if (kept !== undefined) cache.repeat(key, { ...kept.stored, expiresAt: at + kept.ttl })
  }

  private store(name: string, key: string, kept: Kept): void {
    const cache = this.of.cacheOf(name)
    if (cache === null) return
    ofCache(this.kept, name, () => new Map<string, Kept>()).set(key, kept)
    if (this.spared.get(name)?.delete(key) === true && cache.has(key)) return
    cache.repeat(key, kept.stored)
  }

  /** Of a refused add, the log has no more than the size. */
  private refused(name: string, size: number): Kept {
    const { state } = this.of.engine
    const ttl = state.caches.get(name)?.settings.ttl ?? Number.POSITIVE_INFINITY
    const expiresAt = state.at + ttl
    return { stored: { ...NOBODY, size, offHeap: 0, expiresAt, cost: 0, tags: null, prefix: null }, ttl }
  }

  /** As a sweep, or the call that found it: neither judges the level by itself. */
  private expire(name: string, key: string, at: number): void {
    const { state, evictor } = this.of.engine
    const found = this.find(name, key)
    if (found !== null && (state.columns.expiresAt[found.h] as number) <= at) evictor.expire(found.cache, found.h, at)
  }

  /** What changed values cost is as recorded, for those of them that are held here, and for those that may be stored again. */
  private remeasured(e: Remeasured): void {
    const { recorder, evictor, state } = this.of.engine
    const entries = e.entries.flatMap((entry) => {
      const { cache, key, size, offHeap } = entry
      const kept = this.kept.get(cache)?.get(key)
      if (kept !== undefined) this.kept.get(cache)?.set(key, { ...kept, stored: { ...kept.stored, size, offHeap } })
      const found = this.find(cache, key)
      return found === null ? [] : [{ ...entry, previousSize: state.columns.size[found.h] as number }]
    })
    recorder.record({ ...e, entries, seq: recorder.nextSeq })
    evictor.holdLimits(NOBODY)
  }

  private find(name: string, key: string): { readonly cache: CacheState; readonly h: number } | null {
    const { state } = this.of.engine
    const cache = state.caches.get(name)
    if (cache === undefined) return null
    const h = cache.index.find(key, state.hasher.hash(key))
    return h === NONE ? null : { cache, h }
  }

  private configure(e: Configured): void {
    const { recorder, evictor } = this.of.engine
    if (e.reason === 'limits') evictor.completeBackground(e.at)
    const to = Object.fromEntries(
      Object.entries(e.to).filter(([name]) => !(this.held as ReadonlySet<string>).has(name)),
    )
    recorder.record({ ...e, to, seq: recorder.nextSeq })
    if (e.reason === 'cache-dropped') for (const name of Object.keys(e.to.caches ?? {})) this.of.forget(name)
    evictor.holdLimits(NOBODY)
  }

  /** Cycles that somebody asked for, or that the process's own memory did; the others begin by themselves. */
  private force({ at, trigger, cache: name, targetBytes, targetHeapBytes }: CycleStarted): void {
    const { evictor, state } = this.of.engine
    if (trigger === 'pressure' && state.cycle === null && !this.held.has('maxMemory'))
      evictor.startBackground(trigger, at)
    const cache = name === null ? null : (state.caches.get(name) ?? null)
    if (trigger !== 'forced' || (name !== null && cache === null)) return
    evictor.runWhole({ trigger, cache, targetBytes, targetHeapBytes }, NOBODY)
  }
}

function ofCache<T>(byCache: Map<string, T>, name: string, make: () => T): T {
  const there = byCache.get(name)
  if (there !== undefined) return there
  const made = make()
  byCache.set(name, made)
  return made
}
