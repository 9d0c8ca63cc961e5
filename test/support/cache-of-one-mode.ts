import { NONE } from '../../src/fold/columns.ts'
import { Links } from '../../src/fold/links.ts'
import { Comparator } from '../../src/fold/policies/hybrid/comparator.ts'
import { Meetings } from '../../src/fold/policies/hybrid/meetings.ts'
import { MODES, type ModeName } from '../../src/fold/policies/hybrid/modes.ts'
import { Segments } from '../../src/fold/policies/hybrid/segments.ts'

/** Keys that it tells apart: numbers below this. */
const KEYS = 1_000

/**
 * A cache under one mode of `hybrid`, by itself: the same store over columns of its own, in which every key has a place for ever.
 * Nothing is sampled, nothing is forgotten by and by, and nothing is shared.
 */
export class CacheOfOneMode {
  readonly links = new Links(KEYS)
  readonly segment = new Uint8Array(KEYS)
  readonly usedSeq = new Float64Array(KEYS).fill(NONE)
  readonly frequency = new Uint8Array(KEYS)
  readonly held = new Set<number>()
  private readonly segments: Segments
  private readonly meetings: Meetings
  private readonly hashOf: (key: number) => number
  private readonly halvesAfter: (room: number) => number
  private now = 0
  /** Uses since the frequencies were halved. */
  sinceHalved = 0

  /** @param halvesAfter uses after which all frequencies are halved, where there is room for so many entries. */
  constructor(mode: ModeName, hashOf: (key: number) => number, halvesAfter: (room: number) => number) {
    const comparators = MODES.map(() => new Comparator())
    const modeAt = MODES.findIndex(({ name }) => name === mode)
    this.segments = new Segments(this, modeAt, comparators)
    this.meetings = new Meetings(comparators)
    this.hashOf = hashOf
    this.halvesAfter = halvesAfter
  }

  /** Asks for a key, and takes it in, if it is to, where there is room for so many; whether it was there. */
  ask(key: number, room: number, takes: boolean): boolean {
    const isHit = this.held.has(key)
    // Nothing is known of a key that was never stored.
    if (!takes && this.usedSeq[key] === NONE) return false
    this.meetings.requested(this.hashOf(key))
    this.use(key, room, takes)
    return isHit
  }

  /** The same of a key that is stored without a request. */
  use(key: number, room: number, takes: boolean): void {
    const previous = this.usedSeq[key] as number
    this.usedSeq[key] = ++this.now
    this.frequency[key] = Math.min(15, (this.frequency[key] as number) + 1)
    if (++this.sinceHalved >= this.halvesAfter(room)) {
      this.sinceHalved = 0
      for (const [one, frequency] of this.frequency.entries()) this.frequency[one] = frequency >> 1
    }
    if (this.held.has(key)) this.segments.use(key, previous)
    else if (takes) {
      this.makeRoom(room)
      this.segments.add(key, previous)
      this.held.add(key)
    }
  }

  /** Gives entries up until there is room for one more. */
  makeRoom(room: number): void {
    while (this.segments.length >= room) this.giveUp(room)
  }

  remove(key: number): void {
    if (this.held.delete(key)) this.segments.remove(key)
  }

  /** Removes it, and forgets all but how often it was asked for. */
  forget(key: number): void {
    this.remove(key)
    this.meetings.forget(this.hashOf(key))
    this.usedSeq[key] = NONE
  }

  private giveUp(room: number): void {
    const { segments, frequency, hashOf } = this
    const victim = segments.victim(NONE)
    if (segments.contests) {
      const [candidate, oldest] = [segments.candidate(NONE), segments.oldest(NONE)]
      if (segments.mode.contest === 'learned') {
        const cell = segments.comparator.cellOf(frequency[candidate] as number, frequency[oldest] as number)
        this.meetings.note(hashOf(candidate), hashOf(oldest), cell, segments.modeAt, room)
      }
      if (victim === candidate) segments.rotate(oldest)
    }
    this.remove(victim)
  }
}
