/** Sizes of a curve that is told. */
const POINTS = 40

/** Reads hit ratios off a curve. */
export interface CurveReading {
  /** Where it ends: more than this brings no more hits. */
  readonly end: number
  /** Hit ratios (0–1) at these sizes, which ascend. */
  at(sizes: readonly number[]): number[]
}

/** A curve in points that lie closer where it is small, as curves bend there. */
export function pointsOf(reading: CurveReading): (readonly [size: number, hitRatio: number])[] {
  const { end } = reading
  if (end === 0) return []
  const sizes = new Set(
    Array.from({ length: POINTS }, (_, i) => Math.max(1, Math.round(end * ((i + 1) / POINTS) ** 2))),
  )
  const ascending = [...sizes]
  const ratios = reading.at(ascending)
  return ascending.map((size, i) => [size, Math.round((ratios[i] as number) * 1e4) / 1e4] as const)
}

/** The hit ratio at a size, between two points of a curve; beyond its end, the last one's. */
export function ratioAt(points: readonly (readonly [size: number, hitRatio: number])[], size: number): number {
  let before: readonly [number, number] = [0, 0]
  for (const point of points) {
    if (point[0] >= size) {
      const part = point[0] === before[0] ? 1 : (size - before[0]) / (point[0] - before[0])
      return before[1] + part * (point[1] - before[1])
    }
    before = point
  }
  return before[1]
}
