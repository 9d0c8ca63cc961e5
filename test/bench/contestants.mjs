// Each contestant is one complete cache behind get-or-set, made for `capacity` entries; sizes are stated on both sides.
import { CacheableMemory } from '@cacheable/memory'
import { LRUCache } from 'lru-cache'
import { LRUMapWithDelete } from 'mnemonist'
import { newCache } from 'transitory'
import { MemoryManager } from '../../dist/muninn.js'

/** What the observers have seen last; written, so that V8 can't leave them out. */
export const told = { seq: 0 }

/** Bytes that every entry states. */
const SIZE = 100
const TTL = 3_600_000

function muninn(policy, { observers = 0, sizing = 'stated' } = {}) {
  return (capacity) => {
    exerciseAllPolicies()
    const memory = new MemoryManager({
      policy,
      maxItems: capacity,
      maxMemory: SIZE * capacity * 1000,
      maxHeap: SIZE * capacity * 1000,
    })
    for (let i = 0; i < observers; i++) {
      memory.events$.subscribe((event) => {
        told.seq = event.seq
      })
    }
    const cache = memory.cache('bench', { ttl: TTL })
    const options = { size: SIZE }
    const set =
      sizing === 'stated' ? (key, value) => cache.set(key, value, options) : (key, value) => cache.set(key, value)
    return { get: (key) => cache.get(key), set, close: () => memory.close() }
  }
}

let exercised = false

/** A process that has run only one policy is faster than a user's: V8 then inlines that policy's calls. */
function exerciseAllPolicies() {
  if (exercised) return
  exercised = true
  for (const policy of ['lru', 'lfu', 'ttl', 'size', 'hybrid']) {
    const memory = new MemoryManager({ policy, maxItems: 500, maxMemory: 1e9, maxHeap: 1e9 })
    const cache = memory.cache('warm', { ttl: TTL })
    for (let i = 0; i < 20_000; i++) {
      const key = `warm:${(i * 7919) % 997}`
      if (cache.get(key) === undefined) cache.set(key, i, { size: 1 + (i % 10) })
    }
    memory.close()
  }
}

export const contestants = {
  'lru-cache': (capacity) => {
    const cache = new LRUCache({
      max: capacity,
      maxSize: SIZE * capacity * 1000,
      sizeCalculation: () => SIZE,
      ttl: TTL,
      dispose: () => {},
    })
    return { get: (key) => cache.get(key), set: (key, value) => cache.set(key, value) }
  },
  mnemonist: (capacity) => {
    const cache = new LRUMapWithDelete(capacity)
    return { get: (key) => cache.get(key), set: (key, value) => cache.set(key, value) }
  },
  '@cacheable/memory': (capacity) => {
    const cache = new CacheableMemory({ lruSize: capacity, ttl: TTL, useClone: false, checkInterval: 0 })
    return { get: (key) => cache.get(key), set: (key, value) => cache.set(key, value) }
  },
  transitory: (capacity) => {
    const cache = newCache().maxSize(capacity).expireAfterWrite(TTL).build()
    return { get: (key) => cache.getIfPresent(key) ?? undefined, set: (key, value) => cache.set(key, value) }
  },
  'muninn lru': muninn('lru'),
  'muninn lru, 3 observers': muninn('lru', { observers: 3 }),
  'muninn lru, heap sizing': muninn('lru', { sizing: 'heap' }),
  'muninn hybrid': muninn('hybrid'),
  'muninn hybrid, 3 observers': muninn('hybrid', { observers: 3 }),
}
