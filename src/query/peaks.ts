import type { CacheSample, Holdings } from '../event/catalogue.ts'
import type { PeakMetric } from '../event/vocabulary.ts'
import type { Database } from '../persist/reader.ts'
import type { Page, PeakRecord, Question } from './answers.ts'
import { readPage, type Source } from './page.ts'
import type { Asked } from './question.ts'

/** A peak is recorded at the next check; what is asked for is when it was reached. */
const REACHED_AT = `json_extract(e.data, '$.peakedAt')`

const SELECT_PEAKS = `
  select r.run, e.run_id as runId, e.seq, ${REACHED_AT} as at,
    json_extract(e.data, '$.metric') as metric, json_extract(e.data, '$.value') as value,
    json_extract(e.data, '$.held') as held
  from events e join runs r on r.id = e.run_id`

interface PeakRow extends Omit<PeakRecord, 'held'> {
  readonly runId: number
  readonly metric: PeakMetric
  readonly held: string | null
}

/** Each new height that a metric reached in its run, and what held the memory then. */
export function peaks(database: Database, question: Asked<Question>): Page<PeakRecord> {
  const source: Source = {
    question: 'peaks',
    kind: 'general',
    select: SELECT_PEAKS,
    at: REACHED_AT,
    runId: 'e.run_id',
    seq: 'e.seq',
    conditions: [`e.type = 'peaked'`],
    parameters: {},
  }
  return readPage(database, source, question, ({ runId, held, ...record }: PeakRow) => ({
    ...record,
    held: held === null ? atNearestCheck(database, runId, record.at) : (JSON.parse(held) as Holdings),
  }))
}

const SELECT_CHECK = `
  select json_extract(data, '$.caches') as caches, json_extract(data, '$.items') as items
  from events where run_id = :runId and type = 'checked'
  order by abs(at - :at) limit 1`

/** Logs of the first version don't say what held a peak: the check nearest to it does, roughly. */
function atNearestCheck(database: Database, runId: number, at: number): Holdings | null {
  const row = database.prepare(SELECT_CHECK).get({ runId, at }) as { caches: string; items: number } | undefined
  if (row === undefined) return null
  const caches = (JSON.parse(row.caches) as CacheSample[]).map(({ cache, items, bytes }) => ({ cache, items, bytes }))
  return { caches: caches.sort((a, b) => b.bytes - a.bytes), prefixes: [], counted: 0, items: row.items }
}
