import * as layout from './layout.ts'
import { OpenedObject } from './opened-object.ts'
import { sampleHeap } from './sample.ts'
import { Seen } from './seen.ts'

/** Properties, elements and entries that are read at most before an estimate turns to samples: half a millisecond. */
const MOST_READS = 2000
/**
 * Those that are read then: 170 to 250 objects of one kind. Where objects differ by as much as their mean, that of all is
 * missed by 6 to 8 % (one standard error).
 */
const SAMPLED_READS = 500

/**
 * What a value costs the process: `measure` it, then read `size`, and `offHeap` for the part of it outside the V8 heap.
 *
 * The value and all that it reaches are counted once, as V8 lays them out (`layout.ts`), beginning with the reference that
 * holds it. No user code runs: proxies are not touched, accessors not called. What can't be seen (private fields, contexts
 * of closures, native memory behind handles) is not counted, what can't be looked into counts flat (`layout.OPAQUE`).
 * Equal strings count as often as they are held, although V8 may share them.
 *
 * Graphs of up to `MOST_READS` properties are walked whole; of larger ones a sample of each container's children stands
 * for all (`sample.ts`). It never throws.
 */
export class HeapEstimate {
  /** Bytes in all; an integer. */
  size = 0
  /** Those of `size` outside the V8 heap. */
  offHeap = 0
  /** What it took, in properties, elements and entries that were read or listed: some 0.2 µs each. */
  reads = 0

  private readonly seen = new Seen()
  private readonly opened = new OpenedObject()
  private readonly sampled = new OpenedObject()
  /** Objects met and not yet opened; some may have been met before. */
  private readonly pending: object[] = []

  measure(value: unknown): void {
    this.size = layout.WORD
    this.offHeap = 0
    this.reads = 1
    if (typeof value !== 'object' || value === null) {
      this.size += layout.primitiveBytes(value)
      return
    }
    const whole = this.walk(value)
    this.pending.length = 0
    this.seen.clear()
    if (!whole) this.sample(value)
    this.opened.close()
  }

  /** Whether the graph was walked whole. */
  private walk(root: object): boolean {
    const { opened, pending, seen } = this
    let reads = 0
    for (let next: object | undefined = root; next !== undefined; next = pending.pop()) {
      if (!seen.add(next)) continue
      try {
        opened.open(next)
        this.size += opened.own + opened.offHeap
        this.offHeap += opened.offHeap
        reads += 1 + opened.children
        if (reads > MOST_READS) return false
        this.reads = reads
        this.size += opened.read(opened.children, pending)
      } catch {
        this.size += layout.OPAQUE
      }
    }
    return true
  }

  /** Replaces what the walk had found before it gave up, unless that was more. */
  private sample(value: object): void {
    this.reads += SAMPLED_READS + this.opened.listed
    const sampled = sampleHeap(value, this.sampled, this.opened, SAMPLED_READS)
    this.sampled.close()
    this.size = Math.max(this.size, layout.WORD + sampled.size)
    this.offHeap = Math.min(this.size, Math.max(this.offHeap, sampled.offHeap))
  }
}
