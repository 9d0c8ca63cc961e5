import * as layout from './layout.ts'
import type { OpenedObject } from './opened-object.ts'
import { Seen } from './seen.ts'

/** Levels of nesting beyond which only the object itself counts. */
const MOST_LEVELS = 64
/** The least share of a container's reads that each of its children gets: one in so many, while they last. */
const CHILDREN_SERVED = 16
/** Children that are read whatever the budget. */
const FEW_CHILDREN = 16
/** Properties that are listed count as a read, so many of them: of several large objects one stands for all. */
const KEYS_PER_READ = 16

export interface Sampled {
  readonly size: number
  readonly offHeap: number
}

/**
 * The memory of a graph too large to walk: in every container, the children that were read stand for those that weren't.
 * An object that many children share counts as often as the whole is larger than the sample. `gaveUpOn` is the object at which
 * the walk ended, listed and not yet read: it need not be listed again.
 */
export function sampleHeap(root: object, opened: OpenedObject, gaveUpOn: OpenedObject, reads: number): Sampled {
  const sampler = new Sampler(opened, gaveUpOn)
  sampler.sample(root, reads, 0)
  return { size: integer(sampler.size), offHeap: integer(sampler.offHeap) }
}

function integer(bytes: number): number {
  return Math.min(Math.round(bytes), Number.MAX_SAFE_INTEGER)
}

class Sampler {
  size = 0
  offHeap = 0
  private reads = 0
  private readonly seen = new Seen()
  private readonly opened: OpenedObject
  private readonly gaveUpOn: OpenedObject

  constructor(opened: OpenedObject, gaveUpOn: OpenedObject) {
    this.opened = opened
    this.gaveUpOn = gaveUpOn
  }

  sample(object: object, budget: number, level: number): void {
    if (!this.seen.add(object)) return
    const isOpen = this.gaveUpOn.holds(object)
    const opened = isOpen ? this.gaveUpOn : this.opened
    const objects: object[] = []
    let children = 0
    let read = 0
    let primitives = 0
    try {
      if (!isOpen) opened.open(object)
      this.size += opened.own + opened.offHeap
      this.offHeap += opened.offHeap
      children = opened.children
      // Half for its own children, half for theirs; of few all, since those of an object are not alike.
      read = Math.min(children, Math.max(FEW_CHILDREN, Math.floor(budget / 2)))
      primitives = opened.read(read, objects)
    } catch {
      this.size += layout.OPAQUE
    }
    this.reads += 1 + read + Math.floor(opened.listed / KEYS_PER_READ)
    if (read === 0) return
    this.size += (primitives * children) / read
    if (objects.length > 0 && level < MOST_LEVELS) this.descend(objects, budget - read, level, children / read)
  }

  /** Samples as many of `objects` as the budget allows; they stand for all of them, `factor` times. */
  private descend(objects: readonly object[], budget: number, level: number, factor: number): void {
    const { size, offHeap, reads } = this
    let visited = 0
    // From the last: of few, that is where the walk gave up.
    for (let n = objects.length - 1; n >= 0; n--) {
      const object = objects[n] as object
      const left = budget - (this.reads - reads)
      if (visited > 0 && left <= 0) break
      this.sample(object, Math.max(1, left / Math.min(objects.length - visited, CHILDREN_SERVED)), level + 1)
      visited++
    }
    const scale = (factor * objects.length) / visited
    this.size = size + (this.size - size) * scale
    this.offHeap = offHeap + (this.offHeap - offHeap) * scale
  }
}
