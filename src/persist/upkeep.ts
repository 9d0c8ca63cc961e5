import type { RetentionSettings } from '../base/audit-options.ts'
import type { Database } from './driver.ts'
import { EventQuotas } from './event-quotas.ts'
import { FileSize } from './file-size.ts'
import { Retention } from './retention.ts'
import { RollupMerging } from './rollup-merging.ts'
import { RunRemoval } from './run-removal.ts'
import { rowsPerSegment, Sealing } from './segment.ts'

/** ms, by the events' time, after which is looked for what is not urgent. */
const LEISURE = 1_000

/** Rows that a step may take, before it is enough: some 5 ms, and more than come with a batch. */
const ROWS_A_STEP = 2_048

/** What the writer does between batches to keep its file in order: one small transaction a step. */
export class Upkeep {
  readonly #database: Database
  /** Looked for after each batch. */
  readonly #urgent: readonly { step(now: number): number }[]
  /** Looked for now and then. */
  readonly #leisurely: readonly { step(now: number): boolean }[]
  #next = Number.NEGATIVE_INFINITY

  constructor(database: Database, retention: RetentionSettings) {
    this.#database = database
    const size = new FileSize(database)
    this.#urgent = [new Sealing(database, rowsPerSegment(retention.maxSize)), new Retention(database, retention, size)]
    this.#leisurely = [
      new EventQuotas(database, retention),
      new RollupMerging(database, retention),
      new RunRemoval(database, retention),
      size,
    ]
  }

  /**
   * @param now the time of the newest event, so that a log whose clock is virtual keeps its rows as long; never ahead of the
   * wall clock, so that one that is ahead retires nobody else's.
   * @returns whether there is more to do.
   */
  step(now: number): boolean {
    // Deferred: it takes the write lock only where there is something to do.
    return this.#database.transaction(() => this.#do(now))()
  }

  #do(now: number): boolean {
    if (this.#doUrgent(now)) return true
    if (now < this.#next) return false
    if (this.#leisurely.some((one) => one.step(now))) return true
    this.#next = now + LEISURE
    return false
  }

  /**
   * Each in its turn: where segments are small every batch fills one, and sealing alone would leave retention none. Several
   * of them are done with in one step, or they would come faster than they go.
   */
  #doUrgent(now: number): boolean {
    let rows = 0
    while (rows < ROWS_A_STEP) {
      const more = this.#urgent.reduce((taken, one) => taken + one.step(now), 0)
      if (more === 0) return rows > 0
      rows += more
    }
    return true
  }
}
