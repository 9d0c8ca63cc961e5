import type { CacheSettings, Settings } from '../base/settings.ts'
import type * as Event from '../event/catalogue.ts'
import type { DivisionUnit, EvictionCause } from '../event/vocabulary.ts'
import { CacheState } from './cache-state.ts'
import { Columns } from './columns.ts'
import { Division } from './division.ts'
import { KeyHasher } from './hash.ts'
import { LevelState, rankOf } from './levels.ts'
import { Limits } from './limits.ts'
import { Peaks } from './peaks.ts'
import { POLICY_CLASSES } from './policies/policies.ts'
import type { Policy } from './policies/policy.ts'
import { Regrets } from './regrets.ts'
import { AgeHistogram, Counts, EvictionRate } from './statistics.ts'

/** Caches that have a miss-ratio curve, at most, and the keys that each and all of them may follow: 3 MB in all. */
const MOST_CURVES = 8
const MOST_KEYS_A_CURVE = 8_192
const KEYS_OF_CURVES = 16_384

/** An eviction cycle that goes on between calls. */
export interface RunningCycle {
  readonly started: Event.CycleStarted
  count: number
  bytes: number
}

const NO_CEILING: Event.Budgets = { maxMemory: Number.POSITIVE_INFINITY, maxHeap: Number.POSITIVE_INFINITY }

/** A sample of entries that were sized again: what they were charged when they were stored, and what they are now. */
export interface SizeDrift {
  readonly at: number
  readonly sampled: number
  readonly changed: number
  readonly bytesBefore: number
  readonly bytesAfter: number
}

/** Who an event is about: the cache, and the entry's handle (`NONE` before it is there). */
type Entry = number

/**
 * All that is known, as a fold of the events: entries, indexes, orders, totals, levels, peaks and statistics. One
 * written-out method per event type, which calls the owners of the parts in a stated order; that is the fastest shape
 * in V8 and the best documentation. The caller gives the cache and handle that it has looked up already;
 * `apply` looks them up, for folding a recorded run. Nothing else writes state, and nothing here decides. What happens to
 * one entry comes as the event's fields, not as an object: V8 would allocate one, observed or not, half of a hit's time.
 */
export class State {
  readonly seed: number
  readonly columns: Columns
  readonly caches = new Map<string, CacheState>()
  /** The same, to be walked without an iterator. */
  cacheList: readonly CacheState[] = []
  settings: Settings
  /** Above which pressure lets no budget rise; `Infinity` where the process has room. */
  ceiling: Event.Budgets = NO_CEILING
  readonly limits: Limits
  policy: Policy
  /** Number of the last event folded, and its time. */
  seq = 0
  at = 0
  items = 0
  bytes = 0
  /** Bytes of the entries outside the V8 heap. */
  offHeapBytes = 0
  readonly regrets: Regrets
  readonly hasher: KeyHasher
  levels: LevelState
  readonly peaks = new Peaks()
  evictionRate = new EvictionRate()
  evictionAges = new AgeHistogram()
  cycle: RunningCycle | null = null
  cycles = 0
  warnings = 0
  cyclesAtReset = 0
  warningsAtReset = 0
  /** What the last sample of entries that were sized again showed. */
  drift: SizeDrift | null = null
  /** NaN: none yet. A number always: V8 would allocate one per store into a field that may be null. */
  lastEviction = Number.NaN
  lastCheck: number | null = null
  lastReset: number | null = null
  lastLevelAt = 0
  bytesAtLevel = 0
  heapBytesAtLevel = 0
  wallOffset = 0
  /** No entry of any cache expires before this; may be too early, never too late. */
  soonestExpiry = Number.POSITIVE_INFINITY
  stopped = false
  /** Counts of caches that were dropped: the books of the run go on without them. */
  readonly dropped = new Counts()
  droppedAtReset = new Counts()
  /** How the caches divide what they have in common; `null`: they don't. */
  division: Division | null = null
  /** `seq` from which on that is compared anew. */
  private comparesAt = Number.POSITIVE_INFINITY
  private evictedBefore: Readonly<Record<DivisionUnit, number>> = { items: 0, bytes: 0 }
  private cachesMade = 0

