import type { Checked, PrefixShare, Stopped } from '../event/catalogue.ts'
import type { EvictionCause } from '../event/vocabulary.ts'
import type { Database } from '../persist/reader.ts'
import type { CrashChange, CrashEvictions, CrashMemory, CrashQuestion, CrashReport } from './analyses.ts'
import type { RunRecord, SampleRecord, WarningRecord } from './answers.ts'
import { evidenceOfExit, evidenceOfLife, evidenceOfSilence } from './crash-evidence.ts'
import { evictions } from './evictions.ts'
import { incompleteness } from './incomplete.ts'
import type { Asked } from './question.ts'
import { type FullRunRow, runRecord, SELECT_RUNS } from './runs.ts'

const WINDOW = 600_000
/** Writers and evictions that are named. */
const NAMED = 10

/** The last minutes of a run that ended without saying goodbye, and what they say about why. */
export function crash(database: Database, { run, window = WINDOW }: Asked<CrashQuestion>): CrashReport {
  const found = crashedRun(database, run)
  if (found === null) return nothing(database, run)
  const { row, record } = found
  const scope = { runId: row.runId, from: record.lastAt - window }
  const samples = read<Checked>(database, 'checked', scope).map((event) => ({ run: record.run, ...event }))
  const memory = memoryOf(row, samples)
  const isSaid = record.stoppedAt !== null
  const isRunning = record.state === 'running'
  const evidence = isRunning
    ? evidenceOfLife(record)
    : isSaid
      ? evidenceOfExit(record, read<Stopped>(database, 'stopped', scope).at(-1) ?? null)
      : evidenceOfSilence(record, memory, record.settings.checkInterval)
  return {
    run: record,
    ...evidence,
    from: Math.max(scope.from, record.startedAt),
    to: record.lastAt,
    gap: isSaid || isRunning ? null : { afterSeq: record.lastSeq, at: record.lastAt, until: nextStart(database, row) },
    memory,
    samples,
    levels: read<WarningRecord>(database, 'warned', scope).map((event) => ({ ...event, run: record.run })),
    writers: writersOf(samples),
    evictions: evictionsOf(database, scope),
    lastEvictions: evictions(database, {
      run: record.run,
      since: scope.from,
      limit: NAMED,
      secretId: null,
    }).items.toReversed(),
    unfinishedCycles: unfinishedCycles(database, scope),
    changes: changesOf(database, scope),
    incomplete: incompleteness(database, { run: record.run, since: scope.from }),
  }
}

/** The run that is asked for, else the latest that crashed. */
function crashedRun(database: Database, run: string | undefined): { row: FullRunRow; record: RunRecord } | null {
  const rows = database.prepare(`${SELECT_RUNS} where :run is null or r.run = :run order by r.id desc`)
  for (const row of rows.iterate({ run: run ?? null }) as Iterable<FullRunRow>) {
    const record = runRecord(row)
    if (run !== undefined || record.state === 'crashed') return { row, record }
  }
  return null
}

function nothing(database: Database, run: string | undefined): CrashReport {
  const { count } = database.prepare('select count(*) as count from runs').get() as { count: number }
  const looked =
    run === undefined
      ? `No run of this log ended without saying goodbye (${count === 1 ? 'it has one run' : `it has ${count} runs`}).`
      : `This log has no run ${run}.`
  return {
    run: null,
    verdict: 'no crash',
    certainty: run === undefined ? 'known' : 'unknown',
    summary: [looked],
    from: null,
    to: null,
    gap: null,
    memory: null,
    samples: [],
    levels: [],
    writers: [],
    evictions: [],
    lastEvictions: [],
    unfinishedCycles: [],
    changes: [],
    incomplete: null,
  }
}

interface Scope {
  readonly runId: number
  readonly from: number
}

const SELECT_EVENTS = `
  select seq, at, type, data from events
  where type = :type and at >= :from and +run_id = :runId order by at, seq`

interface EventRow {
  readonly seq: number
  readonly at: number
  readonly type: string
  readonly data: string
}

