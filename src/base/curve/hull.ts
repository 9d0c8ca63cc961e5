/** A size and what it brings. */
export type Point = readonly [size: number, value: number]

const ORIGIN: Point = [0, 0]

/** The least concave curve through the origin that no point lies above; ends where more brings nothing. Sizes ascend. */
export function concaveHull(points: readonly Point[]): Point[] {
  const hull: Point[] = [ORIGIN]
  for (const point of points) {
    if (point[1] <= (hull.at(-1) as Point)[1]) continue
    while (hull.length > 1 && slope(hull.at(-2) as Point, hull.at(-1) as Point) <= slope(hull.at(-2) as Point, point))
      hull.pop()
    hull.push(point)
  }
  return hull
}

/** The least size that brings so much; where none does, the last. */
export function sizeThatBrings(hull: readonly Point[], value: number): number {
  let before = ORIGIN
  for (const point of hull) {
    if (point[1] > value) return before[0] + (value - before[1]) / slope(before, point)
    before = point
  }
  return before[0]
}

/** Who is to have a part of something: not less than `least` nor more than `most`, and what more of it brings. */
export interface Claimant {
  readonly least: number
  readonly most: number
  readonly hull: readonly Point[]
}

/**
 * Divides a total so that it brings most: first to each what it must have, then piece by piece to whom the next one brings
 * most for its size. On concave curves there is no better division. What brings nothing to anybody is divided evenly.
 */
export function divide(total: number, claimants: readonly Claimant[]): number[] {
  const parts = claimants.map(({ least, most }) => Math.min(least, most))
  let rest = total - parts.reduce((sum, part) => sum + part, 0)
  const give = (who: number, upTo: number): void => {
    const part = parts[who] as number
    const more = Math.min(rest, Math.min(upTo, (claimants[who] as Claimant).most) - part)
    if (more <= 0) return
    parts[who] = part + more
    rest -= more
  }
  for (const { who, upTo } of steepestFirst(claimants)) give(who, upTo)
  // Those that may have least come first, and leave what they may not have to the others.
  const byRoom = parts.map((part, who) => ({ who, room: (claimants[who] as Claimant).most - part }))
  byRoom.sort((a, b) => a.room - b.room)
  for (const [i, { who }] of byRoom.entries()) give(who, (parts[who] as number) + rest / (byRoom.length - i))
  return parts
}

/** The straight pieces of all curves; those of one stay in their order, since it is concave. */
function steepestFirst(claimants: readonly Claimant[]): { who: number; upTo: number }[] {
  return claimants
    .flatMap(({ hull }, who) =>
      hull.slice(1).map((to, i) => ({ who, upTo: to[0], slope: slope(hull[i] as Point, to) })),
    )
    .sort((a, b) => b.slope - a.slope)
}

function slope(from: Point, to: Point): number {
  return (to[1] - from[1]) / (to[0] - from[0])
}
