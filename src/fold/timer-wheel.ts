import { type Columns, NONE } from './columns.ts'

/** Slots of a level; each level's slot is as long as the whole level below. */
const SLOTS = 64
/** 64^7 ms: the wheel's end lies in the year 2109; what expires later waits in a list of its own. */
const LEVELS = 7
const SPAN = Float64Array.from({ length: LEVELS + 1 }, (_, level) => SLOTS ** level)
/** Multiplying is exact, since spans are powers of two, and cheaper than dividing. */
const PER_SPAN = SPAN.map((span) => 1 / span)
/** List of what is past its time but has not left yet. */
const DUE = LEVELS * SLOTS
const FAR = DUE + 1

/**
 * When entries expire, to the millisecond: a hierarchical timer wheel (Varghese & Lauck, 1987, scheme 7). An entry
 * stands at the level of the highest base-64 digit in which its expiry differs from the wheel's time, in the slot of
 * that digit, so that slots of a lower level always come before those of a higher one. Scheduling and cancelling are
 * O(1); an entry is moved at most `LEVELS` times as time passes.
 *
 * Time is folded: `advance` runs with the `at` of events alone. `due` only reads, for deciding.
 */
export class TimerWheel {
  private readonly columns: Columns
  private readonly heads = new Int32Array(LEVELS * SLOTS + 2).fill(NONE)
  /** One bit per slot of a level, two words a level: which slots hold something. */
  private readonly occupied = new Int32Array(2 * LEVELS)
  /** The wheel's time, and in which slot of each level (counted from the epoch) it lies. */
  private time: number
  private readonly turn = new Float64Array(LEVELS + 1)
  /** The last expiry asked for and its slot: stores of one millisecond mostly share them. Void once time moves on. */
  private recentExpiry = -1
  private recentSlot = 0
  /** No entry expires before this; may be too early, never too late. */
  soonest = Number.POSITIVE_INFINITY

  constructor(columns: Columns, at: number) {
    this.columns = columns
    columns.needWheel()
    this.time = at
    this.setTime(at)
  }

  schedule(h: number): void {
    const expiresAt = this.columns.expiresAt[h] as number
    if (expiresAt < this.soonest) this.soonest = expiresAt
    if (expiresAt !== this.recentExpiry) {
      this.recentExpiry = expiresAt
      this.recentSlot = this.slotOf(expiresAt)
    }
    this.link(h, this.recentSlot)
  }

  cancel(h: number): void {
    const { wheelPrevious, wheelNext } = this.columns
    const before = wheelPrevious[h] as number
    const after = wheelNext[h] as number
    if (after !== NONE) wheelPrevious[after] = before
    if (before >= 0) {
      wheelNext[before] = after
      return
    }
    const slot = -before - 2
    this.heads[slot] = after
    if (after === NONE && slot < DUE) this.vacate(slot)
  }

  /** An entry past its time at `at`, or `NONE`. Changes nothing. */
  due(at: number): number {
    if (at < this.soonest) return NONE
    const head = this.heads[DUE] as number
    if (head !== NONE) return head
    const slot = this.earliest()
    if (slot === NONE) return at < this.endOfWheel() ? NONE : this.pastIn(FAR, at)
    return this.startOf(slot) > at ? NONE : this.pastIn(slot, at)
  }

  /** An entry of a slot that is past its time, or `NONE`. */
  private pastIn(slot: number, at: number): number {
    const { expiresAt, wheelNext } = this.columns
    for (let h = this.heads[slot] as number; h !== NONE; h = wheelNext[h] as number) {
      if ((expiresAt[h] as number) <= at) return h
    }
    return NONE
  }

  /** Moves the wheel's time on; what comes due gathers for `due`. */
  advance(at: number): void {
    if (at < this.soonest || at <= this.time) return
    for (;;) {
      const slot = this.earliest()
      if (slot === NONE) break
      const start = this.startOf(slot)
      if (start > at) break
      this.setTime(start)
      this.spill(slot)
    }
    const endOfWheel = Math.floor(this.time / (SPAN[LEVELS] as number)) !== Math.floor(at / (SPAN[LEVELS] as number))
    this.setTime(at)
    if (endOfWheel) this.spill(FAR)
    const slot = this.earliest()
    this.soonest =
      this.heads[DUE] !== NONE
        ? at
        : slot !== NONE
          ? this.startOf(slot)
          : this.heads[FAR] !== NONE
            ? this.endOfWheel()
            : Number.POSITIVE_INFINITY
  }

  private endOfWheel(): number {
    const span = SPAN[LEVELS] as number
    return (Math.floor(this.time / span) + 1) * span
  }

  private setTime(at: number): void {
    this.time = at
    this.recentExpiry = -1
    for (let level = 0; level <= LEVELS; level++) this.turn[level] = Math.floor(at * (PER_SPAN[level] as number))
  }

  private slotOf(expiresAt: number): number {
    if (expiresAt <= this.time) return DUE
    for (let level = 0; level < LEVELS; level++) {
      if (Math.floor(expiresAt * (PER_SPAN[level + 1] as number)) === this.turn[level + 1]) {
        return (
          level * SLOTS +
          Math.floor(
            (expiresAt - (this.turn[level + 1] as number) * (SPAN[level + 1] as number)) * (PER_SPAN[level] as number),
          )
        )
      }
    }
    return FAR
  }

  private link(h: number, slot: number): void {
    const { wheelPrevious, wheelNext } = this.columns
    const head = this.heads[slot] as number
    wheelPrevious[h] = -slot - 2
    wheelNext[h] = head
    if (head !== NONE) wheelPrevious[head] = h
    this.heads[slot] = h
    if (slot < DUE) this.occupied[slot >> 5] = (this.occupied[slot >> 5] as number) | (1 << (slot & 31))
  }

  private vacate(slot: number): void {
    this.occupied[slot >> 5] = (this.occupied[slot >> 5] as number) & ~(1 << (slot & 31))
  }

  /** Places a slot's entries anew, as the wheel's time now asks. */
  private spill(slot: number): void {
    let h = this.heads[slot] as number
    this.heads[slot] = NONE
    if (slot < DUE) this.vacate(slot)
    while (h !== NONE) {
      const next = this.columns.wheelNext[h] as number
      this.link(h, this.slotOf(this.columns.expiresAt[h] as number))
      h = next
    }
  }

  /** The occupied slot that comes first, or `NONE`. */
  private earliest(): number {
    for (let word = 0; word < 2 * LEVELS; word++) {
      const bits = this.occupied[word] as number
      if (bits !== 0) return word * 32 + (31 - Math.clz32(bits & -bits))
    }
    return NONE
  }

  /** When a slot begins, in epoch ms: in the wheel's present turn, by construction. */
  private startOf(slot: number): number {
    const level = Math.floor(slot / SLOTS)
    return (this.turn[level + 1] as number) * (SPAN[level + 1] as number) + (slot % SLOTS) * (SPAN[level] as number)
  }
}
