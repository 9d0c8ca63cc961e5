import assert from 'node:assert/strict'
import type { CacheSettings, Settings } from '../../src/base/settings.ts'
import type { LimitName } from '../../src/event/vocabulary.ts'
import { type CacheFigures, type Entry, noFigures, noSample } from './reference-entries.ts'

/** What is about to be stored. */
export interface Store {
  readonly value: unknown
  readonly size: number
  readonly offHeap: number
  /** Whether the call said the size. */
  readonly isStated: boolean
  readonly ttl: number | undefined
  readonly cost: number
  readonly tags: readonly string[]
  readonly actor: string | null
}

/** What the reference model holds, and what the limits say of it: plain arrays, summed up anew each time. */
export class ReferenceContents {
  settings: Settings
  now: number
  /** Of all caches, in the order in which they were added. */
  entries: Entry[] = []
  readonly caches = new Map<string, CacheFigures>()
  /** What the statistics count of all caches since they were reset. */
  since: { cycles: number; warnings: number; lastEviction: number | null } = {
    cycles: 0,
    warnings: 0,
    lastEviction: null,
  }
  lastCheck: number | null = null

  constructor(settings: Settings, now: number) {
    this.settings = settings
    this.now = now
    for (const [name, cache] of Object.entries(settings.caches)) this.makeCache(name, cache)
  }

  /** The clock, as the manager reads it: whole milliseconds, never backwards, and never NaN. */
  clockIs(time: number): void {
    this.now = Math.max(this.now, Math.floor(time))
  }

  makeCache(name: string, settings: CacheSettings): void {
    this.caches.set(name, { settings, counts: noFigures(), sample: noSample() })
    this.settings = { ...this.settings, caches: { ...this.settings.caches, [name]: settings } }
  }

  figuresOf(cache: string): CacheFigures {
    return this.caches.get(cache) as CacheFigures
  }

  of(cache: string | null): Entry[] {
    return cache === null ? this.entries : this.entries.filter((entry) => entry.cache === cache)
  }

  find(cache: string, key: string): Entry | undefined {
    return this.entries.find((entry) => entry.cache === cache && entry.key === key)
  }

  /** The entry, unless it is past its time. */
  live(cache: string, key: string): Entry | undefined {
    const entry = this.find(cache, key)
    return entry !== undefined && entry.expiresAt > this.now ? entry : undefined
  }

  bytes(cache: string | null = null): number {
    return this.of(cache).reduce((sum, { size }) => sum + size, 0)
  }

  heapBytes(): number {
    return this.entries.reduce((sum, { size, offHeap }) => sum + size - offHeap, 0)
  }

  usage(): number {
    return Math.max(this.bytes() / this.settings.maxMemory, this.heapBytes() / this.settings.maxHeap)
  }

  due(cache: string | null = null): Entry[] {
    return this.of(cache).filter(({ expiresAt }) => expiresAt <= this.now)
  }

  /** The limit that present contents break, as the cache itself sees it, or `null`. */
  exceeded(cache: string): LimitName | null {
    const limits = this.figuresOf(cache).settings
    if (this.of(cache).length > limits.maxItems) return 'cache-items'
    if (this.bytes(cache) > limits.maxMemory) return 'cache-memory'
    if (this.entries.length > this.settings.maxItems) return 'items'
    if (this.bytes() > this.settings.maxMemory) return 'memory'
    return this.heapBytes() > this.settings.maxHeap ? 'heap' : null
  }

  impossible(cache: string, size: number, offHeap: number): LimitName {
    if (size > this.figuresOf(cache).settings.maxMemory) return 'cache-memory'
    return size > this.settings.maxMemory ? 'memory' : this.impossibleOnHeap(size - offHeap)
  }

  impossibleOnHeap(heapBytes: number): LimitName {
    assert.ok(heapBytes > this.settings.maxHeap)
    return 'heap'
  }

  /** The first limit that storing would break now. */
  broken(cache: string, { size, offHeap }: Store, replaced: Entry | undefined): LimitName | null {
    const others = this.entries.filter((entry) => entry !== replaced)
    const own = others.filter((entry) => entry.cache === cache)
    const limits = this.figuresOf(cache).settings
    const sum = (entries: readonly Entry[], of: (entry: Entry) => number): number =>
      entries.reduce((total, entry) => total + of(entry), 0)
    if (own.length + 1 > limits.maxItems) return 'cache-items'
    if (sum(own, (entry) => entry.size) + size > limits.maxMemory) return 'cache-memory'
    if (others.length + 1 > this.settings.maxItems) return 'items'
    if (sum(others, (entry) => entry.size) + size > this.settings.maxMemory) return 'memory'
    return sum(others, (entry) => entry.size - entry.offHeap) + size - offHeap > this.settings.maxHeap ? 'heap' : null
  }

  limitValue(cache: string, name: LimitName): number {
    const { settings } = this.figuresOf(cache)
    const { maxMemory, maxHeap, maxItems } = this.settings
    return {
      memory: maxMemory,
      heap: maxHeap,
      items: maxItems,
      'cache-items': settings.maxItems,
      'cache-memory': settings.maxMemory,
    }[name]
  }

  /** Whether a write after which so much is held starts a cycle; an item above the target doesn't. */
  startsCycle(size: number, offHeap: number, bytes: number, heapBytes: number): boolean {
    const { evictionThreshold, maxMemory, maxHeap } = this.settings
    if (evictionThreshold === 1 || !this.fitsTarget(size, offHeap)) return false
    return bytes >= evictionThreshold * maxMemory || heapBytes >= evictionThreshold * maxHeap
  }

  /** Whether a cycle could make room for such an item: its target is rounded down to whole bytes. */
  fitsTarget(size: number, offHeap: number): boolean {
    const { evictionTarget, maxMemory, maxHeap } = this.settings
    return size <= Math.floor(evictionTarget * maxMemory) && size - offHeap <= Math.floor(evictionTarget * maxHeap)
  }
}
