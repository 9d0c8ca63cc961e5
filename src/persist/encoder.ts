import type { Evicted, MuninnEvent } from '../event/catalogue.ts'
import { type EncodedRows, EVICTED, type KeyedEvent, LAYOUT_OF, LONGEST } from './encoding.ts'

/** What a word, or a JSON text, holds besides its characters. */
const TEXT_BYTES = 48
const FIRST_LENGTH = 1024
const TWO_BYTE_TEXT = /[^\u0000-\u00ff]/

/** Takes events apart as they come, and keeps none. On the host's thread: some 150 ns an eviction, posting included. */
export class Encoder {
  readonly #prefixOf: ((key: string) => string | null) | null
  /** Kept from batch to batch: what is cut is a copy. */
  #numbers = new Float64Array(FIRST_LENGTH)
  #numbered = 0
  #codes = new Uint32Array(FIRST_LENGTH)
  #coded = 0
  /** Grown by `+=`, which costs a third less than a list that is joined. */
  #text = ''
  #words: string[] = []
  #codeOf = new Map<string, number>()
  #general: string[] = []
  #otherBytes = 0

  /** @param prefixOf the user's own rule for prefixes; what it gives `null` for goes by the default rule. */
  constructor(prefixOf: ((key: string) => string | null) | null) {
    this.#prefixOf = prefixOf
  }

  /** What it holds in memory, texts at two bytes a character. */
  get bytes(): number {
    return this.#numbered * 8 + this.#coded * 4 + this.#text.length * 2 + this.#otherBytes
  }

  add(event: MuninnEvent): void {
    if (!('key' in event)) this.#addGeneral(event)
    else if (event.type === 'evicted') this.#addEvicted(event)
    else this.#addKeyed(event)
  }

  /** What was added since the last cut. */
  cut(): EncodedRows {
    const isWide = TWO_BYTE_TEXT.test(this.#text)
    // Not from the pool: what is sent takes the whole buffer along.
    const text = Buffer.allocUnsafeSlow(isWide ? this.#text.length * 2 : this.#text.length)
    text.write(this.#text, isWide ? 'utf16le' : 'latin1')
    const numbers = this.#numbers.slice(0, this.#numbered)
    const codes = this.#codes.slice(0, this.#coded)
    const rows: EncodedRows = {
      numbers,
      codes,
      text,
      isWide,
      words: this.#words,
      general: this.#general.length === 0 ? '' : `[${this.#general.join()}]`,
      bytes: numbers.byteLength + codes.byteLength + text.byteLength + this.#otherBytes,
    }
    this.#numbered = 0
    this.#coded = 0
    this.#text = ''
    this.#words = []
    this.#codeOf = new Map()
    this.#general = []
    this.#otherBytes = 0
    return rows
  }

  #addEvicted(event: Evicted): void {
    this.#head(EVICTED, event)
    const numbers = this.#numbers
    const codes = this.#codes
    const { runnerUp, runnerUpScore, trigger } = event
    let n = this.#numbered
    let c = this.#coded
    codes[c++] = this.#code(event.cause)
    codes[c++] = this.#code(event.policy)
    numbers[n++] = event.size
    numbers[n++] = event.hits
    numbers[n++] = event.storedAt
    codes[c++] = this.#code(event.storedBy)
    numbers[n++] = event.age
    numbers[n++] = event.idle
    numbers[n++] = event.ttlLeft
    numbers[n++] = event.cost
    numbers[n++] = event.score
    // A length is one more than it is, so that 0 is null.
    codes[c++] = runnerUp === null ? 0 : runnerUp.length + 1
    numbers[n++] = runnerUpScore ?? Number.NaN
    if (runnerUp !== null) this.#text += runnerUp
    if (trigger === null) {
      codes[c++] = 0
    } else {
      codes[c++] = this.#code(trigger.cache)
      codes[c++] = trigger.key.length
      numbers[n++] = trigger.size
      this.#text += trigger.key
    }
    codes[c++] = this.#code(event.cycle)
    codes[c++] = this.#code(event.mode)
    numbers[n++] = event.modeSince ?? Number.NaN
    this.#numbered = n
    this.#coded = c
  }

  #addKeyed(event: Exclude<KeyedEvent, Evicted>): void {
    const { code, names, kinds } = LAYOUT_OF[event.type]
    this.#head(code, event)
    const fields = event as unknown as Readonly<Record<string, unknown>>
    for (let i = 0; i < names.length; i++) {
      const value = fields[names[i] as string]
      const kind = kinds[i]
      if (kind === 'number') this.#numbers[this.#numbered++] = (value as number | null) ?? Number.NaN
      else if (kind === 'word') this.#codes[this.#coded++] = this.#code(value as string | null)
      else if (kind === 'list') this.#codes[this.#coded++] = this.#code(value === null ? null : JSON.stringify(value))
      else this.#codes[this.#coded++] = value === true ? 1 : 0
    }
  }

  /** Writes what all records begin with. */
  #head(code: number, event: KeyedEvent): void {
    if (this.#numbered + LONGEST > this.#numbers.length) this.#numbers = twice(this.#numbers, Float64Array)
    if (this.#coded + LONGEST > this.#codes.length) this.#codes = twice(this.#codes, Uint32Array)
    this.#numbers[this.#numbered++] = event.seq
    this.#numbers[this.#numbered++] = event.at
    const codes = this.#codes
    let c = this.#coded
    codes[c++] = code
    codes[c++] = this.#code(event.cache)
    codes[c++] = event.key.length
    codes[c++] = this.#prefixOf === null ? 0 : this.#code(this.#prefixOf(event.key))
    this.#coded = c
    this.#text += event.key
  }

  #code(word: string | null): number {
    if (word === null) return 0
    const known = this.#codeOf.get(word)
    if (known !== undefined) return known
    const code = this.#words.push(word)
    this.#codeOf.set(word, code)
    this.#otherBytes += TEXT_BYTES + 2 * word.length
    return code
  }

  #addGeneral(event: Exclude<MuninnEvent, KeyedEvent>): void {
    const { seq, at, type, ...rest } = event
    const { cache = null, ...data } = rest as { cache?: string | null }
    const text = JSON.stringify([seq, at, type, cache, data])
    this.#general.push(text)
    this.#otherBytes += TEXT_BYTES + 2 * text.length
  }
}

function twice<T extends Float64Array | Uint32Array>(array: T, make: new (length: number) => T): T {
  const grown = new make(array.length * 2)
  grown.set(array)
  return grown
}
