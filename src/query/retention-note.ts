import type { EventKind } from '../persist/link-hash.ts'
import type { Database } from '../persist/reader.ts'
import type { Question } from './answers.ts'
import type { Asked } from './question.ts'
import { timeInWords } from './words.ts'

/** What an answer is made of: each kind of row is kept for a time of its own. */
export type Kind = 'departures' | 'rollups' | EventKind

const SELECT_HORIZON = `
  select max(h.at) from horizons h join runs r on r.id = h.run_id
  where h.kind = :kind and h.at >= :since and (:run is null or r.run = :run)`

/** Whether the range begins before what retention has kept, in words; `null`: it doesn't. */
export function retentionNote(database: Database, { run, since }: Asked<Question>, kind: Kind): string | null {
  const scope = { kind, run: run ?? null, since: since ?? Number.NEGATIVE_INFINITY }
  const at = database.prepare(SELECT_HORIZON).pluck().get(scope) as number | null
  return at === null ? null : `before ${timeInWords(at)}: no record (retention)`
}
