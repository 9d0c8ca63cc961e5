import type { Distances } from '../../base/curve/distances.ts'
import type { CurveReading } from '../../base/curve/reading.ts'

/**
 * What is too many or too few among the requests of the sample is of the most frequent keys, which are in it or are not: such
 * requests have the least distances (SHARDS-adj).
 */
export class AdjustedReading implements CurveReading {
  private readonly asked: { readonly requests: number }
  private readonly distances: Distances

  /** @param asked how many requests the distances speak for. */
  constructor(asked: { readonly requests: number }, distances: Distances) {
    this.asked = asked
    this.distances = distances
  }

  get end(): number {
    return this.distances.largest
  }

  at(sizes: readonly number[]): number[] {
    const { requests } = this.asked
    const missing = requests - this.distances.total
    return this.distances.hitsAt(sizes).map((hits) => {
      return requests === 0 ? 0 : Math.min(1, Math.max(0, (hits + missing) / requests))
    })
  }
}
