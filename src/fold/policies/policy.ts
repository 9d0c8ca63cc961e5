import type { PolicyName, Settings } from '../../base/settings.ts'
import type { EvictionCause } from '../../event/vocabulary.ts'
import type { Columns } from '../columns.ts'

/**
 * The order in which one cache gives its entries up. Called by the fold alone, after the columns hold what the call is
 * about (`updating` and `left`: while they still do); `victim` is for deciding and changes nothing.
 */
export interface Order {
  /** What it adapts, if it does. */
  readonly adapting: Adapting | null
  /** A new entry; `now` is the event's `seq`. */
  added(h: number, now: number): void
  /** A hit; `previous` is the `seq` of the use before, which the columns no longer hold. */
  used(h: number, previous: number): void
  /** A miss of a key, by its hash. */
  missed(hash: number, at: number): void
  /** Its value is about to be replaced. */
  updating(h: number): void
  /** Its value was replaced, which is a use; `previous` as in `used`. */
  updated(h: number, previous: number): void
  /** What an entry is charged changed without a use, in an order that sums it up. */
  resized?(previous: number, size: number): void
  /** It is about to leave: given up for a cause, or (`null`) by another way. */
  left(h: number, cause: EvictionCause | null): void
  /** An entry that was there before this order was made; they come in the order of their last use. */
  adopted(h: number): void
  /** Who goes next, but for `except` (or `NONE`); `NONE` if there is nobody. */
  victim(except: number): number
}

/** An order that is run by one of several sets of rules: its modes. */
export interface Adapting {
  /** The present mode, and since when it is that: epoch ms, `null` if from the beginning. */
  readonly mode: string
  readonly since: number | null
  /** Where it gives up what is worth least for its bytes, the mode that it goes back to; else `mode`. */
  readonly listMode: string
  /** How different the sizes of all entries are: their variance over the square of their mean. */
  readonly spread: number
  /** Evictions since the last that was for want of bytes. */
  readonly sinceBytes: number
  /** How the modes compare; `null` where they aren't compared. */
  readonly standings: Standings | null
  /** Goes over to another mode. */
  change(mode: string, at: number): void
}

/** How modes compare, by their place. */
export interface Standings {
  readonly names: readonly string[]
  /** The present one's place. */
  readonly modeAt: number
  /** Entries of each mode's shadow. */
  readonly capacity: number
  /** Of the sampled requests, lately: hits that each would have had beyond those of the present one. */
  readonly lead: Float64Array
  /** The largest of these. */
  readonly furthest: number
  /** Those in which each differed from the present one at all. */
  readonly disputed: Float64Array
}

/** A policy over all caches of one manager: an order for each, and how their victims compare. */
export interface Policy {
  readonly name: PolicyName
  /** @param salt tells keys of one cache from those of another. */
  order(salt: number): Order
  /** Whether `a` is given up before `b`; a total order. */
  before(a: number, b: number): boolean
  /** What the policy compares, in its own unit. */
  score(h: number): number
}

/** Makes a policy over the columns. */
export type PolicyClass = new (columns: Columns, settings: Pick<Settings, 'optimize'>) => Policy
