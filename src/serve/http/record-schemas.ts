import { Type } from '#typebox'
import { AUDIT_LEVELS } from '../../base/audit-options.ts'
import { OPTIMIZES, POLICIES } from '../../base/settings.ts'
import { EVICTION_CAUSES, LEVELS, PEAK_METRICS } from '../../event/vocabulary.ts'
import { Bytes, CacheName, Fields, List, Milliseconds, Nullable, Share, Text, Time } from './schemas.ts'

/* Rows of the audit log, as `answers.ts` writes them. */

const Run = Type.String({ description: 'Id of the run.', examples: ['BcQwfg9wa__vSj2HP4U4X'] })
const Seq = Type.Integer({ description: 'Number of the event in its run.' })
const Policy = Type.Enum(POLICIES)
const Cause = Type.Enum(EVICTION_CAUSES)
const Trigger = Type.Enum(['threshold', 'pressure', 'forced', 'limit-lowered'])
const Key = Type.String({ description: 'Hashed, where keys are redacted.' })

export const Eviction = Type.Object(
  {
    run: Run,
    seq: Seq,
    at: Time,
    cache: CacheName,
    key: Key,
    cause: Cause,
    policy: Policy,
    size: Bytes,
    hits: Type.Number(),
    storedAt: Time,
    storedBy: Text,
    age: Milliseconds,
    idle: Milliseconds,
    ttlLeft: Nullable(Milliseconds),
    cost: Type.Number(),
    score: Type.Number({ description: "The policy's, in its own unit." }),
    runnerUp: Nullable(Type.String({ description: 'Key of the entry that would have gone next.' })),
    runnerUpScore: Nullable(Type.Number()),
    trigger: Nullable(Type.Object({ cache: Type.String(), key: Key, size: Bytes }), {
      description: 'The write that needed room.',
    }),
    cycle: Text,
    mode: Nullable(Type.String({ description: 'By which of its modes the policy ran the cache.' })),
    modeSince: Nullable(Time, { description: 'Null: from the beginning.' }),
    missedAt: Nullable(Time, { description: 'Its first miss afterwards, where it was still remembered.' }),
  },
  {
    examples: [
      {
        run: 'BcQwfg9wa__vSj2HP4U4X',
        seq: 7238,
        at: '2026-01-31T14:00:00.000Z',
        cache: 'tenant',
        key: 'acme:user:42',
        cause: 'cache-items',
        policy: 'lru',
        size: 371,
        hits: 7,
        storedAt: '2026-01-31T13:00:00.000Z',
        storedBy: 'http',
        age: 3_600_000,
        idle: 1_200_000,
        ttlLeft: null,
        cost: 0,
        score: 6120,
        runnerUp: 'acme:user:7',
        runnerUpScore: 6121,
        trigger: { cache: 'tenant', key: 'globex:user:1', size: 402 },
        cycle: null,
        mode: null,
        modeSince: null,
        missedAt: '2026-01-31T14:00:03.000Z',
      },
    ],
  },
)

const Limit = Nullable(Type.Number())

/** Settings as the options of the library spell them. */
const Settings = Type.Object({
  maxMemory: Limit,
  maxHeap: Limit,
  maxItems: Limit,
  memoryThreshold: Share,
  evictionThreshold: Share,
  evictionTarget: Share,
  policy: Policy,
  optimize: Type.Optional(Type.Enum(OPTIMIZES, { description: 'What hybrid makes as many as possible of.' })),
  onFull: Type.Enum(['evict', 'reject']),
  sizing: Type.Enum(['heap', 'payload', 'function']),
  checkInterval: Milliseconds,
  maxCaches: Type.Number(),
  caches: Type.Record(Type.String(), Type.Object({ maxItems: Limit, maxMemory: Limit, ttl: Limit })),
})

export const RunRow = Type.Object({
  run: Run,
  level: Type.Enum(AUDIT_LEVELS),
  startedAt: Time,
  stoppedAt: Nullable(Time),
  state: Type.Enum(['running', 'closed', 'crashed']),
  exitCode: Nullable(Type.Integer()),
  version: Type.String(),
  node: Type.String(),
  host: Type.String(),
  pid: Type.Integer(),
  settings: Settings,
  redaction: Nullable(Type.Enum(['prefix', 'whole', 'all'])),
  lastSeq: Seq,
  lastAt: Time,
  evictedItems: Type.Number(),
  evictedBytes: Bytes,
  cycles: Type.Number(),
  warnings: Type.Number(),
  peakMemoryBytes: Bytes,
  peakMemoryAt: Nullable(Time),
  lostEvents: Type.Number(),
})

