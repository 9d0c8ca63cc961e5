import { chance } from './chance.ts'

/** Requests whose best possible hit ratio is known: key numbers, one after the other. */
export interface Workload {
  readonly name: string
  /** What no policy can exceed by more than chance, after a warm-up. */
  readonly optimum: number
  readonly next: () => number
}

/** Keys from here on are asked for once. */
const ONCE = 10_000_000
const FINE = 1 << 24

/** Zipf over `keys` keys: the next key, and the share of requests that go to the `n` most frequent. */
export function zipf(keys: number, exponent: number, seed: number) {
  const below = chance(seed)
  const sums = new Float64Array(keys)
  let sum = 0
  for (let i = 0; i < keys; i++) {
    sum += 1 / (i + 1) ** exponent
    sums[i] = sum
  }
  const next = (): number => {
    const target = (below(FINE) / FINE) * sum
    let low = 0
    let high = keys - 1
    while (low < high) {
      const middle = (low + high) >> 1
      if ((sums[middle] as number) < target) low = middle + 1
      else high = middle
    }
    return low
  }
  return { next, share: (n: number): number => (sums[n - 1] as number) / sum }
}

/** Over and over the same keys in the same order; Bélády's policy keeps all but one of its entries. */
export function loop(keys: number): () => number {
  let i = 0
  return () => i++ % keys
}

/** Workloads for a cache of `n` entries. */
export function workloadsFor(n: number): Workload[] {
  const long = Math.floor(1.5 * n)
  const ofLoop = (n - 1) / (long - 1)
  const popular = zipf(10 * n, 0.99, 1)
  const scanned = zipf(10 * n, 0.99, 2)
  const mixed = zipf(10 * n, 0.99, 3)
  const shifting = zipf(10 * n, 0.99, 4)
  const below = chance(5)
  const around = loop(long)
  let asked = 0
  let once = ONCE
  return [
    { name: 'Zipf', optimum: popular.share(n), next: popular.next },
    { name: 'a loop half again as long as the cache', optimum: ofLoop, next: around },
    {
      name: 'Zipf with scans',
      optimum: 0.75 * scanned.share(n),
      next: () => (Math.floor(asked++ / n) % 4 === 3 ? once++ : scanned.next()),
    },
    {
      name: 'half one-hit wonders',
      optimum: 0.5 * mixed.share(n),
      next: () => (below(2) === 0 ? once++ : mixed.next()),
    },
    { name: 'uniform', optimum: 1 / 3, next: () => below(3 * n) },
    {
      name: 'Zipf whose popularity shifts',
      optimum: shifting.share(n),
      next: () => shifting.next() + Math.floor(asked++ / (40 * n)) * 10 * n,
    },
  ]
}
