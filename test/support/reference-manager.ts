import assert from 'node:assert/strict'
import type { CacheSettings, Settings } from '../../src/base/settings.ts'
import type { CycleStarted, EvictionTrigger } from '../../src/event/catalogue.ts'
import {
  type EvictionCause,
  LEVELS,
  type LimitName,
  PEAK_METRICS,
  type PeakMetric,
} from '../../src/event/vocabulary.ts'
import type { EventCursor } from './event-cursor.ts'
import { type CacheFigures, type Entry, firstToGo, noFigures, noSample, scoreOf } from './reference-entries.ts'

/** Entries of one slice of a cycle, and of what a write frees of what is past its time. */
const SLICE = 128
/** ms for which usage must be below a level, where checks are off. */
const CALM = 30_000

/** What is about to be stored. */
export interface Store {
  readonly value: unknown
  readonly size: number
  readonly offHeap: number
  readonly ttl: number | undefined
  readonly cost: number
  readonly tags: readonly string[]
  readonly actor: string | null
}

interface Why {
  readonly cause: EvictionCause
  readonly trigger: EvictionTrigger | null
  readonly cycle: string | null
}

/** How many and how much a cycle has given up: what was evicted, and what was past its time besides. */
interface Given {
  evicted: { count: number; bytes: number }
  expired: { count: number; bytes: number }
}

interface Cycle {
  readonly started: CycleStarted
  readonly given: Given
}

/**
 * What a memory manager must do, written from the specification with plain arrays and O(n) searches. It is told of each
 * call and reads along the events of the real one, each of which must be the one that is due. Where the specification
 * leaves the choice open (which of several entries past their time, whom `hybrid` evicts), it follows, if the choice is
 * among those allowed.
 */
export class ReferenceManager {
  settings: Settings
  now: number
  /** Of all caches, in the order in which they were added. */
  entries: Entry[] = []
  readonly caches = new Map<string, CacheFigures>()
  cycle: Cycle | null = null
  level = 0
  private readonly belowSince = [0, 0, 0, 0]
  readonly peaks: Record<PeakMetric, { value: number; at: number; told: number }>
  private uses = 0
  /** Of each evicted key that wasn't stored since: `seq` of its last eviction, and whether a miss has regretted it. */
  private readonly evictedKeys = new Map<string, { seq: number; regretted: boolean }>()
  private lastEvicted = ''

  constructor(settings: Settings, now: number) {
    this.settings = settings
    this.now = now
    this.belowSince.fill(now)
    this.peaks = {
      bytes: { value: 0, at: 0, told: 0 },
      heap_bytes: { value: 0, at: 0, told: 0 },
      items: { value: 0, at: 0, told: 0 },
    }
    for (const [name, cache] of Object.entries(settings.caches)) this.makeCache(name, cache)
  }

  /** The clock, as the manager reads it: whole milliseconds, never backwards, and never NaN. */
  clockIs(time: number): void {
    this.now = Math.max(this.now, Math.floor(time))
  }

  makeCache(name: string, settings: CacheSettings): void {
    this.caches.set(name, { settings, counts: noFigures(), sample: noSample() })
    this.settings = { ...this.settings, caches: { ...this.settings.caches, [name]: settings } }
    this.usageChanged()
  }