  constructor(started: Pick<Event.Started, 'seed' | 'settings' | 'at'>) {
    const { settings } = started
    this.seed = started.seed
    this.hasher = new KeyHasher(started.seed)
    // Whoever is told of an event may change it: what is kept of it is a copy.
    this.settings = { ...settings, caches: copied(settings.caches) }
    this.limits = new Limits(settings, NO_CEILING)
    this.columns = new Columns(settings.maxItems)
    this.policy = new POLICY_CLASSES[settings.policy](this.columns, settings)
    this.regrets = new Regrets(settings.maxItems)
    this.levels = new LevelState(settings.memoryThreshold)
    this.at = started.at
    this.lastLevelAt = started.at
    for (const [name, cache] of Object.entries(this.settings.caches)) this.addCache(name, cache)
    this.shareRoom()
  }

  get heapBytes(): number {
    return this.bytes - this.offHeapBytes
  }

  /** What adds are held to: the stated budgets, or what pressure leaves of them. */
  get effective(): Event.Budgets {
    const { settings, ceiling } = this
    return {
      maxMemory: Math.min(settings.maxMemory, ceiling.maxMemory),
      maxHeap: Math.min(settings.maxHeap, ceiling.maxHeap),
    }
  }

  /** The larger of bytes over the budget and heap bytes over the heap budget, 0–1 (above, after a limit was lowered). */
  get usage(): number {
    return Math.max(this.bytes / this.settings.maxMemory, this.heapBytes / this.settings.maxHeap)
  }

  /** What each cache holds now. */
  holdings(): Event.CacheHolding[] {
    return this.cacheList.map(({ name, items, bytes }) => ({ cache: name, items, bytes }))
  }

  offHeapOf(h: Entry): number {
    return this.columns.offHeap.length === 0 ? 0 : (this.columns.offHeap[h] as number)
  }

  costOf(h: Entry): number {
    return this.columns.cost.length === 0 ? 0 : (this.columns.cost[h] as number)
  }

  accessed(seq: number, at: number, cache: CacheState, h: Entry, hash: number): void {
    this.seq = seq
    this.at = at
    const columns = this.columns
    const previous = columns.usedSeq[h] as number
    columns.usedAt[h] = at
    columns.usedSeq[h] = seq
    columns.hits[h] = (columns.hits[h] as number) + 1
    cache.order.used(h, previous)
    cache.counts.hits++
    if (hash <= cache.followedUpTo) cache.requested(hash, at, true)
  }

  /** @param regret `seq` of the eviction that the miss regrets, or 0. */
  missed(seq: number, at: number, cache: CacheState, hash: number, regret: number): void {
    this.seq = seq
    this.at = at
    if (cache.adapting !== null) cache.adapting.missed(hash, at)
    cache.counts.misses++
    if (hash <= cache.followedUpTo) cache.requested(hash, at, false)
    if (regret !== 0) {
      cache.counts.regrettedMisses++
      if (this.regrets.regretted(hash ^ cache.salt, regret)) cache.counts.regrettedEvictions++
    }
  }

  /** Returns the handle of the new entry. */
  added(
    seq: number,
    at: number,
    cache: CacheState,
    key: string,
    hash: number,
    check: number,
    stored: Event.Stored,
  ): Entry {
    const { columns } = this
    const h = columns.take()
    columns.keys[h] = key
    columns.hash[h] = hash
    columns.check[h] = check
    columns.addedSeq[h] = seq
    columns.carried[h] = 1
    cache.index.insert(h)
    cache.counts.added++
    this.items++
    this.hold(seq, at, cache, key, h, stored, stored.size, stored.offHeap)
    cache.order.added(h, seq)
    if (seq >= this.comparesAt) this.compareShares()
    return h
  }

  updated(seq: number, at: number, cache: CacheState, key: string, h: Entry, stored: Event.Stored): void {
    const { columns } = this
    const previousSize = columns.size[h] as number
    const previousUse = columns.usedSeq[h] as number
    if (this.peaks.isFresh && stored.size < previousSize) this.peaks.keep(this.holdings())
    cache.order.updating(h)
    cache.unschedule(h)
    columns.carried[h] = Math.min(columns.uses(h) + 1, 0xffffffff)
    cache.counts.updated++
    cache.counts.bytesLeft += previousSize
    this.hold(seq, at, cache, key, h, stored, stored.size - previousSize, stored.offHeap - this.offHeapOf(h))
    cache.order.updated(h, previousUse)
  }

