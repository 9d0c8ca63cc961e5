import type { Database } from '../persist/reader.ts'
import type { Question } from './answers.ts'
import type { Asked } from './question.ts'
import { type Kind, retentionNote } from './retention-note.ts'
import { type RunRow, runState, SELECT_RUN_STATE } from './run-state.ts'
import { samplingNote } from './sampling-note.ts'
import { countInWords, timeInWords } from './words.ts'

/**
 * How long after its last row a run without a word may still have done something that is missing: as a rule a tenth of
 * a second, unless its log was already in trouble.
 */
const AFTERWARDS = 300_000

const SELECT_GAPS = `
  select
    count(*) as gaps,
    coalesce(sum(g.lost), 0) as lost,
    coalesce(max(g.lost is null), 0) as isUncounted,
    min(g.from_at) as fromAt,
    max(g.to_at) as toAt,
    group_concat(distinct g.reason) as reasons
  from gaps g join runs r on r.id = g.run_id
  where g.reason <> 'crash' and g.to_at >= :since and g.from_at < :until and (:run is null or r.run = :run)`

interface GapsRow {
  readonly gaps: number
  readonly lost: number
  readonly isUncounted: 0 | 1
  readonly fromAt: number
  readonly toAt: number
  readonly reasons: string
}

const SELECT_UNFINISHED = `
  ${SELECT_RUN_STATE}
  where stopped_at is null and last_at >= :since and last_at < :until and (:run is null or run = :run)
  order by last_at desc`

const REASONS: Readonly<Record<string, string>> = {
  overflow: 'the writer fell behind or could not write',
  exit: 'the process exited before they were written',
  unwritable: 'the database refused them',
  elsewhere: 'they went to another file of the same name',
}

/**
 * What may be missing from a run's or a time range's answer, in words; `null`: nothing that is known of.
 *
 * @param kind of the rows that it is made of.
 */
export function incompleteness(
  database: Database,
  question: Asked<Question> & { readonly keys?: readonly string[] },
  kind: Kind = 'departures',
): string | null {
  const { run, since, until } = question
  const from = since ?? Number.NEGATIVE_INFINITY
  const to = until ?? Number.POSITIVE_INFINITY
  const scope = { run: run ?? null, until: to }
  const said: string[] = []
  const retired = retentionNote(database, question, kind)
  if (retired !== null) said.push(retired)
  const sampled = kind === 'departures' ? samplingNote(database, question, question.keys) : null
  if (sampled !== null) said.push(sampled)
  const gaps = database.prepare(SELECT_GAPS).get({ ...scope, since: from }) as GapsRow
  if (gaps.gaps > 0) said.push(gapsInWords(gaps))
  const unfinished = database.prepare(SELECT_UNFINISHED).all({ ...scope, since: from - AFTERWARDS }) as RunRow[]
  const crashed = unfinished.filter((row) => runState(row) === 'crashed')
  const last = crashed[0]
  if (last !== undefined) {
    said.push(
      `run ${last.run} ended without a word: what it did after seq ${last.last_seq} at ${timeInWords(last.last_at)} is missing, its end unknown`,
    )
    if (crashed.length > 1) said.push(`so did ${countInWords(crashed.length - 1, 'earlier run')}`)
  }
  return said.length > 0 ? said.join('; ') : null
}

/** What several parts of an answer lack, as one text. */
export function joined(...parts: readonly (string | null)[]): string | null {
  const said = parts.filter((part) => part !== null)
  return said.length === 0 ? null : said.join('; ')
}

function gapsInWords({ gaps, lost, isUncounted, fromAt, toAt, reasons }: GapsRow): string {
  const events = isUncounted
    ? `${lost > 0 ? `${lost} or more` : 'an unknown number of'} events`
    : countInWords(lost, 'event')
  const why = reasons
    .split(',')
    .map((reason) => REASONS[reason] ?? reason)
    .join(', and ')
  return `${events} between ${timeInWords(fromAt)} and ${timeInWords(toAt)} are missing, in ${countInWords(gaps, 'gap')} (${why})`
}
