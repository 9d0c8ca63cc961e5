import { Type } from '#typebox'
import { EVICTION_CAUSES } from '../../event/vocabulary.ts'
import { Eviction, PrefixShare, RunRow, Sample, Warning } from './record-schemas.ts'
import { Bytes, CacheName, Fields, List, Milliseconds, Nullable, Share, Text, Time } from './schemas.ts'

/* What follows from the audit log, as `analysis-answers.ts` writes it. */

const Count = Type.Number()

export const Crash = Type.Object({
  run: Nullable(RunRow, { description: 'null: no run ended without saying goodbye.' }),
  verdict: Type.Enum([
    'out of memory',
    'heap out of memory',
    'exception',
    'signal',
    'exit code',
    'host restarted',
    'killed',
    'no crash',
  ]),
  certainty: Type.Enum(['known', 'likely', 'unknown']),
  summary: List(Type.String(), { description: 'Sentences: the evidence, and what can not be known.' }),
  from: Nullable(Time),
  to: Nullable(Time),
  gap: Nullable(Type.Object({ afterSeq: Type.Integer(), at: Time, until: Nullable(Time) })),
  memory: Nullable(
    Type.Object({
      at: Time,
      rss: Bytes,
      heapUsed: Bytes,
      mayUse: Bytes,
      mayUseSource: Type.String(),
      heapLimit: Nullable(Bytes),
      rssGrowth: Nullable(Type.Number({ description: 'Bytes a minute.' })),
      heapGrowth: Nullable(Type.Number({ description: 'Bytes a minute.' })),
    }),
  ),
  items: List(Sample, { description: 'The checks of the last minutes, oldest first.' }),
  levels: List(Warning),
  writers: List(PrefixShare),
  evictions: List(Type.Object({ cache: CacheName, cause: Type.Enum(EVICTION_CAUSES), count: Count, bytes: Bytes })),
  lastEvictions: List(Eviction),
  unfinishedCycles: List(Type.String()),
  changes: List(Type.Object({ seq: Type.Integer(), at: Time, type: Type.String(), actor: Text, data: Fields })),
  next: Type.Null(),
  incomplete: Text,
})

const regretted = {
  evicted: Count,
  regretted: Type.Number({ description: 'Of them asked for again, and missed.' }),
  bytes: Bytes,
  cost: Type.Number({ description: "In the caller's unit." }),
  delay: Nullable(Milliseconds, { description: 'Mean time from the eviction to the miss, in ms.' }),
}

export const Regrets = Type.Object({
  items: List(Type.Object({ cache: CacheName, prefix: Type.String(), ...regretted })),
  total: Type.Object(regretted),
  delays: List(Type.Object({ atMost: Nullable(Milliseconds), count: Count }), {
    description: 'Misses at most so many ms after the eviction (null: later), and later than the one before.',
  }),
  remembered: Nullable(Count, { description: 'Evicted keys that the cache remembers at most.' }),
  next: Text,
  incomplete: Text,
})

export const Timeline = Type.Object({
  every: Type.Number({ description: 'Width of a point, in ms.' }),
  items: List(
    Type.Object({
      from: Time,
      to: Time,
      hits: Count,
      misses: Count,
      hitRate: Nullable(Share),
      bytesAdded: Bytes,
      items: Nullable(Count),
      bytes: Nullable(Bytes),
      mostBytes: Nullable(Bytes),
      mostUsage: Nullable(Share),
      mostRss: Nullable(Bytes),
      evicted: Count,
      evictedByCause: Type.Record(Type.String(), Count, { description: 'The same by cause.' }),
      evictedBytes: Bytes,
      expired: Count,
      rejected: Count,
      regretted: Count,
      warnings: Count,
      starts: Count,
      crashes: Count,
    }),
  ),
  next: Text,
  incomplete: Text,
})

export const Top = Type.Object({
  cache: CacheName,
  name: Type.String({ description: 'The key, or the prefix.' }),
  evicted: Count,
  bytes: Bytes,
  regretted: Nullable(Count, { description: 'null: not known, of departures that have no row.' }),
  regrettedBytes: Nullable(Bytes),
  regrettedCost: Nullable(Type.Number()),
})

const Window = Type.Object({ since: Time, until: Time }, { description: 'As counted: whole minutes.' })

export const Comparison = Type.Object({
  before: Window,
  after: Window,
  items: List(
    Type.Object({
      what: Type.Enum([
        'evictions',
        'evicted bytes',
        'evicted entries',
        'expirations',
        'rejections',
        'regrets',
        'size evicted',
        'age at eviction',
        'never hit',
        'hit rate',
        'requests',
        'bytes stored',
        'bytes held',
        'policy',
      ]),
      cache: Type.String(),
      name: Type.String({ description: 'The cause, prefix, policy or quantile.' }),
      unit: Type.Enum(['per minute', 'bytes', 'bytes per minute', 'ms', 'share']),
      before: Nullable(Type.Number()),
      after: Nullable(Type.Number()),
    }),
    { description: 'What changed most first.' },
  ),
  next: Type.Null(),
  incomplete: Text,
})

export const Diagnosis = Type.Object({
  since: Nullable(Time),
  until: Nullable(Time),
  items: List(
    Type.Object({
      finding: Type.Enum([
        'high eviction rate',
        'memory warnings',
        'growing process',
        'poor hit rate',
        'thrashing',
        'crowding prefix',
        'too-large items',
        'refused adds',
        'size drift',
        'fighting settings',
        'more memory pays',
        'memory to spare',
        'another policy does it',
        'needless TTL',
      ]),
      cache: Text,
      severity: Type.Enum(['critical', 'warning', 'notice']),
      evidence: List(Type.String()),
      setting: Type.String({ description: 'The one to change, as the options spell it.' }),
      from: Type.String(),
      to: Type.String(),
      value: Type.Union([Type.String(), Type.Number(), Type.Null()], {
        description: '`to` as the setting takes it; null where it can not be changed while the process runs.',
      }),
      advice: Type.String(),
    }),
    { description: 'The most severe first.' },
  ),
  next: Type.Null(),
  looked: List(Type.String(), { description: 'What was looked at, each with its figure.' }),
  incomplete: Text,
})