  /** A cache of the same name that is made later is another one. */
  dropCache(name: string): void {
    this.caches.delete(name)
    for (const id of this.evictedKeys.keys()) if (id.startsWith(`${name} `)) this.evictedKeys.delete(id)
    const { [name]: _, ...caches } = this.settings.caches
    this.settings = { ...this.settings, caches }
    this.usageChanged()
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

  figuresOf(cache: string): CacheFigures {
    return this.caches.get(cache) as CacheFigures
  }

  of(cache: string | null): Entry[] {
    return cache === null ? this.entries : this.entries.filter((entry) => entry.cache === cache)
  }

  find(cache: string, key: string): Entry | undefined {
    return this.entries.find((entry) => entry.cache === cache && entry.key === key)
  }

  /** The entry, unless it is past its time. */
  live(cache: string, key: string): Entry | undefined {
    const entry = this.find(cache, key)
    return entry !== undefined && entry.expiresAt > this.now ? entry : undefined
  }

  bytes(cache: string | null = null): number {
    return this.of(cache).reduce((sum, { size }) => sum + size, 0)
  }

  heapBytes(): number {
    return this.entries.reduce((sum, { size, offHeap }) => sum + size - offHeap, 0)
  }

  usage(): number {
    return Math.max(this.bytes() / this.settings.maxMemory, this.heapBytes() / this.settings.maxHeap)
  }

  due(cache: string | null = null): Entry[] {
    return this.of(cache).filter(({ expiresAt }) => expiresAt <= this.now)
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
    const gone = this.of(cache)
    cursor.next('cleared', { cache, at: this.now, count: gone.length, bytes: this.bytes(cache) })
    this.figuresOf(cache).counts.removedItems += gone.length
    this.entries = this.entries.filter((entry) => entry.cache !== cache)
    this.usageChanged()
    this.judge(cursor)
  }

  resetStats(cursor: EventCursor): void {
    cursor.next('stats-reset', { at: this.now })
    for (const figures of this.caches.values()) figures.counts = noFigures()
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
      else if (type === 'checked') this.checked(cursor)
      else if (type === 'cycle-continued') this.continueCycle(cursor)
      else {
        assert.equal(type, 'warned', 'what happens without a call')
        assert.ok(this.judge(cursor), 'the level has changed')
      }
    }
  }

  /** A whole cycle: down to targets, or with `null` to the limits. Returns its completion. */
  runWhole(
    cursor: EventCursor,
    cache: string | null,
    target: { bytes: number; heap: number } | null,
    by: string | null,
  ) {
    const trigger = target === null ? 'limit-lowered' : 'forced'
    const { maxMemory, maxHeap, policy } = this.settings
    const before = { items: this.entries.length, bytes: this.bytes(), usage: this.usage() }
    const { items, bytes, usage } = before
    const started = cursor.next('cycle-started', {
      at: this.now,
      trigger,
      policy,
      cache,
      items,
      bytes,
      usage,
      actor: by,
    })
    const { cycle, targetBytes, targetHeapBytes } = started
    assertNear(targetBytes, target === null ? maxMemory : target.bytes, 'the target in bytes')
    assertNear(targetHeapBytes, target === null ? maxHeap : target.heap, 'the target in heap bytes')
    const why: Why = { cause: trigger, trigger: null, cycle }
    const given = nothingGiven()
    if (target === null) this.evictToLimits(cursor, why, given)
    const reached = (): boolean =>
      this.bytes(cache) <= targetBytes && (cache !== null || this.heapBytes() <= targetHeapBytes)
    while (!reached() && this.free(cursor, cache, undefined, why, given)) {}
    const completed = cursor.next('cycle-completed', {
      cycle,
      trigger,
      policy,
      cache,
      usageBefore: usage,
      usageAfter: this.usage(),
      at: this.now,
    })
    assertGiven(completed, given)
    return completed
  }

  /** Ends the cycle that goes on between calls, if there is one. */
  completeCycle(cursor: EventCursor): void {
    if (this.cycle === null) return
    const { started, given } = this.cycle
    const { cycle, trigger, policy, usage } = started
    const completed = cursor.next('cycle-completed', {
      cycle,
      trigger,
      policy,
      cache: null,
      usageBefore: usage,
      usageAfter: this.usage(),
      at: this.now,
    })
    assertGiven(completed, given)
    this.cycle = null
  }

