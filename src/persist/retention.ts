import type { RetentionSettings } from '../base/audit-options.ts'
import type { Database, Statement } from './driver.ts'
import type { FileSize } from './file-size.ts'
import { type Leaving, Retirement } from './retirement.ts'

/** Share of the size limit that stays free for what is written while retention works. */
const HEADROOM = 1 / 16

const COLUMNS = 's.id, s.run_id as runId, r.level, s.first_seq as first, s.last_seq as last, s.to_at as toAt, s.sealed'

const SELECT_LEAVING = `
  select ${COLUMNS} from segments s join runs r on r.id = s.run_id where s.sealed = 2 limit 1`

const SELECT_OLDEST = `
  select ${COLUMNS} from segments s join runs r on r.id = s.run_id where s.sealed = 1 order by s.from_at, s.id limit 1`

/** Rows about single entries go when they are too old or the file too large, the oldest segment first. */
export class Retention {
  readonly #maxAge: number
  readonly #mostUsed: number
  readonly #size: FileSize
  readonly #retirement: Retirement
  readonly #leaving: Statement
  readonly #oldest: Statement

  constructor(database: Database, { maxAge, maxSize }: RetentionSettings, size: FileSize) {
    this.#maxAge = maxAge
    this.#mostUsed = maxSize * (1 - HEADROOM)
    this.#size = size
    this.#retirement = new Retirement(database)
    this.#leaving = database.prepare(SELECT_LEAVING)
    this.#oldest = database.prepare(SELECT_OLDEST)
  }

  /** One small step, in the caller's transaction; how many rows that took, 0 if nothing has to go. */
  step(now: number): number {
    const segment = (this.#leaving.get() ?? this.#due(now)) as Leaving | undefined
    return segment === undefined ? 0 : this.#retirement.step(segment)
  }

  #due(now: number): Leaving | undefined {
    const oldest = this.#oldest.get() as Leaving | undefined
    if (oldest === undefined) return undefined
    return oldest.toAt < now - this.#maxAge || this.#size.used > this.#mostUsed ? oldest : undefined
  }
}
