import { type Fullness, type HeldBudget, loweredBudget, type PressureMarks, raisedBudget } from '../decide/pressure.ts'

/** ms of peace before a lowered budget is raised, at first; twice that each time when raising it brought the pressure back. */
const PATIENCE = 5_000
const MOST_PATIENCE = 600_000
/** ms after which a pressure is not blamed on the last raise. */
const FORGIVEN = 60_000

/** What is remembered of one memory from reading to reading: its growth, and when its budget changed last. */
export class Watch {
  /** Bytes a second between the last two readings; `null` before there were two. */
  growth: number | null = null
  private used = 0
  private seenAt = Number.NaN
  private changedAt = Number.NEGATIVE_INFINITY
  private raisedAt = Number.NEGATIVE_INFINITY
  private patience = PATIENCE
  /** What was used when the budget was lowered although that may have been garbage; 0: since the last collection it wasn't. */
  private frozenAt = 0

  saw(used: number, at: number): void {
    const elapsed = at - this.seenAt
    if (elapsed < 100) return
    this.growth = elapsed > 0 ? ((used - this.used) / elapsed) * 1000 : null
    this.used = used
    this.seenAt = at
  }

  /** Seconds until the limit is reached at the present growth. */
  fillsIn(limit: number): number {
    const { growth, used } = this
    return growth !== null && growth > 0 ? (limit - used) / growth : Number.POSITIVE_INFINITY
  }

  /** The budget that follows from a reading, or `null`: it stays. */
  next(budget: HeldBudget, fullness: Fullness, marks: PressureMarks, at: number): number | null {
    const { limit, used } = fullness
    // A budget of `Infinity` counts as all there is; what is held by its stated sizes may be more than that.
    const most = Math.max(limit, 2 * budget.held)
    const effective = Math.min(budget.effective, most)
    const stated = Math.min(budget.stated, most)
    const known = { held: budget.held, effective, stated }
    if (fullness.settled) this.frozenAt = 0
    const lowered = this.lowered(known, fullness, marks)
    if (lowered !== null) {
      if (at - this.raisedAt < Math.max(FORGIVEN, 2 * this.patience)) {
        if (this.raisedAt > Number.NEGATIVE_INFINITY) this.patience = Math.min(2 * this.patience, MOST_PATIENCE)
      } else this.patience = PATIENCE
      this.changedAt = at
      if (!fullness.settled) this.frozenAt = used
      return lowered
    }
    if (used / limit >= marks.aim) this.changedAt = at
    if (at - this.changedAt < this.patience) return null
    const raised = raisedBudget(known, fullness, marks)
    if (raised === null) return null
    this.changedAt = at
    this.raisedAt = at
    return raised >= stated ? budget.stated : raised
  }

  private lowered(budget: HeldBudget, fullness: Fullness, marks: PressureMarks): number | null {
    const frozen = this.frozenAt > 0
    if (frozen && fullness.used < this.frozenAt + fullness.limit / 100) return null
    return loweredBudget(budget, fullness, marks, frozen)
  }
}
