import { NONE } from '../../columns.ts'
import type { Comparator } from './comparator.ts'
import { copied, type Directory } from './directory.ts'
import { Meetings } from './meetings.ts'
import { IN_NONE, type SegmentColumns, Segments } from './segments.ts'

/** One mode over the sampled keys alone: what it would hold. Its columns are the directory's, but for links and segments. */
export class Shadow implements SegmentColumns {
  previous: Int32Array
  next: Int32Array
  segment: Uint8Array
  private readonly directory: Directory
  private readonly segments: Segments
  private readonly meetings: Meetings | null

  constructor(directory: Directory, modeAt: number, comparators: readonly Comparator[]) {
    this.directory = directory
    this.previous = new Int32Array(directory.places)
    this.next = new Int32Array(directory.places)
    this.segment = new Uint8Array(directory.places).fill(IN_NONE)
    this.segments = new Segments(this, modeAt, comparators)
    this.meetings = this.segments.mode.contest === 'learned' ? new Meetings() : null
  }

  get usedSeq(): Float64Array {
    return this.directory.usedSeq
  }

  get frequency(): Uint8Array {
    return this.directory.frequency
  }

  holds(place: number): boolean {
    return this.segment[place] !== IN_NONE
  }

  /** A key was asked for, whoever holds it. */
  requested(hash: number): void {
    if (this.meetings !== null) this.meetings.requested(hash)
  }

  use(place: number, previous: number): void {
    this.segments.use(place, previous)
  }

  /** Takes a key in, and gives others up until there is room for so many. */
  add(place: number, previous: number, capacity: number): void {
    while (this.segments.length >= capacity) this.giveUp(capacity)
    this.segments.add(place, previous)
    this.directory.hold(place)
  }

  adopt(place: number): void {
    this.segments.adopt(place)
    this.directory.hold(place)
  }

  remove(place: number): void {
    this.segments.remove(place)
    this.segment[place] = IN_NONE
    this.directory.release(place)
  }

  forget(hash: number): void {
    if (this.meetings !== null) this.meetings.forget(hash)
  }

  grow(places: number): void {
    this.previous = copied(this.previous, new Int32Array(places))
    this.next = copied(this.next, new Int32Array(places))
    this.segment = copied(this.segment, new Uint8Array(places).fill(IN_NONE))
  }

  private giveUp(capacity: number): void {
    const { segments, meetings, directory } = this
    const victim = segments.victim(NONE)
    if (segments.contests) {
      const candidate = segments.candidate(NONE)
      const oldest = segments.oldest(NONE)
      if (oldest !== NONE && candidate !== NONE) {
        if (meetings !== null) {
          const { hash, frequency } = directory
          const { comparator } = segments
          const cell = comparator.cellOf(frequency[candidate] as number, frequency[oldest] as number)
          meetings.note(hash[candidate] as number, hash[oldest] as number, cell, comparator, capacity)
        }
        if (victim === candidate) segments.rotate(oldest)
      }
    }
    this.remove(victim)
  }
}
