import type { Remeasured } from '../event/catalogue.ts'
import type { Database } from '../persist/reader.ts'
import type { Finding } from './analyses.ts'
import type { Bounds } from './counts.ts'
import type { Checkup, Facts } from './facts.ts'
import { bytesInWords, countInWords, percentInWords, quoted } from './words.ts'

/* Values that were changed after they were stored, so that they cost something else than they are charged. */

/** Share of what entries were charged by which those that were sized again had changed, and how many must have been. */
const DRIFTED = 0.1
const ENOUGH = 20
/** The newest that are read: a day of checks, as a rule. */
const EVENTS = 3_000

/** What checks found that sized entries again. */
export interface Drift {
  /** Entries sized, and what they were charged. */
  readonly sampled: number
  readonly bytes: number
  /** Those whose size had changed, by cache, the largest change first. */
  readonly caches: readonly DriftedCache[]
}

export interface DriftedCache {
  readonly cache: string
  readonly changed: number
  /** Bytes by which they were charged too little, and too much. */
  readonly tooLow: number
  readonly tooHigh: number
  /** The one that changed most. */
  readonly most: { readonly key: string; readonly from: number; readonly to: number }
}

const SELECT_REMEASURED = `
  select data from events
  where type = 'remeasured' and at >= :since and at < :until and (:runId is null or run_id = :runId)
  order by at desc limit ${EVENTS}`

/** Of one cache, where it is asked for: the sample then still is that of all. */
export function driftOf(database: Database, { cache: asked, ...scope }: Bounds): Drift {
  const sum = { sampled: 0, bytes: 0 }
  const caches = new Map<string, DriftedCache>()
  for (const { data } of database.prepare(SELECT_REMEASURED).iterate(scope) as Iterable<{ data: string }>) {
    const { sampled, bytesBefore, entries } = JSON.parse(data) as Remeasured
    sum.sampled += sampled
    sum.bytes += bytesBefore
    for (const { cache, key, size: to, previousSize: from } of entries) {
      if (asked !== null && cache !== asked) continue
      const before = caches.get(cache) ?? { changed: 0, tooLow: 0, tooHigh: 0, most: { key, from, to } }
      caches.set(cache, {
        cache,
        changed: before.changed + 1,
        tooLow: before.tooLow + Math.max(0, to - from),
        tooHigh: before.tooHigh + Math.max(0, from - to),
        most: Math.abs(to - from) > Math.abs(before.most.to - before.most.from) ? { key, from, to } : before.most,
      })
    }
  }
  const change = ({ tooLow, tooHigh }: DriftedCache) => tooLow + tooHigh
  return { ...sum, caches: [...caches.values()].sort((a, b) => change(b) - change(a)) }
}

export function sizeDrift({ drift, settings }: Pick<Facts, 'drift' | 'settings'>): Checkup {
  const { sampled, bytes, caches } = drift
  const changed = caches.reduce((sum, cache) => sum + cache.changed, 0)
  const moved = caches.reduce((sum, { tooLow, tooHigh }) => sum + tooLow + tooHigh, 0)
  const share = bytes === 0 ? 0 : moved / bytes
  const looked =
    sampled === 0
      ? 'values changed after they were stored: not known, no check sizes entries again (option remeasure)'
      : `values changed after they were stored: ${changed} of ${sampled} sized again, by ${percentInWords(share)} of their bytes (drift: ${percentInWords(DRIFTED)}, of ${ENOUGH} or more)`
  const [worst] = caches
  if (worst === undefined || sampled < ENOUGH || share < DRIFTED) return { findings: [], looked }
  const { cache, tooLow, tooHigh, most } = worst
  return {
    looked,
    findings: [
      {
        finding: 'size drift',
        cache,
        severity: 'warning',
        evidence: [
          `Checks sized ${countInWords(sampled, 'entry', 'entries')} again; ${changed} had changed since, by ${percentInWords(share)} of what all were charged.`,
          `Those of cache ${quoted(cache)} were charged ${bytesInWords(tooLow)} too little and ${bytesInWords(tooHigh)} too much; ${quoted(most.key)} went from ${bytesInWords(most.from)} to ${bytesInWords(most.to)}.`,
        ],
        ...remedy(settings),
        // Options of the start alone.
        value: null,
      },
    ],
  }
}

function remedy({ sizing }: Facts['settings']): Pick<Finding, 'setting' | 'from' | 'to' | 'advice'> {
  if (sizing === 'function') {
    return {
      setting: 'sizing',
      from: 'a function',
      to: 'heap',
      advice: 'Let sizes be estimated, have the function say what does not change, or store clones (clone: true).',
    }
  }
  return {
    setting: 'clone',
    from: 'false',
    to: 'true',
    advice:
      'Store clones, or store values again when they have changed; until then a larger remeasure finds it sooner. A size function can charge what a value grows to.',
  }
}
