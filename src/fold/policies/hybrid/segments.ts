import { NONE } from '../../columns.ts'
import type { Links } from '../../links.ts'
import { RecencyList } from '../../recency-list.ts'
import type { Comparator } from './comparator.ts'
import { MODES, type Mode } from './modes.ts'

const IN_WINDOW = 0
const IN_PROBATION = 1
const IN_PROTECTED = 2
/** Bits of a segment byte that say the segment; the others are their owner's. */
const SEGMENT = 0b11

/** Entries that one operation moves to restore what a mode demands, at most: a change of mode pauses nothing. */
const MOST_MOVES = 8

/** What is known of the entries: the real ones, or those of a shadow. */
export interface SegmentColumns {
  readonly links: Links
  /** Low two bits: the segment. */
  readonly segment: Uint8Array
  /** When it was last used; grows. */
  readonly usedSeq: Float64Array
  /** Estimated uses, 0–15. */
  readonly frequency: Uint8Array
}

/**
 * The store that all modes share: a window, and main, which is a segmented LRU of probation and protected (Karedla, Love &
 * Wherry, 1994). What enters, is promoted and goes is up to the mode. The real entries and each mode's shadow are run by
 * this one class.
 */
export class Segments {
  /** Its place in `MODES`. */
  modeAt: number
  mode: Mode
  private readonly columns: SegmentColumns
  private readonly comparators: readonly Comparator[]
  private readonly window: RecencyList
  private readonly probation: RecencyList
  private readonly protected: RecencyList

  /** @param comparators of each mode, by its place. */
  constructor(columns: SegmentColumns, modeAt: number, comparators: readonly Comparator[]) {
    this.columns = columns
    this.modeAt = modeAt
    this.mode = MODES[modeAt] as Mode
    this.comparators = comparators
    this.window = new RecencyList(columns.links)
    this.probation = new RecencyList(columns.links)
    this.protected = new RecencyList(columns.links)
  }

  get length(): number {
    return this.window.length + this.probation.length + this.protected.length
  }

  /** Goes over to another mode; later operations move what it wants elsewhere. */
  change(modeAt: number): void {
    this.modeAt = modeAt
    this.mode = MODES[modeAt] as Mode
  }

  get comparator(): Comparator {
    return this.comparators[this.modeAt] as Comparator
  }

  /** Who competes for the window, or `NONE`. */
  candidate(except: number): number {
    return this.window.lastBut(except)
  }

  /** Who goes if it is to be one of main, or `NONE`. */
  oldest(except: number): number {
    const victim = this.probation.lastBut(except)
    return victim === NONE ? this.protected.lastBut(except) : victim
  }

  /** Whether who goes now is found by a contest of `candidate` and `oldest`. */
  get contests(): boolean {
    return this.mode.contest !== 'none' && this.window.length >= this.windowLimit(this.length)
  }

  victim(except: number): number {
    const { mode } = this
    if (mode.window === 1) return this.leastRecent(except)
    const candidate = this.candidate(except)
    const oldest = this.oldest(except)
    if (candidate === NONE) return oldest
    if (oldest === NONE) return candidate
    // While the window has room for one more, whoever needs room will not push its oldest out.
    if (this.window.length < this.windowLimit(this.length)) return oldest
    if (mode.contest === 'none') return candidate
    const { frequency } = this.columns
    // A table that nobody teaches believes in the higher frequency.
    const wins = this.comparator.admits(frequency[candidate] as number, frequency[oldest] as number)
    return wins ? oldest : candidate
  }

  /** @param previous when it was last used before, or `NONE` if that isn't known. */
  add(h: number, previous: number): void {
    const { mode, window } = this
    if (mode.window === 1) {
      this.push(window, IN_WINDOW, h)
      return
    }
    const limit = this.windowLimit(this.length + 1)
    if (mode.readmits && previous !== NONE) {
      const oldest = this.oldest(NONE)
      if (oldest === NONE || previous > (this.columns.usedSeq[oldest] as number)) {
        this.push(this.protected, IN_PROTECTED, h)
        if (oldest !== NONE && window.length < limit) this.exile(oldest)
        this.tidy(limit)
        return
      }
    }
    this.push(window, IN_WINDOW, h)
    this.tidy(limit)
  }