  /** Judges the level; returns whether it changed. */
  judge(cursor: EventCursor): boolean {
    const usage = this.usage()
    const thresholds = this.thresholds()
    const from = this.level
    while (this.level < 3 && usage >= (thresholds[this.level + 1] as number)) this.level++
    const calm = this.settings.checkInterval === 0 ? CALM : this.settings.checkInterval
    if (this.level === from) {
      while (this.level > 0 && this.now - (this.belowSince[this.level] as number) >= calm) this.level--
    }
    if (this.level === from) return false
    const rising = this.level > from
    const to = LEVELS[this.level] as 'normal'
    cursor.next('warned', {
      at: this.now,
      level: rising ? (to as never) : 'recovered',
      from: LEVELS[from] as 'normal',
      to,
      usage,
      threshold: thresholds[rising ? this.level : this.level + 1] as number,
      bytes: this.bytes(),
      heapBytes: this.heapBytes(),
    })
    this.tellPeaks(cursor)
    return true
  }

  tellPeaks(cursor: EventCursor): void {
    for (const metric of PEAK_METRICS) {
      const peak = this.peaks[metric]
      if (peak.value <= peak.told) continue
      cursor.next('peaked', { at: this.now, metric, value: peak.value, previous: peak.told, peakedAt: peak.at })
      peak.told = peak.value
    }
  }

  /** The limit that present contents break, as the cache itself sees it, or `null`. */
  exceeded(cache: string): LimitName | null {
    const limits = this.figuresOf(cache).settings
    if (this.of(cache).length > limits.maxItems) return 'cache-items'
    if (this.bytes(cache) > limits.maxMemory) return 'cache-memory'
    if (this.entries.length > this.settings.maxItems) return 'items'
    if (this.bytes() > this.settings.maxMemory) return 'memory'
    return this.heapBytes() > this.settings.maxHeap ? 'heap' : null
  }

  /** Keeps time of the levels: to be called with each change of usage or of the thresholds. */
  usageChanged(): void {
    const usage = this.usage()
    for (const [rank, threshold] of this.thresholds().entries()) {
      if (usage >= threshold) this.belowSince[rank] = Number.POSITIVE_INFINITY
      else if (this.belowSince[rank] === Number.POSITIVE_INFINITY) this.belowSince[rank] = this.now
    }
  }

  private thresholds(): readonly number[] {
    return [0, this.settings.memoryThreshold, 0.9, 0.95]
  }

  private use(entry: Entry): void {
    entry.uses++
    entry.recency = ++this.uses
    entry.usedAt = this.now
  }

  private measure(): void {
    const measured: Record<PeakMetric, number> = {
      bytes: this.bytes(),
      heap_bytes: this.heapBytes(),
      items: this.entries.length,
    }
    for (const metric of PEAK_METRICS) {
      if (measured[metric] > this.peaks[metric].value)
        Object.assign(this.peaks[metric], { value: measured[metric], at: this.now })
    }
  }