/** What the log has of one type in the window, oldest first. */
function read<E>(database: Database, type: string, scope: Scope): E[] {
  const rows = database.prepare(SELECT_EVENTS).all({ ...scope, type }) as EventRow[]
  return rows.map(({ seq, at, data }) => ({ seq, at, ...JSON.parse(data) }) as E)
}

function memoryOf(row: FullRunRow, samples: readonly SampleRecord[]): CrashMemory | null {
  const last = samples.at(-1)
  if (last === undefined) return null
  const { bytes, source, heapLimit } = JSON.parse(row.may_use) as { bytes: number; source: string; heapLimit?: number }
  return {
    at: last.at,
    rss: last.rss,
    heapUsed: last.heapUsed,
    mayUse: bytes,
    mayUseSource: source,
    heapLimit: heapLimit ?? null,
    rssGrowth: growth(samples, ({ rss }) => rss),
    heapGrowth: growth(samples, ({ heapUsed }) => heapUsed),
  }
}

/** Bytes a minute, by the window's second half: what came before may be the start of the process. */
function growth(samples: readonly SampleRecord[], of: (sample: SampleRecord) => number): number | null {
  const first = samples[Math.floor((samples.length - 1) / 2)]
  const last = samples.at(-1)
  if (first === undefined || last === undefined || last.at <= first.at) return null
  return ((of(last) - of(first)) * 60_000) / (last.at - first.at)
}

/** Bytes by writer in all samples; their errors add up, too. */
function writersOf(samples: readonly SampleRecord[]): PrefixShare[] {
  const sums = new Map<string, PrefixShare>()
  for (const { caches } of samples) {
    for (const { writers } of caches) {
      for (const writer of writers) {
        const name = JSON.stringify([writer.cache, writer.prefix])
        const before = sums.get(name) ?? { ...writer, bytes: 0, error: 0 }
        sums.set(name, { ...before, bytes: before.bytes + writer.bytes, error: before.error + writer.error })
      }
    }
  }
  return [...sums.values()].sort((a, b) => b.bytes - a.bytes).slice(0, NAMED)
}

const SELECT_EVICTED = `
  select cache, cause, sum(count) as count, sum(bytes) as bytes from rollups
  where from_at > :from - span and run_id = :runId and type = 'evicted'
  group by cache, cause order by bytes desc limit ${NAMED}`

/** By whole minutes: the one in which the window begins counts in full. */
function evictionsOf(database: Database, scope: Scope): CrashEvictions[] {
  const rows = database.prepare(SELECT_EVICTED).all(scope) as (CrashEvictions & { cause: EvictionCause })[]
  return rows.filter(({ count }) => count > 0)
}

const SELECT_UNFINISHED = `
  select json_extract(data, '$.cycle') as cycle from events e
  where run_id = :runId and type = 'cycle-started' and at >= :from and not exists (
    select 1 from events c where c.run_id = e.run_id and c.type = 'cycle-completed'
      and json_extract(c.data, '$.cycle') = json_extract(e.data, '$.cycle'))
  order by seq`

function unfinishedCycles(database: Database, scope: Scope): string[] {
  return (database.prepare(SELECT_UNFINISHED).all(scope) as { cycle: string }[]).map(({ cycle }) => cycle)
}

const CHANGES = ['configured', 'budget-changed', 'adapted', 'divided', 'clock-changed', 'stats-reset'] as const

function changesOf(database: Database, scope: Scope): CrashChange[] {
  return CHANGES.flatMap((type) =>
    read<Record<string, unknown>>(database, type, scope).map((event) => [type, event] as const),
  )
    .map(([type, { seq, at, actor, traceId: _, ...data }]) => ({
      seq: Number(seq),
      at: Number(at),
      type,
      actor: typeof actor === 'string' ? actor : null,
      data,
    }))
    .sort((a, b) => a.seq - b.seq)
}

const SELECT_NEXT = 'select min(started_at) as at from runs where id > :runId and host = :host'

function nextStart(database: Database, { runId, host }: FullRunRow): number | null {
  return (database.prepare(SELECT_NEXT).get({ runId, host }) as { at: number | null }).at
}
