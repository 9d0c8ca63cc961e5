import { placeOfKey } from '../base/key-share.ts'
import type { Rows } from './rows.ts'

/** ms of the portions in which departures are counted, and how many of them, one after the other, decide. */
const PORTION = 10_000
const PORTIONS = 6
const LEAST_SHARE = 2 ** -20

/**
 * Of which share of the keys rows are kept: a power of two, smaller where for over a minute more rows a second would be
 * kept than `most`, twice as large again where for a minute that would not have been too many. By the events' time.
 */
export class Sampling {
  readonly #most: number
  #share: number
  #portion = Number.NEGATIVE_INFINITY
  #count = 0
  /** Departures in each of the last whole portions. */
  #counts: number[] = []

  constructor(most: number, share: number) {
    this.#most = most
    this.#share = share
  }

  get share(): number {
    return this.#share
  }

  /** Counts departures of about this time, whether their rows were kept or not. */
  count(at: number, departures: number): void {
    const portion = Math.floor(at / PORTION)
    if (this.#portion === Number.NEGATIVE_INFINITY) this.#portion = portion
    // However long nothing was told: from the smallest share it takes twenty minutes back.
    const passed = Math.min(portion - this.#portion, PORTIONS * 21)
    for (let i = 0; i < passed; i++) this.#close()
    if (passed > 0) this.#portion = portion
    this.#count += departures
  }

  #close(): void {
    this.#counts.push(this.#count)
    this.#count = 0
    if (this.#counts.length > PORTIONS) this.#counts.shift()
    if (this.#counts.length < PORTIONS) return
    const most = (this.#most * PORTION) / 1000
    if (this.#counts.every((count) => count * this.#share > most)) {
      const mean = this.#counts.reduce((sum, count) => sum + count, 0) / PORTIONS
      this.#change(Math.max(LEAST_SHARE, 2 ** -Math.ceil(Math.log2(mean / most))))
    } else if (this.#share < 1 && this.#counts.every((count) => count * this.#share * 2 <= most)) {
      this.#change(this.#share * 2)
    }
  }

  #change(share: number): void {
    this.#share = share
    this.#counts = []
  }
}

/** Leaves only the rows of a share of the keys. */
export function sampleRows(rows: Rows, share: number): void {
  if (share >= 1) return
  rows.evictions = rows.evictions.filter((row) => placeOfKey(row[KEY] as string) < share)
  rows.keyEvents = rows.keyEvents.filter((row) => placeOfKey(row[4]) < share)
}

/** Among `EVICTION_COLUMNS`. */
const KEY = 3