  expired(seq: number, at: number, cache: CacheState, h: Entry): void {
    cache.counts.expired++
    this.left(seq, at, cache, h, null)
  }

  evicted(seq: number, at: number, cache: CacheState, h: Entry, cause: EvictionCause, cycle: string | null): void {
    if (this.cycle !== null && this.cycle.started.cycle === cycle) {
      this.cycle.count++
      this.cycle.bytes += this.columns.size[h] as number
    }
    this.left(seq, at, cache, h, cause)
  }

  removed(seq: number, at: number, cache: CacheState, h: Entry): void {
    cache.counts.removed++
    this.left(seq, at, cache, h, null)
  }

  cleared(e: Event.Cleared, cache: CacheState): void {
    this.happened(e)
    cache.counts.cleared += e.count
    for (const h of cache.handles()) this.left(e.seq, e.at, cache, h, null)
  }

  rejected(e: Event.Rejected, cache: CacheState): void {
    this.happened(e)
    cache.counts.rejected++
  }

  warned(e: Event.Warned): void {
    this.happened(e)
    this.levels.changed(rankOf(e.to))
    if (e.level !== 'recovered') this.warnings++
    this.lastLevelAt = e.at
    this.bytesAtLevel = this.bytes
    this.heapBytesAtLevel = this.heapBytes
    for (const cache of this.caches.values()) {
      cache.bytesAddedAtLevel = cache.counts.bytesAdded
      cache.writersAtLevel = counted(cache)
    }
  }

  cycleStarted(e: Event.CycleStarted): void {
    this.happened(e)
    this.cycles++
    if (e.trigger === 'threshold' || e.trigger === 'pressure') this.cycle = { started: { ...e }, count: 0, bytes: 0 }
  }

  cycleCompleted(e: Event.CycleCompleted): void {
    this.happened(e)
    if (this.cycle?.started.cycle === e.cycle) this.cycle = null
  }

  checked(e: Event.Checked): void {
    this.happened(e)
    this.lastCheck = e.at
    for (const cache of this.caches.values()) {
      cache.countsAtCheck = cache.counts.copy()
      cache.writersAtCheck = counted(cache)
    }
    this.passTime(e.at)
  }

  peaked(e: Event.Peaked): void {
    this.happened(e)
    this.peaks.by[e.metric].told = e.value
  }

  remeasured(e: Event.Remeasured): void {
    this.happened(e)
    const { sampled, bytesBefore, bytesAfter, entries } = e
    this.drift = { at: e.at, sampled, changed: entries.length, bytesBefore, bytesAfter }
  }

  /** What an entry is charged changes; it is no use of it. */
  resized(at: number, cache: CacheState, h: Entry, to: Event.Resized): void {
    const grown = to.size - (this.columns.size[h] as number)
    const grownOffHeap = to.offHeap - this.offHeapOf(h)
    if (this.peaks.isFresh && grown < 0) this.peaks.keep(this.holdings())
    const ordered = this.policy.name === 'size'
    if (ordered) cache.order.updating(h)
    this.columns.size[h] = to.size
    this.columns.setOffHeap(h, to.offHeap)
    if (ordered) cache.order.updated(h, this.columns.usedSeq[h] as number)
    cache.order.resized?.(to.size - grown, to.size)
    cache.curve?.resized(this.columns.hash[h] as number, to.size)
    if (grown > 0) cache.counts.bytesAdded += grown
    else cache.counts.bytesLeft -= grown
    cache.bytes += grown
    this.bytes += grown
    this.offHeapBytes += grownOffHeap
    this.peaks.measured(this.bytes, this.heapBytes, this.items, at)
    if (this.levels.rank !== 0) this.levels.usageIs(this.usage, at)
  }

