import type { Database } from '../persist/reader.ts'
import type { TopQuestion, TopRecord } from './analyses.ts'
import type { Page } from './answers.ts'
import { type Bounds, boundsOf, countingGaps, departures } from './counts.ts'
import type { Asked } from './question.ts'
import { pageOf } from './ranking.ts'
import { countInWords } from './words.ts'

/** Newest evictions by which keys are ranked at most: some two seconds. */
const MOST_ROWS = 1_000_000

/** Which keys or key prefixes were evicted most, by count, by bytes, or by being asked for again. */
export function top(database: Database, question: Asked<TopQuestion>): Page<TopRecord> {
  const { of = 'prefix', by = 'evictions' } = question
  const bounds = boundsOf(database, question)
  const { rows, note } = of === 'key' ? byKey(database, bounds) : { rows: byPrefix(database, bounds), note: null }
  const rank = { evictions: 'evicted', bytes: 'bytes', regrets: 'regretted' } as const
  const field = rank[by]
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

const SELECT_ROWS = `
  select cache, key, size, cost, missed_at is not null as isRegretted from evictions
  where at >= :since and at < :until and (:runId is null or run_id = :runId) and (:cache is null or cache = :cache)
  order by at desc limit ${MOST_ROWS + 1}`

interface Row {
  readonly cache: string
  readonly key: string
  readonly size: number
  readonly cost: number
  readonly isRegretted: 0 | 1
}

type Counted = { -readonly [Name in keyof TopRecord]: TopRecord[Name] }

/** Keys are in the rows alone: the newest are read, and it says so where there are more. */
function byKey(database: Database, bounds: Bounds): { rows: TopRecord[]; note: string | null } {
  const caches = new Map<string, Map<string, Counted>>()
  let read = 0
  let isCut = false
  for (const row of database.prepare(SELECT_ROWS).iterate(bounds) as Iterable<Row>) {
    if (read === MOST_ROWS) {
      isCut = true
      break
    }
    read++
    const keys = caches.get(row.cache) ?? new Map<string, Counted>()
    if (keys.size === 0) caches.set(row.cache, keys)
    let counted = keys.get(row.key)
    if (counted === undefined) {
      counted = {
        cache: row.cache,
        name: row.key,
        evicted: 0,
        bytes: 0,
        regretted: 0,
        regrettedBytes: 0,
        regrettedCost: 0,
      }
      keys.set(row.key, counted)
    }
    counted.evicted++
    counted.bytes += row.size
    if (row.isRegretted === 0) continue
    counted.regretted++
    counted.regrettedBytes += row.size
    counted.regrettedCost += row.cost
  }
  const note = isCut
    ? `keys are ranked by the newest ${countInWords(MOST_ROWS, 'eviction')}: ask for less with since and until`
    : null
  return { rows: [...caches.values()].flatMap((keys) => [...keys.values()]), note }
}