  /** To the protected part, where it is probation's: of what was there before anything was known. */
  adopt(h: number): void {
    this.push(this.probation, IN_PROBATION, h)
  }

  /** @param previous when it was last used before this. */
  use(h: number, previous: number): void {
    const { mode } = this
    const segment = (this.columns.segment[h] as number) & SEGMENT
    if (segment === IN_PROTECTED) {
      if (mode.window === 1) this.move(this.protected, this.window, IN_WINDOW, h)
      else this.protected.renew(h)
    } else if (segment === IN_WINDOW) {
      if (!mode.readmits || !this.swap(h, previous)) this.window.renew(h)
    } else if (mode.window === 1) {
      this.move(this.probation, this.window, IN_WINDOW, h)
    } else {
      this.move(this.probation, this.protected, IN_PROTECTED, h)
      this.tidyMain()
    }
  }

  remove(h: number): void {
    this.listOf(h).remove(h)
  }

  /** Main's oldest has won a contest: it is no longer the first in line, where it would stop every admission. */
  rotate(h: number): void {
    this.listOf(h).renew(h)
  }

  /** LIRS's test: one in the window that came back sooner than main's oldest takes its place. */
  private swap(h: number, previous: number): boolean {
    const oldest = this.oldest(NONE)
    if (oldest === NONE || previous <= (this.columns.usedSeq[oldest] as number)) return false
    this.exile(oldest)
    if (this.mode.protected === 1) this.move(this.window, this.protected, IN_PROTECTED, h)
    else this.move(this.window, this.probation, IN_PROBATION, h)
    return true
  }

  /** From main to the window. */
  private exile(h: number): void {
    this.listOf(h).remove(h)
    this.push(this.window, IN_WINDOW, h)
  }

  private leastRecent(except: number): number {
    const ofMain = this.earlier(this.probation.lastBut(except), this.protected.lastBut(except))
    return this.earlier(this.window.lastBut(except), ofMain)
  }

  /** Which of two was used earlier; the other, where one is `NONE`. */
  private earlier(one: number, other: number): number {
    if (one === NONE) return other
    const { usedSeq } = this.columns
    return other === NONE || (usedSeq[one] as number) < (usedSeq[other] as number) ? one : other
  }

  private windowLimit(count: number): number {
    return Math.max(1, Math.floor(count * this.mode.window))
  }

  private tidy(limit: number): void {
    const { window, mode } = this
    for (let moves = 0; window.length > limit && moves < MOST_MOVES; moves++) {
      if (mode.protected === 1) this.move(window, this.protected, IN_PROTECTED, window.last)
      else this.move(window, this.probation, IN_PROBATION, window.last)
    }
    this.tidyMain()
  }

  private tidyMain(): void {
    const { probation } = this
    const most = this.mode.protected * (probation.length + this.protected.length)
    for (let moves = 0; this.protected.length > most && moves < MOST_MOVES; moves++)
      this.move(this.protected, probation, IN_PROBATION, this.protected.last)
  }

  private listOf(h: number): RecencyList {
    const segment = (this.columns.segment[h] as number) & SEGMENT
    return segment === IN_WINDOW ? this.window : segment === IN_PROBATION ? this.probation : this.protected
  }

  private move(from: RecencyList, to: RecencyList, segment: number, h: number): void {
    from.remove(h)
    this.push(to, segment, h)
  }

  private push(list: RecencyList, segment: number, h: number): void {
    const column = this.columns.segment
    column[h] = ((column[h] as number) & ~SEGMENT) | segment
    list.push(h)
  }
}
