import { setImmediate } from 'node:timers/promises'
import { Distances } from '../base/curve/distances.ts'
import { type CurveReading, pointsOf } from '../base/curve/reading.ts'
import { ReuseStack } from '../base/curve/reuse-stack.ts'
import type { Curve, MuninnEvent } from '../event/catalogue.ts'
import { portionsOf, type Trace } from './portions.ts'

const FIRST_KEYS = 1_024
/** Events between two turns of the event loop. */
const PORTION = 16_384

/** The miss-ratio curve of one cache under LRU: Mattson's stack algorithm over every request. 100 bytes a key, and the keys. */
export class ExactCurve {
  requests = 0
  readonly byItems: CurveReading
  readonly byBytes: CurveReading
  private readonly items = new Distances()
  private readonly bytes = new Distances()
  private readonly stack = new ReuseStack(FIRST_KEYS)
  private readonly members = new Map<string, number>()
  private readonly expiresAt: number[] = []

  constructor() {
    this.byItems = this.reading(this.items)
    this.byBytes = this.reading(this.bytes)
  }

  /** Returns whether the key is in the stack: whether a cache without limits would have hit. */
  requested(key: string, at: number): boolean {
    this.requests++
    const { stack } = this
    const member = this.members.get(key)
    if (member === undefined || (this.expiresAt[member] as number) <= at) {
      if (member !== undefined) this.removed(key)
      this.items.count(Number.POSITIVE_INFINITY, 1)
      this.bytes.count(Number.POSITIVE_INFINITY, 1)
      return false
    }
    stack.measure(member)
    this.items.count(stack.depth, 1)
    this.bytes.count(stack.weight, 1)
    stack.renew(member)
    return true
  }

  stored(key: string, size: number, expiresAt: number): void {
    let member = this.members.get(key)
    if (member === undefined) {
      member = this.stack.push(size)
      this.members.set(key, member)
    } else {
      this.stack.renew(member)
      this.stack.reweigh(member, size)
    }
    this.expiresAt[member] = expiresAt
  }

  removed(key: string): void {
    const member = this.members.get(key)
    if (member === undefined) return
    this.stack.remove(member)
    this.members.delete(key)
  }

  cleared(): void {
    for (const key of [...this.members.keys()]) this.removed(key)
  }

  get told(): Curve {
    return { requests: this.requests, error: 0, byItems: pointsOf(this.byItems), byBytes: pointsOf(this.byBytes) }
  }

  private reading(distances: Distances): CurveReading {
    return {
      get end() {
        return distances.largest
      },
      at: (sizes) => distances.hitsAt(sizes).map((hits) => (this.requests === 0 ? 0 : hits / this.requests)),
    }
  }
}

/** Of a trace: each request is a `get`, and on a miss a `set`; 1 ms a request. */
export async function curveOfTrace(trace: Trace): Promise<ExactCurve> {
  const curve = new ExactCurve()
  let at = 0
  for await (const portion of portionsOf(trace)) {
    for (const { key, size, ttl } of portion) {
      if (!curve.requested(key, at)) curve.stored(key, size, at + ttl)
      at++
    }
    await setImmediate()
  }
  return curve
}

/** Of each cache of a run that was recorded in full. */
export async function curvesOfRecording(events: Iterable<MuninnEvent>): Promise<ReadonlyMap<string, ExactCurve>> {
  const curves = new Map<string, ExactCurve>()
  const of = (cache: string): ExactCurve => {
    const curve = curves.get(cache) ?? new ExactCurve()
    curves.set(cache, curve)
    return curve
  }
  let seen = 0
  for (const e of events) {
    if (e.type === 'accessed' || e.type === 'missed') of(e.cache).requested(e.key, e.at)
    else if (e.type === 'added' || e.type === 'updated') of(e.cache).stored(e.key, e.size, e.expiresAt)
    else if (e.type === 'removed' || e.type === 'expired') of(e.cache).removed(e.key)
    else if (e.type === 'cleared') of(e.cache).cleared()
    if (++seen % PORTION === 0) await setImmediate()
  }
  return curves
}
