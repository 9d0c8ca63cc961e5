import { NONE } from './columns.ts'
import type { Links } from './links.ts'

/** Entries from the most to the least recent: a doubly linked list. */
export class RecencyList {
  private readonly links: Links
  /** The most recent. */
  first: number = NONE
  /** The least recent. */
  last: number = NONE
  length = 0

  constructor(links: Links) {
    this.links = links
  }

  push(h: number): void {
    const { previous, next } = this.links
    const first = this.first
    previous[h] = NONE
    next[h] = first
    if (first === NONE) this.last = h
    else previous[first] = h
    this.first = h
    this.length++
  }

  remove(h: number): void {
    const { previous, next } = this.links
    const before = previous[h] as number
    const after = next[h] as number
    if (before === NONE) this.first = after
    else next[before] = after
    if (after === NONE) this.last = before
    else previous[after] = before
    this.length--
  }

  /** Makes it the most recent: as `remove` and `push`, whose checks for the ends are mostly settled here. */
  renew(h: number): void {
    const first = this.first
    if (first === h) return
    const { previous, next } = this.links
    const before = previous[h] as number
    const after = next[h] as number
    next[before] = after
    if (after === NONE) this.last = before
    else previous[after] = before
    previous[h] = NONE
    next[h] = first
    previous[first] = h
    this.first = h
  }

  /** The least recent but for `except`; `NONE` if there is no other. */
  lastBut(except: number): number {
    return this.last === except && except !== NONE ? (this.links.previous[except] as number) : this.last
  }
}
