import type { Standings as ModeStandings } from '../policy.ts'
import { FIRST_MODE, MODES } from './modes.ts'

/** Entries' worth of requests that are remembered, and requests at least. */
const MEMORY = 16
const LEAST_MEMORY = 2000
/** Sampled requests from one comparison of the modes to the next. */
const PERIOD = 32

/**
 * How the modes' shadows compare: sampled requests by the set of modes that would have hit, fading. From these, once in a
 * while, how far each mode is ahead of the present one, and in how many requests they differed at all.
 */
export class Standings implements ModeStandings {
  readonly names = MODES.map(({ name }) => name)
  /** Entries of a shadow, and the share of keys that it follows. */
  capacity = 1
  sampled = 1
  /** The present mode. */
  modeAt = FIRST_MODE
  /** By mode: what it would have hit and the present one missed, less the reverse; and both together. */
  readonly lead = new Float64Array(MODES.length)
  readonly disputed = new Float64Array(MODES.length)
  private readonly hitBy = new Float64Array(2 ** MODES.length)
  private requests = 0

  /** The largest lead. */
  furthest = 0

  /** A request, and who would have hit: a bit for each mode. */
  count(holders: number): void {
    this.hitBy[holders] = (this.hitBy[holders] as number) + 1
    this.requests++
    if (this.requests === PERIOD) this.compare()
  }

  change(modeAt: number): void {
    this.modeAt = modeAt
    this.rank()
  }

  private compare(): void {
    this.rank()
    const memory = Math.max(MEMORY * this.capacity, LEAST_MEMORY * this.sampled)
    const faded = Math.exp(-PERIOD / memory)
    for (let set = 0; set < this.hitBy.length; set++) this.hitBy[set] = (this.hitBy[set] as number) * faded
    this.requests = 0
  }

  private rank(): void {
    const { lead, disputed, hitBy, modeAt } = this
    lead.fill(0)
    disputed.fill(0)
    for (let set = 0; set < hitBy.length; set++) {
      const weight = hitBy[set] as number
      if (weight === 0) continue
      const present = (set >> modeAt) & 1
      for (let i = 0; i < lead.length; i++) {
        const difference = ((set >> i) & 1) - present
        lead[i] = (lead[i] as number) + difference * weight
        disputed[i] = (disputed[i] as number) + Math.abs(difference) * weight
      }
    }
    this.furthest = Math.max(...lead)
  }
}
