import type { Database, Statement } from './driver.ts'

/**
 * A segment is a portion of a run's rows about single entries. Its keys are indexed once no more rows come to it: an
 * index on the rows themselves would cut inserts to a tenth. Sealing takes some 30 ms for these; a question about a key
 * reads a page or two of each.
 */
const MOST_ROWS = 32_768
/** ms, by the events' time. */
const LONGEST = 3_600_000
/** Segments are what retention removes: a small file has small ones. An eviction's row, with its places in indexes. */
const SEGMENTS_A_FILE = 16
export const ROW_BYTES = 200

/** How many rows a segment of a file of at most this size gets. */
export function rowsPerSegment(maxSize: number): number {
  return Math.min(MOST_ROWS, Math.ceil(maxSize / SEGMENTS_A_FILE / ROW_BYTES))
}

const EXTEND = `
  update segments set last_seq = :last, to_at = :toAt, row_count = row_count + :rows
  where id = :segment and run_id = :id and sealed = 0 and row_count < :most and from_at > :toAt - ${LONGEST}`

const BEGIN = `
  insert into segments (run_id, first_seq, last_seq, from_at, to_at, row_count)
  values (:id, :first, :last, :fromAt, :toAt, :rows)`

/** A run's newest segment that may still grow. */
export class OpenSegment {
  readonly #id: number
  readonly #most: number
  readonly #extend: Statement
  readonly #begin: Statement
  #segment = 0

  constructor(database: Database, runId: number, most: number) {
    this.#id = runId
    this.#most = most
    this.#extend = database.prepare(EXTEND)
    this.#begin = database.prepare(BEGIN)
  }

  /**
   * Counts a batch's rows, in its transaction. What the segment is comes from the file, not from memory: a transaction
   * may have been rolled back, or another run have sealed what it took for left behind. A block counts as the rows that
   * would take as much room: retention removes segments, and a cache that is only read has nothing but blocks.
   */
  take(first: number, last: number, fromAt: number, toAt: number, rows: number): void {
    if (rows === 0) return
    const id = this.#id
    const said = { id, segment: this.#segment, last, toAt, rows, most: this.#most }
    if (this.#extend.run(said).changes === 1) return
    this.#segment = Number(this.#begin.run({ id, first, last, fromAt, toAt, rows }).lastInsertRowid)
  }
}

/** Those that are full, an hour old, or followed by another, and those of runs that are over. */
const SELECT_RIPE = `
  select s.id, s.run_id as runId, s.first_seq as first, s.last_seq as last from segments s
  where s.sealed = 0 and (
    s.row_count >= :most or s.from_at <= :now - ${LONGEST}
    or exists (select 1 from segments l where l.run_id = s.run_id and l.sealed = 0 and l.id > s.id)
    or exists (select 1 from runs r where r.id = s.run_id and r.stopped_at is not null)
    or exists (select 1 from gaps g where g.run_id = s.run_id and g.reason = 'crash')
  )
  order by s.id limit 1`

const INDEX_KEYS = `
  insert into key_index (segment, key, seq, kind)
  select * from (
    select :id, key, seq, 0 from evictions where run_id = :runId and seq between :first and :last
    union all
    select :id, key, seq, 1 from key_events where run_id = :runId and seq between :first and :last
  )
  order by 2, 3`

interface Ripe {
  readonly id: number
  readonly runId: number
  readonly first: number
  readonly last: number
}

/** Seals what is ripe, whoever wrote it: its keys go into the index, in order. */
export class Sealing {
  readonly #most: number
  readonly #ripe: Statement
  readonly #index: Statement
  readonly #seal: Statement

  constructor(database: Database, most: number) {
    this.#most = most
    this.#ripe = database.prepare(SELECT_RIPE)
    this.#index = database.prepare(INDEX_KEYS)
    this.#seal = database.prepare('update segments set sealed = 1 where id = :id and sealed = 0')
  }

  /** Seals one, in the caller's transaction; how many rows that took, 0 if there is none to be sealed. */
  step(now: number): number {
    const ripe = this.#ripe.get({ now, most: this.#most }) as Ripe | undefined
    if (ripe === undefined) return 0
    const { id } = ripe
    this.#seal.run({ id })
    return 1 + this.#index.run(ripe).changes
  }
}
