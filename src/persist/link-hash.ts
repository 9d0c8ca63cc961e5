import { createHash, type Hash } from 'node:crypto'
import { EVICTION_COLUMNS, type Value } from './rows.ts'

/*
 * Tamper evidence. What is written together has a hash of its rows, of its range and of the hash before it, per run; so a
 * row that is changed, missing or in another place shows, and where. The first follows the run's own row. Gaps are links,
 * too; so is what retention leaves of batches, `retired`: it keeps the last hash that it takes away, so that the chain goes on.
 *
 * What retention notes has seals of its own, hashes that follow the run's row: what it took (`retired` links, horizons), and what
 * it keeps of that (`carried`).
 *
 * Not covered: `evictions.missed_at`, and what is made of the rows (rollups, indexes). Against somebody who can write the
 * whole chain anew, only a hash helps that is kept elsewhere.
 */

/** Columns of a run's row that never change. */
export const RUN_COLUMNS = [
  'run',
  'level',
  'started_at',
  'version',
  'node',
  'host',
  'pid',
  'process_started_at',
  'seed',
  'settings',
  'may_use',
  'redaction',
  'redaction_secret',
  'process_identity',
] as const

/** Kinds of events with a retention of their own: each is hashed by itself, so that the others can be checked without it. */
export const EVENT_KINDS = ['cycles', 'samples', 'general'] as const
export type EventKind = (typeof EVENT_KINDS)[number]

const CYCLES = new Set(['cycle-started', 'cycle-continued', 'cycle-completed', 'cleared', 'adapted'])

/** As the triggers on `events` count. */
export function kindOf(type: string): EventKind {
  if (CYCLES.has(type)) return 'cycles'
  return type === 'checked' ? 'samples' : 'general'
}

type Row = readonly Value[]

/** Rows in their canonical order: evictions, other events of keys, blocks, then the rest by kind; each by seq, as the file has them. */
export interface HashedRows {
  readonly evictions: readonly Row[]
  readonly keyEvents: readonly Row[]
  /** As `blockRow` makes them. */
  readonly blocks: readonly Row[]
  readonly events: readonly Row[]
}

/** What a batch's row says about its rows. */
export interface RowsHash {
  /** Empty where there are none. */
  readonly departures: Buffer
  /** Of each kind that there is, its place in `EVENT_KINDS` and its hash. */
  readonly events: Buffer
  /** Four bytes a row. */
  readonly sums: Buffer
}

/** A row of `blocks`, with the hash of its data in the data's place. */
export function blockRow(first: number, last: number, fromAt: number, toAt: number, events: number, data: Buffer): Row {
  return [first, last, fromAt, toAt, events, createHash('sha256').update(data).digest('hex')]
}

export function hashRows({ evictions, keyEvents, blocks, events }: HashedRows): RowsHash {
  const sums = new Uint32Array(evictions.length + keyEvents.length + blocks.length + events.length)
  const hasher = new RowHasher(sums)
  hasher.add(evictions)
  hasher.add(keyEvents)
  if (blocks.length > 0) hasher.add(blocks)
  const departures = evictions.length + keyEvents.length + blocks.length > 0 ? hasher.digest() : Buffer.alloc(0)
  const kinds = EVENT_KINDS.flatMap((kind, place) => {
    const rows = events.length === 0 ? [] : events.filter((row) => kindOf(row[2] as string) === kind)
    if (rows.length === 0) return []
    hasher.add(rows)
    return [Buffer.of(place), hasher.digest()]
  })
  return { departures, events: Buffer.concat(kinds), sums: Buffer.from(sums.buffer) }
}

/** The hash of one kind in `RowsHash.events`, in hexadecimal; `null` where there is none. */
export function hashOfKind(events: Buffer, kind: EventKind): string | null {
  const place = EVENT_KINDS.indexOf(kind)
  for (let at = 0; at < events.length; at += 33) {
    if (events[at] === place) return events.toString('hex', at + 1, at + 33)
  }
  return null
}

/**
 * Hashes lists of rows. Canonical is, for each list, the number of its rows and then a double for each column (a number
 * itself, of a text the number of its UTF-16 units, NaN for null), little-endian; then all texts in UTF-16LE. It takes a third
 * of the time of JSON.
 */
class RowHasher {
  readonly #sums: Uint32Array
  #summed = 0
  #hash = createHash('sha256')

  constructor(sums: Uint32Array) {
    this.#sums = sums
  }

  add(rows: readonly Row[]): void {
    const width = rows[0]?.length ?? 0
    const doubles = new Float64Array(1 + rows.length * width)
    const words = new Uint32Array(doubles.buffer)
    let text = ''
    let at = 0
    doubles[at++] = rows.length
    for (const row of rows) {
      const start = at
      let sum = FNV_BASIS
      for (let column = 0; column < width; column++) {
        const value = row[column] as Value
        if (typeof value === 'number') {
          // -0 is 0 in a database.
          doubles[at++] = value + 0
        } else if (value === null) {
          doubles[at++] = Number.NaN
        } else {
          doubles[at++] = value.length
          text += value
          for (let i = 0; i < value.length; i++) sum = Math.imul(sum ^ value.charCodeAt(i), FNV_PRIME)
        }
      }
      for (let word = start * 2; word < at * 2; word++) sum = Math.imul(sum ^ (words[word] as number), FNV_PRIME)
      this.#sums[this.#summed++] = sum
    }
    this.#hash.update(doubles)
    this.#hash.update(Buffer.from(text, 'utf16le'))
  }

