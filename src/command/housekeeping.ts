import type { OperationClock } from '../base/clock.ts'
import type { Logger } from '../base/logger.ts'
import { Outside } from '../base/outside.ts'
import { heldByPrefix, largest, NO_PREFIXES } from '../decide/holdings.ts'
import { levelChange, topWriters } from '../decide/level.ts'
import type { CacheSample, Holdings } from '../event/catalogue.ts'
import { PEAK_METRICS } from '../event/vocabulary.ts'
import type { State } from '../fold/state.ts'
import { Counts } from '../fold/statistics.ts'
import type { Evictor } from './evictor.ts'
import type { Recorder } from './recorder.ts'

/** Expired entries are freed within this time, in ms, and not more often. */
const SWEEP_AT_LEAST = 100
const SWEEP_AT_MOST = 1000
/** A jump of the wall clock smaller than this, in ms, is drift that NTP slews away. */
const JUMP = 1000
/** Writers named per cache in a sample. */
const NAMED_WRITERS = 5

/** What happens without a call: the periodic check, the freeing of expired entries, the idle slices of a cycle. No timer keeps a process alive. */
export class Housekeeping {
  private readonly state: State
  private readonly recorder: Recorder
  private readonly evictor: Evictor
  private readonly clock: OperationClock
  private readonly logger: Logger
  /** Whether keys have prefixes by a rule of the user's, which is asked at stores alone. */
  private readonly ownPrefixes: boolean
  private checkTimer: NodeJS.Timeout | null = null
  private sweepTimer: NodeJS.Timeout | null = null
  /** Whether the next sweep is arranged; read with each store. */
  expectsExpiry = false
  private idle: NodeJS.Immediate | null = null
  private stopped = false
  private isHeld = false
  private readonly outside = new Outside()
  /** Called by each check, before it judges. */
  onCheck: (at: number) => void = () => {}
  /** Sizes some entries again. */
  remeasure: (now: () => number) => void = () => {}
  /** Until the warning about the item limit was given. */
  watchesItems = true
  /** Entries or bytes that came and did not leave, or left and never came: a bug, where it isn't 0. */
  imbalances = 0

  constructor(recorder: Recorder, evictor: Evictor, clock: OperationClock, logger: Logger, ownPrefixes: boolean) {
    this.state = recorder.state
    this.recorder = recorder
    this.evictor = evictor
    this.clock = clock
    this.logger = logger
    this.ownPrefixes = ownPrefixes
  }

  start(): void {
    const { checkInterval } = this.state.settings
    if (checkInterval !== 0) this.checkTimer = setInterval(() => this.check(), checkInterval).unref()
  }

  stop(): void {
    this.stopped = true
    this.holdTimers()
  }

  /** Nothing happens any more without a call: of a recorded run that is done again, time is the events'. */
  holdTimers(): void {
    this.isHeld = true
    if (this.checkTimer !== null) clearInterval(this.checkTimer)
    if (this.sweepTimer !== null) clearTimeout(this.sweepTimer)
    if (this.idle !== null) clearImmediate(this.idle)
  }

  /** Makes sure that an entry with a TTL will be freed without a read. */
  expectExpiry(): void {
    if (this.expectsExpiry || this.isHeld) return
    this.expectsExpiry = true
    const wait = this.state.soonestExpiry - this.clock.read()
    const delay = Math.min(Math.max(wait, SWEEP_AT_LEAST), SWEEP_AT_MOST)
    this.sweepTimer = setTimeout(() => this.outside.run(() => this.sweep()), delay).unref()
  }

  /** Makes sure that the cycle that runs goes on when nobody writes. */
  expectIdle(): void {
    if (this.idle !== null || this.isHeld) return
    this.idle = setImmediate(() => this.outside.run(() => this.goOn())).unref()
  }

  /** An eviction by items while under half of the byte budget: most likely the item limit is too low. Said once. */
  noticeItemEviction(): void {
    if (this.state.usage >= 0.5) return
    this.watchesItems = false
    const { usage, settings } = this.state
    const warn = (): void =>
      this.logger.warn(
        { maxItems: settings.maxItems, usage },
        'entries are evicted by the item limit while under half of the memory budget: raise maxItems (CACHE_MAX_ITEMS), or lift it with Infinity (logged once)',
      )
    // Not in the middle of an add, which has looked up what a logger that calls the cache would change.
    queueMicrotask(() => this.outside.run(warn))
  }

  /** One check: frees what is past its time, samples, tells new peaks, judges the level, audits the books. */
  check(): void {
    const begun = this.clock.refresh()
    this.evictor.sweep(begun, Number.POSITIVE_INFINITY)
    this.noticeClock(begun)
    this.remeasure(() => this.clock.read())
    // A size function may have taken its time, and may have closed the manager.
    if (this.stopped) return
    const at = this.clock.read()
    this.onCheck(at)
    this.recordSample(at)
    this.recordPeaks(at)
    this.auditBooks()
    this.settle(at)
  }

