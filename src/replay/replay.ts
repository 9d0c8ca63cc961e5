import { setImmediate } from 'node:timers/promises'
import type { AuditOptions } from '../base/audit-options.ts'
import { OptionError } from '../base/errors.ts'
import type { PolicyName } from '../base/settings.ts'
import type { ByteText } from '../base/units.ts'
import { portionsOf, type Trace } from './portions.ts'
import { TraceRun } from './trace-run.ts'

export type { Trace } from './portions.ts'
export type { TraceRequest } from './trace-parser.ts'

/** How one run of a trace is limited. At least one of `maxItems` and `maxMemory` must be given; only those hold. */
export interface ReplayOptions {
  maxItems?: number
  /** Bytes, or text such as `'64MB'`. */
  maxMemory?: ByteText
  /** Default `'hybrid'`. */
  policy?: PolicyName
  /** Usage at which eviction cycles start. Default 1: none, and the whole capacity is used. */
  evictionThreshold?: number
  /** Default 1, so that a run can be repeated. */
  seed?: number
  /** Where the run's audit log goes. Default `false`: none. */
  audit?: string | AuditOptions | false
}

/** What goes for all runs of one reading. */
export interface ReadingOptions {
  /** Told the number of requests so far, every 16,384 requests and at the end. */
  onProgress?: (requests: number) => void
  /** Ends the replay, which rejects with the signal's reason. */
  signal?: AbortSignal
}

/** What a trace would have met with. Spelled as `muninn replay --json` prints it. */
export interface ReplayResult {
  /** The trace's file; `null` where it was given as requests. */
  readonly trace: string | null
  readonly policy: PolicyName
  /** `null`: not limited. */
  readonly max_items: number | null
  readonly max_memory_bytes: number | null
  readonly eviction_threshold: number
  readonly seed: number
  readonly requests: number
  readonly hits: number
  readonly misses: number
  /** 0–1; `null` for an empty trace. */
  readonly hit_ratio: number | null
  /** The same, each request weighed by its own line's size; `null` where all sizes are 0. */
  readonly byte_hit_ratio: number | null
  /** Entries given up for room, and for time. */
  readonly evictions: number
  readonly expirations: number
  /** Values that were not stored: too large, or not admitted. */
  readonly rejections: number
  /** That the cache took, reading aside. */
  readonly seconds: number
}

/**
 * Runs a trace through a real `MemoryManager`: each request is a `get`, and on a miss a `set`. Exactly the trace's sizes
 * are charged, when stored; time is virtual, 1 ms a request. The event loop gets its turn every 16,384 requests.
 *
 * @throws {OptionError} for a bad option. @throws {TraceError} for a trace that can't be read or has a malformed line.
 */
export async function replay(trace: Trace, options: ReplayOptions & ReadingOptions): Promise<ReplayResult> {
  const { onProgress, signal, ...run } = options
  const [result] = await replayAll(trace, [run], {
    ...(onProgress === undefined ? {} : { onProgress }),
    ...(signal === undefined ? {} : { signal }),
  })
  return result as ReplayResult
}

/** The same for several runs at once, with one reading of the trace; results are in the order of `runs`. */
export async function replayAll(
  trace: Trace,
  runs: readonly ReplayOptions[],
  reading: ReadingOptions = {},
): Promise<readonly ReplayResult[]> {
  if (runs.length === 0) throw new OptionError('runs', 'a replay needs at least one run')
  const { onProgress, signal } = reading
  const running: TraceRun[] = []
  try {
    for (const options of runs) running.push(new TraceRun(options))
    let requests = 0
    for await (const portion of portionsOf(trace)) {
      for (const run of running) {
        signal?.throwIfAborted()
        run.feed(portion)
        await run.settle()
        await setImmediate()
      }
      requests += portion.length
      onProgress?.(requests)
    }
    return running.map((run) => run.result(typeof trace === 'string' ? trace : null))
  } finally {
    await Promise.all(running.map((run) => run.close()))
  }
}