  digest(): Buffer {
    const digest = this.#hash.digest()
    this.#hash = createHash('sha256')
    return digest
  }
}

/** FNV-1a: no protection, but names the row. */
const FNV_BASIS = 0x811c9dc5
const FNV_PRIME = 0x01000193

/** Of which share of the keys rows are kept, from a `seq` on. */
export interface SamplingLink {
  readonly seq: number
  readonly at: number
  readonly share: number
}

/** Those of a link's range. */
export const SELECT_SAMPLINGS = `
  select seq, at, share from samplings where run_id = :id and seq between :first and :last order by seq`

/** @param sampled what began with the batch; mostly nothing did. */
function sampledIn(hash: Hash, sampled: readonly SamplingLink[]): Hash {
  for (const { seq, at, share } of sampled) hash.update('sampling').update(Float64Array.of(seq, at, share))
  return hash
}

/** The hash of a batch's link. */
export function hashBatch(
  before: Buffer,
  first: number,
  last: number,
  rowCount: number,
  rows: RowsHash,
  sampled: readonly SamplingLink[],
): Buffer {
  const hash = createHash('sha256')
    .update('batch')
    .update(before)
    .update(Float64Array.of(first, last, rowCount, rows.departures.length, rows.events.length))
    .update(rows.departures)
    .update(rows.events)
    .update(rows.sums)
  return sampledIn(hash, sampled).digest()
}

/** What a link that stands for retired batches says of itself. */
export interface RetiredLink {
  readonly first: number
  readonly last: number
  readonly rowCount: number
  readonly hash: Buffer | null
  readonly events: Buffer
  readonly sums: Buffer
}

/** The seal of a retired link: a batch that is only called so has none. */
export function hashRetired(
  run: Buffer,
  { first, last, rowCount, hash, events, sums }: RetiredLink,
  sampled: readonly SamplingLink[],
): Buffer {
  const seal = createHash('sha256')
    .update('retired')
    .update(run)
    .update(Float64Array.of(first, last, rowCount, events.length))
    .update(hash ?? '')
    .update(events)
    .update(sums)
  return sampledIn(seal, sampled).digest()
}

/** How far retention has got with one kind of a run's rows. */
export interface Horizon {
  readonly kind: string
  readonly seq: number
  readonly at: number
  readonly carried: Buffer
}

/** The seal of a horizon. */
export function hashHorizon(run: Buffer, { kind, seq, at, carried }: Horizon): Buffer {
  return createHash('sha256')
    .update('horizon')
    .update(run)
    .update(Float64Array.of(seq, at))
    .update(kind)
    .update(carried)
    .digest()
}

export const CARRIED_COLUMNS = ['cache', 'key', 'seq', 'at', 'type', 'data'] as const

/** The hash of a row of `carried`. */
export function hashCarried(run: Buffer, row: Row): Buffer {
  const hasher = new RowHasher(new Uint32Array(1))
  hasher.add([row])
  return createHash('sha256').update('carried').update(run).update(hasher.digest()).digest()
}

/** Of no rows. */
export const NO_ROWS = Buffer.alloc(32)

/** Adds a row's hash to those of others, or takes it away: in whatever order, the same comes out. */
export function toggled(all: Buffer, hash: Buffer): Buffer {
  return Buffer.from(all.map((byte, at) => byte ^ (hash[at] ?? 0)))
}

export interface GapLink {
  readonly first: number
  readonly last: number
  readonly fromAt: number
  readonly toAt: number
  readonly lost: number | null
  readonly reason: string
}

/** The hash of a gap's link. */
export function hashGap(
  before: Buffer,
  { first, last, fromAt, toAt, lost, reason }: GapLink,
  sampled: readonly SamplingLink[],
): Buffer {
  const hash = createHash('sha256')
    .update('gap')
    .update(before)
    .update(Float64Array.of(first, last, fromAt, toAt, lost ?? Number.NaN))
    .update(reason)
  return sampledIn(hash, sampled).digest()
}

/** What the first link of a run follows: the hash of these columns of its row. */
export function hashRun(row: Row): Buffer {
  const hasher = new RowHasher(new Uint32Array(1))
  hasher.add([row])
  return hasher.digest()
}

/** Columns of each table that a hash covers, in their order. */
export const HASHED_COLUMNS = {
  evictions: EVICTION_COLUMNS,
  key_events: ['seq', 'at', 'type', 'cache', 'key', 'data'],
  events: ['seq', 'at', 'type', 'cache', 'data'],
} as const
