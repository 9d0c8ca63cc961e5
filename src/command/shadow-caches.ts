import type { MemoryManagerOptions } from '../base/options.ts'
import type { CacheSettings, PolicyName } from '../base/settings.ts'
import type { ShadowSettings } from '../base/shadow-options.ts'
import type { Stored } from '../event/catalogue.ts'
import type { CacheState } from '../fold/cache-state.ts'
import type { State } from '../fold/state.ts'
import type { Cache } from './cache.ts'

/** Entries of the smallest shadow, at most just below twice as many: then half of the keys are followed. */
const ENTRIES = 512
/** Hashes are 32 bits with a sign: those from the least on are followed. */
const LEAST_HASH = -(2 ** 31)
const HASHES = 2 ** 32
/** The shadows' own dice: under the live seed, the hashes of their keys would all begin alike. */
const OTHER_SEED = 0x5bd1e995

/** What a candidate would have done since the statistics were last reset. */
export interface ShadowStats {
  readonly policy: PolicyName
  readonly maxItems: number
  readonly maxMemoryBytes: number
  /** What it would have hit, 0–1; `null` before the first request. */
  readonly hitRate: number | null
  /** What the live caches have hit of the same requests. */
  readonly liveHitRate: number | null
  /** Requests so far, and those among them that were followed. */
  readonly requests: number
  readonly followed: number
  /** Share of the keys that is followed now. */
  readonly share: number
}

/** What a shadow needs of a manager. */
export interface ShadowManager {
  readonly settings: { readonly maxItems: number }
  cacheNames(): string[]
  cache(name: string, options?: object): Cache<unknown>
  drop(name: string): boolean
  setLimits(limits: object): void
  setPolicy(policy: PolicyName): void
  stats(): { readonly cacheItemCount: number }
  repetition(held: ReadonlySet<never>): unknown
  close(): Promise<void>
}

export type MakeManager = (options: MemoryManagerOptions) => ShadowManager

interface Candidate {
  readonly asked: ShadowSettings
  readonly memory: ShadowManager
  hits: number
  /** The key that was asked for last, if it would have been a hit: a store of it now would not have been. */
  spared: string | null
}

/**
 * Other policies and limits on live traffic: whole managers, as much smaller as the share of keys that they are given, by hash
 * (miniature simulation: Waldspurger, Saemundsson, Ahmad & Park, 2017). Keys and sizes only. What is followed follows from the
 * events alone.
 */
export class ShadowCaches {
  /** Keys with hashes up to this one are followed. */
  private threshold = -LEAST_HASH - 1
  private readonly state: State
  private readonly candidates: readonly Candidate[]
  private weight = 1
  private now: number
  private followed = 0
  /** Requests that those followed stand for, and hits of the live caches among them. */
  private weighted = 0
  private liveHits = 0
  private sinceReset = { hits: 0, misses: 0 }
  private stores = 0

  constructor(asked: readonly ShadowSettings[], state: State, make: MakeManager) {
    this.state = state
    this.now = state.at
    const least = Math.min(...asked.map(({ maxItems }) => maxItems ?? state.settings.maxItems))
    while (Number.isFinite(least) && least / this.weight >= 2 * ENTRIES) this.weight *= 2
    this.narrow()
    this.candidates = asked.map((settings) => {
      const memory = make({
        ...this.limits(settings),
        policy: settings.policy ?? state.settings.policy,
        optimize: state.settings.optimize,
        evictionThreshold: state.settings.evictionThreshold,
        evictionTarget: state.settings.evictionTarget,
        onFull: state.settings.onFull,
        maxCaches: state.settings.maxCaches,
        checkInterval: 0,
        pressure: false,
        seed: (state.seed ^ OTHER_SEED) >>> 0,
        clock: { now: () => this.now },
      })
      // Nothing happens in it but what it is told.
      memory.repetition(new Set())
      return { asked: settings, memory, hits: 0, spared: null }
    })
  }

  /** @param h the live entry where it was a hit, else `NONE`. */
  requested(cache: CacheState, key: string, hash: number, h: number, at: number): void {
    if (hash > this.threshold) return
    this.now = at
    this.followed++
    this.weighted += this.weight
    if (h >= 0) this.liveHits += this.weight
    for (const candidate of this.candidates) {
      const shadow = candidate.memory.cache(cache.name)
      const isHit = shadow.get(key) !== undefined
      if (isHit) candidate.hits += this.weight
      candidate.spared = isHit ? key : null
      // The live cache has it, and nobody will load it: whoever had missed it would have.
      if (!isHit && h >= 0) shadow.repeat(key, this.storedAs(h, at))
    }
  }