export const Cycle = Type.Object({
  run: Run,
  cycle: Type.String(),
  seq: Seq,
  startedAt: Time,
  completedAt: Nullable(Time),
  trigger: Trigger,
  policy: Policy,
  cache: Text,
  count: Nullable(Type.Number()),
  bytes: Nullable(Bytes),
  usageBefore: Share,
  usageAfter: Nullable(Share),
})

export const ChangeRow = Type.Object({
  run: Run,
  seq: Seq,
  at: Time,
  type: Type.Enum(['configured', 'budget-changed', 'cycle-started', 'cleared', 'stats-reset']),
  cache: Text,
  actor: Text,
  traceId: Text,
  text: Type.String({ description: 'One sentence.' }),
  data: Fields,
})

export const PrefixShare = Type.Object(
  { cache: CacheName, prefix: Type.String(), bytes: Bytes, error: Bytes },
  { description: 'Bytes stored by keys of one prefix, too high by at most `error`.' },
)

export const Warning = Type.Object({
  run: Run,
  seq: Seq,
  at: Time,
  level: Type.Enum(['warning', 'critical', 'emergency', 'recovered']),
  from: Type.Enum(LEVELS),
  to: Type.Enum(LEVELS),
  usage: Share,
  threshold: Share,
  bytes: Bytes,
  heapBytes: Bytes,
  since: Type.Object({
    at: Time,
    bytesAdded: Bytes,
    // Absent from logs of 0.1.0.
    caches: Type.Optional(List(Type.Object({ cache: Type.String(), bytes: Bytes }))),
    writers: List(PrefixShare),
  }),
  timeLeft: Nullable(Milliseconds),
})

const Holding = { cache: CacheName, items: Type.Number(), bytes: Bytes }

export const Peak = Type.Object({
  run: Run,
  seq: Seq,
  metric: Type.Enum(PEAK_METRICS),
  value: Type.Number(),
  at: Time,
  held: Nullable(
    Type.Object({
      caches: List(Type.Object(Holding)),
      prefixes: List(Type.Object({ ...Holding, prefix: Type.String() })),
      counted: Type.Number(),
      items: Type.Number(),
    }),
    { description: 'What held the memory: the largest ten; prefixes are estimated where counted is below items.' },
  ),
})

export const Sample = Type.Object({
  run: Run,
  seq: Seq,
  at: Time,
  memory_bytes: Bytes,
  heap_bytes: Bytes,
  item_count: Type.Number(),
  usage: Share,
  alert_level: Type.Enum(LEVELS),
  rss: Bytes,
  heap_used: Bytes,
  caches: List(
    Type.Object({
      name: CacheName,
      items: Type.Number(),
      bytes: Bytes,
      hits: Type.Number(),
      misses: Type.Number(),
      bytes_added: Bytes,
      writers: List(Type.Object({ prefix: Type.String(), bytes: Bytes, error: Bytes })),
    }),
  ),
})

export const LifeEvent = Type.Object({
  run: Run,
  seq: Seq,
  at: Time,
  type: Type.String(),
  cache: CacheName,
  text: Type.String({ description: 'One sentence.' }),
  data: Fields,
})

export const StateEntry = Type.Object({
  run: Run,
  cache: CacheName,
  key: Key,
  seq: Seq,
  size: Bytes,
  storedAt: Time,
  expiresAt: Nullable(Time),
  isExpired: Type.Boolean({ description: 'Past its time, and still held.' }),
  cost: Type.Number(),
  tags: List(Type.String()),
  actor: Text,
  traceId: Text,
})

export const StateOfRun = Type.Object({ run: Run, seq: Seq, caches: List(Type.Object(Holding)) })

export const RunVerification = Type.Object({
  run: Run,
  state: Type.Enum(['intact', 'broken', 'not covered']),
  batches: Type.Number(),
  rows: Type.Number(),
  uncoveredRows: Type.Number(),
  retiredTo: Nullable(Seq),
  lastSeq: Seq,
  hash: Text,
  fault: Nullable(
    Type.Object({
      first: Seq,
      last: Seq,
      kind: Type.Enum(['changed', 'missing', 'added', 'reordered']),
      table: Text,
      seq: Nullable(Seq),
      text: Type.String(),
    }),
  ),
})

export const Anchor = Type.Object(
  {
    madeAt: Type.Number({ description: 'Epoch ms.' }),
    points: List(Type.Object({ run: Run, seq: Seq, hash: Type.String() })),
  },
  { description: 'Kept elsewhere, it is for a later verification: `muninn verify --anchor`.' },
)
