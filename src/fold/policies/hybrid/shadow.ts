import { NONE } from '../../columns.ts'
import { copied, Links } from '../../links.ts'
import type { Comparator } from './comparator.ts'
import type { Directory } from './directory.ts'
import { Meetings } from './meetings.ts'
import { type SegmentColumns, Segments } from './segments.ts'

/** One mode over the sampled keys alone: what it would hold. Its columns are the directory's, but for links and segments. */
export class Shadow implements SegmentColumns {
  /** Of this shadow, in the directory's columns. */
  readonly bit: number
  readonly links: Links
  segment: Uint8Array
  usedSeq: Float64Array
  frequency: Uint8Array
  private readonly modeAt: number
  private readonly directory: Directory
  private readonly segments: Segments
  private readonly meetings: Meetings

  constructor(directory: Directory, modeAt: number, comparators: readonly Comparator[]) {
    this.directory = directory
    this.bit = 1 << modeAt
    this.modeAt = modeAt
    this.links = new Links(directory.places)
    this.segment = new Uint8Array(directory.places)
    this.usedSeq = directory.usedSeq
    this.frequency = directory.frequency
    this.segments = new Segments(this, modeAt, comparators)
    this.meetings = new Meetings(comparators)
  }

  /** A key that has met another is asked for. */
  settle(hash: number): void {
    this.meetings.requested(hash)
  }

  use(place: number, previous: number): void {
    this.segments.use(place, previous)
  }

  /** Takes a key in, and gives others up until there is room for so many. */
  add(place: number, previous: number, capacity: number): void {
    while (this.segments.length >= capacity) this.giveUp(capacity)
    this.segments.add(place, previous)
    this.hold(place)
  }

  adopt(place: number): void {
    this.segments.adopt(place)
    this.hold(place)
  }

  remove(place: number): void {
    this.segments.remove(place)
    this.directory.release(place, this.bit)
  }

  forget(hash: number): void {
    this.meetings.forget(hash)
  }

  /** Follows the directory, which has grown. */
  grow(): void {
    const { places, usedSeq, frequency } = this.directory
    this.links.grow(places)
    this.segment = copied(this.segment, new Uint8Array(places))
    this.usedSeq = usedSeq
    this.frequency = frequency
  }

  private hold(place: number): void {
    const { heldBy } = this.directory
    heldBy[place] = (heldBy[place] as number) | this.bit
  }

  private giveUp(capacity: number): void {
    const { segments } = this
    const victim = segments.victim(NONE)
    if (segments.contests) {
      const candidate = segments.candidate(NONE)
      const oldest = segments.oldest(NONE)
      if (oldest !== NONE && candidate !== NONE) {
        if (segments.mode.contest === 'learned') this.meet(candidate, oldest, capacity)
        if (victim === candidate) segments.rotate(oldest)
      }
    }
    this.remove(victim)
  }

  private meet(candidate: number, oldest: number, capacity: number): void {
    const { hash, frequency, met } = this.directory
    const cell = this.segments.comparator.cellOf(frequency[candidate] as number, frequency[oldest] as number)
    const noted = this.meetings.note(hash[candidate] as number, hash[oldest] as number, cell, this.modeAt, capacity)
    if (!noted) return
    met[candidate] = (met[candidate] as number) | this.bit
    met[oldest] = (met[oldest] as number) | this.bit
  }
}
