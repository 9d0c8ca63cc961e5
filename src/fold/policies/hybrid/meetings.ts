import { copied } from '../../links.ts'
import type { Comparator } from './comparator.ts'

/** Open meetings at most, and at first. */
const MOST = 1024
const SMALLEST = 16
/** Slots of the table for each open meeting, which takes two. */
const SLOTS = 4
/** Cell of a place where no meeting is. */
const FREE = 0xff

/**
 * Pairs of keys (by hash) of which one was kept and one given up, until the first of them is asked for, which settles who
 * should have been kept; the oldest gives way to a new one. A key is in one meeting at a time; one whose slot of the table
 * is taken meets nobody, which prefers neither side.
 */
export class Meetings {
  private readonly comparators: readonly Comparator[]
  private size = SMALLEST
  private candidate = new Int32Array(SMALLEST)
  private victim = new Int32Array(SMALLEST)
  private cell = new Uint8Array(SMALLEST).fill(FREE)
  private modeAt = new Uint8Array(SMALLEST)
  /** Place + 1 of the meeting of a hash, by its low bits. */
  private slots = new Int16Array(SLOTS * SMALLEST)
  private next = 0

  /** @param comparators of each mode, by its place. */
  constructor(comparators: readonly Comparator[]) {
    this.comparators = comparators
  }

  /** Whether it was noted; `most` is how many may be open. */
  note(candidate: number, victim: number, cell: number, modeAt: number, most: number): boolean {
    if (this.next === this.size) this.wrap(most)
    const mask = this.slots.length - 1
    const one = candidate & mask
    const other = victim & mask
    if (one === other || this.slots[one] !== 0 || this.slots[other] !== 0) return false
    const place = this.next++
    this.close(place)
    this.candidate[place] = candidate
    this.victim[place] = victim
    this.cell[place] = cell
    this.modeAt[place] = modeAt
    this.slots[one] = place + 1
    this.slots[other] = place + 1
    return true
  }

  /** A key was asked for. */
  requested(hash: number): void {
    const place = this.find(hash)
    if (place === -1) return
    const comparator = this.comparators[this.modeAt[place] as number] as Comparator
    comparator.settle(this.cell[place] as number, this.candidate[place] === hash)
    this.close(place)
  }

  /** A key can no longer be asked for, or is no longer followed. */
  forget(hash: number): void {
    const place = this.find(hash)
    if (place !== -1) this.close(place)
  }

  private find(hash: number): number {
    const place = (this.slots[hash & (this.slots.length - 1)] as number) - 1
    return place !== -1 && (this.candidate[place] === hash || this.victim[place] === hash) ? place : -1
  }

  /** At the end of the ring: it grows towards as many meetings as may be, else it begins anew. */
  private wrap(most: number): void {
    if (this.size >= MOST || 2 * this.size > most) {
      this.next = 0
      return
    }
    this.size *= 2
    this.candidate = copied(this.candidate, new Int32Array(this.size))
    this.victim = copied(this.victim, new Int32Array(this.size))
    this.cell = copied(this.cell, new Uint8Array(this.size).fill(FREE))
    this.modeAt = copied(this.modeAt, new Uint8Array(this.size))
    this.slots = new Int16Array(SLOTS * this.size)
    const mask = this.slots.length - 1
    for (let place = 0; place < this.next; place++) {
      if (this.cell[place] === FREE) continue
      this.slots[(this.candidate[place] as number) & mask] = place + 1
      this.slots[(this.victim[place] as number) & mask] = place + 1
    }
  }

  private close(place: number): void {
    if (this.cell[place] === FREE) return
    const mask = this.slots.length - 1
    this.slots[(this.candidate[place] as number) & mask] = 0
    this.slots[(this.victim[place] as number) & mask] = 0
    this.cell[place] = FREE
  }
}
