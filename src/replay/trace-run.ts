import { setImmediate } from 'node:timers/promises'
import { OptionError } from '../base/errors.ts'
import { parseBytes } from '../base/units.ts'
import type { Cache } from '../command/cache.ts'
import { MemoryManager } from '../command/memory-manager.ts'
import type { ReplayOptions, ReplayResult } from './replay.ts'
import type { TraceRequest } from './trace-parser.ts'

/** Where virtual time starts, in epoch ms: any instant would do. */
const START = 1_000_000_000_000
const DEFAULT_SEED = 1
/** The event loop's turns that eviction cycles get to end in; each is a slice. */
const MOST_TURNS = 1_000_000

/** Virtual time. */
class StepClock {
  private ms: number

  constructor(start: number) {
    this.ms = start
  }

  now(): number {
    return this.ms
  }

  step(): void {
    this.ms++
  }
}

/** One trace in one manager. */
export class TraceRun {
  private readonly options: ReplayOptions
  private readonly maxItems: number
  private readonly maxMemory: number
  private readonly clock: StepClock
  private readonly memory: MemoryManager
  private readonly cache: Cache<true>
  private requests = 0
  private hits = 0
  private bytes = 0
  private hitBytes = 0
  private ms = 0

  /** @throws {OptionError} for a bad option, or without any limit. */
  constructor(options: ReplayOptions) {
    if (options.maxItems === undefined && options.maxMemory === undefined) {
      throw new OptionError('maxItems', 'a replay needs a limit: maxItems, maxMemory, or both')
    }
    this.options = options
    this.maxItems = options.maxItems ?? Number.POSITIVE_INFINITY
    this.maxMemory =
      options.maxMemory === undefined ? Number.POSITIVE_INFINITY : parseBytes(options.maxMemory, 'maxMemory')
    const audit = options.audit ?? false
    // An audit log is kept by age: what it records must not be old when it is written.
    this.clock = new StepClock(audit === false ? START : Date.now())
    this.memory = new MemoryManager({
      maxItems: this.maxItems,
      maxMemory: this.maxMemory,
      maxHeap: Number.POSITIVE_INFINITY,
      evictionThreshold: options.evictionThreshold ?? 1,
      checkInterval: 0,
      pressure: false,
      clock: this.clock,
      seed: options.seed ?? DEFAULT_SEED,
      audit,
      ...(options.policy === undefined ? {} : { policy: options.policy }),
    })
    this.cache = this.memory.cache<true>('replay')
  }

  /** Each request is a `get`, and on a miss a `set`. */
  feed(requests: readonly TraceRequest[]): void {
    const { cache, clock } = this
    const started = performance.now()
    for (const { key, size, ttl } of requests) {
      this.bytes += size
      if (cache.get(key) === undefined) {
        cache.set(key, true, { size, ttl })
      } else {
        this.hits++
        this.hitBytes += size
      }
      clock.step()
    }
    this.requests += requests.length
    this.ms += performance.now() - started
  }

  /** Lets a cycle that is under way end in its idle slices, here and not wherever reading the trace happens to wait. */
  async settle(): Promise<void> {
    if (this.options.evictionThreshold === undefined || this.options.evictionThreshold === 1) return
    let evicted = -1
    for (let turn = 0; turn < MOST_TURNS && evicted !== this.memory.stats().evictedItems; turn++) {
      evicted = this.memory.stats().evictedItems
      await setImmediate()
    }
  }

  result(trace: string | null): ReplayResult {
    const { requests, hits, bytes, hitBytes } = this
    const stats = this.memory.stats()
    return {
      trace,
      policy: stats.evictionPolicy,
      max_items: Number.isFinite(this.maxItems) ? this.maxItems : null,
      max_memory_bytes: Number.isFinite(this.maxMemory) ? this.maxMemory : null,
      eviction_threshold: stats.evictionThreshold,
      seed: this.options.seed ?? DEFAULT_SEED,
      requests,
      hits,
      misses: requests - hits,
      hit_ratio: requests === 0 ? null : hits / requests,
      byte_hit_ratio: bytes === 0 ? null : hitBytes / bytes,
      evictions: stats.evictedItems,
      expirations: stats.expiredItems,
      rejections: stats.rejectedItems,
      seconds: this.ms / 1000,
    }
  }

  close(): Promise<void> {
    return this.memory.close()
  }
}
