import type { Batch, RunHeader } from './batch.ts'
import { fileIdentity, filesIdentity, openForWriting } from './database.ts'
import type { Database, Statement } from './driver.ts'
import { inWords, isBusy, isDamage, refusesRows } from './problem.ts'
import { demandKnown } from './reader.ts'
import { RunStatements } from './run-statements.ts'
import { diagnosed } from './schema-check.ts'
import { setAside } from './setting-aside.ts'
import { emptyTally } from './tally.ts'
import { Upkeep } from './upkeep.ts'

export type SetAsideListener = (newPath: string, problem: string) => void

interface OpenFile {
  readonly database: Database
  readonly files: string
  readonly run: RunStatements
  readonly upkeep: Upkeep
  /** Asks for the version of its schema. */
  readonly version: Statement
}

/**
 * Writes one run's batches to one file, each in a transaction and at most once. It opens the file when there is
 * something to write, and anew after each failure, or where another file has taken its place.
 */
export class Writer {
  readonly #path: string
  readonly #header: RunHeader
  readonly #busyTimeout: number
  readonly #onSetAside: SetAsideListener
  /** By which time upkeep goes: the last event's, unless the run's clock is ahead. */
  #newest = Number.NEGATIVE_INFINITY
  /** Whether upkeep met damage: batches are only appended, and might never. */
  #isSuspect = false
  #open: OpenFile | null = null

  /** @param onSetAside is told the new path of a damaged file, and what was wrong with it. */
  constructor(path: string, header: RunHeader, busyTimeout: number, onSetAside: SetAsideListener = () => {}) {
    this.#path = path
    this.#header = header
    this.#busyTimeout = busyTimeout
    this.#onSetAside = onSetAside
  }

  /**
   * Writes the batch, unless it is there already; where the file turns out to be damaged, to a new one.
   *
   * @returns how many events were lost because the database refuses them; a gap stands in their place.
   * @throws whatever keeps the file from being written; nothing of the batch is in it then.
   */
  write(batch: Batch): number {
    if (!this.#isSuspect) {
      try {
        return this.#attempt(batch)
      } catch (error) {
        if (!isDamage(error)) throw error
      }
    }
    // It may have been replaced under an open connection: only a fresh one tells.
    const seen = fileIdentity(this.#path)
    try {
      if (this.#isSuspect) this.#opened().upkeep.step(this.#newest)
      this.#isSuspect = false
      return this.#attempt(batch)
    } catch (error) {
      if (!isDamage(error) || seen === null) throw error
      this.close()
      const problem = inWords(error, this.#path)
      const aside = setAside(this.#path, seen, problem, this.#busyTimeout)
      this.#isSuspect = false
      if (aside !== null) this.#onSetAside(aside, problem)
    }
    return this.#attempt(batch)
  }

  #attempt(batch: Batch): number {
    try {
      if (this.#open !== null && this.#open.files !== filesIdentity(this.#path)) this.close()
      const { database, run, version } = this.#opened()
      try {
        database
          .transaction(() => {
            // A newer Muninn may have come beside this one.
            demandKnown(version.get() as number, this.#path)
            run.write(batch)
          })
          .immediate()
        run.committed(batch)
        this.#newest = Math.min(batch.at, Date.now())
        return 0
      } catch (error) {
        if (!refusesRows(error)) throw error
        // Its counts may be what is refused.
        const tally = emptyTally()
        const gap = { lost: batch.events, fromAt: batch.at, reason: 'unwritable' } as const
        database
          .transaction(() => run.write({ ...batch, rows: null, events: 0, tally, gap, lostSums: null }))
          .immediate()
        return batch.events
      }
    } catch (error) {
      // A lock passes; whatever else there is may be gone when the file is opened again.
      if (!isBusy(error)) this.close()
      throw error
    }
  }

  /** Of which share of the keys the file that is open gets rows. */
  get share(): number {
    return this.#open?.run.share ?? 1
  }

  /** One small step of what keeps the file in order; false if there is nothing to do, or it can't be done now. */
  upkeep(): boolean {
    try {
      if (this.#open === null || this.#open.files !== filesIdentity(this.#path)) return false
      demandKnown(this.#open.version.get() as number, this.#path)
      return this.#open.upkeep.step(this.#newest)
    } catch (error) {
      // Nothing depends on it, and the next batch finds out what is wrong.
      this.#isSuspect = isDamage(error)
      if (!isBusy(error)) this.close()
      return false
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

  #opened(): OpenFile {
    if (this.#open !== null) return this.#open
    try {
      const database = openForWriting(this.#path, this.#busyTimeout)
      try {
        const run = database.transaction(() => RunStatements.begin(database, this.#header)).immediate()
        const upkeep = new Upkeep(database, this.#header.retention)
        const version = database.prepare('pragma user_version').pluck()
        this.#open = { database, files: filesIdentity(this.#path), run, upkeep, version }
        return this.#open
      } catch (error) {
        database.close()
        throw error
      }
    } catch (error) {
      throw diagnosed(error, this.#path)
    }
  }
}
