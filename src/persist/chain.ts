import type { Database, Statement } from './driver.ts'
import { hashRun, RUN_COLUMNS } from './link-hash.ts'
import type { Value } from './rows.ts'

const SELECT_RUN = `select ${RUN_COLUMNS.join(', ')} from runs where id = ?`

const SELECT_BEFORE = `
  select hash from (
    select * from (
      select first_seq, hash from batches where run_id = :id and first_seq < :first order by first_seq desc limit 1
    )
    union all
    select * from (
      select first_seq, hash from gaps where run_id = :id and first_seq < :first order by first_seq desc limit 1
    )
  )
  order by first_seq desc limit 1`

/** Finds what a new link follows: always as the file has it, since other threads and processes write links, too. */
export class Chain {
  readonly #before: Statement
  readonly #run: Statement

  constructor(database: Database) {
    this.#before = database.prepare(SELECT_BEFORE).pluck()
    this.#run = database.prepare(SELECT_RUN).raw()
  }

  /** The hash before the link of a run that begins at `first`. */
  before(id: number, first: number): Buffer {
    const hash = this.#before.get({ id, first }) as Buffer | null | undefined
    return hash ?? this.start(id)
  }

  /** What the first link of a run follows. */
  start(id: number): Buffer {
    return hashRun(this.#run.get(id) as readonly Value[])
  }
}
