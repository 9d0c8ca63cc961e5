import type { Batch, RunHeader } from './batch.ts'
import { fileIdentity, openForWriting } from './database.ts'
import type { Database } from './driver.ts'
import { isBusy, refusesRows } from './problem.ts'
import { RunStatements } from './run-statements.ts'
import { emptyTally } from './tally.ts'

/**
 * Writes one run's batches to one file, each in a transaction and at most once. It opens the file when there is
 * something to write, and anew after each failure, or where another file has taken its place.
 */
export class Writer {
  readonly #path: string
  readonly #header: RunHeader
  readonly #busyTimeout: number
  #open: { readonly database: Database; readonly file: string | null; readonly run: RunStatements } | null = null

  constructor(path: string, header: RunHeader, busyTimeout: number) {
    this.#path = path
    this.#header = header
    this.#busyTimeout = busyTimeout
  }

  /**
   * Writes the batch, unless it is there already.
   *
   * @returns how many events were lost because the database refuses them; a gap stands in their place.
   * @throws whatever keeps the file from being written; nothing of the batch is in it then.
   */
  write(batch: Batch): number {
    try {
      if (this.#open !== null && this.#open.file !== fileIdentity(this.#path)) this.close()
      const { database, run } = this.#opened(batch)
      try {
        database.transaction(() => run.write(batch)).immediate()
        return 0
      } catch (error) {
        if (!refusesRows(error)) throw error
        // Its counts may be what is refused.
        const tally = emptyTally()
        const gap = { lost: batch.events, fromAt: batch.at, reason: 'unwritable' } as const
        database.transaction(() => run.write({ ...batch, rows: null, events: 0, tally, gap })).immediate()
        return batch.events
      }
    } catch (error) {
      // A lock passes; whatever else there is may be gone when the file is opened again.
      if (!isBusy(error)) this.close()
      throw error
    }
  }

  close(): void {
    try {
      this.#open?.database.close()
    } catch {
      // What it had committed stays; a connection that can't even be closed is left to the end of the process.
    }
    this.#open = null
  }

  #opened(batch: Batch): { readonly database: Database; readonly run: RunStatements } {
    if (this.#open !== null) return this.#open
    const database = openForWriting(this.#path, this.#busyTimeout)
    try {
      const run = database.transaction(() => RunStatements.begin(database, this.#header, batch)).immediate()
      this.#open = { database, file: fileIdentity(this.#path), run }
      return this.#open
    } catch (error) {
      database.close()
      throw error
    }
  }
}
