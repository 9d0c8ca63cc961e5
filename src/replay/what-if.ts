import { setImmediate } from 'node:timers/promises'
import { ratioAt } from '../base/curve/reading.ts'
import { HistoryError, OptionError } from '../base/errors.ts'
import type { PolicyName } from '../base/settings.ts'
import type { Curve } from '../event/catalogue.ts'
import { OpenRecording } from '../query/open-recording.ts'
import { type Otherwise, RecordedRun } from './recorded-run.ts'

/** Events between two turns of the event loop. */
const PORTION = 4_096

/** What a recorded run would have been. Spelled as `muninn whatif --json` prints it. */
export interface WhatIfResult {
  /** `recorded`: what was; `exact`: done again, event by event; `estimate`: from the curve that the run kept. */
  readonly kind: 'recorded' | 'exact' | 'estimate'
  readonly run: string
  readonly policy: PolicyName
  /** `null`: not limited. */
  readonly max_items: number | null
  readonly max_memory_bytes: number | null
  readonly requests: number
  /** `null` for an estimate. */
  readonly hits: number | null
  readonly evictions: number | null
  readonly hit_ratio: number | null
  /** Error of `hit_ratio` that is to be expected, up or down; 0 where it is exact, `null` where nobody knows. */
  readonly error: number | null
  /** What is to be known of it, in words. */
  readonly note: string | null
}

export interface WhatIfOptions {
  /** The run's id; left out, the latest. */
  run?: string
  onProgress?: (events: number) => void
  signal?: AbortSignal
}

/**
 * What a run in an audit log would have been under other policies and limits: exact where everything was recorded (level
 * `all`), else an estimate from the miss-ratio curve that the run kept, for `lru` alone. The first result is the run as it was.
 *
 * @throws {HistoryError} where the log can't be read, or doesn't say enough. @throws {OptionError} for a bad option.
 */
export async function whatIf(
  path: string,
  changes: readonly Otherwise[],
  options: WhatIfOptions = {},
): Promise<readonly WhatIfResult[]> {
  const recorded = OpenRecording.open(path, options.run)
  try {
    return recorded.level === 'all' ? await again(recorded, changes, options) : estimates(recorded, changes)
  } finally {
    recorded.close()
  }
}

async function again(
  recorded: OpenRecording,
  changes: readonly Otherwise[],
  { onProgress, signal }: WhatIfOptions,
): Promise<readonly WhatIfResult[]> {
  const { started, doubt } = recorded
  const runs: RecordedRun[] = []
  const was = { requests: 0, hits: 0, evictions: 0 }
  try {
    for (const change of changes) runs.push(new RecordedRun(started, change))
    let events = 0
    for (const event of recorded.events()) {
      if (event.type === 'accessed') was.hits++
      if (event.type === 'accessed' || event.type === 'missed') was.requests++
      if (event.type === 'evicted') was.evictions++
      for (const run of runs) run.repeat(event)
      if (++events % PORTION === 0) {
        signal?.throwIfAborted()
        onProgress?.(events)
        await setImmediate()
      }
    }
    const kind = doubt === null ? 'exact' : 'estimate'
    return [
      {
        kind: 'recorded',
        ...settingsOf(recorded, {}),
        ...was,
        hit_ratio: ratio(was.hits, was.requests),
        error: 0,
        note: doubt,
      },
      ...runs.map(({ requests, hits, memory }, i) => ({
        kind: kind as 'exact' | 'estimate',
        ...settingsOf(recorded, changes[i] as Otherwise),
        requests,
        hits,
        evictions: memory.stats().evictedItems,
        hit_ratio: ratio(hits, requests),
        error: doubt === null ? 0 : null,
        note: doubt,
      })),
    ]
  } finally {
    await Promise.all(runs.map((run) => run.close()))
  }
}

/** From the curves of the last check: those of all caches as one, which they are under one limit where each keeps its share. */
function estimates(recorded: OpenRecording, changes: readonly Otherwise[]): readonly WhatIfResult[] {
  const curves = [...recorded.curves().values()]
  if (curves.length === 0) {
    throw new HistoryError(
      `run ${recorded.run} was recorded at level ${recorded.level}, and no check of it has a miss-ratio curve: record it at level all`,
    )
  }
  const lacking = recorded.withoutCurve()
  if (lacking !== null)
    throw new HistoryError(`run ${recorded.run}: no estimate, since ${lacking}; record it at level all`)
  return changes.map((change) => {
    const settings = settingsOf(recorded, change)
    if (settings.policy !== 'lru') {
      throw new HistoryError(
        `run ${recorded.run} was recorded at level ${recorded.level}: of that, only --policy lru can be estimated; record it at level all, or let the running cache try policies (option shadow)`,
      )
    }
    const requests = curves.reduce((sum, curve) => sum + curve.requests, 0)
    const { max_items: items, max_memory_bytes: bytes } = settings
    const byItems = items === null ? 1 : combined(curves, 'byItems', items, requests)
    const byBytes = bytes === null ? 1 : combined(curves, 'byBytes', bytes, requests)
    const several =
      curves.length === 1
        ? ''
        : `; ${curves.length} caches, each taken to have the part of the room that it has requests`
    return {
      kind: 'estimate' as const,
      ...settings,
      requests,
      hits: null,
      evictions: null,
      hit_ratio: Math.round(Math.min(byItems, byBytes) * 1e4) / 1e4,
      error: Math.max(0.01, ...curves.map(({ error }) => error)) * (curves.length === 1 ? 1 : 2),
      note: `from the miss-ratio curve that the run kept (SHARDS)${several}; limits of single caches left out`,
    }
  })
}

function combined(curves: readonly Curve[], by: 'byItems' | 'byBytes', size: number, requests: number): number {
  return curves.reduce((sum, curve) => {
    const part = curve.requests / requests
    return sum + part * ratioAt(curve[by], size * part)
  }, 0)
}

function settingsOf({ run, started: { settings } }: OpenRecording, change: Otherwise) {
  const { policy = settings.policy, maxItems = settings.maxItems, maxMemory = settings.maxMemory } = change
  if (!(maxItems > 0)) throw new OptionError('maxItems', `${maxItems} is not a number of 1 or more`)
  return {
    run,
    policy,
    max_items: Number.isFinite(maxItems) ? maxItems : null,
    max_memory_bytes: Number.isFinite(maxMemory) ? maxMemory : null,
  }
}

function ratio(hits: number, requests: number): number | null {
  return requests === 0 ? null : hits / requests
}
