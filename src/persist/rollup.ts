import { OTHERS, prefixOf } from '../base/prefix.ts'
import type { Checked, MuninnEvent } from '../event/catalogue.ts'
import type { EventRow, EvictionRow, KeyRow, Rows } from './rows.ts'

const MINUTE = 60_000
/** Cells, in minutes of a rollup that can't be written for long, from which on it tells no further minutes apart. */
const MOST_CELLS = 4_096
const BUCKETS = 64

/** One row of `rollups`: sums of what happened to entries, by minute and five words. */
export interface Cell {
  readonly minute: number
  readonly cache: string
  readonly type: string
  readonly cause: string
  readonly policy: string
  readonly prefix: string
  count: number
  bytes: number
  hits: number
  unused: number
  age: number
  idle: number
  cost: number
  regretted: number
  regrettedBytes: number
  regrettedCost: number
  regretDelay: number
}

/** Rows of `histograms`: of one minute and cache, how many evicted entries by bucket of age and of size. */
export interface Spread {
  readonly minute: number
  readonly cache: string
  readonly age: Float64Array
  readonly size: Float64Array
  /** From an eviction to the miss that regrets it. */
  readonly delay: Float64Array
}

/** One row of `usage`. */
export interface Use {
  readonly minute: number
  readonly cache: string
  hits: number
  misses: number
  bytesAdded: number
  items: number
  bytes: number
  mostBytes: number
  readonly mostUsage: number | null
  readonly mostRss: number | null
  readonly mostHeapUsed: number | null
}

/** What a rollup comes to: plain data, which also travels with a gap. */
export interface Sums {
  readonly cells: readonly Cell[]
  readonly spreads: readonly Spread[]
  readonly uses: readonly Use[]
}

/** How an entry left, or was refused. */
interface Departure {
  readonly type: string
  readonly cause: string
  readonly policy: string
  readonly count: number
  readonly bytes: number
  readonly hits: number
  readonly unused: number
  readonly age: number
  readonly idle: number
  readonly cost: number
}

/** An eviction that was asked for again. */
export interface Regretted {
  readonly at: number
  readonly cache: string
  readonly prefix: string
  readonly cause: string
  readonly policy: string
  readonly bytes: number
  readonly cost: number
  /** ms from the eviction to the miss; `null`: nobody knows, the eviction has no row any more. */
  readonly delay: number | null
}

const NOTHING = { count: 0, bytes: 0, hits: 0, unused: 0, age: 0, idle: 0, cost: 0, policy: '', cause: '' }

type ByWord<T> = Map<string, T>

/**
 * Counts events by the minute, cache, type, cause, policy and prefix, whatever becomes of their rows. The writer makes one
 * of each batch, before rows are sampled; the host's thread one of what it drops.
 */
export class Rollup {
  readonly #prefixFor: (minute: number, cache: string, prefix: string) => string
  #minute = 0
  /** The words nested in each other, of one minute: a joined key would cost more than all lookups. */
  #byCache: ByWord<ByWord<ByWord<ByWord<ByWord<Cell>>>>> = new Map()
  #spreadOf: ByWord<Spread> = new Map()
  readonly #cells: Cell[] = []
  readonly #spreads: Spread[] = []
  readonly #uses = new Map<string, Use>()

  /** @param prefixFor bounds how many prefixes are told apart. */
  constructor(prefixFor: (minute: number, cache: string, prefix: string) => string) {
    this.#prefixFor = prefixFor
  }

