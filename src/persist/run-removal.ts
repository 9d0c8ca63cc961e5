import type { RetentionSettings } from '../base/audit-options.ts'
import type { Database, Statement } from './driver.ts'
import { LONGER } from './event-quotas.ts'
import { Horizons } from './horizons.ts'
import { toggled } from './link-hash.ts'

const ROWS_A_STEP = 1_000

/** Runs of which nothing is left but their settings and their chain. */
const SELECT_EMPTY = `
  select id from runs r
  where last_at < :before and not exists (select 1 from segments s where s.run_id = r.id)
  order by id limit 1`

const DELETE_BATCHES = `
  delete from batches where run_id = :id and first_seq in (
    select first_seq from batches where run_id = :id order by first_seq limit ${ROWS_A_STEP}
  )`

/** Runs that have ended, and whose rows about single entries have all gone. One that is only silent goes on from there. */
const SELECT_CARRIED = `
  select id from runs r
  where last_at < :before and exists (select 1 from carried c where c.run_id = r.id)
    and not exists (select 1 from segments s where s.run_id = r.id)
    and (stopped_at is not null or exists (select 1 from gaps g where g.run_id = r.id and g.reason = 'crash')) limit 1`

const DELETE_CARRIED = `
  delete from carried where run_id = :id and (cache, key) in (
    select cache, key from carried where run_id = :id limit ${ROWS_A_STEP}
  ) returning hash`

const SELECT_END = 'select last_seq + 1 as seq, last_at as at from runs where id = ?'

/** Removes what was carried on of runs that ended long ago, and runs whose every row has become too old. */
export class RunRemoval {
  readonly #maxAge: number
  readonly #carried: Statement
  readonly #deleteCarried: Statement
  readonly #horizons: Horizons
  readonly #end: Statement
  readonly #empty: Statement
  readonly #batches: Statement
  readonly #rest: readonly Statement[]

  constructor(database: Database, { maxAge }: RetentionSettings) {
    this.#maxAge = maxAge
    this.#carried = database.prepare(SELECT_CARRIED).pluck()
    this.#deleteCarried = database.prepare(DELETE_CARRIED).pluck()
    this.#horizons = new Horizons(database)
    this.#end = database.prepare(SELECT_END)
    this.#empty = database.prepare(SELECT_EMPTY).pluck()
    this.#batches = database.prepare(DELETE_BATCHES)
    this.#rest = ['events', 'blocks', 'gaps', 'samplings', 'horizons', 'carried']
      .map((table) => database.prepare(`delete from ${table} where run_id = :id`))
      .concat(database.prepare('delete from runs where id = :id'))
  }

  /** One small step, in the caller's transaction; false if no run has to go. */
  step(now: number): boolean {
    const ended = this.#carried.get({ before: now - this.#maxAge }) as number | undefined
    if (ended !== undefined) {
      // Up to its end and beyond there is no record of its entries any more.
      const { seq, at } = this.#end.get(ended) as { readonly seq: number; readonly at: number }
      this.#horizons.raise(ended, 'departures', seq, at)
      const gone = this.#deleteCarried.all({ id: ended }) as Buffer[]
      this.#horizons.noteCarried(ended, gone.reduce(toggled, this.#horizons.carriedOf(ended)))
      return gone.length > 0
    }
    const id = this.#empty.get({ before: now - this.#maxAge * LONGER }) as number | undefined
    if (id === undefined) return false
    if (this.#batches.run({ id }).changes === 0) for (const statement of this.#rest) statement.run({ id })
    return true
  }
}
