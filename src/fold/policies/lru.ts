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
    return new RecencyOrder(this.columns.links)
  }

  before(a: number, b: number): boolean {
    return this.score(a) < this.score(b)
  }

  score(h: number): number {
    return this.columns.usedSeq[h] as number
  }
}

class RecencyOrder extends RecencyList implements Order {
  readonly adapting = null

  added(h: number): void {
    this.push(h)
  }

  used(h: number): void {
    this.renew(h)
  }

  updating(): void {}

  updated(h: number): void {
    this.renew(h)
  }

  left(h: number): void {
    this.remove(h)
  }

  adopted(h: number): void {
    this.push(h)
  }

  victim(except: number): number {
    return this.lastBut(except)
  }
}
