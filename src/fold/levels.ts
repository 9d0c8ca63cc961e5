import { LEVELS, type Level } from '../event/vocabulary.ts'

/** Rank of a level: 0 normal … 3 emergency. */
export function rankOf(level: Level): number {
  return LEVELS.indexOf(level)
}

const CRITICAL = 0.9
const EMERGENCY = 0.95

/** Which alert level holds, and since when usage has been below the threshold of each. Thresholds are shares of the budget. */
export class LevelState {
  rank = 0
  /** By rank; that of normal is never asked for. */
  readonly thresholds: [number, number, number, number]
  /** Since when usage is below the threshold, by rank; `Infinity` while it isn't. */
  readonly belowSince = [0, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]

  constructor(memoryThreshold: number) {
    this.thresholds = [0, memoryThreshold, CRITICAL, EMERGENCY]
  }

  get level(): Level {
    return LEVELS[this.rank] as Level
  }

  /** Going up, usage is at or above the threshold of every rank up to the new one. */
  changed(rank: number): void {
    for (let entered = this.rank + 1; entered <= rank; entered++) this.belowSince[entered] = Number.POSITIVE_INFINITY
    this.rank = rank
  }

  /** Usage is now this; called with each change of usage while a level holds. */
  usageIs(usage: number, at: number): void {
    for (let rank = 1; rank <= this.rank; rank++) {
      if (usage >= (this.thresholds[rank] as number)) this.belowSince[rank] = Number.POSITIVE_INFINITY
      else if (this.belowSince[rank] === Number.POSITIVE_INFINITY) this.belowSince[rank] = at
    }
  }
}
