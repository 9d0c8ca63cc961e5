import { NONE } from '../../src/fold/columns.ts'
import { Links } from '../../src/fold/links.ts'
import { Comparator } from '../../src/fold/policies/hybrid/comparator.ts'
import { MODES, type ModeName } from '../../src/fold/policies/hybrid/modes.ts'
import { Segments } from '../../src/fold/policies/hybrid/segments.ts'

const ENTRIES = 400

/** A mode's place in `MODES`. */
export const placeOf = (name: ModeName) => MODES.findIndex((mode) => mode.name === name)

/** Segments whose entries are numbers; each use is the latest. */
export class SegmentsStore {
  readonly links = new Links(ENTRIES)
  readonly segment = new Uint8Array(ENTRIES)
  readonly usedSeq = new Float64Array(ENTRIES)
  readonly frequency = new Uint8Array(ENTRIES)
  readonly comparators = MODES.map(() => new Comparator())
  readonly segments: Segments
  readonly present = new Set<number>()
  /** When each was last used before it left. */
  readonly before = new Map<number, number>()
  now = 0

  constructor(mode: ModeName) {
    this.segments = new Segments(this, placeOf(mode), this.comparators)
  }

  /** @param previous its last use, as remembered. */
  add(h: number, previous = NONE): void {
    this.present.add(h)
    this.usedSeq[h] = ++this.now
    this.segments.add(h, previous)
  }

  adopt(h: number): void {
    this.present.add(h)
    this.usedSeq[h] = ++this.now
    this.segments.adopt(h)
  }

  use(h: number): void {
    const previous = this.usedSeq[h] as number
    this.usedSeq[h] = ++this.now
    this.segments.use(h, previous)
  }

  remove(h: number): void {
    this.segments.remove(h)
    this.present.delete(h)
    this.before.set(h, this.usedSeq[h] as number)
  }

  fill(entries: number, first = 0): void {
    for (let h = first; h < first + entries; h++) this.add(h)
  }

  /** Entries by list, the most recent first. */
  get lists(): { window: number[]; probation: number[]; protected: number[] } {
    const lists = this.segments as unknown as Record<'window' | 'probation' | 'protected', { first: number }>
    const walk = ({ first }: { first: number }): number[] => {
      const found: number[] = []
      for (let h = first; h !== NONE; h = this.links.next[h] as number) found.push(h)
      return found
    }
    return { window: walk(lists.window), probation: walk(lists.probation), protected: walk(lists.protected) }
  }

  /** Takes out all but so many, and says who went. */
  drain(left = 0): number[] {
    const gone: number[] = []
    while (this.segments.length > left) {
      const victim = this.segments.victim(NONE)
      this.remove(victim)
      gone.push(victim)
    }
    return gone
  }

  /** The least recently used first. */
  get byRecency(): number[] {
    return [...this.present].sort((a, b) => (this.usedSeq[a] as number) - (this.usedSeq[b] as number))
  }
}
