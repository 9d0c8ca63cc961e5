import { Chain } from './chain.ts'
import type { Database, Statement } from './driver.ts'
import { Horizons } from './horizons.ts'
import { hashCarried, toggled } from './link-hash.ts'

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

const CARRY = 'insert into carried values (:runId, :cache, :key, :seq, :at, :type, :data, :hash)'

const DROP = 'delete from carried where run_id = :runId and cache = :cache and key = :key returning hash'

const CLEAR = 'delete from carried where run_id = :runId and cache = :cache returning hash'

/**
 * Keeps of rows that go what a later state needs of them: the last store of each entry that is still there behind them.
 * It folds the rows into `carried` as the cache did into its own state; the horizon is sealed with their hashes.
 */
export class Carrying {
  readonly #chain: Chain
  readonly #horizons: Horizons
  readonly #changes: Statement
  readonly #carry: Statement
  readonly #drop: Statement
  readonly #clear: Statement

  constructor(database: Database) {
    this.#chain = new Chain(database)
    this.#horizons = new Horizons(database)
    this.#changes = database.prepare(SELECT_CHANGES)
    this.#carry = database.prepare(CARRY)
    this.#drop = database.prepare(DROP).pluck()
    this.#clear = database.prepare(CLEAR).pluck()
  }

  /** For the rows of a run from `first` to `bound`, before they go. */
  carry(runId: number, first: number, bound: number): void {
    const run = this.#chain.start(runId)
    let all = this.#horizons.carriedOf(runId)
    for (const change of this.#changes.all({ runId, first, bound }) as Change[]) {
      const { type, cache, key, seq, at, data } = change
      const gone = (
        type === 'cleared' ? this.#clear.all({ runId, cache }) : this.#drop.all({ runId, cache, key })
      ) as Buffer[]
      for (const hash of gone) all = toggled(all, hash)
      if (type !== 'added' && type !== 'updated') continue
      const hash = hashCarried(run, [cache, key, seq, at, type, data])
      this.#carry.run({ runId, ...change, hash })
      all = toggled(all, hash)
    }
    this.#horizons.noteCarried(runId, all)
  }
}
