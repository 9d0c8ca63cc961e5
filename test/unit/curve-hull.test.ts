import { describe, expect, test } from 'vitest'
import { concaveHull, divide, type Point, sizeThatBrings } from '../../src/base/curve/hull.ts'
import { ratioAt } from '../../src/base/curve/reading.ts'
import { chance } from '../support/chance.ts'

function ascending(length: number, below: (end: number) => number): Point[] {
  let value = 0
  return Array.from({ length }, (_, i) => {
    value += below(50)
    return [i + 1, value]
  })
}

describe('the concave hull', () => {
  test('bridges a cliff, and leaves out what brings nothing', () => {
    const cliff: Point[] = [
      [1, 0],
      [9, 0],
      [10, 100],
      [20, 100],
    ]
    expect(concaveHull(cliff)).toEqual([
      [0, 0],
      [10, 100],
    ])
    expect(concaveHull([])).toEqual([[0, 0]])
  })

  test('is concave and nowhere below the points, with what it brings found again', () => {
    const below = chance(1)
    for (let run = 0; run < 100; run++) {
      const points = ascending(1 + below(20), below)
      const value = points.at(-1)?.[1] as number
      const hull = concaveHull(points)
      const slopes = hull.slice(1).map(([size, brings], i) => {
        const [before, brought] = hull[i] as Point
        return (brings - brought) / (size - before)
      })
      expect(slopes).toEqual([...slopes].sort((a, b) => b - a))
      for (const [size, brings] of points) expect(ratioAt(hull, size)).toBeGreaterThanOrEqual(brings - 1e-9)
      const some = below(value + 1)
      if (some < value) expect(ratioAt(hull, sizeThatBrings(hull, some))).toBeCloseTo(some)
    }
  })
})

describe('dividing', () => {
  test('brings as much as any division of whole pieces', () => {
    const below = chance(2)
    for (let run = 0; run < 50; run++) {
      const claimants = Array.from({ length: 3 }, () => {
        const hull = concaveHull(ascending(8, below))
        return { least: below(2), most: 4 + below(5), hull }
      })
      const total = 4 + below(10)
      const brings = (parts: readonly number[]) =>
        parts.reduce((sum, part, i) => sum + ratioAt(claimants[i]?.hull as readonly Point[], part), 0)
      const parts = divide(total, claimants)
      const room = claimants.reduce((sum, { most }) => sum + most, 0)
      expect(parts.reduce((sum, part) => sum + part, 0)).toBeCloseTo(Math.min(total, room))
      for (const [i, { least, most }] of claimants.entries()) {
        expect(parts[i]).toBeGreaterThanOrEqual(least)
        expect(parts[i]).toBeLessThanOrEqual(most)
      }
      for (let a = 0; a <= total; a++) {
        for (let b = 0; a + b <= total; b++) {
          const other = [a, b, total - a - b]
          const fits = claimants.every(({ least, most }, i) => least <= other[i]! && other[i]! <= most)
          if (fits) expect(brings(parts)).toBeGreaterThanOrEqual(brings(other) - 1e-9)
        }
      }
    }
  })

  test('what brings nothing to anybody is divided evenly', () => {
    const none = concaveHull([])
    expect(
      divide(9, [
        { least: 0, most: 1, hull: none },
        { least: 0, most: 9, hull: none },
        { least: 0, most: 9, hull: none },
      ]),
    ).toEqual([1, 4, 4])
  })
})
