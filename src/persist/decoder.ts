import { type EncodedRows, EVICTED, LAYOUTS, type Layout } from './encoding.ts'
import type { EventRow, EvictionRow, KeyRow, Rows, Value } from './rows.ts'

/** Text with half a character in it, which SQLite would change behind our back, has one of these. */
const SURROGATE = /[\ud800-\udfff]/

/** The rows of a batch as the writer binds them. */
export function decodeRows(encoded: EncodedRows): Rows {
  return new Decoder(encoded).rows()
}

/** Reads an `EncodedRows` from its beginning to its end, once. */
class Decoder {
  readonly #numbers: Float64Array
  readonly #codes: Uint32Array
  readonly #text: string
  readonly #words: readonly (string | null)[]
  readonly #general: string
  readonly #isTorn: boolean
  #numberAt = 0
  #codeAt = 0
  #textAt = 0

  constructor({ numbers, codes, text, isWide, words, general }: EncodedRows) {
    this.#numbers = numbers
    this.#codes = codes
    this.#text = Buffer.from(text.buffer, text.byteOffset, text.byteLength).toString(isWide ? 'utf16le' : 'latin1')
    this.#words = [null, ...words.map((word) => word.toWellFormed())]
    this.#general = general
    this.#isTorn = SURROGATE.test(this.#text)
  }

  rows(): Rows {
    const events = this.#general === '' ? [] : (JSON.parse(this.#general) as EventRow[])
    const rows: Rows = { evictions: [], keyEvents: [], events, regrets: [], prefixes: null }
    while (this.#codeAt < this.#codes.length) {
      const seq = this.#number()
      const at = this.#number()
      const code = this.#code()
      const cache = this.#word() as string
      const key = this.#string(this.#code())
      const prefix = this.#word()
      if (prefix !== null) {
        rows.prefixes ??= new Map()
        rows.prefixes.set(seq, prefix)
      }
      if (code === EVICTED) {
        rows.evictions.push(this.#evicted(seq, at, cache, key))
      } else {
        const row = this.#keyed(LAYOUTS[code] as Layout, seq, at, cache, key)
        rows.keyEvents.push(row)
        const { firstRegret, regret } = row[5]
        if (firstRegret === true && typeof regret === 'number') rows.regrets.push([regret, at, cache, key, seq])
      }
    }
    return rows
  }

  /** In the order of `EVICTION_COLUMNS`. */
  #evicted(seq: number, at: number, cache: string, key: string): EvictionRow {
    const cause = this.#word()
    const policy = this.#word()
    const size = this.#number()
    const hits = this.#number()
    const storedAt = this.#number()
    const storedBy = this.#word()
    const age = this.#number()
    const idle = this.#number()
    const ttlLeft = this.#finite()
    const cost = this.#number()
    const score = this.#finite()
    const runnerUpLength = this.#code()
    const runnerUp = runnerUpLength === 0 ? null : this.#string(runnerUpLength - 1)
    const runnerUpScore = this.#finite()
    const triggerCache = this.#word()
    const triggerKey = triggerCache === null ? null : this.#string(this.#code())
    const triggerSize = triggerCache === null ? null : this.#number()
    const cycle = this.#word()
    const mode = this.#word()
    const modeSince = this.#finite()
    return [
      seq,
      at,
      cache,
      key,
      cause,
      policy,
      size,
      hits,
      storedAt,
      storedBy,
      age,
      idle,
      ttlLeft,
      cost,
      score,
      runnerUp,
      runnerUpScore,
      triggerCache,
      triggerKey,
      triggerSize,
      cycle,
      mode,
      modeSince,
    ]
  }

  #keyed({ type, names, kinds }: Layout, seq: number, at: number, cache: string, key: string): KeyRow {
    const data: Record<string, unknown> = {}
    for (let i = 0; i < names.length; i++) {
      const name = names[i] as string
      const kind = kinds[i]
      if (kind === 'number') data[name] = this.#finite()
      else if (kind === 'word') data[name] = this.#word()
      else if (kind === 'list') data[name] = JSON.parse(this.#word() ?? 'null') as unknown
      else data[name] = this.#code() === 1
    }
    return [seq, at, type, cache, key, data]
  }

  #number(): number {
    return this.#numbers[this.#numberAt++] as number
  }

  #code(): number {
    return this.#codes[this.#codeAt++] as number
  }

  /** What JSON would make of it. */
  #finite(): Value {
    const number = this.#number()
    return Number.isFinite(number) ? number : null
  }

  #word(): string | null {
    return this.#words[this.#code()] as string | null
  }

  #string(length: number): string {
    const start = this.#textAt
    this.#textAt += length
    const text = this.#text.slice(start, this.#textAt)
    return this.#isTorn ? text.toWellFormed() : text
  }
}
