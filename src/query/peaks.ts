import type { PeakMetric } from '../event/vocabulary.ts'
import type { Database } from '../persist/reader.ts'
import type { Page, PeakRecord, Question } from './answers.ts'
import { readPage } from './page.ts'
import type { Asked } from './question.ts'

/** A peak is recorded at the next check; what is asked for is when it was reached. */
const REACHED_AT = `json_extract(e.data, '$.peakedAt')`

const SELECT_PEAKS = `
  select r.run, e.run_id as runId, e.seq, ${REACHED_AT} as at,
    json_extract(e.data, '$.metric') as metric, json_extract(e.data, '$.value') as value
  from events e join runs r on r.id = e.run_id`

interface PeakRow extends PeakRecord {
  readonly runId: number
  readonly metric: PeakMetric
}

/** Each new height that a metric reached in its run. */
export function peaks(database: Database, question: Asked<Question>): Page<PeakRecord> {
  const source = {
    question: 'peaks',
    select: SELECT_PEAKS,
    at: REACHED_AT,
    runId: 'e.run_id',
    seq: 'e.seq',
    conditions: [`e.type = 'peaked'`],
    parameters: {},
  }
  return readPage(database, source, question, ({ runId: _, ...record }: PeakRow) => record)
}