  get sums(): Sums {
    return { cells: this.#cells, spreads: this.#spreads, uses: [...this.#uses.values()] }
  }

  addRows({ evictions, keyEvents, events, prefixes }: Rows): void {
    for (const row of evictions) this.#evicted(row, prefixes)
    for (const row of keyEvents) this.#left(row, prefixes)
    for (const [, at, type, cache, data] of events) this.#general(at, type, cache, data)
  }

  /** Counts one event that gets no row; its key's prefix is not told. */
  addLost(event: MuninnEvent): void {
    if (event.type === 'evicted') {
      const { at, cache, cause, policy, age, size, idle, hits, cost } = event
      this.#departed(at, cache, OTHERS, { ...left(hits, size), type: 'evicted', cause, policy, age, idle, cost })
      this.#spread(at, cache, age, size)
    } else if ('key' in event) {
      this.#leftKey(event.at, event.type, event.cache, OTHERS, event as unknown as Record<string, unknown>)
    } else if (event.type === 'cleared' || event.type === 'checked') {
      this.#general(event.at, event.type, 'cache' in event ? event.cache : null, event as unknown as EventRow[4])
    }
  }

  addRegret({ at, cache, prefix, cause, policy, bytes, cost, delay }: Regretted): void {
    const cell = this.#cell(at, cache, 'evicted', cause, policy, prefix)
    cell.regretted++
    cell.regrettedBytes += bytes
    cell.regrettedCost += cost
    if (delay === null) return
    cell.regretDelay += delay
    countIn(this.#spreadIn(at, cache).delay, delay)
  }

  /** By position, as `EVICTION_COLUMNS` names them. */
  #evicted(row: EvictionRow, prefixes: Rows['prefixes']): void {
    const seq = row[0] as number
    const at = row[1] as number
    const cache = row[2] as string
    const size = row[6] as number
    const hits = row[7] as number
    const age = row[10] as number
    const prefix = prefixes?.get(seq) ?? prefixOf(row[3] as string)
    const cell = this.#cell(at, cache, 'evicted', row[4] as string, row[5] as string, prefix)
    cell.count++
    cell.bytes += size
    cell.hits += hits
    if (hits === 0) cell.unused++
    cell.age += age
    cell.idle += row[11] as number
    cell.cost += row[13] as number
    this.#spread(at, cache, age, size)
  }

  #left([seq, at, type, cache, key, data]: KeyRow, prefixes: Rows['prefixes']): void {
    if (type === 'expired' || type === 'removed' || type === 'rejected') {
      this.#leftKey(at, type, cache, prefixes?.get(seq) ?? prefixOf(key), data)
    }
  }

