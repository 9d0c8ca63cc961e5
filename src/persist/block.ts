import { deflateRawSync, inflateRawSync } from 'node:zlib'
import type { KeyRow } from './rows.ts'

/*
 * What happens to entries again and again (hits, misses, loads: level `all`), many events in one row of `blocks`: raw
 * deflate of a JSON text of columns. Like values stand together, and shrink to some ten bytes an event. `seq` and `at` are
 * differences: exact, since neighbours are close to each other (Sterbenz).
 */

/** Types of event that never get a row of their own, but a first miss that regrets an eviction, which is asked for. */
const RECORDED: ReadonlySet<string> = new Set(['accessed', 'missed', 'loaded', 'load-failed'])
/** Less costs the writer half the time and the file a tenth more. */
const EFFORT = 3

export function isRecorded([, , type, , , data]: KeyRow): boolean {
  return RECORDED.has(type) && data['firstRegret'] !== true
}

interface Columns {
  readonly types: string[]
  readonly caches: string[]
  readonly keys: string[]
  /** Of each event: the place of its type, cache and key above, and how much later than the one before it is. */
  readonly type: number[]
  readonly cache: number[]
  readonly key: number[]
  readonly seq: number[]
  readonly at: number[]
  /** By type and field, in the order of events. */
  readonly fields: Record<string, Record<string, unknown[]>>
}

/** Events of one run, in the order of `seq`. */
export function encodeBlock(rows: readonly KeyRow[]): Buffer {
  const types = new Dictionary()
  const caches = new Dictionary()
  const keys = new Dictionary()
  const columns: Columns = {
    types: types.words,
    caches: caches.words,
    keys: keys.words,
    type: [],
    cache: [],
    key: [],
    seq: [],
    at: [],
    fields: {},
  }
  let before = { seq: 0, at: 0 }
  for (const [seq, at, type, cache, key, data] of rows) {
    columns.type.push(types.place(type))
    columns.cache.push(caches.place(cache))
    columns.key.push(keys.place(key))
    columns.seq.push(seq - before.seq)
    columns.at.push(at - before.at)
    before = { seq, at }
    columns.fields[type] ??= {}
    const fields = columns.fields[type]
    for (const name of Object.keys(data)) {
      fields[name] ??= []
      fields[name].push(data[name])
    }
  }
  return deflateRawSync(JSON.stringify(columns), { level: EFFORT })
}

/** The events of a block about some keys: one that has none of them is not read closely. */
export function eventsOfKeys(data: Buffer, wanted: readonly string[]): KeyRow[] {
  const text = inflateRawSync(data).toString()
  const maybe = wanted.some((key) => text.includes(JSON.stringify(key)))
  return maybe ? rowsOf(text).filter(([, , , , key]) => wanted.includes(key)) : []
}

/** The events of a block. */
export function decodeBlock(data: Buffer): KeyRow[] {
  return rowsOf(inflateRawSync(data).toString())
}

function rowsOf(text: string): KeyRow[] {
  const { types, caches, keys, type, cache, key, seq, at, fields } = JSON.parse(text) as Columns
  const readers = types.map((name) => new FieldReader(fields[name] ?? {}))
  let seqNow = 0
  let atNow = 0
  return type.map((place, i) => {
    seqNow += seq[i] as number
    atNow += at[i] as number
    const data = (readers[place] as FieldReader).next()
    return [seqNow, atNow, types[place], caches[cache[i] as number], keys[key[i] as number], data] as KeyRow
  })
}

class Dictionary {
  readonly words: string[] = []
  readonly #places = new Map<string, number>()

  place(word: string): number {
    const known = this.#places.get(word)
    if (known !== undefined) return known
    const place = this.words.push(word) - 1
    this.#places.set(word, place)
    return place
  }
}

/** Reads one type's columns, an event at a time. */
class FieldReader {
  readonly #fields: readonly [string, readonly unknown[]][]
  #at = 0

  constructor(fields: Readonly<Record<string, readonly unknown[]>>) {
    this.#fields = Object.entries(fields)
  }

  next(): Record<string, unknown> {
    const at = this.#at++
    return Object.fromEntries(this.#fields.map(([name, values]) => [name, values[at]]))
  }
}
