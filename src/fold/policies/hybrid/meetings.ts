import type { Comparator } from './comparator.ts'

/** Open meetings at most. */
const MOST = 4096
const SMALLEST = 16

interface Meeting {
  readonly candidate: number
  readonly victim: number
  readonly cell: number
  readonly comparator: Comparator
}

/**
 * Pairs of keys (by hash) of which one was kept and one given up, until the first of them is asked for, which settles who
 * should have been kept; the oldest gives way to a new one. A key is in one meeting at a time.
 */
export class Meetings {
  private ring: (Meeting | undefined)[] = new Array(SMALLEST)
  private readonly placeOf = new Map<number, number>()
  private next = 0

  /** Whether it was noted. */
  note(candidate: number, victim: number, cell: number, comparator: Comparator, most: number): boolean {
    const { placeOf } = this
    if (candidate === victim || placeOf.has(candidate) || placeOf.has(victim)) return false
    const place = this.next
    this.close(place)
    this.ring[place] = { candidate, victim, cell, comparator }
    placeOf.set(candidate, place)
    placeOf.set(victim, place)
    this.next = place + 1 < this.ring.length ? place + 1 : this.wrap(most)
    return true
  }

  /** A key was asked for. */
  requested(hash: number): void {
    if (this.placeOf.size === 0) return
    const place = this.placeOf.get(hash)
    if (place === undefined) return
    const { comparator, cell, candidate } = this.ring[place] as Meeting
    comparator.settle(cell, candidate === hash)
    this.close(place)
  }

  /** A key can no longer be asked for, or is no longer followed. */
  forget(hash: number): void {
    const place = this.placeOf.get(hash)
    if (place !== undefined) this.close(place)
  }

  /** At the end of the ring: it grows towards as many meetings as there are entries, else it begins anew. */
  private wrap(most: number): number {
    const { length } = this.ring
    if (length >= Math.min(most, MOST)) return 0
    this.ring.length = Math.min(2 * length, MOST)
    return length
  }

  private close(place: number): void {
    const meeting = this.ring[place]
    if (meeting === undefined) return
    this.placeOf.delete(meeting.candidate)
    this.placeOf.delete(meeting.victim)
    this.ring[place] = undefined
  }
}
