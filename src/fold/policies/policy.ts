import type { PolicyName } from '../../base/settings.ts'
import type { Columns } from '../columns.ts'

/**
 * The order in which one cache gives its entries up. Called by the fold alone, after the columns hold what the call is
 * about (`updating` and `left`: while they still do); `victim` is for deciding and changes nothing.
 */
export interface Order {
  /** A new entry. */
  added(h: number): void
  /** A hit. */
  used(h: number): void
  /** Its value is about to be replaced. */
  updating(h: number): void
  /** Its value was replaced, which is a use. */
  updated(h: number): void
  /** It is about to leave. */
  left(h: number): void
  /** An entry that was there before this order was made; they come in the order of their last use. */
  adopted(h: number): void
  /** Who goes next, but for `except` (or `NONE`); `NONE` if there is nobody. */
  victim(except: number, at: number): number
}

/** A policy over all caches of one manager: an order for each, and how their victims compare. */
export interface Policy {
  readonly name: PolicyName
  /**
   * @param salt tells keys of one cache from those of another.
   * @param soonest an entry of the cache that is among those to expire first, or `NONE`.
   */
  order(salt: number, soonest: () => number): Order
  /** Whether `a` is given up before `b`; a total order. */
  before(a: number, b: number): boolean
  /** What the policy compares, in its own unit. */
  score(h: number): number
}

/** Makes a policy over the columns. */
export type PolicyClass = new (columns: Columns) => Policy
