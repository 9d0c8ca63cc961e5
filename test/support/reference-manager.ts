import assert from 'node:assert/strict'
import type { Settings } from '../../src/base/settings.ts'
import type { EvictionTrigger } from '../../src/event/catalogue.ts'
import { LEVELS, PEAK_METRICS } from '../../src/event/vocabulary.ts'
import type { EventCursor } from './event-cursor.ts'
import type { Store } from './reference-contents.ts'
import { ReferenceCycles, SLICE } from './reference-cycles.ts'
import type { Why } from './reference-departures.ts'
import { type Entry, noFigures, noSample } from './reference-entries.ts'

/** What a check sizes again: entries at most, and what a value costs as it is now. */
export interface Remeasures {
  readonly sample: number
  charge(value: unknown, key: string): { size: number; offHeap: number }
}

/**
 * What a memory manager must do, written from the specification with plain arrays and O(n) searches. It is told of each
 * call and reads along the events of the real one, each of which must be the one that is due. Where the specification
 * leaves the choice open (which of several entries past their time, whom `hybrid` evicts), it follows, if the choice is
 * among those allowed.
 */
export class ReferenceManager extends ReferenceCycles {
  private uses = 0
  private readonly remeasures: Remeasures

  constructor(settings: Settings, now: number, remeasures: Remeasures) {
    super(settings, now)
    this.remeasures = remeasures
  }

  /** Takes over new settings; returns the names of the caches that they bring. */
  configure(settings: Settings): string[] {
    this.settings = settings
    const made = Object.keys(settings.caches).filter((name) => !this.caches.has(name))
    for (const [name, cache] of Object.entries(settings.caches)) {
      if (made.includes(name)) this.makeCache(name, cache)
      else this.figuresOf(name).settings = cache
    }
    this.usageChanged()
    return made
  }

  get(cursor: EventCursor, cache: string, key: string): unknown {
    const { counts, sample } = this.figuresOf(cache)
    const entry = this.find(cache, key)
    if (entry !== undefined && entry.expiresAt > this.now) {
      cursor.next('accessed', { cache, key, at: this.now, age: this.now - entry.storedAt })
      entry.hits++
      this.use(entry)
      counts.hits++
      sample.hits++
      return entry.value
    }
    if (entry !== undefined) this.expire(cursor, [entry])
    counts.misses++
    sample.misses++
    const cause = entry === undefined ? 'absent' : 'expired'
    const missed = cursor.next('missed', { cache, key, at: this.now, cause })
    this.regret(cache, key, missed.regret, missed.firstRegret)
    if (entry !== undefined) this.judge(cursor)
    return undefined
  }

  /** Returns whether it must be stored. */
  set(cursor: EventCursor, cache: string, key: string, store: Store): boolean {
    let replaced = this.find(cache, key)
    if (replaced !== undefined && replaced.expiresAt <= this.now) {
      this.expire(cursor, [replaced])
      replaced = undefined
    }
    const refusal = this.makeRoom(cursor, cache, key, store, replaced)
    if (refusal !== null) {
      if (replaced !== undefined) this.remove(cursor, replaced, 'replaced', store.actor)
      const limit = this.limitValue(cache, refusal.limitName)
      cursor.next('rejected', { cache, key, at: this.now, size: store.size, actor: store.actor, limit, ...refusal })
      this.figuresOf(cache).counts.rejectedItems++
    } else {
      this.store(cursor, cache, key, store, replaced)
    }
    this.judge(cursor)
    return refusal === null
  }

  delete(cursor: EventCursor, cache: string, key: string): boolean {
    const entry = this.find(cache, key)
    if (entry === undefined) return false
    const live = entry.expiresAt > this.now
    if (live) this.remove(cursor, entry, 'deleted', null)
    else this.expire(cursor, [entry])
    this.judge(cursor)
    return live
  }

  clear(cursor: EventCursor, cache: string): void {
    this.empty(cursor, cache)
    this.judge(cursor)
  }

  /** The part of `clear` that `drop` has, too. */
  empty(cursor: EventCursor, cache: string): void {
    const gone = this.of(cache)
    cursor.next('cleared', { cache, at: this.now, count: gone.length, bytes: this.bytes(cache) })
    this.figuresOf(cache).counts.removedItems += gone.length
    this.entries = this.entries.filter((entry) => entry.cache !== cache)
    this.usageChanged()
  }

  resetStats(cursor: EventCursor): void {
    cursor.next('stats-reset', { at: this.now })
    for (const figures of this.caches.values()) figures.counts = noFigures()
    this.since = { cycles: 0, warnings: 0, lastEviction: null }
    for (const metric of PEAK_METRICS) Object.assign(this.peaks[metric], { value: 0, told: 0 })
    this.measure()
  }

  check(cursor: EventCursor): void {
    while (this.due().length > 0) this.expire(cursor, this.due())
    this.checked(cursor)
    this.judge(cursor)
  }

  /** What timers did: sweeps, checks and the idle slices of a cycle, in whatever order they came. */
  background(cursor: EventCursor): void {
    for (let type = cursor.coming; type !== null; type = cursor.coming) {
      if (type === 'expired') this.expire(cursor, this.due())
      else if (type === 'checked' || type === 'remeasured') this.checked(cursor)
      else if (type === 'cycle-continued') this.continueCycle(cursor)
      else {
        assert.equal(type, 'warned', 'what happens without a call')
        assert.ok(this.judge(cursor), 'the level has changed')
      }
    }
  }

