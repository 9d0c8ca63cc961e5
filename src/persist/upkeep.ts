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

interface Step {
  step(now: number): boolean
}

/** What the writer does between batches to keep its file in order: one small transaction a step. */
export class Upkeep {
  readonly #database: Database
  /** Looked for after each batch. */
  readonly #urgent: readonly Step[]
  /** Looked for now and then. */
  readonly #leisurely: readonly Step[]
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
   * @param now the time of the newest event: a log whose clock is virtual keeps its rows as long.
   * @returns whether there is more to do.
   */
  step(now: number): boolean {
    // Deferred: it takes the write lock only where there is something to do.
    return this.#database.transaction(() => this.#do(now))()
  }

  #do(now: number): boolean {
    // Each of them: where segments are small every batch fills one, and sealing alone would leave retention no turn.
    let isAtWork = false
    for (const one of this.#urgent) isAtWork = one.step(now) || isAtWork
    if (isAtWork) return true
    if (now < this.#next) return false
    if (this.#leisurely.some((one) => one.step(now))) return true
    this.#next = now + LEISURE
    return false
  }
}
