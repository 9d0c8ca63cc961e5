import type { SizeFunction } from '../base/options.ts'
import type { Resized } from '../event/catalogue.ts'
import type { CacheState } from '../fold/cache-state.ts'
import { NONE } from '../fold/columns.ts'
import type { State } from '../fold/state.ts'
import { Draft } from './draft.ts'
import type { Evictor } from './evictor.ts'
import type { Recorder } from './recorder.ts'

const NOBODY = { actor: null, traceId: null }
/** Properties, elements and entries that one check reads at most, whatever is in the sample: some 5 ms. */
const MOST_READS = 20_000

/** An entry that was sized again. */
interface Measured {
  readonly h: number
  readonly value: unknown
  readonly resized: Resized
  readonly previousOffHeap: number
}

/**
 * Finds values that were changed after they were stored: at each check a sample of the entries, others each time, is
 * sized again, and what they are charged follows, by an event. Entries whose size a call stated keep it.
 */
export class Remeasuring {
  private readonly recorder: Recorder
  private readonly state: State
  private readonly evictor: Evictor
  private readonly draft: Draft
  /** Entries looked at by a check; 0: none, ever. */
  private readonly sample: number
  /** Handles of entries whose size was stated. */
  private readonly stated = new Set<number>()
  /** Buckets of each cache's index that were looked at. */
  private readonly looked = new WeakMap<CacheState, number>()

  constructor(recorder: Recorder, evictor: Evictor, sizing: 'heap' | 'payload' | SizeFunction, sample: number) {
    this.recorder = recorder
    this.state = recorder.state
    this.evictor = evictor
    this.draft = new Draft(sizing)
    this.sample = sample
  }

  /** An entry was stored: handles are used again. */
  stored(h: number, isStated: boolean): void {
    if (this.sample === 0) return
    if (isStated) this.stated.add(h)
    else this.stated.delete(h)
  }

  /** @param now tells the time: a size function may call the cache, at a later one. */
  check(now: () => number): void {
    const { state } = this
    if (this.sample === 0 || state.items === 0) return
    const { items } = state
    const measured = state.cacheList.flatMap((cache) => this.sampleOf(cache, cache.items / items))
    const found = state.stopped ? [] : measured.filter((entry) => this.isAsItWas(entry))
    if (found.length === 0) return
    const entries = found.filter(isChanged).map(({ resized }) => resized)
    this.recorder.record({
      seq: this.recorder.nextSeq,
      at: now(),
      type: 'remeasured',
      sampled: found.length,
      bytesBefore: found.reduce((sum, { resized }) => sum + resized.previousSize, 0),
      bytesAfter: found.reduce((sum, { resized }) => sum + resized.size, 0),
      entries,
    })
    if (entries.length > 0) this.evictor.holdLimits(NOBODY)
  }

  /** Its share of the sample, and of what that may take. */
  private sampleOf(cache: CacheState, share: number): Measured[] {
    const most = Math.ceil(this.sample * share)
    const found: Measured[] = []
    let step = this.looked.get(cache) ?? 0
    let reads = MOST_READS * share
    for (let left = cache.index.buckets; left > 0 && found.length < most && reads > 0; left--) {
      for (const h of cache.index.bucket(step++)) {
        const measured = this.measured(cache, h)
        if (measured === null) continue
        found.push(measured)
        reads -= this.draft.reads
      }
    }
    this.looked.set(cache, step)
    return found
  }

  private measured(cache: CacheState, h: number): Measured | null {
    const { recorder, state, draft } = this
    const value = recorder.values[h]
    // A size function may have called the cache: there may be no such entry any more.
    if (this.stated.has(h) || value === undefined) return null
    const key = state.columns.keys[h] as string
    const previousSize = state.columns.size[h] as number
    const previousOffHeap = state.offHeapOf(h)
    try {
      draft.charge(key, value, undefined, state.settings.policy)
    } catch (error) {
      recorder.publisher.failed(error, 'a size function failed at a value that is stored; it is charged what it was')
      return null
    }
    const { size, offHeap } = draft
    return { h, value, resized: { cache: cache.name, key, size, offHeap, previousSize }, previousOffHeap }
  }

  /** Whether the entry is there, with the value and the charge that it had. */
  private isAsItWas({ h, value, resized: { cache: name, key, previousSize }, previousOffHeap }: Measured): boolean {
    const { state, recorder } = this
    const held = state.caches.get(name)?.index.find(key, state.hasher.hash(key)) ?? NONE
    return (
      held === h &&
      recorder.values[h] === value &&
      !this.stated.has(h) &&
      state.columns.size[h] === previousSize &&
      state.offHeapOf(h) === previousOffHeap
    )
  }
}

function isChanged({ resized: { size, offHeap, previousSize }, previousOffHeap }: Measured): boolean {
  return size !== previousSize || offHeap !== previousOffHeap
}
