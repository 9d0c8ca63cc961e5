import { SeededRandom } from '../../base/random.ts'
import type { Cache, MemoryManager } from '../../muninn.ts'

/** One step of the workload, in ms; time in it is counted in steps, so that the same seed asks for the same keys. */
export const STEP = 100
const SECOND = 1000 / STEP
/** A day of the demonstration: two minutes. */
const DAY = 120 * SECOND
/** Every third day a new version is deployed: the process starts anew, and pages are twice, or again half, the size. */
const DEPLOY_EVERY = 3 * DAY
const DEPLOY_AT = 0.45 * DAY
/** Once a day somebody exports everything, for this long. */
const SCAN_AT = 0.15 * DAY
const SCAN_FOR = 8 * SECOND
const SCAN_PER_STEP = 10

/** Requests a step, at night and at noon. */
const NIGHT = 4
const NOON = 18

const CHECK_EVERY = 2 * SECOND

/** What one kind of request asks for: keys of some popularity, values of some size. */
interface Kind {
  readonly cache: string
  /** Of the requests, in parts of all kinds' sum. */
  readonly weight: number
  readonly keys: number
  /** 1: all keys alike; the larger, the fewer make most of the requests. */
  readonly skew: number
  readonly key: (rank: number) => string
  /** Bytes, smallest and largest. */
  readonly size: readonly [number, number]
  /** Whether a deploy changes its size. */
  readonly versioned: boolean
  readonly ttl: number
  /** What a miss costs: ms of a loader, smallest and largest. */
  readonly cost: readonly [number, number]
}

const KINDS: readonly Kind[] = [
  {
    cache: 'tenant',
    weight: 9,
    keys: 900,
    skew: 6,
    key: (rank) => `settings:${1000 + rank}`,
    size: [1200, 5200],
    versioned: false,
    ttl: 600_000,
    cost: [4, 15],
  },
  {
    cache: 'tenant',
    weight: 4,
    keys: 260,
    skew: 4,
    key: (rank) => `quota:${1000 + rank * 3}`,
    size: [300, 600],
    versioned: false,
    ttl: 60_000,
    cost: [2, 6],
  },
  {
    cache: 'mimir',
    weight: 6,
    keys: 640,
    skew: 7,
    key: (rank) => `query/${(rank * 2_654_435_761).toString(36).slice(-6)}/rate5m`,
    size: [6000, 64_000],
    versioned: false,
    ttl: 180_000,
    cost: [40, 420],
  },
  {
    cache: 'mimir',
    weight: 2,
    keys: 90,
    skew: 3,
    key: (rank) => `labels/service-${rank}`,
    size: [800, 3000],
    versioned: false,
    ttl: 120_000,
    cost: [10, 60],
  },
  {
    cache: 'general',
    weight: 8,
    keys: 1400,
    skew: 7,
    key: (rank) => `page:/articles/${rank}`,
    size: [8000, 30_000],
    versioned: true,
    ttl: 900_000,
    cost: [25, 90],
  },
  {
    cache: 'general',
    weight: 7,
    keys: 3000,
    skew: 7,
    key: (rank) => `session:${(rank * 40_503).toString(16).padStart(8, '0')}`,
    size: [500, 1400],
    versioned: false,
    ttl: 240_000,
    cost: [1, 3],
  },
]
const WEIGHTS = KINDS.reduce((sum, kind) => sum + kind.weight, 0)

/**
 * A believable day of three caches, over and over: quiet nights and busy noons, an export that reads everything once,
 * invalidations from outside, deploys that double what pages weigh. What it asks for depends on the seed and the step.
 */
export class Workload {
  private readonly random: SeededRandom
  private step: number

  /** @param step the one that comes first. */
  constructor(seed: number, step = 0) {
    this.random = new SeededRandom(seed + step)
    this.step = step
  }

  /** Whether the step that comes next is the first of a new version. */
  get deploys(): boolean {
    return this.step % DEPLOY_EVERY === DEPLOY_AT
  }

  /** One step's requests; a check of the manager every two seconds. */
  run(memory: MemoryManager): void {
    const day = (this.step % DAY) / DAY
    const busy = NIGHT + (NOON - NIGHT) * Math.sin(Math.PI * day) ** 2
    for (let request = 0; request < busy; request++) this.request(memory)
    const scanning = this.step % DAY >= SCAN_AT && this.step % DAY < SCAN_AT + SCAN_FOR
    if (scanning) this.scan(memory)
    if (this.random.fraction() < 0.3) this.invalidate(memory)
    if (this.step % CHECK_EVERY === 0) memory.check()
    this.step++
  }

  private request(memory: MemoryManager): void {
    const kind = this.kind()
    const rank = Math.floor(kind.keys * this.random.fraction() ** kind.skew)
    const cache = memory.cache(kind.cache)
    const key = kind.key(rank)
    if (cache.get(key) !== undefined) return
    const heavier = kind.versioned && Math.floor((this.step - DEPLOY_AT) / DEPLOY_EVERY) % 2 === 0 ? 2 : 1
    // An entry's size is its own, however often it is loaded.
    const own = ((rank * 7919) % 1000) / 1000
    const size = Math.round(between(kind.size, own ** 2)) * heavier
    const cost = Math.round(between(kind.cost, this.random.fraction()))
    cache.set(key, { key, version: heavier, rank }, { size, cost, ttl: kind.ttl, actor: 'web' })
  }

  private kind(): Kind {
    let rest = this.random.fraction() * WEIGHTS
    for (const kind of KINDS) {
      rest -= kind.weight
      if (rest < 0) return kind
    }
    return KINDS[0] as Kind
  }

  /** Each of these keys is asked for once a day, and stored as if it would come again. */
  private scan(memory: MemoryManager): void {
    const cache = memory.cache('general')
    const [day, steps] = [Math.floor(this.step / DAY), (this.step % DAY) - SCAN_AT]
    for (let n = 0; n < SCAN_PER_STEP; n++) {
      const exported = (day * SCAN_FOR + steps) * SCAN_PER_STEP + n
      const key = `export:2026-${String(exported % 100_000).padStart(5, '0')}`
      if (cache.get(key) === undefined) {
        cache.set(key, { key }, { size: 9000 + Math.round(9000 * this.random.fraction()), cost: 12, actor: 'export' })
      }
    }
  }

  private invalidate(memory: MemoryManager): void {
    const kind = this.kind()
    const cache: Cache = memory.cache(kind.cache)
    cache.delete(kind.key(Math.floor(kind.keys * this.random.fraction() ** kind.skew)), { actor: 'webhook' })
  }
}

function between([least, most]: readonly [number, number], share: number): number {
  return least + (most - least) * share
}
