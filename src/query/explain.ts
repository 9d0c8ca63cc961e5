import type { AuditLevel } from '../base/audit-options.ts'
import type { Database } from '../persist/reader.ts'
import type { Explanation } from './answers.ts'
import { afterwards, departure } from './departure.ts'
import { incompleteness, joined } from './incomplete.ts'
import { MOST_OF_A_KIND, type Moment, readLife } from './life.ts'
import { redactionNote } from './redaction-note.ts'
import { type RoomAnswer, roomFor } from './room-needed.ts'
import { type RunRow, runState, SELECT_RUN_STATE } from './run-state.ts'
import { settingsAt } from './settings-read.ts'
import type { StoredLifeQuestion } from './stored.ts'
import { countInWords, quoted, timeInWords } from './words.ts'

type Verdict = Explanation['verdict']

const VERDICTS: Readonly<Record<string, Verdict>> = {
  evicted: 'evicted',
  expired: 'expired',
  removed: 'removed',
  cleared: 'cleared',
  rejected: 'rejected',
  added: 'present',
  updated: 'present',
  accessed: 'present',
}

/** Why a key is not there any more: its life, and in a few sentences what an operator wants to know of it. */
export function explain(database: Database, question: StoredLifeQuestion): Explanation {
  const moments = readLife(database, question)
  const last = moments.findLast((moment, index) => isTelling(moment, moments.slice(0, index)))
  const { run, keys } = question
  const lacking = incompleteness(database, run === undefined ? { keys } : { run, keys })
  const hidden = redactionNote(database, question)
  const known = joined(lacking, hidden)
  if (last === undefined) return noRecord(database, question, known, hidden)
  const evicted = evictionOf(moments, last)
  const room = evicted === undefined ? null : roomOf(database, moments, evicted)
  const ended = last.type in ENDED_BY_RUN ? runEnd(database, last) : null
  const verdict = ended === null ? (VERDICTS[last.type] as Verdict) : 'run ended'
  const cut = [...countByKind(moments).values()].some((count) => count >= MOST_OF_A_KIND)
  const said = [known, cut ? `only the newest ${MOST_OF_A_KIND} events of each kind are shown` : null].filter(isSaid)
  return {
    key: question.key,
    cache: last.cache,
    verdict,
    summary: [
      ...departure(database, question.key, last, room?.sentence ?? null),
      ...(evicted === undefined || evicted === last
        ? []
        : departure(database, question.key, evicted, room?.sentence ?? null)),
      ...(ended === null ? [] : [ended]),
      ...afterwards(moments.slice(moments.indexOf(last) + 1)),
      ...repeated(moments, last),
      ...levelInWords(last.level),
    ],
    roomNeeded: room?.needed ?? null,
    life: moments.map(({ run, seq, at, type, cache, text, data }) => ({ run, seq, at, type, cache, text, data })),
    incomplete: said.length > 0 ? said.join('; ') : null,
  }
}

/** The eviction that one asks about: the last thing that happened, or before a key was there again. */
function evictionOf(moments: readonly Moment[], last: Moment): Moment | undefined {
  if (VERDICTS[last.type] !== 'present') return last.type === 'evicted' ? last : undefined
  return moments.findLast(({ type }) => type === 'evicted')
}

/** Of the eviction; or, where it wasn't asked for again since, of the newest one after which it was. */
function roomOf(database: Database, moments: readonly Moment[], evicted: Moment): RoomAnswer {
  const regretted = moments.findLast(
    ({ eviction, seq, runId }) => (eviction?.missedAt ?? null) !== null && runId === evicted.runId && seq < evicted.seq,
  )
  const earlier = evicted.eviction?.missedAt === null ? regretted : undefined
  const asked = earlier ?? evicted
  const settings = settingsAt(database, asked.runId, asked.seq)
  const room = roomFor(database, asked, moments.slice(moments.indexOf(asked) + 1), settings)
  if (earlier === undefined || room.sentence === null) return room
  return { ...room, sentence: `When it had been evicted before, at ${timeInWords(asked.at)}: ${room.sentence}` }
}

const ENDED_BY_RUN: Readonly<Record<string, true>> = { added: true, updated: true, accessed: true }

/** Whether it settles where the key is. A clearing does only if the key may have been there, for all that is known. */
function isTelling(moment: Moment, before: readonly Moment[]): boolean {
  if (!Object.hasOwn(VERDICTS, moment.type)) return false
  return moment.type !== 'cleared' || moment.level !== 'departures' || !before.some(({ type }) => type !== 'cleared')
}

function isSaid(text: string | null): text is string {
  return text !== null
}

function countByKind(moments: readonly Moment[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const { type } of moments) {
    const kind = type === 'evicted' || type === 'cleared' ? type : 'other'
    counts.set(kind, (counts.get(kind) ?? 0) + 1)
  }
  return counts
}

/** What became of a key that was there, where its run has ended. */
function runEnd(database: Database, { runId }: Moment): string | null {
  const row = database.prepare(`${SELECT_RUN_STATE} where r.id = :runId`).get({ runId }) as RunRow
  const state = runState(row)
  if (state === 'running') return null
  const how =
    row.stopped_at === null ? `without a word after ${timeInWords(row.last_at)}` : `at ${timeInWords(row.stopped_at)}`
  return `Its run ended ${how} (${state}), and what was in the caches went with the process.`
}

function repeated(moments: readonly Moment[], last: Moment): readonly string[] {
  const same = moments.filter(({ type }) => type === last.type)
  if (same.length < 2 || last.type !== 'evicted') return []
  const missed = same.filter(({ eviction }) => eviction !== null && eviction.missedAt !== null).length
  return [`In all it was evicted ${same.length} times, and missed afterwards ${countInWords(missed, 'time')}.`]
}

function levelInWords(level: AuditLevel): readonly string[] {
  if (level === 'all') return []
  if (level === 'changes') return ['The log keeps level "changes": reads are not in it.']
  return ['The log keeps level "departures": stores and reads are not in it.']
}

const SELECT_KEPT = 'select distinct level from runs where :run is null or run = :run'
const SELECT_START = 'select min(started_at) as at from runs'

function noRecord(
  database: Database,
  { key, cache, run }: StoredLifeQuestion,
  known: string | null,
  hidden: string | null,
): Explanation {
  const levels = (database.prepare(SELECT_KEPT).all({ run: run ?? null }) as { level: AuditLevel }[]).map(
    ({ level }) => level,
  )
  const { at } = database.prepare(SELECT_START).get() as { at: number | null }
  const where = cache === undefined ? '' : ` in cache ${quoted(cache)}`
  const summary = [`The log has nothing of ${quoted(key)}${where}${run === undefined ? '' : ` in run ${run}`}.`]
  if (at === null) summary.push('No run has been recorded in it yet.')
  else if (levels.length === 0) summary.push('It has no such run.')
  else if (hidden !== null) summary.push(`It may have it all the same: ${hidden}.`)
  else if (levels.includes('departures')) {
    summary.push(
      `It begins at ${timeInWords(at)} and keeps level "departures": a key that was never stored, or that still is there, leaves no row.`,
    )
  } else summary.push(`It begins at ${timeInWords(at)} and keeps every store: within it the key was never stored.`)
  const blind = levels.includes('departures') ? `level "departures" does not keep stores and reads` : null
  const said = [known, blind].filter(isSaid)
  return {
    key,
    cache: cache ?? null,
    verdict: 'no record',
    summary,
    roomNeeded: null,
    life: [],
    incomplete: said.length > 0 ? said.join('; ') : null,
  }
}
