import type { AuditLevel } from '../base/audit-options.ts'
import type { Database } from '../persist/reader.ts'
import type { StateAnswer, StateEntry, StateOfRun } from './answers.ts'
import { readCursor, writeCursor } from './cursor.ts'
import { type Held, heldAt } from './held.ts'
import { incompleteness, joined } from './incomplete.ts'
import type { AskedState } from './question.ts'
import { type RunRow, runState, SELECT_RUN_STATE } from './run-state.ts'
import { seqOfTime } from './seq-of-time.ts'
import { timeInWords } from './words.ts'

const ENTRIES = 100

interface Run {
  readonly id: number
  readonly run: string
  readonly level: AuditLevel
  readonly startedAt: number
  readonly lastSeq: number
}

const SELECT_RUNS = `
  select id, run, level, started_at as startedAt, last_seq as lastSeq from runs
  where (:run is null or run = :run) and started_at <= :at
  order by id desc`

/** What was in the caches at a time or after a `seq`, folded from what the log has of stores and departures. */
export function state(database: Database, question: AskedState): StateAnswer {
  const { seq, run, cursor, limit = ENTRIES } = question
  // A time that was given as "an hour ago" is another with each page: the cursor has the first one's.
  const from = cursor === undefined ? null : readCursor(cursor, 'state')
  const at = seq === undefined ? (from?.at ?? question.at ?? 0) : null
  const runs = database.prepare(SELECT_RUNS).all({ run: run ?? null, at: at ?? Number.MAX_VALUE }) as Run[]
  const asked = at === null ? runs : runs.filter((one) => wasAlive(database, one, at))
  const none = nobody(question, at, runs, asked)
  if (none !== null) return { at, no: none, runs: [], items: [], next: null, incomplete: null }
  const told = asked.map((one) => toldOf(database, one, at, seq))
  const known = told.filter(({ no }) => no === null)
  const refused = told.filter(({ no }) => no !== null)
  const no = joined(...refused.map((one) => `run ${one.run.run}: ${one.no}`))
  const entries = known.flatMap(({ run: of, held }) => entriesOf(of, held, question.cache))
  const start = from === null ? 0 : entries.findIndex(({ of, entry }) => isBehind(of.id, entry.seq, from))
  const page = start < 0 ? [] : entries.slice(start, start + limit)
  const last = page.at(-1)
  const hasMore = start >= 0 && start + limit < entries.length
  return {
    at,
    no: known.length === 0 ? no : null,
    runs: known.map(({ run: of, seq: until, held }) => sums(of, until, held, question.cache)),
    items: page.map(({ entry, of }) => shown(entry, of, at ?? entry.until)),
    next:
      hasMore && last !== undefined
        ? writeCursor({ at: at ?? 0, runId: last.of.id, seq: last.entry.seq }, 'state')
        : null,
    incomplete: joined(known.length === 0 ? null : no, ...known.map(({ note }) => note)),
  }
}

/** Whether its process was there then, as far as the log goes. */
function wasAlive(database: Database, { id }: Run, at: number): boolean {
  const row = database.prepare(`${SELECT_RUN_STATE} where r.id = :id`).get({ id }) as RunRow
  if (row.stopped_at !== null) return at < row.stopped_at
  return runState(row) === 'running' || at <= row.last_at
}

/** Why there is no run to tell of; `null`: there is. */
function nobody(question: AskedState, at: number | null, runs: readonly Run[], asked: readonly Run[]): string | null {
  const { run, seq } = question
  if (run !== undefined && runs.length === 0) {
    return at === null ? `there is no run ${run}` : `there is no run ${run} that had begun by ${timeInWords(at)}`
  }
  if (at !== null) return asked.length > 0 ? null : `no run was there at ${timeInWords(at)}`
  if (runs.length === 0) return 'no run has been recorded yet'
  if (runs.length > 1) return `each of the ${runs.length} runs in the log has a seq ${seq}: say which with run (--run)`
  return null
}

interface Told {
  readonly run: Run
  readonly seq: number
  readonly held: Held
  readonly no: string | null
  readonly note: string | null
}

const NOTHING: Held = { entries: [], until: 0, isDoubtful: false }

function toldOf(database: Database, run: Run, at: number | null, asked: number | undefined): Told {
  const seq = at === null ? (asked ?? 0) : seqOfTime(database, run.id, run.lastSeq + 1, at, true) - 1
  const told = { run, seq, held: NOTHING, note: null }
  if (run.level === 'departures') {
    return {
      ...told,
      no: `its level "departures" keeps no stores: set audit.level (MUNINN_AUDIT_LEVEL) to changes or all`,
    }
  }
  if (seq > run.lastSeq) return { ...told, no: `its last seq is ${run.lastSeq}` }
  const horizon = horizonOf(database, run.id)
  if (horizon !== undefined && seq < horizon.seq) {
    return { ...told, no: `no record before ${timeInWords(horizon.at)}, seq ${horizon.seq} (retention)` }
  }
  const held = heldAt(database, run.id, seq, horizon?.seq ?? 0)
  const doubt = held.isDoubtful
    ? `run ${run.run}: clearings of whole caches are no longer kept as far back as stores (retention), so that what was cleared may be shown`
    : null
  const lacking = incompleteness(database, { run: run.run, until: (at ?? held.until) + 1 }, 'general')
  return { ...told, held, no: null, note: joined(doubt, lacking) }
}

const SELECT_HORIZON = `select seq, at from horizons where run_id = :runId and kind = 'departures'`

function horizonOf(database: Database, runId: number): { readonly seq: number; readonly at: number } | undefined {
  return database.prepare(SELECT_HORIZON).get({ runId }) as { seq: number; at: number } | undefined
}

type HeldEntry = Held['entries'][number] & { readonly until: number }

/** Those of one cache, or all; the last stored first. */
function entriesOf(of: Run, { entries, until }: Held, cache: string | undefined): { of: Run; entry: HeldEntry }[] {
  return entries
    .filter((entry) => cache === undefined || entry.cache === cache)
    .sort((a, b) => b.seq - a.seq)
    .map((entry) => ({ of, entry: { ...entry, until } }))
}

function isBehind(runId: number, seq: number, position: { readonly runId: number; readonly seq: number }): boolean {
  return runId < position.runId || (runId === position.runId && seq < position.seq)
}

function sums(of: Run, seq: number, { entries }: Held, asked: string | undefined): StateOfRun {
  const caches = new Map<string, { cache: string; items: number; bytes: number }>()
  for (const { cache, stored } of entries) {
    if (asked !== undefined && cache !== asked) continue
    const sum = caches.get(cache) ?? { cache, items: 0, bytes: 0 }
    caches.set(cache, sum)
    sum.items++
    sum.bytes += stored.size
  }
  return { run: of.run, seq, caches: [...caches.values()].sort((a, b) => b.bytes - a.bytes) }
}

function shown({ cache, key, seq, at: storedAt, stored }: HeldEntry, of: Run, at: number): StateEntry {
  const { size, expiresAt, cost, tags, actor, traceId } = stored
  const isExpired = expiresAt !== null && expiresAt <= at
  return { run: of.run, cache, key, seq, size, storedAt, expiresAt, isExpired, cost, tags: tags ?? [], actor, traceId }
}
