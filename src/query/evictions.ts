import type { Database } from '../persist/reader.ts'
import type { EvictionRecord, Page } from './answers.ts'
import { joined } from './incomplete.ts'
import { rowsOfKeys } from './key-places.ts'
import { readPage, type Source } from './page.ts'
import { orderedName } from './question.ts'
import { redactionNote } from './redaction-note.ts'
import type { StoredEvictionQuestion } from './stored.ts'

const COLUMNS = `
  select r.run, e.run_id as runId, e.seq, e.at, e.cache, e.key, e.cause, e.policy, e.size, e.hits,
    e.stored_at as storedAt, e.stored_by as storedBy, e.age, e.idle, e.ttl_left as ttlLeft, e.cost, e.score,
    e.runner_up as runnerUp, e.runner_up_score as runnerUpScore, e.trigger_cache as triggerCache,
    e.trigger_key as triggerKey, e.trigger_size as triggerSize, e.cycle, e.mode, e.mode_since as modeSince,
    e.missed_at as missedAt`

const SELECT_EVICTIONS = `${COLUMNS} from evictions e join runs r on r.id = e.run_id`

/** Those of `:keys`. */
export const SELECT_EVICTIONS_OF_KEYS = `${COLUMNS} from ${rowsOfKeys('evictions')} join runs r on r.id = e.run_id`

export interface EvictionRow extends Omit<EvictionRecord, 'score' | 'trigger'> {
  readonly runId: number
  readonly score: number | null
  readonly triggerCache: string | null
  readonly triggerKey: string | null
  readonly triggerSize: number | null
}

/** What was evicted, when, why and for whom. */
export function evictions(database: Database, question: StoredEvictionQuestion): Page<EvictionRecord> {
  const conditions: string[] = []
  const parameters: Record<string, string> = {}
  for (const field of ['cache', 'cause', 'policy', 'cycle'] as const) {
    const value = question[field]
    if (value === undefined) continue
    conditions.push(`e.${field} = :${field}`)
    parameters[field] = value
  }
  if (question.keys !== undefined) parameters.keys = JSON.stringify(question.keys)
  if (question.prefixes !== undefined) {
    // A subquery for each of millions of rows would take two seconds.
    conditions.push(`(${question.prefixes.map((_, i) => `instr(e.key, :prefix${i}) = 1`).join(' or ')})`)
    question.prefixes.forEach((prefix, i) => {
      parameters[`prefix${i}`] = prefix
    })
  }
  const source = {
    question: orderedName('evictions', question),
    select: question.keys === undefined ? SELECT_EVICTIONS : SELECT_EVICTIONS_OF_KEYS,
    at: 'e.at',
    runId: 'e.run_id',
    seq: 'e.seq',
    conditions,
    ...orderOf(question),
    ...(question.keys === undefined ? { scanned: 'from evictions e' } : {}),
    parameters,
  }
  const page = readPage(database, source, question, evictionRecord)
  return { ...page, incomplete: joined(page.incomplete, redactionNote(database, question)) }
}

/** By time rows are found by an index; by anything else all that match are looked at: some two seconds a million. */
function orderOf({ order = 'time', reverse = false }: StoredEvictionQuestion): Pick<Source, 'order'> {
  if (order === 'time' && !reverse) return {}
  const column = order === 'time' ? 'at' : order
  return { order: { by: `e.${column}`, column, isAscending: reverse } }
}

export function evictionRecord(row: EvictionRow): EvictionRecord {
  const { runId: _, triggerCache, triggerKey, triggerSize, score, runnerUpScore, ...rest } = row
  return {
    ...rest,
    // A score that is no number in the file is an infinite one: an order by expiry has it for "never".
    score: score ?? Number.POSITIVE_INFINITY,
    runnerUpScore: row.runnerUp === null ? null : (runnerUpScore ?? Number.POSITIVE_INFINITY),
    trigger: triggerCache === null ? null : { cache: triggerCache, key: triggerKey ?? '', size: triggerSize ?? 0 },
  }
}
