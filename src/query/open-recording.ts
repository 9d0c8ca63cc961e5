import type { AuditLevel } from '../base/audit-options.ts'
import { HistoryError } from '../base/errors.ts'
import type { Checked, Curve, MuninnEvent, Started } from '../event/catalogue.ts'
import { type Database, openToAsk, readProblem } from '../persist/reader.ts'
import { recording } from './recording.ts'
import { countInWords, quoted } from './words.ts'

const BUSY_TIMEOUT = 2_000

const SELECT_RUN = `
  select id, run, level, redaction,
    (select count(*) from gaps g where g.run_id = runs.id and g.reason <> 'crash') as gaps,
    (select count(*) from horizons h where h.run_id = runs.id) as retired
  from runs where :run is null or run = :run order by id desc limit 1`

interface Row {
  readonly id: number
  readonly run: string
  readonly level: AuditLevel
  readonly redaction: string | null
  readonly gaps: number
  readonly retired: number
}

const SELECT_CHECKED = `
  select data from events where run_id = :id and type = 'checked' order by seq desc limit 1`

/** One run of an audit log, to be read from its beginning to its end in this thread. */
export class OpenRecording {
  readonly run: string
  readonly level: AuditLevel
  readonly started: Started
  /** Why doing it again can't be exact, in words; `null`: it can. */
  readonly doubt: string | null
  private readonly database: Database
  private readonly id: number

  private constructor(database: Database, { id, run, level, redaction, gaps, retired }: Row, started: Started) {
    this.database = database
    this.id = id
    this.run = run
    this.level = level
    this.started = started
    this.doubt =
      gaps + retired > 0
        ? 'parts of the run are missing in the log'
        : redaction !== null
          ? 'the keys of this log are hashed, and what a policy does by chance depends on the keys'
          : null
  }

  /** @param run its id; left out, the latest. @throws {HistoryError} where the log can't be read or has no such run. */
  static open(path: string, run?: string): OpenRecording {
    let database: Database
    try {
      database = openToAsk(path, BUSY_TIMEOUT)
    } catch (error) {
      throw new HistoryError(readProblem(error, path), { cause: error })
    }
    try {
      const row = database.prepare(SELECT_RUN).get({ run: run ?? null }) as Row | undefined
      if (row === undefined)
        throw new HistoryError(`${path}: ${run === undefined ? 'it has no run' : `it has no run ${run}`}`)
      const events = recording(database, row.id)
      const [first] = [events.next().value]
      events.return(undefined)
      if (first?.type !== 'started')
        throw new HistoryError(`${path}: the beginning of run ${row.run} is no longer there`)
      return new OpenRecording(database, row, first)
    } catch (error) {
      database.close()
      if (error instanceof HistoryError) throw error
      throw new HistoryError(readProblem(error, path), { cause: error })
    }
  }

  /** All events after `started`, in the order of `seq`. */
  events(): Generator<MuninnEvent> {
    return recording(this.database, this.id, this.started.seq + 1)
  }

  /** By cache, the curve that the last check told. */
  curves(): ReadonlyMap<string, Curve> {
    return new Map(this.lastCheck().flatMap(({ cache, curve }) => (curve ? [[cache, curve] as const] : [])))
  }

  /** Which caches held something at the last check and have no curve, in words; `null`: none. */
  withoutCurve(): string | null {
    const names = this.lastCheck().flatMap(({ cache, items, curve }) => (curve || items === 0 ? [] : [quoted(cache)]))
    return names.length === 0
      ? null
      : `${countInWords(names.length, 'cache')} beyond the eighth kept no curve: ${names.join(', ')}`
  }

  private lastCheck(): readonly { cache: string; items: number; curve?: Curve | null }[] {
    const data = this.database.prepare(SELECT_CHECKED).pluck().get({ id: this.id }) as string | undefined
    return data === undefined ? [] : ((JSON.parse(data) as Partial<Pick<Checked, 'caches'>>).caches ?? [])
  }

  close(): void {
    this.database.close()
  }
}