  #leftKey(at: number, type: string, cache: string, prefix: string, data: Record<string, unknown>): void {
    const size = data['size'] as number
    if (type === 'rejected') {
      const cause = data['reason'] as string
      this.#departed(at, cache, prefix, { ...NOTHING, type, cause, count: 1, bytes: size })
    } else if (type === 'expired' || type === 'removed') {
      const age = data['age'] as number
      const idle = type === 'expired' ? (data['idle'] as number) : 0
      const cause = type === 'removed' ? (data['cause'] as string) : ''
      this.#departed(at, cache, prefix, { ...left(data['hits'] as number, size), type, cause, age, idle })
    }
  }

  #general(at: number, type: string, cache: string | null, data: EventRow[4]): void {
    if (type === 'cleared' && cache !== null) {
      const { count, bytes } = data as { count: number; bytes: number }
      this.#departed(at, cache, '', { ...NOTHING, type, count, bytes })
    } else if (type === 'checked') {
      this.#checked(at, data as unknown as Checked)
    }
  }

  #departed(at: number, cache: string, prefix: string, departure: Departure): void {
    const cell = this.#cell(at, cache, departure.type, departure.cause, departure.policy, prefix)
    cell.count += departure.count
    cell.bytes += departure.bytes
    cell.hits += departure.hits
    cell.unused += departure.unused
    cell.age += departure.age
    cell.idle += departure.idle
    cell.cost += departure.cost
  }

  #checked(at: number, { caches, bytes, items, usage, rss, heapUsed }: Checked): void {
    const minute = this.#enter(at)
    const whole = { cache: '', hits: 0, misses: 0, bytesAdded: 0, items, bytes }
    for (const { cache, items, bytes, hits, misses, bytesAdded } of caches) {
      whole.hits += hits
      whole.misses += misses
      whole.bytesAdded += bytesAdded
      const use = { minute, cache, hits, misses, bytesAdded, items, bytes, mostBytes: bytes }
      this.#used({ ...use, mostUsage: null, mostRss: null, mostHeapUsed: null })
    }
    this.#used({ ...whole, minute, mostBytes: bytes, mostUsage: usage, mostRss: rss, mostHeapUsed: heapUsed })
  }

  #used(use: Use): void {
    const key = `${use.minute} ${use.cache}`
    const so = this.#uses.get(key)
    this.#uses.set(
      key,
      so === undefined
        ? use
        : {
            ...use,
            hits: so.hits + use.hits,
            misses: so.misses + use.misses,
            bytesAdded: so.bytesAdded + use.bytesAdded,
            mostBytes: Math.max(so.mostBytes, use.mostBytes),
            mostUsage: greater(so.mostUsage, use.mostUsage),
            mostRss: greater(so.mostRss, use.mostRss),
            mostHeapUsed: greater(so.mostHeapUsed, use.mostHeapUsed),
          },
    )
  }

  #spread(at: number, cache: string, age: number, size: number): void {
    const spread = this.#spreadIn(at, cache)
    countIn(spread.age, age)
    countIn(spread.size, size)
  }

  #spreadIn(at: number, cache: string): Spread {
    const minute = this.#enter(at)
    const known = this.#spreadOf.get(cache)
    if (known !== undefined) return known
    const spread = { minute, cache, age: buckets(), size: buckets(), delay: buckets() }
    this.#spreadOf.set(cache, spread)
    this.#spreads.push(spread)
    return spread
  }

  #cell(at: number, cache: string, type: string, cause: string, policy: string, own: string): Cell {
    const minute = this.#enter(at)
    const prefix = this.#prefixFor(minute, cache, own)
    const byPrefix = nested(nested(nested(nested(this.#byCache, cache), type), cause), policy)
    const known = byPrefix.get(prefix)
    if (known !== undefined) return known
    const cell: Cell = {
      minute,
      cache,
      type,
      cause,
      policy,
      prefix,
      count: 0,
      bytes: 0,
      hits: 0,
      unused: 0,
      age: 0,
      idle: 0,
      cost: 0,
      regretted: 0,
      regrettedBytes: 0,
      regrettedCost: 0,
      regretDelay: 0,
    }
    byPrefix.set(prefix, cell)
    this.#cells.push(cell)
    return cell
  }

  /** The minute that `at` counts in; what is nested begins anew with each. */
  #enter(at: number): number {
    const minute = Math.floor(at / MINUTE) * MINUTE
    if (minute === this.#minute || (this.#minute > 0 && this.#isFull())) return this.#minute
    this.#minute = minute
    this.#byCache = new Map()
    this.#spreadOf = new Map()
    return minute
  }

  #isFull(): boolean {
    return this.#cells.length + this.#uses.size > MOST_CELLS
  }
}

function left(hits: number, bytes: number): Omit<Departure, 'type'> {
  return { ...NOTHING, count: 1, bytes, hits, unused: hits === 0 ? 1 : 0 }
}

function buckets(): Float64Array {
  return new Float64Array(BUCKETS)
}

function countIn(buckets: Float64Array, value: number): void {
  const bucket = bucketOf(value)
  buckets[bucket] = (buckets[bucket] as number) + 1
}

/** 0: 0; n: 2^(n-1) ≤ value < 2^n. */
export function bucketOf(value: number): number {
  if (value < 2 ** 32) return 32 - Math.clz32(value)
  return Math.min(BUCKETS - 1, 64 - Math.clz32(value / 2 ** 32))
}

function greater(one: number | null, other: number | null): number | null {
  return one === null || other === null ? (one ?? other) : Math.max(one, other)
}

function nested<T extends Map<string, unknown>>(map: ByWord<T>, word: string): T {
  const known = map.get(word)
  if (known !== undefined) return known
  const made = new Map() as T
  map.set(word, made)
  return made
}
