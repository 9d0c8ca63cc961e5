import { OTHERS } from '../base/prefix.ts'
import type { Database, Statement } from './driver.ts'
import type { Cell, Spread, Sums, Use } from './rollup.ts'

const SPAN = 60_000
/** Prefixes told apart in one minute of one cache; the rest stand under `OTHERS`. */
const MOST_PREFIXES = 64

const ADD_CELL = `
  insert into rollups values (:minute, ${SPAN}, :id, :cache, :type, :cause, :policy, :prefix, :count, :bytes, :hits, :unused,
    :age, :idle, :cost, :regretted, :regrettedBytes, :regrettedCost, :regretDelay)
  on conflict do update set
    count = count + excluded.count,
    bytes = bytes + excluded.bytes,
    hits = hits + excluded.hits,
    unused = unused + excluded.unused,
    age = age + excluded.age,
    idle = idle + excluded.idle,
    cost = cost + excluded.cost,
    regretted = regretted + excluded.regretted,
    regretted_bytes = regretted_bytes + excluded.regretted_bytes,
    regretted_cost = regretted_cost + excluded.regretted_cost,
    regret_delay = regret_delay + excluded.regret_delay`

const ADD_BUCKET = `
  insert into histograms values (:minute, ${SPAN}, :id, :cache, :measure, :bucket, :count)
  on conflict do update set count = count + excluded.count`

/** `max` of two values is null where one is. */
const ADD_USE = `
  insert into usage values (:minute, ${SPAN}, :id, :cache, :hits, :misses, :bytesAdded, :items, :bytes, :mostBytes, :mostUsage,
    :mostRss, :mostHeapUsed)
  on conflict do update set
    hits = hits + excluded.hits,
    misses = misses + excluded.misses,
    bytes_added = bytes_added + excluded.bytes_added,
    items = excluded.items,
    bytes = excluded.bytes,
    most_bytes = max(most_bytes, excluded.most_bytes),
    most_usage = max(most_usage, excluded.most_usage),
    most_rss = max(most_rss, excluded.most_rss),
    most_heap_used = max(most_heap_used, excluded.most_heap_used)`

const SELECT_PREFIXES = `
  select distinct prefix from rollups
  where from_at = :minute and run_id = :id and cache = :cache and prefix not in ('', '${OTHERS}')`

/** One run's prepared statements for counts: adds a rollup to what is there, inside the caller's transaction. */
export class RollupStatements {
  readonly #id: number
  readonly #cell: Statement
  readonly #bucket: Statement
  readonly #use: Statement
  readonly #prefixes: Statement
  #minute = 0
  /** Those told apart in this minute, by cache; they may be more than the file has, where a batch was not written. */
  #told = new Map<string, Set<string>>()

  constructor(database: Database, id: number) {
    this.#id = id
    this.#cell = database.prepare(ADD_CELL)
    this.#bucket = database.prepare(ADD_BUCKET)
    this.#use = database.prepare(ADD_USE)
    this.#prefixes = database.prepare(SELECT_PREFIXES).pluck()
  }

  add({ cells, spreads, uses }: Sums): void {
    for (const cell of cells) this.#addCell(cell)
    for (const spread of spreads) {
      this.#addBuckets(spread, 'age')
      this.#addBuckets(spread, 'size')
      this.#addBuckets(spread, 'delay')
    }
    for (const use of uses) this.#addUse(use)
  }

  /** The prefix under which a key's counts stand. */
  readonly prefixFor = (minute: number, cache: string, prefix: string): string => {
    if (prefix === '' || prefix === OTHERS) return prefix
    if (minute !== this.#minute) {
      this.#minute = minute
      this.#told = new Map()
    }
    let told = this.#told.get(cache)
    if (told === undefined) {
      told = new Set(this.#prefixes.all({ minute, id: this.#id, cache }) as string[])
      this.#told.set(cache, told)
    }
    if (told.has(prefix)) return prefix
    if (told.size >= MOST_PREFIXES) return OTHERS
    told.add(prefix)
    return prefix
  }

  #addCell(cell: Cell): void {
    this.#cell.run({ id: this.#id, ...cell })
  }

  #addBuckets(spread: Spread, measure: 'age' | 'size' | 'delay'): void {
    const { minute, cache } = spread
    spread[measure].forEach((count, bucket) => {
      if (count > 0) this.#bucket.run({ id: this.#id, minute, cache, measure, bucket, count })
    })
  }

  #addUse(use: Use): void {
    this.#use.run({ id: this.#id, ...use })
  }
}
