import type { EventOf, EventType } from '../event/catalogue.ts'
import { kindOf } from '../persist/link-hash.ts'
import type { Database } from '../persist/reader.ts'
import type { Page, Question } from './answers.ts'
import { readPage } from './page.ts'
import type { Asked } from './question.ts'

const SELECT_EVENTS = `
  select r.run, e.run_id as runId, e.seq, e.at, e.data
  from events e join runs r on r.id = e.run_id`

interface GeneralRow {
  readonly run: string
  readonly runId: number
  readonly seq: number
  readonly at: number
  readonly data: string
}

/** What every answer about such an event begins with. */
export interface Identity {
  readonly run: string
  readonly seq: number
  readonly at: number
}

/** A page of the events of one type, of those that are about no single key. */
export function readEvents<K extends EventType, T>(
  database: Database,
  type: K,
  name: string,
  question: Asked<Question>,
  record: (identity: Identity, data: Omit<EventOf<K>, 'seq' | 'at' | 'type'>) => T,
): Page<T> {
  const source = {
    question: name,
    kind: kindOf(type),
    select: SELECT_EVENTS,
    at: 'e.at',
    runId: 'e.run_id',
    seq: 'e.seq',
    conditions: ['e.type = :type'],
    parameters: { type },
  }
  return readPage(database, source, question, ({ run, seq, at, data }: GeneralRow) =>
    record({ run, seq, at }, JSON.parse(data) as EventOf<K>),
  )
}
