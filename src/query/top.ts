import type { Database } from '../persist/reader.ts'
import type { TopQuestion, TopRecord } from './analyses.ts'
import type { Page } from './answers.ts'
import { type Bounds, boundsOf, countingGaps, departures } from './counts.ts'
import type { Asked } from './question.ts'
import { pageOf, ROWS, rankedBefore } from './ranking.ts'
import { countInWords } from './words.ts'

/** Newest evictions by which keys are ranked at most: some two seconds. */
const MOST_ROWS = 1_000_000

/** Which keys or key prefixes were evicted most, by count, by bytes, or by being asked for again. */
export function top(database: Database, question: Asked<TopQuestion>): Page<TopRecord> {
  const { of = 'prefix', by = 'evictions' } = question
  const bounds = boundsOf(database, question)
  const field = ({ evictions: 'evicted', bytes: 'bytes', regrets: 'regretted' } as const)[by]
  const most = rankedBefore(question, 'top') + (question.limit ?? ROWS) + 1
  const { rows, note } =
    of === 'key' ? byKey(database, bounds, field, most) : { rows: byPrefix(database, bounds), note: null }
  const ranked = rows
    .filter((row) => row[field] > 0)
    .sort((a, b) => b[field] - a[field] || b.evicted - a.evicted || (a.name < b.name ? -1 : 1))
  const said = [countingGaps(database, question, bounds, of === 'key' ? 'departures' : 'rollups'), note].filter(
    (text) => text !== null,
  )
  return {
    ...pageOf(ranked, question, 'top', (row) => row),
    incomplete: said.length === 0 ? null : said.join('; '),
  }
}

function byPrefix(database: Database, bounds: Bounds): TopRecord[] {
  return departures(database, bounds, ['cache', 'type', 'prefix'])
    .filter(({ type }) => type === 'evicted')
    .map(({ cache, prefix, count, bytes, regretted, regrettedBytes, regrettedCost }) => ({
      cache,
      name: prefix,
      evicted: count,
      bytes,
      regretted,
      regrettedBytes,
      regrettedCost,
    }))
}

/** @param at `+at` where most rows are in the range: to look each up through the index by time takes twice as long. */
const newest = (at: string, columns: string, rest: string) => `
  select ${columns} from evictions
  where ${at} >= :since and ${at} < :until and (:runId is null or run_id = :runId) and (:cache is null or cache = :cache)
  order by run_id desc, seq desc limit ${rest}`

const SUMMED = `
  cache, key as name, count(*) as evicted, sum(size) as bytes, sum(missed_at is not null) as regretted,
  sum(iif(missed_at is null, 0, size)) as regrettedBytes, sum(iif(missed_at is null, 0, cost)) as regrettedCost`

/** Keys are in the rows alone: the newest are read, and it says so where there are more. */
function byKey(
  database: Database,
  bounds: Bounds,
  field: string,
  most: number,
): { rows: TopRecord[]; note: string | null } {
  const at = Number.isFinite(bounds.since) ? 'at' : '+at'
  const rowsOf = newest(at, 'cache, key, size, cost, missed_at', String(MOST_ROWS))
  const sql = `
    select * from (select ${SUMMED} from (${rowsOf}) group by cache, key)
    where ${field} > 0 order by ${field} desc, evicted desc, name limit ${most}`
  const rows = database.prepare(sql).all(bounds) as TopRecord[]
  const isCut = database.prepare(newest(at, '1', `1 offset ${MOST_ROWS}`)).get(bounds) !== undefined
  const note = isCut
    ? `keys are ranked by the newest ${countInWords(MOST_ROWS, 'eviction')}: ask for less with since and until`
    : null
  return { rows, note }
}
