import type { AuditLevel } from '../base/audit-options.ts'
import { Carrying } from './carrying.ts'
import type { Database, Statement } from './driver.ts'
import { Horizons } from './horizons.ts'
import { retireLinks } from './retired-links.ts'

/** Rows removed at a time: some 5 ms. */
const ROWS_A_STEP = 2_048

/** Also what stands between it and what went before: batches without such rows, which may tell of clearings. */
const LEAVE = `
  update segments set sealed = 2, first_seq = coalesce(
    (select seq + 1 from horizons where run_id = :runId and kind = 'departures' and seq < :first), 1)
  where id = :id returning first_seq`

const ADVANCE = 'update segments set first_seq = :bound + 1 where id = :id'

/** The `seq` up to which a step removes rows: that of the last of so many in a table. */
const SELECT_BOUND = `
  select coalesce(min(seq), :last) from (
    select * from (select seq from evictions where run_id = :runId and seq between :first and :last order by seq limit 1 offset ${ROWS_A_STEP})
    union all
    select * from (select seq from key_events where run_id = :runId and seq between :first and :last order by seq limit 1 offset ${ROWS_A_STEP})
  )`

const DELETE_KEYS = `
  delete from key_index where segment = :id and (key, seq) in (
    select key, seq from key_index where segment = :id limit ${2 * ROWS_A_STEP}
  )`

/** A sealed segment whose rows go, or are going. */
export interface Leaving {
  readonly id: number
  readonly runId: number
  readonly level: AuditLevel
  readonly first: number
  readonly last: number
  readonly toAt: number
  readonly sealed: 1 | 2
}

/** Removes a segment's rows, in small steps; what hashed them becomes one link of the chain that hashes what is left. */
export class Retirement {
  readonly #database: Database
  readonly #carrying: Carrying
  readonly #leave: Statement
  readonly #advance: Statement
  readonly #horizons: Horizons
  readonly #bound: Statement
  readonly #deleteRows: readonly Statement[]
  readonly #deleteKeys: Statement
  readonly #deleteSegment: Statement

  constructor(database: Database) {
    this.#database = database
    this.#carrying = new Carrying(database)
    this.#leave = database.prepare(LEAVE).pluck()
    this.#advance = database.prepare(ADVANCE)
    this.#horizons = new Horizons(database)
    this.#bound = database.prepare(SELECT_BOUND).pluck()
    this.#deleteRows = ['evictions where seq', 'key_events where seq', 'blocks where last_seq'].map((place) =>
      database.prepare(`delete from ${place} between :first and :bound and run_id = :runId`),
    )
    this.#deleteKeys = database.prepare(DELETE_KEYS)
    this.#deleteSegment = database.prepare('delete from segments where id = :id')
  }

  /** One step, in the caller's transaction; how many rows it took, and at least 1. */
  step(segment: Leaving): number {
    const { id, runId, last, level } = segment
    const first = segment.sealed === 1 ? this.#begin(segment) : segment.first
    if (first > last) {
      const keys = this.#deleteKeys.run({ id }).changes
      if (keys === 0) this.#deleteSegment.run({ id })
      return 1 + keys
    }
    const bound = this.#bound.get({ runId, first, last }) as number
    if (level !== 'departures') this.#carrying.carry(runId, first, bound)
    this.#advance.run({ id, bound })
    return this.#deleteRows.reduce((rows, statement) => rows + statement.run({ runId, first, bound }).changes, 1)
  }

  /** From here on answers say that there is no record, and the chain knows that the rows may be gone. */
  #begin(segment: Leaving): number {
    const first = this.#leave.get(segment) as number
    this.#horizons.raise(segment.runId, 'departures', segment.last, segment.toAt)
    retireLinks(this.#database, segment.runId, segment.last)
    return first
  }
}