  private regret(cache: string, key: string, seq: number | null, first: boolean): void {
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
      if (this.cycle !== null) this.slice(cursor, bytes - this.bytes(), heapBytes - this.heapBytes(), replaced, trigger)
    }
    for (let limit = this.broken(cache, store, replaced); limit !== null; limit = this.broken(cache, store, replaced)) {
      const own = limit.startsWith('cache-') ? cache : null
      const why: Why = { cause: limit, trigger, cycle: null }
      const made = settings.onFull === 'evict' ? this.free(cursor, own, replaced, why) : this.freeDue(cursor, own)
      if (!made) return { reason: 'full' as const, limitName: limit }
    }
    return null
  }

  private impossible(cache: string, size: number, offHeap: number): LimitName {
    if (size > this.figuresOf(cache).settings.maxMemory) return 'cache-memory'
    return size > this.settings.maxMemory ? 'memory' : this.impossibleOnHeap(size - offHeap)
  }

  private impossibleOnHeap(heapBytes: number): LimitName {
    assert.ok(heapBytes > this.settings.maxHeap)
    return 'heap'
  }

  /** The first limit that storing would break now. */
  private broken(cache: string, { size, offHeap }: Store, replaced: Entry | undefined): LimitName | null {
    const others = this.entries.filter((entry) => entry !== replaced)
    const own = others.filter((entry) => entry.cache === cache)
    const limits = this.figuresOf(cache).settings
    const sum = (entries: readonly Entry[], of: (entry: Entry) => number): number =>
      entries.reduce((total, entry) => total + of(entry), 0)
    if (own.length + 1 > limits.maxItems) return 'cache-items'
    if (sum(own, (entry) => entry.size) + size > limits.maxMemory) return 'cache-memory'
    if (others.length + 1 > this.settings.maxItems) return 'items'
    if (sum(others, (entry) => entry.size) + size > this.settings.maxMemory) return 'memory'
    return sum(others, (entry) => entry.size - entry.offHeap) + size - offHeap > this.settings.maxHeap ? 'heap' : null
  }

  private limitValue(cache: string, name: LimitName): number {
    const { settings } = this.figuresOf(cache)
    const { maxMemory, maxHeap, maxItems } = this.settings
    return {
      memory: maxMemory,
      heap: maxHeap,
      items: maxItems,
      'cache-items': settings.maxItems,
      'cache-memory': settings.maxMemory,
    }[name]
  }

  /** Whether a write after which so much is held starts a cycle; an item above the target doesn't. */
  private startsCycle(size: number, offHeap: number, bytes: number, heapBytes: number): boolean {
    const { evictionThreshold, evictionTarget, maxMemory, maxHeap } = this.settings
    if (evictionThreshold === 1 || size > evictionTarget * maxMemory || size - offHeap > evictionTarget * maxHeap)
      return false
    return bytes >= evictionThreshold * maxMemory || heapBytes >= evictionThreshold * maxHeap
  }

  private startCycle(cursor: EventCursor): void {
    const { policy, evictionTarget, maxMemory, maxHeap } = this.settings
    const started = cursor.next('cycle-started', {
      at: this.now,
      trigger: 'threshold',
      policy,
      cache: null,
      bytes: this.bytes(),
      items: this.entries.length,
      usage: this.usage(),
    })
    assertNear(started.targetBytes, evictionTarget * maxMemory, 'the target in bytes')
    assertNear(started.targetHeapBytes, evictionTarget * maxHeap, 'the target in heap bytes')
    this.cycle = { started, given: nothingGiven() }
  }

  /** At most a slice of the cycle that runs; what is to be stored counts as there already. */
  private slice(
    cursor: EventCursor,
    bytes: number,
    heapBytes: number,
    replaced: Entry | undefined,
    trigger: EvictionTrigger | null,
  ): void {
    const { started, given } = this.cycle as Cycle
    const reached = (): boolean =>
      this.bytes() + bytes <= started.targetBytes && this.heapBytes() + heapBytes <= started.targetHeapBytes
    const why: Why = { cause: 'threshold', trigger, cycle: started.cycle }
    for (let freed = 0; freed < SLICE && !reached(); freed++) {
      if (!this.free(cursor, null, replaced, why, given)) break
    }
    if (reached() || this.entries.length === 0) this.completeCycle(cursor)
  }

  private continueCycle(cursor: EventCursor): void {
    assert.ok(this.cycle !== null, 'a cycle runs')
    const { cycle } = this.cycle.started
    const continued = cursor.next('cycle-continued', { cycle, at: this.now, usage: this.usage() })
    assertGiven(continued, this.cycle.given)
    this.slice(cursor, 0, 0, undefined, null)
  }

  private evictToLimits(cursor: EventCursor, why: Why, given: Given): void {
    for (const cache of this.caches.keys()) {
      for (let limit = this.exceeded(cache); limit !== null; limit = this.exceeded(cache)) {
        if (!this.free(cursor, limit.startsWith('cache-') ? cache : null, undefined, why, given)) break
      }
    }
  }

  /** Frees one entry: one past its time, else the one that the policy gives up first. */
  private free(
    cursor: EventCursor,
    own: string | null,
    except: Entry | undefined,
    why: Why,
    given = nothingGiven(),
  ): boolean {
    const past = this.due(own)
    if (past.length > 0) {
      count(given.expired, this.expire(cursor, past))
      return true
    }
    const candidates = this.of(own).filter((entry) => entry !== except)
    const first = firstToGo(this.settings.policy, candidates)
    if (first === undefined) return false
    count(given.evicted, this.evict(cursor, first, candidates, why))
    return true
  }

  private freeDue(cursor: EventCursor, own: string | null): boolean {
    const past = this.due(own)
    if (past.length === 0) return false
    this.expire(cursor, past)
    return true
  }

  /** One of these entries, all of which are past their time, leaves. */
  private expire(cursor: EventCursor, due: readonly Entry[]): Entry {
    const told = cursor.next('expired', { at: this.now })
    const entry = due.find(({ cache, key }) => cache === told.cache && key === told.key)
    assert.ok(entry !== undefined, `${told.cache}/${told.key} is past its time at ${this.now}`)
    this.assertLeaves(told, entry)
    assert.equal(told.idle, this.now - entry.usedAt)
    this.drop(entry)
    this.figuresOf(entry.cache).counts.expiredItems++
    return entry
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
    return entry
  }

  private remove(cursor: EventCursor, entry: Entry, cause: 'deleted' | 'replaced', actor: string | null): void {
    this.assertLeaves(cursor.next('removed', { cache: entry.cache, key: entry.key, at: this.now, cause, actor }), entry)
    this.drop(entry)
    this.figuresOf(entry.cache).counts.removedItems++
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

  private store(cursor: EventCursor, cache: string, key: string, store: Store, replaced: Entry | undefined): void {
    const figures = this.figuresOf(cache)
    const { value, size, offHeap, cost, tags, actor } = store
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
    const stored = { value, size, offHeap, expiresAt, storedAt: this.now, storedBy: actor, cost, tags, hits: 0 }
    const entry: Entry = replaced ?? { cache, key, uses: 0, recency: 0, usedAt: 0, ...stored }
    Object.assign(entry, stored)
    this.use(entry)
    if (replaced === undefined) this.entries.push(entry)
    this.evictedKeys.delete(`${cache} ${key}`)
    this.usageChanged()
    this.measure()
  }

  private checked(cursor: EventCursor): void {
    assert.equal(this.due().length, 0, 'a check frees what is past its time')
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
      told.caches.map(({ writers, ...rest }) => rest),
      expected,
      'what the caches did since the last check',
    )
    for (const figures of this.caches.values()) figures.sample = noSample()
    this.tellPeaks(cursor)
  }
}

function nothingGiven(): Given {
  return { evicted: { count: 0, bytes: 0 }, expired: { count: 0, bytes: 0 } }
}

function count(given: { count: number; bytes: number }, { size }: Entry): void {
  given.count++
  given.bytes += size
}

/** A cycle says how many it evicted; it may count what was past its time, too. */
function assertGiven(told: { readonly count: number; readonly bytes: number }, { evicted, expired }: Given): void {
  for (const figure of ['count', 'bytes'] as const) {
    const allowed = [evicted[figure], evicted[figure] + expired[figure]]
    assert.ok(
      allowed.includes(told[figure]),
      `a cycle gave up ${told[figure]} (${figure}), not one of ${allowed.join(', ')}`,
    )
  }
}

/** Shares of a budget are rounded to whole bytes. */
function assertNear(told: number, expected: number, what: string): void {
  assert.ok(told === expected || Math.abs(told - expected) <= 1, `${what}: ${told}, not some ${expected}`)
}
