export const POLICIES = ['lru', 'lfu', 'ttl', 'size', 'hybrid'] as const
/** An order in which entries are given up. */
export type PolicyName = (typeof POLICIES)[number]

export const OPTIMIZES = ['hits', 'bytes', 'cost'] as const
/** What `hybrid` makes as many as possible of where bytes bind: hits, bytes hit, or costs (`cost` of `set`) saved. */
export type Optimize = (typeof OPTIMIZES)[number]

/** Limits and defaults of one named cache. `Infinity`: no limit of its own, no TTL. */
export interface CacheSettings {
  readonly maxItems: number
  /** Bytes. */
  readonly maxMemory: number
  /** Milliseconds from each store. */
  readonly ttl: number
}

/** Everything settable that the state depends on; all resolved (no defaults pending, no text). */
export interface Settings {
  /** The memory budget, in bytes. */
  readonly maxMemory: number
  /** The heap budget: bytes on the V8 heap, that is all but what lies behind Buffers and typed arrays. */
  readonly maxHeap: number
  readonly maxItems: number
  /** Shares of the budget, 0–1. */
  readonly memoryThreshold: number
  readonly evictionThreshold: number
  readonly evictionTarget: number
  readonly policy: PolicyName
  readonly optimize: Optimize
  readonly onFull: 'evict' | 'reject'
  readonly sizing: 'heap' | 'payload' | 'function'
  /** Milliseconds; 0: no periodic check. */
  readonly checkInterval: number
  readonly maxCaches: number
  readonly caches: Readonly<Record<string, CacheSettings>>
}

/** A change of settings: only what changed; a cache that is `null` was dropped (in `to`) or is new (in `from`). */
export type SettingsChange = Partial<Omit<Settings, 'caches'>> & {
  readonly caches?: Readonly<Record<string, CacheSettings | null>>
}
