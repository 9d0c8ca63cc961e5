import { NONE } from './columns.ts'

/** Where the links are. */
export interface Links {
  readonly previous: Int32Array
  readonly next: Int32Array
}

/** Entries from the most to the least recent: a doubly linked list through the columns' links, one list per entry. */
export class RecencyList {
  private readonly columns: Links
  /** The most recent. */
  first: number = NONE
  /** The least recent. */
  last: number = NONE
  length = 0

  constructor(columns: Links) {
    this.columns = columns
  }

  push(h: number): void {
    const { previous, next } = this.columns
    const first = this.first
    previous[h] = NONE
    next[h] = first
    if (first === NONE) this.last = h
    else previous[first] = h
    this.first = h
    this.length++
  }

  remove(h: number): void {
    const { previous, next } = this.columns
    const before = previous[h] as number
    const after = next[h] as number
    if (before === NONE) this.first = after
    else next[before] = after
    if (after === NONE) this.last = before
    else previous[after] = before
    this.length--
  }

  /** Makes it the most recent. */
  renew(h: number): void {
    if (this.first === h) return
    this.remove(h)
    this.push(h)
  }

  /** The least recent but for `except`; `NONE` if there is no other. */
  lastBut(except: number): number {
    return this.last === except && except !== NONE ? (this.columns.previous[except] as number) : this.last
  }
}
