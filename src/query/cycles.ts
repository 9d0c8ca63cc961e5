import type { CycleCompleted, CycleStarted } from '../event/catalogue.ts'
import type { Database } from '../persist/reader.ts'
import type { CycleRecord, Page, Question } from './answers.ts'
import { readPage, type Source } from './page.ts'
import type { Asked } from './question.ts'

const SELECT_CYCLES = `
  select r.run, e.run_id as runId, e.seq, e.at, e.cache, e.data, c.at as completedAt, c.data as completed
  from events e join runs r on r.id = e.run_id
  left join events c on c.run_id = e.run_id and c.type = 'cycle-completed'
    and json_extract(c.data, '$.cycle') = json_extract(e.data, '$.cycle')`

interface CycleRow {
  readonly run: string
  readonly runId: number
  readonly seq: number
  readonly at: number
  readonly cache: string | null
  readonly data: string
  readonly completedAt: number | null
  readonly completed: string | null
}

/** The eviction cycles: what started each, and what it came to. */
export function cycles(database: Database, question: Asked<Question>): Page<CycleRecord> {
  const source: Source = {
    question: 'cycles',
    kind: 'cycles',
    select: SELECT_CYCLES,
    at: 'e.at',
    runId: 'e.run_id',
    seq: 'e.seq',
    conditions: [`e.type = 'cycle-started'`],
    parameters: {},
  }
  return readPage(database, source, question, cycleRecord)
}

function cycleRecord(row: CycleRow): CycleRecord {
  const started = JSON.parse(row.data) as CycleStarted
  const completed = row.completed === null ? null : (JSON.parse(row.completed) as CycleCompleted)
  return {
    run: row.run,
    cycle: started.cycle,
    seq: row.seq,
    startedAt: row.at,
    completedAt: row.completedAt,
    trigger: started.trigger,
    policy: started.policy,
    cache: row.cache,
    count: completed?.count ?? null,
    bytes: completed?.bytes ?? null,
    usageBefore: completed?.usageBefore ?? started.usage,
    usageAfter: completed?.usageAfter ?? null,
  }
}
