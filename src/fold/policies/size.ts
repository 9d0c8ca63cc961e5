import type { Columns } from '../columns.ts'
import type { Order, Policy } from './policy.ts'
import { ValueOrder } from './value-order.ts'

/** Largest first, ties by least recent. The score is the size, in bytes. */
export class Size implements Policy {
  readonly name = 'size'
  private readonly columns: Columns

  constructor(columns: Columns) {
    this.columns = columns
  }

  order(): Order {
    return new ValueOrder(this.columns, (h) => -this.score(h))
  }

  before(a: number, b: number): boolean {
    return this.columns.precedes(-this.score(a), a, -this.score(b), b)
  }

  score(h: number): number {
    return this.columns.size[h] as number
  }
}
