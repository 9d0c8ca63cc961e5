import type { Columns } from '../columns.ts'
import { RecencyList } from '../recency-list.ts'
import type { Order, Policy } from './policy.ts'

/** Least recently used first. The score is the `seq` of the last use. */
export class Lru implements Policy {
  readonly name = 'lru'
  private readonly columns: Columns

  constructor(columns: Columns) {
    this.columns = columns
  }

  order(): Order {
    return new RecencyOrder(this.columns)
  }

  before(a: number, b: number): boolean {
    return this.score(a) < this.score(b)
  }

  score(h: number): number {
    return this.columns.usedSeq[h] as number
  }
}

class RecencyOrder implements Order {
  readonly adapting = null
  private readonly list: RecencyList

  constructor(columns: Columns) {
    this.list = new RecencyList(columns.links)
  }

  added(h: number): void {
    this.list.push(h)
  }

  used(h: number): void {
    this.list.renew(h)
  }

  missed(): void {}

  updating(): void {}

  updated(h: number): void {
    this.list.renew(h)
  }

  left(h: number): void {
    this.list.remove(h)
  }

  adopted(h: number): void {
    this.list.push(h)
  }

  victim(except: number): number {
    return this.list.lastBut(except)
  }
}
