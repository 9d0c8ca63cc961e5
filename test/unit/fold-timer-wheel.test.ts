import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Columns, NONE } from '../../src/fold/columns.ts'
import { TimerWheel } from '../../src/fold/timer-wheel.ts'

const NEVER = Number.POSITIVE_INFINITY
/** Slots of a level, and how far the wheel reaches: to 2109, then to 2249. */
const SLOTS = 64
const SPAN = SLOTS ** 7

/** A wheel, and beside it the expiries of all that are scheduled. */
class Schedules {
  readonly columns = new Columns(64)
  readonly wheel: TimerWheel
  readonly expiries = new Map<number, number>()
  private free: number[] = Array.from({ length: 64 }, (_, h) => h)
  now: number
  /** When it last moved on: it does not where nothing expires. */
  moved: number

  constructor(at: number) {
    this.now = at
    this.moved = at
    this.wheel = new TimerWheel(this.columns, at)
  }

  schedule(expiresAt: number): number {
    const h = this.free.pop() as number
    this.columns.expiresAt[h] = expiresAt
    this.expiries.set(h, expiresAt)
    this.wheel.schedule(h)
    return h
  }

  cancel(h: number): void {
    this.expiries.delete(h)
    this.free.push(h)
    this.wheel.cancel(h)
  }

  advance(at: number): void {
    this.now = at
    if (at >= this.wheel.soonest) this.moved = at
    this.wheel.advance(at)
  }

  get earliest(): number {
    return Math.min(...this.expiries.values())
  }
}

/** The level of the highest base-64 digit in which two times differ, or −1. */
function levelOf(one: number, other: number): number {
  let level = -1
  for (let span = 1, at = 0; at < 8; at++, span *= SLOTS)
    if (Math.floor(one / span) !== Math.floor(other / span)) level = at
  return level
}

const START = 1_700_000_000_000

describe('a wheel', () => {
  test('says after each advance before when it need not be asked, and who is among the first', () => {
    const distance = fc.oneof(
      fc.integer({ min: 1, max: 70 }),
      fc.integer({ min: 1, max: 300_000 }),
      fc.integer({ min: 1, max: 2 ** 41 }),
      fc.constantFrom(SPAN, 2 * SPAN, 1e15),
    )
    const step = fc.tuple(fc.constantFrom('schedule', 'schedule', 'cancel', 'advance', 'sweep'), distance)
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80, size: 'max' }), (steps) => {
        const schedules = new Schedules(START)
        const { wheel, expiries } = schedules
        for (const [what, by] of steps) {
          if (what === 'schedule' && expiries.size < 60) schedules.schedule(schedules.now + by)
          else if (what === 'cancel') for (const h of [...expiries.keys()].slice(0, 1)) schedules.cancel(h)
          else if (what === 'advance') schedules.advance(schedules.now + by)
          else for (let h = wheel.due(schedules.now); h !== NONE; h = wheel.due(schedules.now)) schedules.cancel(h)
          const { now, earliest } = schedules
          expect(wheel.soonest).toBeLessThanOrEqual(Math.max(earliest, now))
          if (what === 'advance' && wheel.soonest !== NEVER) {
            // Only what is due, or still to come, is worth being asked for.
            if (earliest > now) expect(wheel.soonest).toBeGreaterThan(now)
          }
          const first = wheel.first()
          if (expiries.size === 0) expect(first).toBe(NONE)
          else if (earliest <= now) expect(expiries.get(first)).toBeLessThanOrEqual(now)
          else {
            // Of one slot: they differ from each other in lower digits than from its time.
            const level = levelOf(earliest, schedules.moved)
            if (level < 7) expect(levelOf(expiries.get(first) as number, earliest)).toBeLessThan(Math.max(1, level))
          }
        }
      }),
      { seed: 1, numRuns: 150 },
    )
  })

  test('does not look at what lies in a later slot: a day costs no more than a second', () => {
    const schedules = new Schedules(START)
    for (let n = 0; n < 40; n++) schedules.schedule(START + 86_400_000 + n)
    let read = 0
    const { expiresAt } = schedules.columns
    schedules.columns.expiresAt = new Proxy(expiresAt, {
      get: (target, name) => {
        read++
        return Reflect.get(target, name)
      },
    })
    for (let at = START; at < START + 86_000_000; at += 10_000) {
      schedules.advance(at)
      if (schedules.wheel.due(at) !== NONE) expect.fail('something is due')
    }
    // Each entry is moved once a level at most, whatever passes.
    expect(read).toBeLessThanOrEqual(40 * 7)
  })

  test('is asked for nothing once all have been cancelled and time has passed', () => {
    const schedules = new Schedules(START)
    const [soon, late] = [schedules.schedule(START + 10), schedules.schedule(START + 100)]
    expect(schedules.wheel.soonest).toBe(START + 10)
    schedules.cancel(soon)
    schedules.advance(START + 20)
    expect(schedules.wheel.soonest).toBeGreaterThan(START + 20)
    schedules.advance(START + 100)
    expect([schedules.wheel.soonest, schedules.wheel.due(START + 100)]).toEqual([START + 100, late])
    schedules.cancel(late)
    schedules.advance(START + 200)
    expect([schedules.wheel.soonest, schedules.wheel.first()]).toEqual([NEVER, NONE])
  })

  test('knows what expires beyond its end, from there on to the millisecond', () => {
    const end = Math.ceil(START / SPAN) * SPAN
    const schedules = new Schedules(START)
    const [just, beyond, far] = [end, end + 5, end + SPAN + 7].map((at) => schedules.schedule(at)) as [
      number,
      number,
      number,
    ]
    expect([just, beyond, far]).toContain(schedules.wheel.first())
    // Read without being told that time has passed.
    expect(schedules.wheel.due(end - 1)).toBe(NONE)
    expect(schedules.wheel.due(end)).toBe(just)
    schedules.advance(end - 1)
    expect(schedules.wheel.due(end - 1)).toBe(NONE)
    schedules.advance(end + 4)
    expect(schedules.wheel.due(end + 4)).toBe(just)
    schedules.cancel(just)
    expect(schedules.wheel.due(end + 4)).toBe(NONE)
    schedules.advance(end + 5)
    expect(schedules.wheel.due(end + 5)).toBe(beyond)
    schedules.cancel(beyond)
    schedules.advance(end + 6)
    expect(schedules.wheel.soonest).toBe(end + SPAN)
    expect(schedules.wheel.first()).toBe(far)
    schedules.advance(end + SPAN + 6)
    expect(schedules.wheel.due(end + SPAN + 6)).toBe(NONE)
    schedules.advance(end + SPAN + 7)
    expect(schedules.wheel.due(end + SPAN + 7)).toBe(far)
  })
})
