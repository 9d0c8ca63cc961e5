import { rememberedEvictions } from '../base/remembered.ts'
import type { Database } from '../persist/reader.ts'
import type { RegretAnswer, RegretOrder, RegretQuestion, RegretRecord } from './analyses.ts'
import { type Bounds, boundsOf, bucketEnd, countingGaps, departures, type Sums, spread } from './counts.ts'
import type { Rank } from './cursor.ts'
import { type Asked, orderedName } from './question.ts'
import { pageOf, rankedFrom, startOf, upTo } from './ranking.ts'
import { readSettings } from './settings-read.ts'
import { countInWords, percentInWords } from './words.ts'

/** Of what most comes first. */
const PLACES: Readonly<Record<RegretOrder, (sums: Sums) => number>> = {
  regretted: ({ regretted }) => regretted,
  evicted: ({ count }) => count,
  share: ({ count, regretted }) => regretted / Math.max(1, count),
  bytes: ({ regrettedBytes }) => regrettedBytes,
  cost: ({ regrettedCost }) => regrettedCost,
  delay: ({ regretted, regretDelay }) => regretDelay / Math.max(1, regretted),
}

/** What was evicted and asked for again: how often, how soon, and what that cost. Most regretted first. */
export function regrets(database: Database, question: Asked<RegretQuestion>): RegretAnswer {
  const name = orderedName('regrets', question)
  const start = startOf(database, question, name)
  const range = upTo(start, question)
  const bounds = boundsOf(database, range)
  const rankOf = rankBy(question)
  const rows = departures(database, bounds, ['cache', 'type', 'prefix'])
    .filter(({ type, prefix }) => type === 'evicted' && (question.prefix ?? prefix) === prefix)
    .filter(({ regretted }) => regretted > 0)
  const all = departures(database, bounds, ['type', 'prefix']).filter(
    ({ type, prefix }) => type === 'evicted' && (question.prefix ?? prefix) === prefix,
  )
  const remembered = rememberedBy(database, bounds)
  const delays = delaysOf(database, bounds)
  const known = knownShare(database, bounds, delays)
  const record = (row: PrefixSums): RegretRecord => ({ cache: row.cache, prefix: row.prefix, ...figures(row, known) })
  return {
    ...pageOf(rankedFrom(rows, start, rankOf), question, name, start, record, rankOf),
    total: figures(summed(all), known),
    delays: question.prefix === undefined ? delays : [],
    remembered,
    incomplete: incomplete(database, range, bounds, remembered, known),
  }
}

type PrefixSums = Sums & { readonly cache: string; readonly prefix: string }

function rankBy({ order = 'regretted', reverse = false }: Asked<RegretQuestion>): (row: PrefixSums) => Rank {
  const figureOf = PLACES[order]
  return (row) => {
    const figure = figureOf(row)
    return { figure: reverse ? -figure : figure, evicted: row.count, cache: row.cache, name: row.prefix }
  }
}

/**
 * Share of the regrets whose eviction still had its row, so that size, cost and delay are known: of the others there is
 * only the count.
 */
function knownShare(database: Database, bounds: Bounds, delays: RegretAnswer['delays']): number {
  const { regretted } = summed(departures(database, bounds, ['type']).filter(({ type }) => type === 'evicted'))
  return regretted === 0 ? 1 : Math.min(1, delays.reduce((sum, { count }) => sum + count, 0) / regretted)
}

function figures(sums: RegretSums, known: number): RegretAnswer['total'] {
  const { count, regretted, regrettedBytes, regrettedCost, regretDelay } = sums
  return {
    evicted: count,
    regretted,
    bytes: regrettedBytes,
    cost: regrettedCost,
    delay: regretted === 0 || known === 0 ? null : regretDelay / (regretted * known),
  }
}

type RegretSums = Pick<Sums, 'count' | 'regretted' | 'regrettedBytes' | 'regrettedCost' | 'regretDelay'>

function summed(rows: readonly Sums[]): RegretSums {
  const sum = (field: keyof RegretSums) => rows.reduce((total, row) => total + row[field], 0)
  return {
    count: sum('count'),
    regretted: sum('regretted'),
    regrettedBytes: sum('regrettedBytes'),
    regrettedCost: sum('regrettedCost'),
    regretDelay: sum('regretDelay'),
  }
}

function delaysOf(database: Database, bounds: Bounds): RegretAnswer['delays'] {
  const counts = new Map<number, number>()
  for (const { bucket, count } of spread(database, bounds, 'delay')) {
    counts.set(bucket, (counts.get(bucket) ?? 0) + count)
  }
  return [...counts].sort(([a], [b]) => a - b).map(([bucket, count]) => ({ atMost: bucketEnd(bucket), count }))
}

const SELECT_SETTINGS = `
  select settings, evicted_items as evicted from runs
  where (:runId is null or id = :runId) and started_at < :until and coalesce(stopped_at, last_at) >= :since
  order by id desc`

function rememberedBy(database: Database, { cache: _, ...scope }: Bounds): number | null {
  const row = database.prepare(SELECT_SETTINGS).get(scope) as { settings: string } | undefined
  return row === undefined ? null : rememberedEvictions(readSettings(row.settings).maxItems)
}

/** Beyond what the caches remembered, nothing is known: said where there was anything beyond it. */
function incomplete(
  database: Database,
  question: Asked<RegretQuestion>,
  bounds: Bounds,
  remembered: number | null,
  known: number,
): string | null {
  const { cache: _, ...scope } = bounds
  const runs = database.prepare(SELECT_SETTINGS).all(scope) as { settings: string; evicted: number }[]
  const beyond = runs.filter(({ settings, evicted }) => evicted > rememberedEvictions(readSettings(settings).maxItems))
  const bound =
    beyond.length === 0 || remembered === null
      ? null
      : `a cache remembers its last ${countInWords(remembered, 'eviction')}: what was asked for again after as many others is not counted, so there may be more regrets`
  const unknown =
    known === 1
      ? null
      : `bytes and cost count only the ${percentInWords(known)} of these evictions whose rows were kept (sampling, retention), and are too low; the delay is their mean`
  const said = [countingGaps(database, question, bounds), bound, unknown].filter((text) => text !== null)
  return said.length === 0 ? null : said.join('; ')
}