  configured(e: Event.Configured): void {
    this.happened(e)
    const { caches, ...rest } = e.to
    const known: Record<string, CacheSettings> = { ...this.settings.caches }
    for (const [name, settings] of Object.entries(caches ?? {})) {
      const cache = this.caches.get(name)
      if (settings === null) {
        delete known[name]
        this.caches.delete(name)
        this.cacheList = [...this.caches.values()]
        if (cache !== undefined) this.dropped.add(cache.counts, 1)
      } else {
        known[name] = { ...settings }
        if (cache === undefined) this.addCache(name, { ...settings })
        else cache.settings = { ...settings }
      }
    }
    this.settings = { ...this.settings, ...rest, caches: known }
    this.limits.set(this.settings, this.ceiling)
    if (rest.memoryThreshold !== undefined) this.levels.thresholds[1] = rest.memoryThreshold
    if (rest.policy !== undefined && rest.policy !== this.policy.name) {
      this.policy = new POLICY_CLASSES[rest.policy](this.columns, this.settings)
      for (const cache of this.caches.values()) cache.reorder(this.policy)
    }
    if (caches !== undefined || rest.policy !== undefined) this.shareRoom()
    this.levels.usageIs(this.usage, e.at)
  }

  budgetChanged(e: Event.BudgetChanged): void {
    this.happened(e)
    const { to, stated } = e
    this.settings = { ...this.settings, ...stated }
    this.ceiling = {
      maxMemory: to.maxMemory < stated.maxMemory ? to.maxMemory : Number.POSITIVE_INFINITY,
      maxHeap: to.maxHeap < stated.maxHeap ? to.maxHeap : Number.POSITIVE_INFINITY,
    }
    this.limits.set(this.settings, this.ceiling)
    this.levels.usageIs(this.usage, e.at)
  }

  adapted(e: Event.Adapted, cache: CacheState): void {
    this.happened(e)
    cache.adapting?.change(e.to, e.at)
  }

  divided(e: Event.Divided): void {
    this.happened(e)
    this.division?.divided(e)
  }

  clockChanged(e: Event.ClockChanged): void {
    this.happened(e)
    this.wallOffset = e.to
  }

  statsReset(e: Event.StatsReset): void {
    this.happened(e)
    this.lastReset = e.at
    this.cyclesAtReset = this.cycles
    this.warningsAtReset = this.warnings
    this.droppedAtReset = this.dropped.copy()
    this.lastEviction = Number.NaN
    this.evictionRate = new EvictionRate()
    this.evictionAges = new AgeHistogram()
    this.peaks.reset(this.bytes, this.heapBytes, this.items, e.at)
    for (const cache of this.caches.values()) cache.countsAtReset = cache.counts.copy()
  }

  stoppedRun(e: Event.Stopped): void {
    this.happened(e)
    this.stopped = true
  }

  /** Events that are only told: they change nothing but the number and time of the last event. */
  happened(e: Event.MuninnEvent): void {
    this.seq = e.seq
    this.at = e.at
  }

  private addCache(name: string, settings: CacheSettings): void {
    const expected = Math.min(this.settings.maxItems, settings.maxItems)
    const size = Number.isFinite(expected) ? expected : 0
    this.caches.set(name, new CacheState(name, ++this.cachesMade, settings, this.columns, this.policy, size))
    this.cacheList = [...this.caches.values()]
    this.shareCurves()
  }

  /** Two caches or more divide what they have in common, if their policy adapts. */
  private shareRoom(): void {
    const { cacheList, policy } = this
    const divides = policy.name === 'hybrid' && cacheList.length > 1
    if (!divides) this.division?.end()
    this.division = divides ? new Division(cacheList, this.division?.claims ?? [], this.seq) : null
    this.comparesAt = this.division?.comparesAt ?? Number.POSITIVE_INFINITY
  }

  private compareShares(): void {
    const { division, evictedBefore } = this
    if (division === null) return
    const evicted = this.evictedForAll()
    const forItems = evicted.items - evictedBefore.items
    const forBytes = evicted.bytes - evictedBefore.bytes
    const unit = forItems > forBytes ? 'items' : 'bytes'
    division.compare(this, forItems + forBytes === 0 ? null : unit, this.seq)
    this.comparesAt = division.comparesAt
    this.evictedBefore = evicted
  }

  /** Evictions so far for want of what the caches have in common. */
  private evictedForAll(): Record<DivisionUnit, number> {
    const sum = { items: 0, bytes: 0 }
    for (const { counts } of this.cacheList) {
      const items = counts.evictedFor('items')
      sum.items += items
      sum.bytes += counts.evicted - items - counts.evictedFor('cache-items') - counts.evictedFor('cache-memory')
    }
    return sum
  }