  stored(cache: CacheState, key: string, hash: number, isNew: boolean, stored: Stored, at: number): void {
    if (hash > this.threshold) return
    this.now = at
    for (const candidate of this.candidates) {
      const shadow = candidate.memory.cache(cache.name)
      const isSpared = isNew && candidate.spared === key && shadow.has(key)
      candidate.spared = null
      if (!isSpared) shadow.repeat(key, stored)
    }
    if (++this.stores % ENTRIES === 0) this.fit()
  }

  removed(cache: CacheState, key: string, hash: number, at: number): void {
    if (hash > this.threshold) return
    this.now = at
    for (const { memory } of this.candidates) memory.cache(cache.name).delete(key)
  }

  cleared(name: string, at: number): void {
    this.now = at
    for (const { memory } of this.candidates) memory.cache(name).clear()
  }

  /** Settings of the live caches have changed. */
  configured(at: number): void {
    this.now = at
    for (const { asked, memory } of this.candidates) {
      for (const name of memory.cacheNames()) if (!this.state.caches.has(name)) memory.drop(name)
      memory.setLimits(this.limits(asked))
      if (asked.policy === null) memory.setPolicy(this.state.settings.policy)
    }
  }

  reset(): void {
    this.followed = 0
    this.weighted = 0
    this.liveHits = 0
    for (const candidate of this.candidates) candidate.hits = 0
    this.sinceReset = this.live()
  }

  stats(): readonly ShadowStats[] {
    const live = this.live()
    const hits = live.hits - this.sinceReset.hits
    const requests = hits + live.misses - this.sinceReset.misses
    const liveHitRate = requests === 0 ? null : hits / requests
    // By how much it differs from the live caches on the same requests: whether the sample has its share of the most frequent
    // keys matters to both alike.
    const ahead = ({ hits: own }: Candidate): number =>
      this.weighted === 0 ? 0 : (own - this.liveHits) / this.weighted
    return this.candidates.map((candidate) => ({
      policy: candidate.asked.policy ?? this.state.settings.policy,
      maxItems: candidate.asked.maxItems ?? this.state.settings.maxItems,
      maxMemoryBytes: candidate.asked.maxMemory ?? this.state.settings.maxMemory,
      hitRate: liveHitRate === null ? null : Math.min(1, Math.max(0, liveHitRate + ahead(candidate))),
      liveHitRate,
      requests,
      followed: this.followed,
      share: 1 / this.weight,
    }))
  }

  close(): void {
    for (const { memory } of this.candidates) void memory.close()
  }

  private live(): { hits: number; misses: number } {
    const sum = { hits: this.state.dropped.hits, misses: this.state.dropped.misses }
    for (const { counts } of this.state.cacheList) {
      sum.hits += counts.hits
      sum.misses += counts.misses
    }
    return sum
  }

  private storedAs(h: number, at: number): Stored {
    const { columns } = this.state
    const ttl = (columns.expiresAt[h] as number) - (columns.storedAt[h] as number)
    return {
      size: columns.size[h] as number,
      offHeap: this.state.offHeapOf(h),
      expiresAt: at + ttl,
      cost: this.state.costOf(h),
      tags: null,
      prefix: null,
      actor: null,
      traceId: null,
    }
  }

  /** Follows half of the keys where the shadows have more entries than it takes. */
  private fit(): void {
    const least = Math.min(...this.candidates.map(({ memory }) => memory.stats().cacheItemCount))
    if (least < 2 * ENTRIES) return
    this.weight *= 2
    this.narrow()
    const { hasher } = this.state
    for (const { memory, asked } of this.candidates) {
      for (const name of memory.cacheNames()) {
        const shadow = memory.cache(name)
        for (const key of [...shadow.keys()]) if (hasher.hash(key) > this.threshold) shadow.delete(key)
      }
      memory.setLimits(this.limits(asked))
    }
  }

  private narrow(): void {
    this.threshold = LEAST_HASH + Math.floor(HASHES / this.weight) - 1
  }

  private limits({ maxItems, maxMemory }: ShadowSettings) {
    const { settings } = this.state
    const items = maxItems ?? settings.maxItems
    const bytes = maxMemory ?? settings.maxMemory
    return {
      maxItems: this.scaled(items),
      maxMemory: this.scaled(bytes),
      maxHeap: this.scaled((settings.maxHeap / settings.maxMemory) * bytes || Number.POSITIVE_INFINITY),
      caches: Object.fromEntries(
        Object.entries(settings.caches).map(([name, own]: [string, CacheSettings]) => [
          name,
          {
            // A cache's own limit above that of all never binds, and is no option beside it.
            maxItems: this.scaled(own.maxItems > items ? Number.POSITIVE_INFINITY : own.maxItems),
            maxMemory: this.scaled(own.maxMemory > bytes ? Number.POSITIVE_INFINITY : own.maxMemory),
            ttl: own.ttl,
          },
        ]),
      ),
    }
  }

  private scaled(limit: number): number {
    return Number.isFinite(limit) ? Math.max(1, Math.round(limit / this.weight)) : limit
  }
}
