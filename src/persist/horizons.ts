import { Chain } from './chain.ts'
import type { Database, Statement } from './driver.ts'
import { type Horizon, hashHorizon, NO_ROWS } from './link-hash.ts'

/** Notes how far retention has got in each run: rows up to there are gone. Sealed, so that nobody else can say so. */
export class Horizons {
  readonly #chain: Chain
  readonly #select: Statement
  readonly #note: Statement

  constructor(database: Database) {
    this.#chain = new Chain(database)
    this.#select = database.prepare(
      'select kind, seq, at, carried from horizons where run_id = :runId and kind = :kind',
    )
    this.#note = database.prepare('insert or replace into horizons values (:runId, :kind, :seq, :at, :carried, :hash)')
  }

  /** In the transaction of the deletion. */
  raise(runId: number, kind: string, seq: number, at: number): void {
    const now = this.#of(runId, kind)
    this.#write(runId, { ...now, seq: Math.max(now.seq, seq), at: Math.max(now.at, at) })
  }

  /** The hashes of what is carried on beyond the departures' horizon. */
  carriedOf(runId: number): Buffer {
    return this.#of(runId, 'departures').carried
  }

  noteCarried(runId: number, carried: Buffer): void {
    this.#write(runId, { ...this.#of(runId, 'departures'), carried })
  }

  #of(runId: number, kind: string): Horizon {
    const found = this.#select.get({ runId, kind }) as Horizon | undefined
    return found ?? { kind, seq: 0, at: Number.NEGATIVE_INFINITY, carried: NO_ROWS }
  }

  #write(runId: number, horizon: Horizon): void {
    this.#note.run({ runId, ...horizon, hash: hashHorizon(this.#chain.start(runId), horizon) })
  }
}
