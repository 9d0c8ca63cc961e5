import { concaveHull, divide, type Point, sizeThatBrings } from '../base/curve/hull.ts'
import { ratioAt } from '../base/curve/reading.ts'
import type { Divided } from '../event/catalogue.ts'
import type { DivisionUnit } from '../event/vocabulary.ts'
import type { CacheState } from './cache-state.ts'

/** Events from one comparison to the next: some 0.1 ms each for three caches. */
const PERIOD = 4096
/** Entries' worth of requests that are remembered, and requests at least. */
const MEMORY = 16
const LEAST_MEMORY = 16_384
/** What every cache may hold in any case: this much of an equal share. */
const FLOOR = 0.1
/** Sizes at which a curve is read, closer to each other where they are small, as curves bend there; */
const POINTS = 64
/** and beyond the room: half of a loop brings half of its hits, to who doesn't fall for it. */
const POINTS_BEYOND = 16
/** As much more room as LRU a cache is taken to need for the same hits, at most. */
const MOST_STRETCH = 4

/** One cache's claim to the common room. */
export class Claim {
  readonly cache: CacheState
  /** Part of the room that is its own, 0–1. */
  share: number
  /** The part that it would have if the room brought most. */
  wished: number
  /** Requests and hits of late, fading. */
  requests = 0
  hits = 0
  /** What it held, summed up over these requests: hits are of the room that there was, not of what there is now. */
  private readonly held: Record<DivisionUnit, number> = { items: 0, bytes: 0 }
  private asked: number
  private found: number

  constructor(cache: CacheState, share: number) {
    this.cache = cache
    this.share = share
    this.wished = share
    this.found = cache.counts.hits
    this.asked = this.found + cache.counts.misses
  }

  /** Takes in what was asked for since the last time. */
  tally(kept: number): void {
    const { counts, items, bytes, curve } = this.cache
    const { hits, misses } = counts
    const requests = hits + misses - this.asked
    this.requests = kept * this.requests + requests
    this.hits = kept * this.hits + hits - this.found
    this.held.items = kept * this.held.items + requests * items
    this.held.bytes = kept * this.held.bytes + requests * bytes
    this.asked = hits + misses
    this.found = hits
    const recent = curve?.recent
    if (recent && recent.requests > memoryOf(items)) recent.halve()
  }

  /**
   * Hits of late that it would have had by its size: the concave hull of LRU's curve, which a policy reaches that doesn't
   * fall for loops (Talus: Beckmann & Sanchez, 2015), made to go through what was seen. Where more was hit, that point is
   * added; where less was, the cache needs more room than LRU for the same, and the curve is stretched, then lowered: it may
   * be of better days.
   */
  hull(unit: DivisionUnit, room: number): Point[] {
    const { requests, hits } = this
    const recent = this.cache.curve?.recent
    const reading = unit === 'items' ? recent?.byItems : recent?.byBytes
    if (!reading || reading.end === 0 || requests === 0) return concaveHull([])
    const sizes = sizesUpTo(room, reading.end)
    const points = reading.at(sizes).map((ratio, i): Point => [sizes[i] as number, ratio * requests])
    const hull = concaveHull(points)
    const held = this.held[unit] / requests
    if (hits >= ratioAt(hull, held)) {
      const place = sizes.findIndex((size) => size >= held)
      return concaveHull(points.toSpliced(place < 0 ? sizes.length : place, 0, [held, hits]))
    }
    const stretch = Math.min(MOST_STRETCH, held / sizeThatBrings(hull, hits))
    const stretched = hull.map(([size, value]): Point => [size * stretch, value])
    const lowered = Math.min(1, hits / ratioAt(stretched, held))
    return stretched.map(([size, value]) => [size, value * lowered])
  }
}

/**
 * How the room that caches have in common is divided: a share for each, equal ones at first. Once in a while it is
 * found, from the curves of late, which shares would bring most hits; whether they are worth a change is decided in `decide/`.
 * A cache without a curve keeps its equal share.
 */
