import type { RetentionSettings } from '../base/audit-options.ts'
import type { Database } from './driver.ts'
import { rowsPerSegment, Sealing } from './segment.ts'

/** What the writer does between batches to keep its file in order: one small transaction a step. */
export class Upkeep {
  readonly #database: Database
  readonly #steps: readonly { step(now: number): boolean }[]

  constructor(database: Database, { maxSize }: RetentionSettings) {
    this.#database = database
    this.#steps = [new Sealing(database, rowsPerSegment(maxSize))]
  }

  /**
   * @param now the time of the newest event: a log whose clock is virtual keeps its rows as long.
   * @returns whether there is more to do.
   */
  step(now: number): boolean {
    // Deferred: it takes the write lock only where there is something to do.
    return this.#database.transaction(() => this.#steps.some((one) => one.step(now)))()
  }
}
