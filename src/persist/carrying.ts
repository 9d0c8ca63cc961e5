import type { Database, Statement } from './driver.ts'

/** What changed which entries are there, in a range. */
const SELECT_CHANGES = `
  select seq, at, type, cache, key, data from key_events
    where run_id = :runId and seq between :first and :bound and type in ('added', 'updated', 'expired', 'removed')
  union all
  select seq, at, 'evicted', cache, key, '' from evictions where run_id = :runId and seq between :first and :bound
  union all
  select seq, at, type, cache, '', '' from events
    where run_id = :runId and seq between :first and :bound and type = 'cleared'
  order by 1`

interface Change {
  readonly seq: number
  readonly at: number
  readonly type: string
  readonly cache: string
  readonly key: string
  readonly data: string
}

const CARRY = 'insert or replace into carried values (:runId, :cache, :key, :seq, :at, :type, :data)'

/**
 * Keeps of rows that go what a later state needs of them: the last store of each entry that is still there behind them.
 * It folds the rows into `carried` as the cache did into its own state.
 */
export class Carrying {
  readonly #changes: Statement
  readonly #carry: Statement
  readonly #drop: Statement
  readonly #clear: Statement

  constructor(database: Database) {
    this.#changes = database.prepare(SELECT_CHANGES)
    this.#carry = database.prepare(CARRY)
    this.#drop = database.prepare('delete from carried where run_id = :runId and cache = :cache and key = :key')
    this.#clear = database.prepare('delete from carried where run_id = :runId and cache = :cache')
  }

  /** For the rows of a run from `first` to `bound`, before they go. */
  carry(runId: number, first: number, bound: number): void {
    for (const change of this.#changes.all({ runId, first, bound }) as Change[]) {
      const { type, cache, key } = change
      if (type === 'added' || type === 'updated') this.#carry.run({ runId, ...change })
      else if (type === 'cleared') this.#clear.run({ runId, cache })
      else this.#drop.run({ runId, cache, key })
    }
  }
}
