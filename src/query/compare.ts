import type { Database } from '../persist/reader.ts'
import type { Comparison, Difference, TimeWindow } from './analyses.ts'
import type { AskedComparison } from './analysis-question.ts'
import {
  type Bounds,
  boundsOf,
  countedWindow,
  countingGaps,
  departures,
  quantile,
  type Sums,
  spread,
  traffic,
} from './counts.ts'
import { joined } from './incomplete.ts'
import { timeInWords } from './words.ts'

const MINUTE = 60_000

/** What differs between two windows, what changed most first: windows of different length compare by the minute. */
export function compare(database: Database, { before, after, ...rest }: AskedComparison): Comparison {
  const windows = [countedWindow(before.since, before.until), countedWindow(after.since, after.until)] as const
  const [former, latter] = windows.map((window) => {
    const bounds = boundsOf(database, { ...rest, ...window })
    const gaps = [
      countingGaps(database, { ...rest, ...window }, bounds),
      hasRun(database, bounds) ? null : noRun(window),
    ]
    return { figures: figuresOf(database, bounds, window), gaps: joined(...gaps) }
  })
  if (former === undefined || latter === undefined) throw new Error('two windows are compared')
  const gaps = [...new Set([former.gaps, latter.gaps].filter((text) => text !== null))]
  return {
    before: windows[0],
    after: windows[1],
    items: differences(former.figures, latter.figures),
    next: null,
    incomplete: gaps.length === 0 ? null : gaps.join('; '),
  }
}

const SELECT_RUN = `
  select 1 from runs
  where (:runId is null or id = :runId) and started_at < :until and coalesce(stopped_at, last_at) >= :since limit 1`

function hasRun(database: Database, { cache: _, ...scope }: Bounds): boolean {
  return database.prepare(SELECT_RUN).get(scope) !== undefined
}

/** What was never counted is no figure that fell to 0. */
function noRun({ since, until }: TimeWindow): string {
  return `no run of the log lived between ${timeInWords(since)} and ${timeInWords(until)}`
}

type Figure = Omit<Difference, 'before' | 'after'> & { readonly value: number | null; readonly isMissingZero: boolean }

/** All that is compared of one window, by what it is. */
function figuresOf(database: Database, bounds: Bounds, { since, until }: TimeWindow): Map<string, Figure> {
  const minutes = (until - since) / MINUTE
  const figures = new Map<string, Figure>()
  const note = (
    what: Difference['what'],
    cache: string,
    name: string,
    unit: Difference['unit'],
    value: number | null,
  ) => {
    const figure = {
      what,
      cache,
      name,
      unit,
      value,
      isMissingZero: unit === 'per minute' || unit === 'bytes per minute',
    }
    figures.set(JSON.stringify([what, cache, name]), figure)
  }
  for (const row of departures(database, bounds, ['cache', 'type', 'cause'])) {
    const { cache, type, cause, count } = row
    if (type === 'evicted') note('evictions', cache, cause, 'per minute', count / minutes)
    else if (type === 'rejected') note('rejections', cache, cause, 'per minute', count / minutes)
  }
  for (const row of departures(database, bounds, ['cache', 'type', 'prefix'])) {
    if (row.type !== 'evicted') continue
    note('evicted entries', row.cache, row.prefix, 'per minute', row.count / minutes)
    note('evicted bytes', row.cache, row.prefix, 'bytes per minute', row.bytes / minutes)
  }
  for (const row of departures(database, bounds, ['cache', 'type'])) {
    if (row.type === 'expired') note('expirations', row.cache, '', 'per minute', row.count / minutes)
    if (row.type === 'evicted') ofEvicted(row, minutes, note)
  }
  policies(database, bounds, note)
  for (const cache of caches(spread(database, bounds, 'age'))) {
    note('age at eviction', cache.name, 'median', 'ms', quantile(cache.buckets, 0.5))
    note('age at eviction', cache.name, '90 %', 'ms', quantile(cache.buckets, 0.9))
  }
  for (const row of traffic(database, bounds)) {
    if (row.cache === '') continue
    const requests = row.hits + row.misses
    note('hit rate', row.cache, '', 'share', requests === 0 ? null : row.hits / requests)
    note('requests', row.cache, '', 'per minute', requests / minutes)
    note('bytes stored', row.cache, '', 'bytes per minute', row.bytesAdded / minutes)
    note('bytes held', row.cache, '', 'bytes', row.mostBytes)
  }
  return figures
}

type Note = (
  what: Difference['what'],
  cache: string,
  name: string,
  unit: Difference['unit'],
  value: number | null,
) => void

function ofEvicted(
  { cache, count, bytes, unused, regretted }: Sums & { cache: string },
  minutes: number,
  note: Note,
): void {
  note('regrets', cache, '', 'per minute', regretted / minutes)
  if (count === 0) return
  note('size evicted', cache, '', 'bytes', bytes / count)
  note('never hit', cache, '', 'share', unused / count)
}

function policies(database: Database, bounds: Bounds, note: Note): void {
  const rows = departures(database, bounds, ['cache', 'type', 'policy']).filter(({ type }) => type === 'evicted')
  for (const { cache, policy, count } of rows) {
    const all = rows.reduce((sum, row) => (row.cache === cache ? sum + row.count : sum), 0)
    if (all > 0) note('policy', cache, policy, 'share', count / all)
  }
}

function caches(rows: readonly { cache: string; bucket: number; count: number }[]) {
  const by = new Map<string, { bucket: number; count: number }[]>()
  for (const { cache, bucket, count } of rows) {
    const buckets = by.get(cache) ?? []
    buckets.push({ bucket, count })
    by.set(cache, buckets)
  }
  return [...by].map(([name, buckets]) => ({ name, buckets }))
}

function differences(before: Map<string, Figure>, after: Map<string, Figure>): Difference[] {
  const found: Difference[] = []
  for (const id of new Set([...before.keys(), ...after.keys()])) {
    const figure = (before.get(id) ?? after.get(id)) as Figure
    const { what, cache, name, unit, isMissingZero } = figure
    // A rate of what did not happen is 0; a mean of nothing is nothing.
    const none = isMissingZero || what === 'policy' ? 0 : null
    const former = before.get(id)?.value ?? none
    const latter = after.get(id)?.value ?? none
    // What did not evict had no policy that chose.
    if (what === 'policy' && !(isEvicting(before, cache) && isEvicting(after, cache))) continue
    if (!isSame(former, latter)) found.push({ what, cache, name, unit, before: former, after: latter })
  }
  return found.sort((a, b) => weight(b) - weight(a) || (a.what < b.what ? -1 : 1))
}

function isEvicting(figures: Map<string, Figure>, of: string): boolean {
  return [...figures.values()].some(({ what, cache }) => what === 'policy' && cache === of)
}

/** Sums of fractions may differ in their last digits. */
function isSame(a: number | null, b: number | null): boolean {
  if (a === null || b === null) return a === b
  return Math.abs(a - b) <= 1e-9 * Math.max(Math.abs(a), Math.abs(b))
}

/** How much it changed: shares by their difference, the rest by how many times. What came or went is in between. */
function weight({ unit, before, after }: Difference): number {
  if (before === null || after === null) return 1
  if (unit === 'share') return 4 * Math.abs(after - before)
  const most = Math.max(Math.abs(before), Math.abs(after))
  const least = Math.min(Math.abs(before), Math.abs(after))
  return least === 0 ? 3 : Math.min(6, Math.log2(most / least))
}