export class Division {
  readonly claims: readonly Claim[]
  /** `seq` from which on it is compared anew. */
  comparesAt: number
  /** Hits that the wished shares would bring beyond the present ones, for each request. */
  gain = 0
  /** What the room was measured by when they were compared. */
  unit: DivisionUnit = 'items'

  /** @param before claims of those caches that were there before. */
  constructor(caches: readonly CacheState[], before: readonly Claim[], seq: number) {
    const equal = 1 / caches.length
    const stay = before.filter(({ cache }) => caches.includes(cache))
    const sum = stay.reduce((all, { share }) => all + share, 0)
    for (const claim of stay) claim.share *= (stay.length * equal) / sum
    this.claims = caches.map((cache) => stay.find((claim) => claim.cache === cache) ?? new Claim(cache, equal))
    for (const { curve } of caches) curve?.watch(true)
    this.comparesAt = seq + PERIOD
  }

  /** No cache's curve has anything to tell any more. */
  end(): void {
    for (const { cache } of this.claims) cache.curve?.watch(false)
  }

  divided(e: Divided): void {
    this.gain = 0
    for (const { cache, to } of e.shares) {
      const claim = this.claims.find((one) => one.cache.name === cache)
      if (claim !== undefined) claim.share = to
    }
  }

  shareOf(cache: CacheState): number | null {
    return this.claims.find((claim) => claim.cache === cache)?.share ?? null
  }

  /** The cache that has most beyond its share of what is held, but for empty ones; `null` if all are. */
  mostBeyond(held: Readonly<Record<DivisionUnit, number>>, unit: DivisionUnit): CacheState | null {
    const { claims } = this
    const room = held[unit]
    let most: CacheState | null = null
    let beyond = Number.NEGATIVE_INFINITY
    for (let i = 0; i < claims.length; i++) {
      const { cache, share } = claims[i] as Claim
      const excess = cache[unit] - share * room
      if (cache.items === 0 || excess <= beyond) continue
      beyond = excess
      most = cache
    }
    return most
  }

  /** Finds the shares that would bring most, of room that is measured by what was wanting; `null`: nothing was. */
  compare(held: Readonly<Record<DivisionUnit, number>>, unit: DivisionUnit | null, seq: number): void {
    this.gain = 0
    this.comparesAt = seq + PERIOD
    const kept = Math.exp(-PERIOD / memoryOf(held.items))
    for (const claim of this.claims) claim.tally(kept)
    if (unit === null) return
    this.unit = unit
    const room = held[unit]
    const requests = this.claims.reduce((sum, claim) => sum + claim.requests, 0)
    if (room > 0 && requests > 0) this.gain = this.wish(unit, room) / requests
  }

  /** Returns what it would bring. */
  private wish(unit: DivisionUnit, room: number): number {
    const { claims } = this
    const equal = room / claims.length
    const claimants = claims.map((claim) => {
      const { curve, settings } = claim.cache
      const most = unit === 'items' ? settings.maxItems : settings.maxMemory
      return curve === null
        ? { least: equal, most: Math.min(most, equal), hull: concaveHull([]) }
        : { least: FLOOR * equal, most, hull: claim.hull(unit, room) }
    })
    let gain = 0
    for (const [i, part] of divide(room, claimants).entries()) {
      const claim = claims[i] as Claim
      const hull = claimants[i]?.hull as readonly Point[]
      claim.wished = part / room
      gain += ratioAt(hull, part) - ratioAt(hull, claim.share * room)
    }
    return gain
  }
}

function sizesUpTo(room: number, end: number): number[] {
  const within = Math.min(room, end)
  const sizes = Array.from({ length: POINTS }, (_, i) => within * ((i + 1) / POINTS) ** 2)
  if (end <= room) return sizes
  return sizes.concat(Array.from({ length: POINTS_BEYOND }, (_, i) => room * (end / room) ** ((i + 1) / POINTS_BEYOND)))
}

function memoryOf(entries: number): number {
  return Math.max(LEAST_MEMORY, MEMORY * entries)
}