  /** The first caches have curves, and share the keys that these may follow. */
  private shareCurves(): void {
    const curved = this.cacheList.slice(0, MOST_CURVES)
    const most = Math.min(MOST_KEYS_A_CURVE, KEYS_OF_CURVES / 2 ** Math.ceil(Math.log2(curved.length)))
    for (const cache of curved) cache.follow(most)
  }

  /** An entry now holds what was stored; @param grown bytes more than before, and of them outside the V8 heap. */
  private hold(
    seq: number,
    at: number,
    cache: CacheState,
    key: string,
    h: Entry,
    stored: Event.Stored,
    grown: number,
    grownOffHeap: number,
  ): void {
    this.seq = seq
    this.at = at
    const { columns } = this
    const { size, offHeap, expiresAt, cost, tags, actor } = stored
    columns.size[h] = size
    columns.expiresAt[h] = expiresAt
    columns.storedAt[h] = at
    columns.usedAt[h] = at
    columns.usedSeq[h] = seq
    columns.hits[h] = 0
    if (columns.hasExtras || offHeap !== 0 || cost !== 0 || tags !== null || actor !== null)
      columns.setExtras(h, offHeap, cost, tags, actor)
    cache.schedule(h, at)
    const hash = columns.hash[h] as number
    if (hash <= cache.followedUpTo) cache.stored(hash, size, expiresAt)
    cache.bytes += grown
    cache.counts.bytesAdded += size
    cache.writers.add(key, stored.prefix, size)
    cache.lastUpdated = at
    this.bytes += grown
    this.offHeapBytes += grownOffHeap
    if (expiresAt < this.soonestExpiry) this.soonestExpiry = expiresAt
    if (at >= this.soonestExpiry) this.passTime(at)
    this.peaks.measured(this.bytes, this.bytes - this.offHeapBytes, this.items, at)
    if (this.levels.rank !== 0) this.levels.usageIs(this.usage, at)
  }

  /** Moves the caches' wheels on: only stores and departures do, so that a hit costs nothing. */
  private passTime(at: number): void {
    this.soonestExpiry = Number.POSITIVE_INFINITY
    for (const { wheel } of this.cacheList) {
      if (wheel === null) continue
      wheel.advance(at)
      if (wheel.soonest < this.soonestExpiry) this.soonestExpiry = wheel.soonest
    }
  }

  /** However it left; `cause` if it was evicted. */
  private left(seq: number, at: number, cache: CacheState, h: Entry, cause: EvictionCause | null): void {
    this.seq = seq
    this.at = at
    const { columns, regrets } = this
    const { counts } = cache
    const size = columns.size[h] as number
    const hash = columns.hash[h] as number
    const check = columns.check[h] as number
    if (this.peaks.isFresh) this.peaks.keep(this.holdings())
    if (cause !== null) {
      regrets.remember(hash ^ cache.salt, check, seq)
      counts.countEviction(cause, size)
      this.evictionRate.count(at)
      this.evictionAges.count(at - (columns.storedAt[h] as number))
      this.lastEviction = at
    } else {
      // A miss now has nothing to regret, and no larger cache would have kept it.
      cache.curve?.removed(hash)
      regrets.forget(hash ^ cache.salt, check)
    }
    cache.order.left(h, cause)
    cache.unschedule(h)
    if (at >= this.soonestExpiry) this.passTime(at)
    cache.index.remove(h)
    cache.bytes -= size
    counts.bytesLeft += size
    this.items--
    this.bytes -= size
    if (columns.hasExtras) this.offHeapBytes -= this.offHeapOf(h)
    columns.free(h)
    if (this.levels.rank !== 0) this.levels.usageIs(this.usage, at)
  }
}

function copied(caches: Settings['caches']): Record<string, CacheSettings> {
  return Object.fromEntries(Object.entries(caches).map(([name, settings]) => [name, { ...settings }]))
}

function counted(cache: CacheState): ReadonlyMap<string, number> {
  return new Map(cache.writers.counts().map(({ prefix, bytes }) => [prefix, bytes]))
}
