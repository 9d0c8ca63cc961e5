import type { Database } from '../persist/reader.ts'
import type { Page, Question, WarningRecord } from './answers.ts'
import { readEvents } from './general-events.ts'
import type { Asked } from './question.ts'

/** Changes of the alert level, each with who had been writing. */
export function warnings(database: Database, question: Asked<Question>): Page<WarningRecord> {
  return readEvents(database, 'warned', 'warnings', question, (identity, warned) => ({ ...identity, ...warned }))
}
