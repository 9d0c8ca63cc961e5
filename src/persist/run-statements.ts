import { prefixOf } from '../base/prefix.ts'
import { Redaction } from '../base/redaction.ts'
import type { Batch, RunHeader } from './batch.ts'
import { encodeBlock, isRecorded } from './block.ts'
import { Chain } from './chain.ts'
import { unknownEnds } from './crashed-runs.ts'
import { decodeRows } from './decoder.ts'
import type { Database, Statement } from './driver.ts'
import { Insertion } from './insertion.ts'
import { blockRow, type GapLink, HASHED_COLUMNS, hashBatch, hashGap, hashRows, type SamplingLink } from './link-hash.ts'
import { redactRows } from './redact-rows.ts'
import { Rollup } from './rollup.ts'
import { RollupStatements } from './rollup-statements.ts'
import type { RegretRow, Rows, Value } from './rows.ts'
import { Sampling, sampleRows } from './sampling.ts'
import { OpenSegment, ROW_BYTES, rowsPerSegment } from './segment.ts'

const INSERT_RUN = `
  insert or ignore into runs (run, level, started_at, version, node, host, pid, process_started_at, seed, settings, may_use, last_at,
    redaction, redaction_secret, process_identity)
  values (:run, :level, :startedAt, :version, :node, :host, :pid, :processStartedAt, :seed, :settings, :mayUse, :startedAt,
    :redaction, :redactionSecret, :processIdentity)`

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

const SELECT_END = 'select last_seq as lastSeq, last_at as lastAt from runs where id = ?'

/** How far the file has got with the run. */
interface End {
  readonly lastSeq: number
  readonly lastAt: number
}

const INSERT_BATCH = `
  insert into batches (run_id, first_seq, last_seq, row_count, departures_hash, events_hash, hash, row_sums)
  values (:id, :first, :last, :rowCount, :departures, :events, :hash, :sums)`

const INSERT_GAP = `
  insert or ignore into gaps (run_id, first_seq, last_seq, from_at, to_at, lost, reason, hash)
  values (:id, :first, :last, :fromAt, :toAt, :lost, :reason, :hash)`

const REVIVE = `delete from gaps where run_id = :id and first_seq = :first and reason = 'crash'`

const NOTE_REGRET = `
  update evictions set missed_at = :at where run_id = :id and seq = :seq and missed_at is null
  returning at, cause, policy, size, cost`

interface RegrettedRow {
  readonly at: number
  readonly cause: string
  readonly policy: string
  readonly size: number
  readonly cost: number
}

const SELECT_SHARE = 'select share from samplings where run_id = ? order by seq desc limit 1'

/** What the chain hashes of a batch's block, and what the block takes in the file. */
interface Recorded {
  readonly blocks: readonly (readonly Value[])[]
  readonly blockBytes: number
}

/** One run's prepared statements: writes a batch inside the caller's transaction. */
export class RunStatements {
  readonly #id: number
  readonly #redaction: Redaction | null
  readonly #chain: Chain
  readonly #rollups: RollupStatements
  readonly #end: Statement
  readonly #batch: Statement
  readonly #gap: Statement
  readonly #block: Statement
  readonly #evictions: Insertion
  readonly #keyEvents: Insertion
  readonly #events: Insertion
  readonly #regret: Statement
  readonly #revive: Statement
  readonly #update: Statement
  readonly #stop: Statement
  readonly #segment: OpenSegment
  readonly #sampling: Sampling | null
  readonly #noteShare: Statement
  /** As the file has it. */
  #notedShare: number
  /** Departures of the batch that is being written. */
  #departures = 0
  /** No event of the next batch is older. */
  #at: number

  private constructor(database: Database, id: number, header: RunHeader, redaction: Redaction | null) {
    this.#id = id
    this.#redaction = redaction
    this.#chain = new Chain(database)
    this.#rollups = new RollupStatements(database, id)
    this.#end = database.prepare(SELECT_END)
    this.#at = header.startedAt
    this.#segment = new OpenSegment(database, id, rowsPerSegment(header.retention.maxSize))
    this.#notedShare = (database.prepare(SELECT_SHARE).pluck().get(id) as number | undefined) ?? 1
    const isSampled = header.level === 'departures' && header.sampleAbove < Number.POSITIVE_INFINITY
    this.#sampling = isSampled ? new Sampling(header.sampleAbove, this.#notedShare) : null
    this.#noteShare = database.prepare('insert or replace into samplings values (:id, :seq, :at, :share)')
    this.#batch = database.prepare(INSERT_BATCH)
    this.#gap = database.prepare(INSERT_GAP)
    this.#block = database.prepare('insert into blocks values (?, ?, ?, ?, ?, ?, ?)')
    this.#evictions = new Insertion(database, 'evictions', HASHED_COLUMNS.evictions, id)
    this.#keyEvents = new Insertion(database, 'key_events', HASHED_COLUMNS.key_events, id)
    this.#events = new Insertion(database, 'events', HASHED_COLUMNS.events, id)
    this.#regret = database.prepare(NOTE_REGRET)
    this.#revive = database.prepare(REVIVE)
    this.#update = database.prepare(UPDATE_RUN)
    this.#stop = database.prepare(STOP_RUN)
  }

  /** Makes sure of the run's row. */
  static begin(database: Database, header: RunHeader): RunStatements {
    const redaction = header.redaction === null ? null : new Redaction(header.redaction)
    const run = {
      ...header,
      redaction: redaction?.scope ?? null,
      redactionSecret: redaction?.fingerprint ?? null,
    }
    const isNew = database.prepare(INSERT_RUN).run(run).changes === 1
    const { id } = database.prepare('select id from runs where run = ?').get(header.run) as { id: number }
    const statements = new RunStatements(database, id, header, redaction)
    if (isNew) statements.#markCrashed(database)
    return statements
  }

