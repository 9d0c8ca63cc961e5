import type { RetentionSettings } from '../base/audit-options.ts'
import type { Database, Statement } from './driver.ts'
import { LONGER } from './event-quotas.ts'

const BATCHES_A_STEP = 1_000

/** Runs of which nothing is left but their settings and their chain. */
const SELECT_EMPTY = `
  select id from runs r
  where last_at < :before and not exists (select 1 from segments s where s.run_id = r.id)
  order by id limit 1`

const DELETE_BATCHES = `
  delete from batches where run_id = :id and first_seq in (
    select first_seq from batches where run_id = :id order by first_seq limit ${BATCHES_A_STEP}
  )`

/** Removes runs whose every row has become too old. */
export class RunRemoval {
  readonly #maxAge: number
  readonly #empty: Statement
  readonly #batches: Statement
  readonly #rest: readonly Statement[]

  constructor(database: Database, { maxAge }: RetentionSettings) {
    this.#maxAge = maxAge * LONGER
    this.#empty = database.prepare(SELECT_EMPTY).pluck()
    this.#batches = database.prepare(DELETE_BATCHES)
    this.#rest = ['events', 'gaps', 'samplings', 'horizons', 'carried']
      .map((table) => database.prepare(`delete from ${table} where run_id = :id`))
      .concat(database.prepare('delete from runs where id = :id'))
  }

  /** One small step, in the caller's transaction; false if no run has to go. */
  step(now: number): boolean {
    const id = this.#empty.get({ before: now - this.#maxAge }) as number | undefined
    if (id === undefined) return false
    if (this.#batches.run({ id }).changes === 0) for (const statement of this.#rest) statement.run({ id })
    return true
  }
}
