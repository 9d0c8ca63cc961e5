import { hostname } from 'node:os'
import type { Settings } from '../../src/base/settings.ts'
import type { EventOf, EventType, MuninnEvent } from '../../src/event/catalogue.ts'

export const SETTINGS: Settings = {
  maxMemory: 1_000_000,
  maxHeap: Number.POSITIVE_INFINITY,
  maxItems: 100,
  memoryThreshold: 0.8,
  evictionThreshold: 0.9,
  evictionTarget: 0.8,
  policy: 'lru',
  optimize: 'hits',
  onFull: 'evict',
  sizing: 'heap',
  checkInterval: 30_000,
  maxCaches: 1000,
  caches: { tenant: { maxItems: 50, maxMemory: Number.POSITIVE_INFINITY, ttl: 60_000 } },
}

const NOBODY = { actor: null, traceId: null }
const STORED = {
  ...NOBODY,
  size: 100,
  offHeap: 0,
  expiresAt: Number.POSITIVE_INFINITY,
  cost: 0,
  tags: null,
  prefix: 'k',
}
const LEFT = { age: 5_000, hits: 2, size: 100 }

export type Fields = { readonly [T in EventType]: Omit<EventOf<T>, 'seq' | 'at' | 'type'> }

/** Plausible fields for each type of event. */
const FIELDS: Fields = {
  added: { cache: 'tenant', key: 'k', ...STORED },
  updated: { cache: 'tenant', key: 'k', ...STORED, previousSize: 50, previousAge: 1_000, previousHits: 1 },
  accessed: { cache: 'tenant', key: 'k', age: 10 },
  missed: { cache: 'tenant', key: 'k', cause: 'absent', regret: null, firstRegret: false },
  expired: { cache: 'tenant', key: 'k', ...LEFT, idle: 400 },
  evicted: {
    cache: 'tenant',
    key: 'k',
    ...LEFT,
    cause: 'items',
    policy: 'lru',
    storedAt: 1_000,
    storedBy: null,
    idle: 400,
    ttlLeft: Number.POSITIVE_INFINITY,
    cost: 0,
    score: 7,
    runnerUp: 'next',
    runnerUpScore: 8,
    mode: null,
    modeSince: null,
    trigger: { cache: 'mimir', key: 'newcomer', size: 2_048 },
    cycle: null,
  },
  removed: { cache: 'tenant', key: 'k', ...LEFT, ...NOBODY, cause: 'deleted' },
  cleared: { cache: 'tenant', count: 3, bytes: 300, ...NOBODY },
  rejected: {
    cache: 'tenant',
    key: 'k',
    size: 2_000_000,
    reason: 'too-large',
    limitName: 'memory',
    limit: 1_000_000,
    ...NOBODY,
  },
  warned: {
    level: 'warning',
    from: 'normal',
    to: 'warning',
    usage: 0.85,
    threshold: 0.8,
    bytes: 850_000,
    heapBytes: 850_000,
    since: {
      at: 0,
      bytesAdded: 850_000,
      caches: [{ cache: 'tenant', bytes: 850_000 }],
      writers: [{ cache: 'tenant', prefix: 'user', bytes: 800_000, error: 0 }],
    },
    timeLeft: null,
  },
  'cycle-started': {
    cycle: 'cycle-1',
    trigger: 'threshold',
    policy: 'lru',
    cache: null,
    bytes: 900_000,
    items: 90,
    usage: 0.9,
    targetBytes: 800_000,
    targetHeapBytes: 800_000,
    ...NOBODY,
  },
  'cycle-continued': {
    cycle: 'cycle-1',
    trigger: 'threshold',
    policy: 'lru',
    count: 1,
    bytes: 100,
    usage: 0.85,
  },
  'cycle-completed': {
    cycle: 'cycle-1',
    trigger: 'threshold',
    policy: 'lru',
    cache: null,
    count: 10,
    bytes: 100_000,
    usageBefore: 0.9,
    usageAfter: 0.8,
    duration: 3,
  },
  checked: {
    bytes: 500_000,
    heapBytes: 400_000,
    items: 60,
    usage: 0.5,
    level: 'normal',
    rss: 1,
    heapUsed: 1,
    caches: [
      { cache: 'tenant', items: 60, bytes: 500_000, hits: 5, misses: 1, bytesAdded: 10, writers: [], curve: null },
    ],
  },
  peaked: {
    metric: 'bytes',
    value: 700_000,
    previous: 600_000,
    peakedAt: 1_500,
    held: {
      caches: [{ cache: 'tenant', items: 70, bytes: 700_000 }],
      prefixes: [{ cache: 'tenant', prefix: 'user', items: 70, bytes: 700_000 }],
      counted: 70,
      items: 70,
    },
  },
  configured: { from: { maxItems: 100 }, to: { maxItems: 200 }, reason: 'limits', ...NOBODY },
  'budget-changed': {
    from: { maxMemory: 2, maxHeap: 2 },
    to: { maxMemory: 1, maxHeap: 1 },
    stated: { maxMemory: 2, maxHeap: 2 },
    reason: 'pressure',
    evidence: {
      watched: 'heap',
      source: 'V8 old generation',
      used: 80,
      limit: 100,
      afterCollection: true,
      held: 20,
      heapUsed: 80,
      rss: 200,
      growth: 5,
      collecting: 0.1,
      stalled: null,
    },
    mayUse: null,
  },
  remeasured: {
    sampled: 2,
    bytesBefore: 30,
    bytesAfter: 40,
    entries: [{ cache: 'tenant', key: 'user:1', size: 20, offHeap: 0, previousSize: 10 }],
  },
  adapted: { policy: 'hybrid', cache: 'tenant', from: 'lirs-lfu', to: 'lru', reason: 'c' },
  divided: {
    policy: 'hybrid',
    unit: 'items',
    shares: [
      { cache: 'tenant', from: 0.5, to: 0.6, wished: 0.9, requests: 0.7, hitRatio: 0.4 },
      { cache: 'mimir', from: 0.5, to: 0.4, wished: 0.1, requests: 0.3, hitRatio: 0.2 },
    ],
    gain: 0.01,
  },
  'clock-changed': { from: 0, to: 5 },
  'stats-reset': NOBODY,
  started: {
    runId: 'run',
    version: '0.0.0',
    seed: 1,
    settings: SETTINGS,
    host: hostname(),
    pid: process.pid,
    node: process.version,
    mayUse: {
      bytes: 4_000_000,
      source: 'test',
      sources: [{ source: 'test', bytes: 4_000_000 }],
      heapLimit: 2_000_000,
      heapSource: 'test',
      heapSources: [{ source: 'test', bytes: 2_000_000 }],
    },
  },
  stopped: { reason: 'close', code: null, error: null },
  loaded: { cache: 'tenant', key: 'k', duration: 12 },
  'load-failed': { cache: 'tenant', key: 'k', duration: 12, error: 'Error' },
}

/** Makes one run's events by hand, each with the next `seq`, at a time that the test says. */
export class Run {
  readonly id: string
  seq = 0
  at = 1_000

  constructor(id: string) {
    this.id = id
  }

  started(over: Partial<Fields['started']> = {}): MuninnEvent {
    return this.event('started', { runId: this.id, ...over })
  }

  event<T extends EventType>(type: T, over: Partial<Fields[T]> = {}): MuninnEvent {
    this.seq++
    // Each type's fields are complete above, and an override only replaces some.
    return { seq: this.seq, at: this.at, type, ...FIELDS[type], ...over } as unknown as MuninnEvent
  }
}
