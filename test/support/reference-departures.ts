import assert from 'node:assert/strict'
import type { EvictionTrigger } from '../../src/event/catalogue.ts'
import type { EvictionCause } from '../../src/event/vocabulary.ts'
import type { EventCursor } from './event-cursor.ts'
import { type Entry, firstToGo, scoreOf } from './reference-entries.ts'
import { ReferenceGauges } from './reference-gauges.ts'

/** Why something is evicted, as its event must say. */
export interface Why {
  readonly cause: EvictionCause
  readonly trigger: EvictionTrigger | null
  readonly cycle: string | null
}

/** How many entries a cycle has evicted, and their bytes. */
export interface Given {
  count: number
  bytes: number
}

export function nothingGiven(): Given {
  return { count: 0, bytes: 0 }
}

/** Who leaves the reference model, and what is remembered of those that were evicted. */
export class ReferenceDepartures extends ReferenceGauges {
  /** Of each evicted key that wasn't stored since: `seq` of its last eviction, and whether a miss has regretted it. */
  private readonly evictedKeys = new Map<string, { seq: number; regretted: boolean }>()
  private lastEvicted = ''

  /** A cache of the same name that is made later is another one. */
  dropCache(name: string): void {
    this.caches.delete(name)
    for (const id of this.evictedKeys.keys()) if (id.startsWith(`${name} `)) this.evictedKeys.delete(id)
    const { [name]: _, ...caches } = this.settings.caches
    this.settings = { ...this.settings, caches }
    this.usageChanged()
  }

  /** Frees one entry: one past its time, else the one that the policy gives up first. */
  free(cursor: EventCursor, own: string | null, except: Entry | undefined, why: Why, given = nothingGiven()): boolean {
    const past = this.due(own)
    if (past.length > 0) {
      this.expire(cursor, past)
      return true
    }
    const candidates = this.of(own).filter((entry) => entry !== except)
    const first = firstToGo(this.settings.policy, candidates)
    if (first === undefined) return false
    const { size } = this.evict(cursor, first, candidates, why)
    given.count++
    given.bytes += size
    return true
  }

  freeDue(cursor: EventCursor, own: string | null): boolean {
    const past = this.due(own)
    if (past.length === 0) return false
    this.expire(cursor, past)
    return true
  }

  /** One of these entries, all of which are past their time, leaves. */
  expire(cursor: EventCursor, due: readonly Entry[]): Entry {
    const told = cursor.next('expired', { at: this.now })
    const entry = due.find(({ cache, key }) => cache === told.cache && key === told.key)
    assert.ok(entry !== undefined, `${told.cache}/${told.key} is past its time at ${this.now}`)
    this.assertLeaves(told, entry)
    assert.equal(told.idle, this.now - entry.usedAt)
    this.drop(entry)
    this.figuresOf(entry.cache).counts.expiredItems++
    return entry
  }

  remove(cursor: EventCursor, entry: Entry, cause: 'deleted' | 'replaced', actor: string | null): void {
    this.assertLeaves(cursor.next('removed', { cache: entry.cache, key: entry.key, at: this.now, cause, actor }), entry)
    this.drop(entry)
    this.figuresOf(entry.cache).counts.removedItems++
  }

  regret(cache: string, key: string, seq: number | null, first: boolean): void {
    const id = `${cache} ${key}`
    const evicted = this.evictedKeys.get(id)
    if (seq === null) {
      // The table that remembers is bounded: a later eviction may have displaced an earlier one.
      assert.ok(
        evicted === undefined || id !== this.lastEvicted,
        `the miss of ${id} regrets its eviction, the last there was`,
      )
      assert.equal(first, false)
      return
    }
    assert.equal(seq, evicted?.seq, `the eviction that the miss of ${id} regrets`)
    assert.equal(first, !evicted?.regretted, `whether it is the first to regret it`)
    if (evicted !== undefined) evicted.regretted = true
    this.figuresOf(cache).counts.regrettedMisses++
  }

  /** The key is stored: whether it was evicted before matters no more. */
  forgetEviction(cache: string, key: string): void {
    this.evictedKeys.delete(`${cache} ${key}`)
  }

  private evict(cursor: EventCursor, first: Entry | null, candidates: readonly Entry[], why: Why): Entry {
    const { policy } = this.settings
    const told = cursor.next('evicted', { at: this.now, policy, ...why })
    const id = `${told.cache} ${told.key}`
    if (first !== null) assert.equal(id, `${first.cache} ${first.key}`, `whom ${policy} gives up`)
    const entry = first ?? candidates.find(({ cache, key }) => cache === told.cache && key === told.key)
    assert.ok(entry !== undefined, `${id} may be given up`)
    this.assertLeaves(told, entry)
    const { storedAt, storedBy, expiresAt, usedAt, cost, cache } = entry
    const expected = { storedAt, storedBy, idle: this.now - usedAt, ttlLeft: expiresAt - this.now, cost }
    for (const [name, value] of Object.entries(expected)) assert.equal(told[name as 'idle'], value, `evicted.${name}`)
    const score = scoreOf(policy, entry)
    if (score !== null) assert.equal(told.score, score)
    const runnerUp = firstToGo(
      policy,
      this.of(cache).filter((other) => other !== entry),
    )
    if (runnerUp !== null) assert.equal(told.runnerUp, runnerUp?.key ?? null, 'who would have gone next')
    this.drop(entry)
    const { counts } = this.figuresOf(cache)
    counts.evictedItems++
    counts.evictedBytes += entry.size
    this.evictedKeys.set(id, { seq: told.seq, regretted: false })
    this.lastEvicted = id
    this.since.lastEviction = this.now
    return entry
  }

  private assertLeaves(told: { age: number; hits: number; size: number }, entry: Entry): void {
    assert.deepEqual(
      [told.age, told.hits, told.size],
      [this.now - entry.storedAt, entry.hits, entry.size],
      `what ${entry.key} leaves behind`,
    )
  }

  private drop(entry: Entry): void {
    this.entries.splice(this.entries.indexOf(entry), 1)
    this.usageChanged()
  }
}
