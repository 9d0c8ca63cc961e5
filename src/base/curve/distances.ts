/** Distances below have a bucket of their own; beyond, each doubling is divided into as many: less than 1 % wide. */
const STEPS = 128
/** Logarithm of `STEPS`. */
const FIRST_DOUBLING = 7
const FIRST_LENGTH = 1024

/**
 * How often which reuse distance was seen, up to 2^53, by weight: what share of the requests a cache of any size would have
 * hit. 8 to 50 KB, by the largest.
 */
export class Distances {
  /** Weight of all that was counted, never used before included. */
  total = 0
  private counts = new Float64Array(FIRST_LENGTH)

  /** @param distance at least 0; `Infinity`: never used before. */
  count(distance: number, weight: number): void {
    this.total += weight
    if (distance === Number.POSITIVE_INFINITY) return
    const bucket = bucketOf(distance)
    if (bucket >= this.counts.length) {
      const counts = new Float64Array(bucket + FIRST_LENGTH)
      counts.set(this.counts)
      this.counts = counts
    }
    this.counts[bucket] = (this.counts[bucket] as number) + weight
  }

  /** Half of everything is forgotten. */
  halve(): void {
    this.total /= 2
    for (let i = 0; i < this.counts.length; i++) this.counts[i] = (this.counts[i] as number) / 2
  }

  /** Weight of the requests that caches of these sizes would have hit; sizes ascend. */
  hitsAt(sizes: readonly number[]): number[] {
    const hits: number[] = []
    let below = 0
    let bucket = 0
    for (const size of sizes) {
      const last = Math.min(bucketOf(size), this.counts.length)
      while (bucket < last) below += this.counts[bucket++] as number
      const least = leastOf(bucket)
      const width = leastOf(bucket + 1) - least
      // Alike within a bucket: those up to `size` are hits.
      const part = Math.min(1, Math.max(0, (size - least + 1) / width))
      hits.push(below + part * (this.counts[bucket] ?? 0))
    }
    return hits
  }

  /** The largest distance seen, rounded up to its bucket's end; 0 if there was none. */
  get largest(): number {
    for (let bucket = this.counts.length - 1; bucket >= 0; bucket--) {
      if ((this.counts[bucket] as number) > 0) return leastOf(bucket + 1)
    }
    return 0
  }
}

function bucketOf(distance: number): number {
  if (distance < STEPS) return Math.max(0, Math.floor(distance))
  const doubling = Math.floor(Math.log2(distance)) - FIRST_DOUBLING
  return doubling * STEPS + Math.floor(distance / 2 ** doubling)
}

/** The least distance of a bucket. */
function leastOf(bucket: number): number {
  if (bucket < STEPS) return bucket
  const doubling = Math.floor(bucket / STEPS) - 1
  return ((bucket % STEPS) + STEPS) * 2 ** doubling
}