  /** Of which share of the keys it keeps rows. */
  get share(): number {
    return this.#sampling?.share ?? 1
  }

  /** What was written last is on disk. */
  committed({ at, gap }: Batch): void {
    this.#notedShare = this.share
    this.#sampling?.count(at, this.#departures + (gap?.lost ?? 0))
  }

  write(batch: Batch): void {
    const id = this.#id
    this.#departures = 0
    const { first, last, at, gap, rows, tally } = batch
    // A batch that was on disk already, and only its acknowledgement lost, must not be counted twice.
    const end = this.#end.get(id) as End
    if (end.lastSeq >= last) return
    // A later run took this one for dead: it cannot see into another container.
    this.#revive.run({ id, first })
    this.#bridge(end, batch)
    const sampled = this.share === this.#notedShare ? [] : [{ seq: first, at: this.#at, share: this.share }]
    for (const one of sampled) this.#noteShare.run({ id, ...one })
    if (gap !== null) this.#insertGap(id, { first, last, toAt: at, ...gap }, sampled)
    else if (rows !== null) this.#insertRows(batch, decodeRows(rows), sampled)
    if (batch.lostSums !== null) this.#rollups.add(batch.lostSums)
    this.#update.run({ id, last, at, lost: gap?.lost ?? 0, ...tally })
    if (batch.end !== null) this.#stop.run({ id, ...batch.end })
    this.#at = at
  }

  /** What is missing between the run's rows in this file and a batch went to another that had its name meanwhile. */
  #bridge({ lastSeq, lastAt }: End, { first, at, gap }: Batch): void {
    const id = this.#id
    if (lastSeq + 1 >= first) return
    const range = { first: lastSeq + 1, last: first - 1, fromAt: lastAt, toAt: gap?.fromAt ?? at }
    // It may have been away so long that a later run took this one for dead.
    this.#revive.run({ id, first: range.first })
    this.#insertGap(id, { ...range, lost: null, reason: 'elsewhere' }, [])
  }

  /** Earlier runs without an end get a gap that begins after their last row and ends nobody knows where. */
  #markCrashed(database: Database): void {
    for (const { id, first, at } of unknownEnds(database, this.#id)) {
      this.#insertGap(id, { first, last: first, fromAt: at, toAt: at, lost: null, reason: 'crash' }, [])
    }
  }

  #insertRows({ first, last, at }: Batch, rows: Rows, sampled: readonly SamplingLink[]): void {
    const id = this.#id
    // Before anything is made of them: no key may reach the file by another way.
    if (this.#redaction !== null) redactRows(rows, this.#redaction)
    const rollup = new Rollup(this.#rollups.prefixFor)
    rollup.addRows(rows)
    this.#departures = rows.evictions.length + rows.keyEvents.length
    sampleRows(rows, this.share)
    const { blocks, blockBytes } = this.#record(rows, first, last, at)
    const bound = {
      blocks,
      evictions: rows.evictions,
      keyEvents: rows.keyEvents.map(([seq, at, type, cache, key, data]) => [
        seq,
        at,
        type,
        cache,
        key,
        JSON.stringify(data),
      ]),
      events: rows.events.map(([seq, at, type, cache, data]) => [seq, at, type, cache, JSON.stringify(data)]),
    }
    this.#evictions.run(bound.evictions)
    this.#keyEvents.run(bound.keyEvents)
    this.#events.run(bound.events)
    for (const row of rows.regrets) this.#noteRegret(row, rows.prefixes, rollup)
    this.#rollups.add(rollup.sums)
    const keyed = bound.evictions.length + bound.keyEvents.length
    const rowCount = keyed + bound.events.length
    const hashes = hashRows(bound)
    const hash = hashBatch(this.#chain.before(id, first), first, last, rowCount, hashes, sampled)
    this.#batch.run({ id, first, last, rowCount, ...hashes, hash })
    this.#segment.take(first, last, this.#at, at, keyed + Math.ceil(blockBytes / ROW_BYTES))
  }

  /** Puts what happens again and again into a block, away from the rows; what the chain hashes of it. */
  #record(rows: Rows, first: number, last: number, at: number): Recorded {
    const recorded = rows.keyEvents.filter(isRecorded)
    if (recorded.length === 0) return { blocks: [], blockBytes: 0 }
    rows.keyEvents = rows.keyEvents.filter((row) => !isRecorded(row))
    const data = encodeBlock(recorded)
    this.#block.run(this.#id, first, last, this.#at, at, recorded.length, data)
    const blocks = [blockRow(first, last, this.#at, at, recorded.length, data)]
    return { blocks, blockBytes: data.length }
  }

  /** What the eviction was is known only where it still has a row. */
  #noteRegret([regret, at, cache, key, seq]: RegretRow, prefixes: Rows['prefixes'], rollup: Rollup): void {
    const eviction = this.#regret.get({ id: this.#id, seq: regret, at }) as RegrettedRow | undefined
    rollup.addRegret({
      at,
      cache,
      prefix: prefixes?.get(seq) ?? prefixOf(key),
      cause: eviction?.cause ?? '',
      policy: eviction?.policy ?? '',
      bytes: eviction?.size ?? 0,
      cost: eviction?.cost ?? 0,
      delay: eviction === undefined ? null : at - eviction.at,
    })
  }

  #insertGap(id: number, gap: GapLink, sampled: readonly SamplingLink[]): void {
    this.#gap.run({ id, ...gap, hash: hashGap(this.#chain.before(id, gap.first), gap, sampled) })
  }
}
