import { OTHERS } from '../base/prefix.ts'
import type { Database } from '../persist/reader.ts'
import type { TopQuestion, TopRecord } from './analyses.ts'
import type { Page } from './answers.ts'
import { type Bounds, boundsOf, countingGaps, departures } from './counts.ts'
import { joined } from './incomplete.ts'
import type { Asked } from './question.ts'
import { pageOf, ROWS, rankedFrom, startOf, upTo } from './ranking.ts'
import { countInWords } from './words.ts'

/** Newest evictions by which keys are ranked at most: some two seconds. */
const MOST_ROWS = 1_000_000

/** Which keys or key prefixes were evicted most, by count, by bytes, or by being asked for again. */
export function top(database: Database, question: Asked<TopQuestion>): Page<TopRecord> {
  const { of = 'prefix', by = 'evictions' } = question
  const start = startOf(database, question, 'top')
  const range = upTo(start, question)
  const bounds = boundsOf(database, range)
  const field = FIGURES[by]
  const byItself = (row: TopRecord) => row
  if (of === 'key') {
    const { rows, note } = byKey(database, bounds, field, start.seq, (question.limit ?? ROWS) + 1)
    const incomplete = joined(countingGaps(database, range, bounds, 'departures'), note)
    return { ...pageOf(rows, question, 'top', start, byItself), incomplete }
  }
  const rankOf = (row: TopRecord) => ({ ...row, figure: row[field] ?? 0 })
  const rows = byPrefix(database, bounds).filter((row) => (row[field] ?? 0) > 0)
  const page = pageOf(rankedFrom(rows, start, rankOf), question, 'top', start, byItself, rankOf)
  return { ...page, incomplete: countingGaps(database, range, bounds) }
}

const FIGURES = { evictions: 'evicted', bytes: 'bytes', regrets: 'regretted' } as const

function byPrefix(database: Database, bounds: Bounds): TopRecord[] {
  return departures(database, bounds, ['cache', 'type', 'prefix'])
    .filter(({ type }) => type === 'evicted')
    .map(({ cache, prefix, count, bytes, regretted, regrettedBytes, regrettedCost }) => {
      // What was lost stands there alone, and what of it was asked for again, under its own prefix.
      const isUnknown = prefix === OTHERS && regretted === 0
      const known = isUnknown ? UNKNOWN : { regretted, regrettedBytes, regrettedCost }
      return { cache, name: prefix, evicted: count, bytes, ...known }
    })
}

const UNKNOWN = { regretted: null, regrettedBytes: null, regrettedCost: null }

/** @param at `+at` where most rows are in the range: to look each up through the index by time takes twice as long. */
const newest = (at: string, columns: string, rest: string) => `
  select ${columns} from evictions
  where ${at} >= :since and ${at} < :until and (:runId is null or run_id = :runId) and (:cache is null or cache = :cache)
  order by run_id desc, seq desc limit ${rest}`

const SUMMED = `
  cache, key as name, count(*) as evicted, sum(size) as bytes, sum(missed_at < :until) as regretted,
  sum(iif(missed_at < :until, size, 0)) as regrettedBytes, sum(iif(missed_at < :until, cost, 0)) as regrettedCost`

/** Keys are in the rows alone: the newest are read, and it says so where there are more. */
function byKey(
  database: Database,
  bounds: Bounds,
  field: (typeof FIGURES)[keyof typeof FIGURES],
  from: number,
  most: number,
): { rows: TopRecord[]; note: string | null } {
  const at = Number.isFinite(bounds.since) ? 'at' : '+at'
  const rowsOf = newest(at, 'cache, key, size, cost, missed_at', String(MOST_ROWS))
  const sql = `
    select * from (select ${SUMMED} from (${rowsOf}) group by cache, key)
    where ${field} > 0 order by ${field} desc, evicted desc, name, cache limit ${most} offset ${from}`
  const rows = database.prepare(sql).all(bounds) as TopRecord[]
  const isCut = database.prepare(newest(at, '1', `1 offset ${MOST_ROWS}`)).get(bounds) !== undefined
  const note = isCut
    ? `keys are ranked by the newest ${countInWords(MOST_ROWS, 'eviction')}: ask for less with since and until`
    : null
  return { rows, note }
}
