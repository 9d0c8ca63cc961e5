import type { Adapted } from '../event/catalogue.ts'
import type { Database } from '../persist/reader.ts'
import type { Moment } from './life.ts'
import { quoted, timeInWords } from './words.ts'

const SELECT_ADAPTED = `
  select at, data from events
  where run_id = :runId and type = 'adapted' and cache = :cache and seq < :seq
  order by seq desc limit 1`

interface Row {
  readonly at: number
  readonly data: string
}

/** By which of its modes the policy ran the cache at that moment, and since when; nothing if it had never changed it. */
export function modeAt(database: Database, { runId, cache, seq }: Moment): readonly string[] {
  const row = database.prepare(SELECT_ADAPTED).get({ runId, cache, seq }) as Row | undefined
  if (row === undefined) return []
  const { policy, to, reason } = JSON.parse(row.data) as Adapted
  return [`Policy ${policy} ran cache ${quoted(cache)} in mode ${to} since ${timeInWords(row.at)}: ${reason}.`]
}
