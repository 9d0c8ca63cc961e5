import { Redaction } from '../base/redaction.ts'
import type { Batch, RunHeader } from './batch.ts'
import { unknownEnds } from './crashed-runs.ts'
import { decodeRows } from './decoder.ts'
import type { Database, Statement } from './driver.ts'
import { redactRows } from './redact-rows.ts'
import { EVICTION_COLUMNS } from './rows.ts'

const INSERT_RUN = `
  insert or ignore into runs (run, level, started_at, version, node, host, pid, process_started_at, seed, settings, may_use, last_at,
    redaction, redaction_secret)
  values (:run, :level, :startedAt, :version, :node, :host, :pid, :processStartedAt, :seed, :settings, :mayUse, :startedAt,
    :redaction, :redactionSecret)`

/** `max` and the peak's time read the row as it was before. */
const UPDATE_RUN = `
  update runs set
    last_seq = :last,
    last_at = max(last_at, :at),
    evicted_items = evicted_items + :evictedItems,
    evicted_bytes = evicted_bytes + :evictedBytes,
    cycles = cycles + :cycles,
    warnings = warnings + :warnings,
    peak_bytes_at = iif(:peakBytes > peak_bytes, :peakBytesAt, peak_bytes_at),
    peak_bytes = max(peak_bytes, :peakBytes),
    peak_items = max(peak_items, :peakItems),
    lost_events = lost_events + :lost
  where id = :id`

const STOP_RUN = 'update runs set stopped_at = :at, stop_reason = :reason, exit_code = :code where id = :id'

const INSERT_BATCH = `
  insert or ignore into batches (run_id, first_seq, last_seq, row_count) values (:id, :first, :last, :rows)`

const INSERT_GAP = `
  insert or ignore into gaps (run_id, first_seq, last_seq, from_at, to_at, lost, reason)
  values (:id, :first, :last, :fromAt, :toAt, :lost, :reason)`

const REVIVE = `delete from gaps where run_id = :id and first_seq = :first and reason = 'crash'`

// The rows' columns are by position: they come in the order in which `rows.ts` names them.
const INSERT_EVICTION = `
  insert into evictions (run_id, ${EVICTION_COLUMNS.join(', ')}) values (?, ${EVICTION_COLUMNS.map(() => '?').join(', ')})`

const INSERT_KEY_EVENT = 'insert into key_events (run_id, seq, at, type, cache, key, data) values (?, ?, ?, ?, ?, ?, ?)'

const INSERT_EVENT = 'insert into events (run_id, seq, at, type, cache, data) values (?, ?, ?, ?, ?, ?)'

const NOTE_REGRET = 'update evictions set missed_at = :at where run_id = :id and seq = :seq and missed_at is null'

/** One run's prepared statements: writes a batch inside the caller's transaction. */
export class RunStatements {
  readonly #id: number
  readonly #redaction: Redaction | null
  readonly #batch: Statement
  readonly #gap: Statement
  readonly #eviction: Statement
  readonly #keyEvent: Statement
  readonly #event: Statement
  readonly #regret: Statement
  readonly #revive: Statement
  readonly #update: Statement
  readonly #stop: Statement

  private constructor(database: Database, id: number, redaction: Redaction | null) {
    this.#id = id
    this.#redaction = redaction
    this.#batch = database.prepare(INSERT_BATCH)
    this.#gap = database.prepare(INSERT_GAP)
    this.#eviction = database.prepare(INSERT_EVICTION)
    this.#keyEvent = database.prepare(INSERT_KEY_EVENT)
    this.#event = database.prepare(INSERT_EVENT)
    this.#regret = database.prepare(NOTE_REGRET)
    this.#revive = database.prepare(REVIVE)
    this.#update = database.prepare(UPDATE_RUN)
    this.#stop = database.prepare(STOP_RUN)
  }

  /** Makes sure of the run's row; in a file that joins in the middle of the run, what came before is a gap. */
  static begin(database: Database, header: RunHeader, next: Batch): RunStatements {
    const redaction = header.redaction === null ? null : new Redaction(header.redaction)
    const run = {
      ...header,
      redaction: redaction?.settings.scope ?? null,
      redactionSecret: redaction?.fingerprint ?? null,
    }
    const isNew = database.prepare(INSERT_RUN).run(run).changes === 1
    const { id } = database.prepare('select id from runs where run = ?').get(header.run) as { id: number }
    const statements = new RunStatements(database, id, redaction)
    if (isNew && next.first > 1) {
      const fromAt = header.startedAt
      const before = { id, first: 1, last: next.first - 1, fromAt, toAt: next.gap?.fromAt ?? next.at }
      statements.#gap.run({ ...before, lost: null, reason: 'elsewhere' })
    }
    if (isNew) statements.#markCrashed(database)
    return statements
  }

  write(batch: Batch): void {
    const id = this.#id
    // A later run took this one for dead: it cannot see into another container.
    this.#revive.run({ id, first: batch.first })
    const isNew = batch.gap === null ? this.#insertRows(batch) : this.#insertGap(batch, batch.gap)
    // A batch that was on disk already, and only its acknowledgement lost, must not be counted twice.
    if (!isNew) return
    const { last, at, tally } = batch
    this.#update.run({ id, last, at, lost: batch.gap?.lost ?? 0, ...tally })
    if (batch.end !== null) this.#stop.run({ id, ...batch.end })
  }

  /** Earlier runs without an end get a gap that begins after their last row and ends nobody knows where. */
  #markCrashed(database: Database): void {
    for (const { id, first, at } of unknownEnds(database, this.#id)) {
      this.#gap.run({ id, first, last: first, fromAt: at, toAt: at, lost: null, reason: 'crash' })
    }
  }

  #insertRows(batch: Batch): boolean {
    const id = this.#id
    const { first, last } = batch
    if (this.#batch.run({ id, first, last, rows: batch.events }).changes === 0) return false
    if (batch.rows === null) return true
    const rows = decodeRows(batch.rows)
    // Before anything is made of them: no key may reach the file by another way.
    if (this.#redaction !== null) redactRows(rows, this.#redaction)
    for (const row of rows.evictions) this.#eviction.run(id, row)
    for (const [seq, at, type, cache, key, data] of rows.keyEvents) {
      this.#keyEvent.run(id, seq, at, type, cache, key, JSON.stringify(data))
    }
    for (const [seq, at, type, cache, data] of rows.events) {
      this.#event.run(id, seq, at, type, cache, JSON.stringify(data))
    }
    for (const [seq, at] of rows.regrets) this.#regret.run({ id, seq, at })
    return true
  }

  #insertGap(batch: Batch, gap: NonNullable<Batch['gap']>): boolean {
    const { first, last, at } = batch
    const { fromAt, lost, reason } = gap
    return this.#gap.run({ id: this.#id, first, last, fromAt, toAt: at, lost, reason }).changes === 1
  }
}
