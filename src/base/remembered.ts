/** Evicted keys remembered at most and at least. In between, a quarter of the item limit: 5–10 bytes an entry. */
const MOST = 1 << 15
const LEAST = 1 << 9

/** How many of the last evictions a cache with so many items at most remembers, to tell a miss that regrets one: a power of two. */
export function rememberedEvictions(maxItems: number): number {
  let remembered = LEAST
  while (remembered < maxItems / 4 && remembered < MOST) remembered *= 2
  return remembered
}
