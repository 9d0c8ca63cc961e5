import { MOST_FREQUENT } from './frequency-sketch.ts'

/** Frequencies that count as alike. */
const BUCKET_OF = Uint8Array.from([0, 1, 2, 3, 4, 4, 4, 5, 5, 5, 5, 5, 6, 6, 6, 6])
const BUCKETS = 7
/** What is believed before anything is known, and how many meetings that belief weighs. */
const PRIOR = 0.9
const PRIOR_WEIGHT = 4
/** Meetings of a cell after which its memory is halved. */
const MOST_MEETINGS = 64

/**
 * Who of two is asked for first, as learned from pairs that met: a table by the buckets of both frequencies. It learns
 * that ties are to be rejected in a loop and admitted in a drift, which no fixed rule does. 900 bytes.
 */
export class Comparator {
  private readonly wins = new Float64Array(BUCKETS * BUCKETS)
  private readonly meetings = new Float64Array(BUCKETS * BUCKETS)

  /** The cell in which a meeting of these frequencies counts. */
  cellOf(candidate: number, victim: number): number {
    return (BUCKET_OF[candidate & MOST_FREQUENT] as number) * BUCKETS + (BUCKET_OF[victim & MOST_FREQUENT] as number)
  }

  /** Whether the candidate is the more likely to be asked for first. */
  admits(candidate: number, victim: number): boolean {
    const cell = this.cellOf(candidate, victim)
    const prior = PRIOR_WEIGHT * (candidate > victim ? PRIOR : 1 - PRIOR)
    return 2 * ((this.wins[cell] as number) + prior) > (this.meetings[cell] as number) + PRIOR_WEIGHT
  }

  settle(cell: number, candidateFirst: boolean): void {
    const wins = (this.wins[cell] as number) + (candidateFirst ? 1 : 0)
    const meetings = (this.meetings[cell] as number) + 1
    const weight = meetings >= MOST_MEETINGS ? 0.5 : 1
    this.wins[cell] = wins * weight
    this.meetings[cell] = meetings * weight
  }
}
