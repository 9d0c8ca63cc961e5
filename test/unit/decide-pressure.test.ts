import { describe, expect, test } from 'vitest'
import {
  type Fullness,
  HEAP_MARKS,
  type HeldBudget,
  loweredBudget,
  raisedBudget,
  residentMarks,
} from '../../src/decide/pressure.ts'

const MIB = 1024 ** 2
const GIB = 1024 ** 3

/** A process of 1,000 bytes, so that shares of the limit are read off. */
const LIMIT = 1_000
const settled = (used: number, strained = false): Fullness => ({ used, limit: LIMIT, settled: true, strained })
const garbage = (used: number): Fullness => ({ used, limit: LIMIT, settled: false, strained: false })

/** Budgets in units of a MiB, far above the least that is left of one. */
const budget = (held: number, effective: number, stated = 500): HeldBudget => ({
  held: held * MIB,
  effective: effective * MIB,
  stated: stated * MIB,
})
const inMiB = ({ used, limit, ...rest }: Fullness): Fullness => ({ used: used * MIB, limit: limit * MIB, ...rest })

function lowered(held: HeldBudget, full: Fullness, frozen = false): number | null {
  const bytes = loweredBudget(held, inMiB(full), HEAP_MARKS, frozen)
  return bytes === null ? null : Math.round(bytes / MIB)
}

function raised(held: HeldBudget, full: Fullness): number | null {
  const bytes = raisedBudget(held, inMiB(full), HEAP_MARKS)
  return bytes === null ? null : Math.round(bytes / MIB)
}

describe('what a collection leaves', () => {
  test('lowers the budget from 70 % of the heap on, by what brings it down to 62 %', () => {
    expect(lowered(budget(400, 500), settled(699))).toBeNull()
    expect(lowered(budget(400, 500), settled(700))).toBe(320)
    expect(lowered(budget(400, 500), settled(750))).toBe(270)
  })

  test('lowers it from 66 % on where the process is strained', () => {
    expect(lowered(budget(400, 500), settled(659, true))).toBeNull()
    expect(lowered(budget(400, 500), settled(660, true))).toBe(360)
    expect(lowered(budget(400, 500), settled(660))).toBeNull()
  })

  test('changes nothing for less than a 64th of the budget that holds, be the stated one many times as large', () => {
    expect(lowered(budget(400, 325), settled(700))).toBeNull()
    expect(lowered(budget(400, 326), settled(700))).toBe(320)
    expect(lowered(budget(400, 326, 50_000), settled(700))).toBe(320)
    expect(lowered(budget(400, 300), settled(700))).toBeNull()
  })

  test('leaves a 64th of the stated budget, 64 KiB at least, and half of what is held at most', () => {
    expect(lowered(budget(400, 500, 6_400), settled(1_000))).toBe(100)
    expect(lowered(budget(400, 500, 64_000), settled(1_000))).toBe(200)
    expect(lowered(budget(400, 500, Number.POSITIVE_INFINITY), settled(1_000))).toBe(200)
    const small = { held: 200 * 1024, effective: MIB, stated: MIB }
    expect(loweredBudget(small, inMiB(settled(900)), HEAP_MARKS, false)).toBe(64 * 1024)
    const tiny = { held: 100 * 1024, effective: MIB, stated: MIB }
    expect(loweredBudget(tiny, inMiB(settled(900)), HEAP_MARKS, false)).toBe(50 * 1024)
  })

  test('is a whole number of bytes', () => {
    const odd = { held: 401, effective: 500, stated: 500 }
    expect(loweredBudget(odd, settled(950), HEAP_MARKS, false)).toBe(200)
    expect(loweredBudget(odd, garbage(900), HEAP_MARKS, true)).toBe(300)
    expect(raisedBudget({ held: 101, effective: 101, stated: 500 }, settled(495), HEAP_MARKS)).toBe(163)
  })
})

describe('what may be garbage', () => {
  test('up to 87 % of the heap says nothing; from there on the caches grow no further', () => {
    expect(lowered(budget(400, 500), garbage(869))).toBeNull()
    expect(lowered(budget(400, 500), garbage(870))).toBe(400)
    expect(lowered(budget(400, 400), garbage(870))).toBeNull()
    expect(lowered(budget(400, 500), { ...garbage(869), strained: true })).toBeNull()
  })

  test('takes a quarter of what is held where it fills on though they grow no further', () => {
    expect(lowered(budget(400, 400), garbage(870), true)).toBe(300)
    expect(lowered(budget(400, 300), garbage(870), true)).toBeNull()
    expect(lowered(budget(400, 500), garbage(869), true)).toBeNull()
  })

  test('whatever a lowered budget was, more than what is held is never the answer', () => {
    for (let used = 0; used <= LIMIT; used += 10) {
      for (const full of [settled(used), settled(used, true), garbage(used)]) {
        for (const frozen of [false, true]) {
          const wanted = lowered(budget(400, 450), full, frozen)
          if (wanted !== null) expect(wanted).toBeLessThanOrEqual(400)
        }
      }
    }
  })
})

describe('room', () => {
  test('raises the budget at 55 % of the heap and below, by half of what is free up to 62 %', () => {
    expect(raised(budget(200, 200), settled(551))).toBeNull()
    expect(raised(budget(200, 200), settled(550))).toBe(235)
    expect(raised(budget(200, 200), settled(420))).toBe(300)
  })

  test('counts from what is held, not from what might be', () => {
    expect(raised(budget(100, 200), settled(420))).toBeNull()
    expect(raised(budget(150, 200), settled(420))).toBe(250)
  })

  test('raises it to four times as much at once, and to the stated one at most', () => {
    expect(raised(budget(20, 20), settled(100))).toBe(80)
    expect(raised(budget(400, 400), settled(100))).toBe(500)
  })

  test('says nothing to a budget that is whole, nor while the process is strained', () => {
    expect(raised(budget(500, 500), settled(100))).toBeNull()
    expect(raised(budget(200, 600), settled(100))).toBeNull()
    expect(raised(budget(200, 200), settled(100, true))).toBeNull()
  })

  test('of less than a 64th of the budget that holds is not worth a change', () => {
    expect(raised(budget(168, 200), settled(550))).toBeNull()
    expect(raised(budget(169, 200), settled(550))).toBe(204)
    expect(raised(budget(169, 200, 50_000), settled(550))).toBe(204)
    expect(raised(budget(320, 320, 325), settled(100))).toBeNull()
    expect(raised(budget(320, 320, 326), settled(100))).toBe(326)
  })
})

describe('marks of what a container may use', () => {
  test.each([
    ['of 100 MiB keep 35 % free', 100 * MIB, 0.35],
    ['of 256 MiB keep 64 MiB free: so much garbage of Buffers may there be', 256 * MIB, 0.25],
    ['of 4 GiB keep 15 % free', 4 * GIB, 0.15],
    ['of 100 GiB keep 1 GiB free', 100 * GIB, 0.01],
  ])('%s', (_, limit, room) => {
    const { relief, aim, strained, start, last } = residentMarks(limit)
    expect(start).toBeCloseTo(1 - room, 10)
    expect(relief).toBeCloseTo(1 - 1.6 * room, 10)
    expect(aim).toBeCloseTo(1 - 1.3 * room, 10)
    expect(strained).toBeCloseTo(1 - 1.15 * room, 10)
    expect(last).toBeCloseTo(1 - room / 2, 10)
    const ascending = [relief, aim, strained, start, last]
    expect(ascending).toEqual([...ascending].sort((a, b) => a - b))
  })
})