  private makeRoom(cursor: EventCursor, cache: string, key: string, store: Store, replaced: Entry | undefined) {
    const { settings } = this
    const { size, offHeap } = store
    const alone = [settings.maxMemory, this.figuresOf(cache).settings.maxMemory]
    if (alone.some((limit) => size > limit) || size - offHeap > settings.maxHeap) {
      return { reason: 'too-large' as const, limitName: this.impossible(cache, size, offHeap) }
    }
    for (let freed = 0; freed < SLICE && this.due().length > 0; freed++) this.expire(cursor, this.due())
    const trigger: EvictionTrigger = { cache, key, size }
    if (settings.onFull === 'evict') {
      const bytes = this.bytes() - (replaced?.size ?? 0) + size
      const heapBytes =
        this.heapBytes() - (replaced === undefined ? 0 : replaced.size - replaced.offHeap) + size - offHeap
      if (this.cycle === null && this.startsCycle(size, offHeap, bytes, heapBytes)) this.startCycle(cursor)
      if (this.cycle !== null && this.fitsTarget(size, offHeap))
        this.slice(cursor, bytes - this.bytes(), heapBytes - this.heapBytes(), replaced, trigger)
    }
    for (let limit = this.broken(cache, store, replaced); limit !== null; limit = this.broken(cache, store, replaced)) {
      const own = limit.startsWith('cache-') ? cache : null
      const why: Why = { cause: limit, trigger, cycle: null }
      const made = settings.onFull === 'evict' ? this.free(cursor, own, replaced, why) : this.freeDue(cursor, own)
      if (!made) return { reason: 'full' as const, limitName: limit }
    }
    return null
  }

  private store(cursor: EventCursor, cache: string, key: string, store: Store, replaced: Entry | undefined): void {
    const figures = this.figuresOf(cache)
    const { value, size, offHeap, isStated, cost, tags, actor } = store
    const expiresAt = this.now + (store.ttl ?? figures.settings.ttl)
    const fields = {
      cache,
      key,
      at: this.now,
      size,
      offHeap,
      expiresAt,
      cost,
      tags: tags.length === 0 ? null : tags,
      actor,
    }
    if (replaced === undefined) {
      cursor.next('added', fields)
      figures.counts.added++
    } else {
      const previous = {
        previousSize: replaced.size,
        previousAge: this.now - replaced.storedAt,
        previousHits: replaced.hits,
      }
      cursor.next('updated', { ...fields, ...previous })
      figures.counts.updated++
    }
    figures.sample.bytesAdded += size
    const stored = {
      value,
      size,
      offHeap,
      isStated,
      expiresAt,
      storedAt: this.now,
      storedBy: actor,
      cost,
      tags,
      hits: 0,
    }
    const entry: Entry = replaced ?? { cache, key, uses: 0, recency: 0, usedAt: 0, ...stored }
    Object.assign(entry, stored)
    this.use(entry)
    if (replaced === undefined) this.entries.push(entry)
    this.forgetEviction(cache, key)
    this.usageChanged()
    this.measure()
  }

  private use(entry: Entry): void {
    entry.uses++
    entry.recency = ++this.uses
    entry.usedAt = this.now
  }

  private checked(cursor: EventCursor): void {
    assert.equal(this.due().length, 0, 'a check frees what is past its time')
    this.remeasure(cursor)
    this.sampled(cursor)
    this.tellPeaks(cursor)
  }

  /** Which entries are sized again is open; of these, all that cost something else now are told, and charged that. */
  private remeasure(cursor: EventCursor): void {
    const { sample, charge } = this.remeasures
    const unstated = this.entries.filter(({ isStated }) => !isStated)
    if (sample === 0 || unstated.length === 0) return
    const { sampled, bytesBefore, bytesAfter, entries } = cursor.next('remeasured', { at: this.now })
    const isWhole = sample >= this.entries.length
    assert.ok(isWhole ? sampled === unstated.length : sampled > 0 && sampled <= unstated.length, 'how many are sized')
    const changed = unstated.filter((entry) => !isCharged(entry, charge(entry.value, entry.key)))
    if (isWhole) assert.equal(entries.length, changed.length, 'all that changed are told')
    let grown = 0
    for (const { cache, key, previousSize, ...now } of entries) {
      const entry = changed.find((one) => one.cache === cache && one.key === key)
      assert.ok(entry !== undefined, `${cache}/${key} costs something else now`)
      assert.deepEqual({ previousSize, ...now }, { previousSize: entry.size, ...charge(entry.value, key) })
      changed.splice(changed.indexOf(entry), 1)
      grown += now.size - previousSize
      this.figuresOf(cache).sample.bytesAdded += Math.max(0, now.size - previousSize)
      Object.assign(entry, now)
      this.usageChanged()
      this.measure()
    }
    assert.equal(bytesAfter - bytesBefore, grown, 'what those that were sized cost more')
    if ([...this.caches.keys()].some((name) => this.exceeded(name) !== null)) this.runWhole(cursor, null, null, null)
  }

  /** What the caches did since the last sample: at each check, and at the end. */
  sampled(cursor: EventCursor): void {
    const items = this.entries.length
    const level = LEVELS[this.level] as 'normal'
    const told = cursor.next('checked', {
      at: this.now,
      bytes: this.bytes(),
      heapBytes: this.heapBytes(),
      items,
      usage: this.usage(),
      level,
    })
    const expected = [...this.caches].map(([cache, { sample }]) => ({
      cache,
      items: this.of(cache).length,
      bytes: this.bytes(cache),
      ...sample,
    }))
    assert.deepEqual(
      told.caches.map(({ writers, curve, ...rest }) => rest),
      expected,
      'what the caches did since the last check',
    )
    for (const figures of this.caches.values()) figures.sample = noSample()
    this.lastCheck = this.now
  }
}

function isCharged(entry: Entry, { size, offHeap }: { size: number; offHeap: number }): boolean {
  return entry.size === size && entry.offHeap === offHeap
}
