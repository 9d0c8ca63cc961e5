import type { RetentionSettings } from '../base/audit-options.ts'
import { EVENT_TYPES } from '../event/catalogue.ts'
import type { Database, Statement } from './driver.ts'
import { Horizons } from './horizons.ts'
import { type EventKind, kindOf } from './link-hash.ts'

/** How many times longer than rows about single entries the rest is kept: it is little, and explains them. */
export const LONGER = 12
/** Shares of the size limit: whatever thrashes, each kind has room of its own, and evictions have the larger half. */
const QUOTAS: Readonly<Record<EventKind, number>> = { cycles: 1 / 16, samples: 1 / 8, general: 1 / 16 }
const ROWS_A_STEP = 500
/** What the settings at any later time of a run follow from: too old only together with their run. */
const AGELESS: ReadonlySet<string> = new Set(['started', 'configured'])

const SELECT_OVER = 'select kind, bytes from sizes'

const SELECT_OLDEST = 'select at from events where type = :type order by at limit 1'

const SELECT_GOING = `
  select run_id as runId, max(seq) as seq, max(at) as at from (
    select run_id, seq, at from events where type = :type and at <= :before order by at limit ${ROWS_A_STEP}
  ) group by run_id`

const DELETE_GOING = `
  delete from events where (run_id, seq) in (
    select run_id, seq from events where type = :type and at <= :before order by at limit ${ROWS_A_STEP}
  )`

/** Events about the whole go, the oldest first, where their kind has more than its share, or they are very old. */
export class EventQuotas {
  readonly #maxAge: number
  readonly #maxSize: number
  readonly #sizes: Statement
  readonly #oldest: Statement
  readonly #going: Statement
  readonly #delete: Statement
  readonly #horizons: Horizons

  constructor(database: Database, { maxAge, maxSize }: RetentionSettings) {
    this.#maxAge = maxAge * LONGER
    this.#maxSize = maxSize
    this.#sizes = database.prepare(SELECT_OVER)
    this.#oldest = database.prepare(SELECT_OLDEST).pluck()
    this.#going = database.prepare(SELECT_GOING)
    this.#delete = database.prepare(DELETE_GOING)
    this.#horizons = new Horizons(database)
  }

  /** One small step, in the caller's transaction; false if nothing has to go. */
  step(now: number): boolean {
    const over = (this.#sizes.all() as { kind: string; bytes: number }[]).find(
      ({ kind, bytes }) => kind in QUOTAS && bytes > this.#maxSize * QUOTAS[kind as EventKind],
    )
    if (over !== undefined) {
      const types = EVENT_TYPES.filter((type) => kindOf(type) === over.kind)
      const explaining = types.filter((type) => AGELESS.has(type))
      const others = types.filter((type) => !AGELESS.has(type))
      return this.#retire(others, now) || this.#retire(explaining, now)
    }
    const before = now - this.#maxAge
    return this.#retire(
      EVENT_TYPES.filter((type) => !AGELESS.has(type)),
      before,
    )
  }

  /** Of the type with the oldest event, some of the oldest. */
  #retire(types: readonly string[], before: number): boolean {
    let type = ''
    let oldest = before
    for (const one of types) {
      const at = this.#oldest.get({ type: one }) as number | undefined
      if (at === undefined || at > oldest) continue
      type = one
      oldest = at
    }
    if (type === '') return false
    const kind = kindOf(type)
    for (const { runId, seq, at } of this.#going.all({ type, before }) as {
      runId: number
      seq: number
      at: number
    }[]) {
      this.#horizons.raise(runId, kind, seq, at)
    }
    this.#delete.run({ type, before })
    return true
  }
}
