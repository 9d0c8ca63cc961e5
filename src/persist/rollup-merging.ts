import type { RetentionSettings } from '../base/audit-options.ts'
import type { Database, Statement } from './driver.ts'
import { LONGER } from './event-quotas.ts'
import { Horizons } from './horizons.ts'

const HOUR = 3_600_000
/** Share of the size limit that counts may take. */
const QUOTA = 1 / 4
const ROWS_A_STEP = 500

/** How the columns of a table of counts come together: what tells its rows apart, and the sum of the others. */
const TABLES = {
  rollups: {
    by: 'cache, type, cause, policy, prefix',
    sums: `sum(count), sum(bytes), sum(hits), sum(unused), sum(age), sum(idle), sum(cost), sum(regretted),
      sum(regretted_bytes), sum(regretted_cost), sum(regret_delay)`,
  },
  histograms: { by: 'cache, measure, bucket', sums: 'sum(count)' },
  usage: {
    by: 'cache',
    sums: `sum(hits), sum(misses), sum(bytes_added), ${lastOf('items')}, ${lastOf('bytes')}, max(most_bytes), max(most_usage),
      max(most_rss), max(most_heap_used)`,
  },
} as const

/** What a column of `usage` says at the end of the hour. */
function lastOf(column: string): string {
  return `(select l.${column} from usage l where l.from_at >= :hour and l.from_at < :hour + ${HOUR}
    and l.run_id = :runId and l.cache = :cache order by l.from_at desc limit 1)`
}

/** Counts by the minute become counts by the hour when they are old, and go when they are very old. */
export class RollupMerging {
  readonly #maxAge: number
  readonly #quota: number
  readonly #bytes: Statement
  readonly #tables: readonly TableMerging[]

  constructor(database: Database, { maxAge, maxSize }: RetentionSettings) {
    this.#maxAge = maxAge
    this.#quota = maxSize * QUOTA
    this.#bytes = database.prepare(`select bytes from sizes where kind = 'rollups'`).pluck()
    this.#tables = Object.keys(TABLES).map((table) => new TableMerging(database, table as keyof typeof TABLES))
  }

  /** One small step, in the caller's transaction; false if there is nothing to be done. */
  step(now: number): boolean {
    const isOver = (this.#bytes.get() as number) > this.#quota
    // The present hour is still being written, and the one before by whoever is late.
    const merged = isOver ? now - 2 * HOUR : now - this.#maxAge
    if (this.#tables.some((table) => table.merge(merged))) return true
    const gone = now - this.#maxAge * LONGER
    // Traffic first: with many caches it is most of it, and the counts of departures explain more.
    return this.#tables.toReversed().some((table) => table.retire(isOver ? now - 2 * HOUR : gone))
  }
}

/** Merges and retires one table's rows. */
class TableMerging {
  readonly #minute: Statement
  readonly #fill: Statement
  readonly #delete: Statement
  readonly #insert: Statement
  readonly #empty: Statement
  readonly #going: Statement
  readonly #retire: Statement
  readonly #horizons: Horizons
  /** Before it all is merged: found by reading once what a file has. */
  #merged = Number.NEGATIVE_INFINITY

  constructor(database: Database, table: keyof typeof TABLES) {
    const { by, sums } = TABLES[table]
    const hour = `from_at >= :hour and from_at < :hour + ${HOUR} and run_id = :runId and cache = :cache`
    this.#minute = database.prepare(
      `select from_at as at, run_id as runId, cache from ${table}
        where from_at >= :merged and from_at < :before and span < ${HOUR} order by from_at limit 1`,
    )
    database.exec(`create temp table merged_${table} as select * from ${table} limit 0`)
    this.#fill = database.prepare(
      `insert into merged_${table} select :hour, ${HOUR}, :runId, ${by}, ${sums} from ${table} where ${hour} group by ${by}`,
    )
    this.#delete = database.prepare(`delete from ${table} where ${hour}`)
    this.#insert = database.prepare(`insert into ${table} select * from merged_${table}`)
    this.#empty = database.prepare(`delete from merged_${table}`)
    const oldest = `select * from ${table} where from_at < :before order by from_at limit ${ROWS_A_STEP}`
    this.#going = database.prepare(`select run_id as runId, max(from_at + span) as at from (${oldest}) group by run_id`)
    this.#retire = database.prepare(
      `delete from ${table} where from_at <= (select max(from_at) from (${oldest})) and from_at < :before`,
    )
    this.#horizons = new Horizons(database)
  }

  /** Merges one hour of one run and cache, of those that have ended by `before`. */
  merge(before: number): boolean {
    const first = this.#minute.get({ merged: this.#merged, before: before - HOUR }) as MinuteRow | undefined
    if (first === undefined) return false
    const hour = Math.floor(first.at / HOUR) * HOUR
    this.#merged = hour
    const place = { hour, runId: first.runId, cache: first.cache }
    this.#fill.run(place)
    this.#delete.run(place)
    this.#insert.run()
    this.#empty.run()
    return true
  }

  /** Removes some of the oldest rows, of those from before. */
  retire(before: number): boolean {
    const place = { before: before - HOUR }
    const going = this.#going.all(place) as { runId: number; at: number }[]
    if (going.length === 0) return false
    for (const { runId, at } of going) this.#horizons.raise(runId, 'rollups', 0, at)
    this.#retire.run(place)
    return true
  }
}

interface MinuteRow {
  readonly at: number
  readonly runId: number
  readonly cache: string
}
