import { rememberedEvictions } from '../base/remembered.ts'
import type { Database } from '../persist/reader.ts'
import type { RegretAnswer, RegretQuestion, RegretRecord } from './analyses.ts'
import { type Bounds, boundsOf, bucketEnd, countingGaps, departures, type Sums, spread } from './counts.ts'
import type { Asked } from './question.ts'
import { pageOf } from './ranking.ts'
import { readSettings } from './settings-read.ts'
import { countInWords } from './words.ts'

/** What was evicted and asked for again: how often, how soon, and what that cost. Most regretted first. */
export function regrets(database: Database, question: Asked<RegretQuestion>): RegretAnswer {
  const bounds = boundsOf(database, question)
  const rows = departures(database, bounds, ['cache', 'type', 'prefix'])
    .filter(({ type, prefix }) => type === 'evicted' && (question.prefix ?? prefix) === prefix)
    .filter(({ regretted }) => regretted > 0)
    .sort((a, b) => b.regretted - a.regretted || (a.cache < b.cache ? -1 : 1))
  const all = departures(database, bounds, ['type', 'prefix']).filter(
    ({ type, prefix }) => type === 'evicted' && (question.prefix ?? prefix) === prefix,
  )
  const remembered = rememberedBy(database, bounds)
  return {
    ...pageOf(rows, question, 'regrets', record),
    total: totalOf(all),
    delays: question.prefix === undefined ? delaysOf(database, bounds) : [],
    remembered,
    incomplete: incomplete(database, question, bounds, remembered),
  }
}

function record(row: Sums & { cache: string; prefix: string }): RegretRecord {
  return { cache: row.cache, prefix: row.prefix, ...figures(row) }
}

function figures({ count, regretted, regrettedBytes, regrettedCost, regretDelay }: Sums): RegretAnswer['total'] {
  return {
    evicted: count,
    regretted,
    bytes: regrettedBytes,
    cost: regrettedCost,
    delay: regretted === 0 ? null : regretDelay / regretted,
  }
}

function totalOf(rows: readonly Sums[]): RegretAnswer['total'] {
  const sum = (field: keyof Sums) => rows.reduce((total, row) => total + row[field], 0)
  const regretted = sum('regretted')
  return {
    evicted: sum('count'),
    regretted,
    bytes: sum('regrettedBytes'),
    cost: sum('regrettedCost'),
    delay: regretted === 0 ? null : sum('regretDelay') / regretted,
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
): string | null {
  const { cache: _, ...scope } = bounds
  const runs = database.prepare(SELECT_SETTINGS).all(scope) as { settings: string; evicted: number }[]
  const beyond = runs.filter(({ settings, evicted }) => evicted > rememberedEvictions(readSettings(settings).maxItems))
  const bound =
    beyond.length === 0 || remembered === null
      ? null
      : `a cache remembers its last ${countInWords(remembered, 'eviction')}: what was asked for again after as many others is not counted, so there may be more regrets`
  const said = [countingGaps(database, question, bounds), bound].filter((text) => text !== null)
  return said.length === 0 ? null : said.join('; ')
}
