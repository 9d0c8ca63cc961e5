import assert from 'node:assert/strict'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RecordedRun } from '../support/recorded-run.ts'

const RUNS = process.env.MUNINN_NIGHT === '1' ? 20 : 1
/** Levels of the wheel: jumps over the ends of each are what goes wrong. */
const ENDS = [64, 64 ** 2, 64 ** 3, 64 ** 4, 64 ** 5, 64 ** 6, 64 ** 7]

type Step =
  | { readonly do: 'schedule'; readonly key: string; readonly in: number }
  | { readonly do: 'cancel'; readonly key: string }
  | { readonly do: 'pass'; readonly by: number; readonly told: boolean }
  | { readonly do: 'toEnd'; readonly of: number; readonly by: number; readonly told: boolean }
  | { readonly do: 'toExpiry'; readonly key: string; readonly by: number; readonly told: boolean }

const key = fc.nat(15).map((n) => `k${n}`)
const distance = fc.oneof(
  fc.integer({ min: 1, max: 70 }),
  fc.constantFrom(...ENDS).chain((end) => fc.integer({ min: 1, max: 2 * end })),
  fc.constantFrom(...ENDS, ...ENDS.map((end) => end - 1), ...ENDS.map((end) => end + 1), 1e15, Number.MAX_VALUE),
)
const told = fc.boolean()
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('schedule' as const), key, in: distance }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('cancel' as const), key }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('pass' as const),
      by: fc.oneof(fc.nat(70), fc.constantFrom(...ENDS)),
      told,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('toEnd' as const),
      of: fc.constantFrom(...ENDS),
      by: fc.integer({ min: -1, max: 1 }),
      told,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('toExpiry' as const), key, by: fc.integer({ min: -1, max: 1 }), told }),
  },
)

/** Time of the run, schedule by schedule; `told` moves the wheel on, else it only reads. */
class Schedules {
  readonly run: RecordedRun
  private readonly expiries = new Map<string, number>()
  private now: number

  constructor(startsAt: number) {
    this.run = new RecordedRun('lru', startsAt)
    this.now = startsAt
  }

  take(step: Step): void {
    const { run, expiries } = this
    if (step.do === 'schedule') {
      const expiresAt = this.now + step.in
      run.passTo(this.now)
      run.store(step.key, { expiresAt })
      expiries.set(step.key, expiresAt)
    } else if (step.do === 'cancel') {
      if (!expiries.delete(step.key)) return
      run.passTo(this.now)
      run.remove(step.key)
    } else {
      this.passTo(this.target(step))
      if (!step.told) return
      run.passTo(this.now)
      run.check()
    }
  }

  private target(step: Exclude<Step, { do: 'schedule' | 'cancel' }>): number {
    if (step.do === 'pass') return this.now + step.by
    if (step.do === 'toEnd') return Math.ceil(this.now / step.of) * step.of + step.by
    return (this.expiries.get(step.key) ?? this.now) + step.by
  }

  /** The largest time of a `Date` is the last. */
  private passTo(at: number): void {
    this.now = Math.max(this.now, Math.min(at, 8.64e15))
  }

  /** That the wheel offers an entry past its time if there is one, now or a little later, and nothing else. */
  compare(): void {
    for (const at of [this.now, this.now + 1, this.now + 64, this.now + 64 ** 4]) {
      const due = this.dueAt(at)
      const offered = this.run.keyOf(this.run.cache().due(at))
      const right = due.length === 0 ? offered === null : due.includes(String(offered))
      assert.ok(right, `offered at ${at}: ${offered}, due: ${due.join(', ')}`)
    }
    const soonest = Math.max(this.now, Math.min(...this.expiries.values()))
    assert.ok(
      this.run.state.soonestExpiry <= soonest,
      `${this.run.state.soonestExpiry}, the time before which nobody looks, is after ${soonest}`,
    )
  }

  /** Takes out what is due, one by one. */
  sweep(): void {
    for (let due = this.dueAt(this.now); due.length > 0; due = this.dueAt(this.now)) {
      const offered = this.run.keyOf(this.run.cache().due(this.now))
      assert.ok(due.includes(String(offered)), `offered at ${this.now}: ${offered}, due: ${due.join(', ')}`)
      this.take({ do: 'cancel', key: offered as string })
    }
    assert.equal(this.run.cache().due(this.now), -1)
  }

  private dueAt(at: number): string[] {
    return [...this.expiries].filter(([, expiresAt]) => expiresAt <= at).map(([name]) => name)
  }
}

describe('the timer wheel', () => {
  const startsAt = fc.oneof(
    fc.constantFrom(0, 1, 63, 1_700_000_000_000, 1_753_000_123_456),
    fc
      .constantFrom(...ENDS)
      .chain((end) => fc.integer({ min: end - 70, max: end + 70 }))
      .map((at) => Math.max(0, at)),
  )

  it('offers, to the millisecond, what an array would', () => {
    fc.assert(
      fc.property(startsAt, fc.array(step, { maxLength: 60, size: 'max' }), (at, steps) => {
        const schedules = new Schedules(at)
        for (const one of steps) {
          schedules.take(one)
          schedules.compare()
        }
        schedules.sweep()
      }),
      { seed: 1, numRuns: 300 * RUNS },
    )
  })

  it('offers what an array would, where each write frees what is due first', () => {
    fc.assert(
      fc.property(startsAt, fc.array(step, { maxLength: 60, size: 'max' }), (at, steps) => {
        const schedules = new Schedules(at)
        for (const one of steps) {
          schedules.sweep()
          schedules.take(one)
          schedules.compare()
        }
      }),
      { seed: 2, numRuns: 300 * RUNS },
    )
  })

  it('keeps nothing from those that share a slot', () => {
    const run = new RecordedRun('lru', 1_700_000_000_000)
    const expiresAt = run.at + 100_000
    for (let n = 0; n < 300; n++) run.store(`k${n}`, { expiresAt: expiresAt + (n % 3) })
    for (const late of [0, 1, 2]) {
      run.passTo(expiresAt + late)
      const left: (string | null)[] = []
      for (let h = run.cache().due(run.at); h !== -1; h = run.cache().due(run.at)) {
        left.push(run.keyOf(h))
        run.remove(run.keyOf(h) as string)
      }
      expect(left).toHaveLength(100)
    }
    expect(run.state.items).toBe(0)
  })
})
