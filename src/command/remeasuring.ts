import type { SizeFunction } from '../base/options.ts'
import type { Resized } from '../event/catalogue.ts'
import type { CacheState } from '../fold/cache-state.ts'
import { Draft } from './draft.ts'
import type { Evictor } from './evictor.ts'
import type { Recorder } from './recorder.ts'

const NOBODY = { actor: null, traceId: null }

/**
 * Finds values that were changed after they were stored: at each check a sample of the entries, others each time, is
 * sized again, and what they are charged follows, by an event. Entries whose size a call stated keep it.
 */
export class Remeasuring {
  private readonly recorder: Recorder
  private readonly evictor: Evictor
  private readonly draft: Draft
  /** Entries looked at by a check, at most; 0: none, ever. */
  private readonly sample: number
  /** Handles of entries whose size was stated. */
  private readonly stated = new Set<number>()
  private looked = 0

  constructor(recorder: Recorder, evictor: Evictor, sizing: 'heap' | 'payload' | SizeFunction, sample: number) {
    this.recorder = recorder
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

  check(at: number): void {
    const { state } = this.recorder
    if (this.sample === 0 || state.items === 0) return
    const found = { sampled: 0, bytesBefore: 0, bytesAfter: 0, entries: [] as Resized[] }
    for (const cache of state.cacheList) {
      const share = Math.ceil((this.sample * cache.items) / state.items)
      for (const h of cache.index.some(share, this.looked)) {
        const resized = this.measured(cache, h)
        if (resized === null) continue
        found.sampled++
        found.bytesBefore += resized.previousSize
        found.bytesAfter += resized.size
        if (resized.size !== resized.previousSize) found.entries.push(resized)
      }
    }
    this.looked += this.sample
    if (found.sampled === 0) return
    this.recorder.record({ seq: this.recorder.nextSeq, at, type: 'remeasured', ...found })
    if (found.bytesAfter > found.bytesBefore) this.evictor.holdLimits(NOBODY)
  }

  private measured(cache: CacheState, h: number): Resized | null {
    if (this.stated.has(h)) return null
    const { recorder, draft } = this
    const { columns } = recorder.state
    const key = columns.keys[h] as string
    const addedSeq = columns.addedSeq[h]
    const value = recorder.values[h]
    try {
      draft.charge(key, value, undefined, recorder.state.settings.policy)
    } catch (error) {
      recorder.publisher.failed(error)
      return null
    }
    // A size function may have called the cache.
    if (recorder.state.columns.addedSeq[h] !== addedSeq || recorder.values[h] !== value) return null
    const { size, offHeap } = draft
    return { cache: cache.name, key, size, offHeap, previousSize: columns.size[h] as number }
  }
}