  /** A `peaked` for each metric that passed the peak last told. */
  recordPeaks(at: number): void {
    let present: Omit<Holdings, 'caches'> | null = null
    for (const metric of PEAK_METRICS) {
      const { value, told, at: peakedAt, held } = this.state.peaks.by[metric]
      if (value > told) {
        present ??= this.ownPrefixes ? NO_PREFIXES : heldByPrefix(this.state)
        const caches = largest(held ?? this.state.holdings())
        // Each event has its own: whoever is told of it may change it.
        this.recorder.record({
          seq: this.recorder.nextSeq,
          at,
          type: 'peaked',
          metric,
          value,
          previous: told,
          peakedAt,
          held: structuredClone({ caches, ...present }),
        })
      }
    }
  }

  /** The end of a call that changed usage: judges the level (a change tells the peaks, too), then tells the observers. */
  settle(at: number): void {
    // An observer of a long eviction may have closed the manager.
    const warned = this.stopped ? null : levelChange(this.state, this.recorder.nextSeq, at)
    if (warned !== null) {
      this.recorder.record(warned)
      this.recordPeaks(at)
    }
    this.recorder.publisher.flush()
  }

  private goOn(): void {
    this.idle = null
    const at = this.clock.refresh()
    this.evictor.continueBackground(at)
    if (this.state.cycle !== null) this.expectIdle()
    this.settle(at)
  }

  private sweep(): void {
    this.sweepTimer = null
    this.expectsExpiry = false
    const at = this.clock.refresh()
    const more = this.evictor.sweepSlice(at)
    this.settle(at)
    if (this.stopped) return
    if (more) this.sweepSoon()
    else if (this.state.soonestExpiry !== Number.POSITIVE_INFINITY) this.expectExpiry()
  }

  private sweepSoon(): void {
    this.expectsExpiry = true
    this.sweepTimer = setTimeout(() => this.outside.run(() => this.sweep()), 0).unref()
  }

  private noticeClock(at: number): void {
    const offset = this.clock.wallOffset()
    const from = this.state.wallOffset
    if (Math.abs(offset - from) >= JUMP) {
      this.recorder.record({ seq: this.recorder.nextSeq, at, type: 'clock-changed', from, to: offset })
    }
  }

  /** What each cache did since the last sample. */
  recordSample(at: number): void {
    const { state } = this
    const { rss, heapUsed } = process.memoryUsage()
    const caches: CacheSample[] = [...state.caches.values()].map((cache) => ({
      cache: cache.name,
      items: cache.items,
      bytes: cache.bytes,
      hits: cache.counts.hits - cache.countsAtCheck.hits,
      misses: cache.counts.misses - cache.countsAtCheck.misses,
      bytesAdded: cache.counts.bytesAdded - cache.countsAtCheck.bytesAdded,
      writers: topWriters([cache], () => cache.writersAtCheck, NAMED_WRITERS),
      curve: cache.curve?.told ?? null,
    }))
    this.recorder.record({
      seq: this.recorder.nextSeq,
      at,
      type: 'checked',
      bytes: state.bytes,
      heapBytes: state.heapBytes,
      items: state.items,
      usage: state.usage,
      level: state.levels.level,
      rss,
      heapUsed,
      caches,
    })
  }

  /** What came, less what left, is what is there: in entries and bytes. A breach is a bug, and is said, not hidden. */
  private auditBooks(): void {
    const { state } = this
    const sum = new Counts()
    let items = 0
    let bytes = 0
    for (const { counts, items: cacheItems, bytes: cacheBytes } of state.caches.values()) {
      sum.add(counts, 1)
      items += cacheItems
      bytes += cacheBytes
    }
    sum.add(state.dropped, 1)
    const expectedItems = sum.added - sum.evicted - sum.expired - sum.removed - sum.cleared
    const expectedBytes = sum.bytesAdded - sum.bytesLeft
    // Beyond 2^53 bytes stored in one run, their sum is no longer exact.
    const bytesBalance =
      bytes === state.bytes && (expectedBytes === state.bytes || !Number.isSafeInteger(sum.bytesAdded))
    if (expectedItems === state.items && items === state.items && bytesBalance) return
    this.imbalances++
    this.logger.error(
      {
        seq: state.seq,
        items: state.items,
        expectedItems,
        counted: items,
        bytes: state.bytes,
        expectedBytes,
        countedBytes: bytes,
      },
      'the books do not balance: a bug in muninn-cache, please report it',
    )
  }
}
