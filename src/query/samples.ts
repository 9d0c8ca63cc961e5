import type { Database } from '../persist/reader.ts'
import type { Page, Question, SampleRecord } from './answers.ts'
import { readEvents } from './general-events.ts'
import type { Asked } from './question.ts'

/** The periodic checks: what was held then, and what each cache did since the one before. */
export function samples(database: Database, question: Asked<Question>): Page<SampleRecord> {
  return readEvents(database, 'checked', 'samples', question, (identity, checked) => ({ ...identity, ...checked }))
}
