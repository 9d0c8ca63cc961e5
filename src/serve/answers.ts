import type { Settings } from '../base/settings.ts'
import type {
  ChainFault,
  ChangeRecord,
  CycleRecord,
  EvictionRecord,
  Explanation,
  LifeEvent,
  PeakRecord,
  RunRecord,
  SampleRecord,
  StateAnswer,
  StateEntry,
  Verification,
  WarningRecord,
} from '../query/answers.ts'
import { spellTimes } from '../query/export-text.ts'
import { instant, limit, timestamp } from './wire.ts'

/*
 * The audit log's answers as JSON, over HTTP and on the command line alike: fields have the names that the events
 * have, times are RFC 3339, durations ms, and `null` stands for "none".
 */

export function evictionAnswer(record: EvictionRecord) {
  return {
    ...record,
    at: instant(record.at),
    storedAt: instant(record.storedAt),
    ttlLeft: limit(record.ttlLeft),
    modeSince: timestamp(record.modeSince),
    missedAt: timestamp(record.missedAt),
  }
}

export function explanationAnswer({ key, cache, verdict, summary, roomNeeded, life, incomplete }: Explanation) {
  return {
    key,
    cache,
    verdict,
    summary: [...summary],
    roomNeeded: roomNeeded === null ? null : { ...roomNeeded, askedAt: instant(roomNeeded.askedAt) },
    items: life.map(lifeEventAnswer),
    next: null,
    incomplete,
  }
}

function lifeEventAnswer(event: LifeEvent) {
  const data = { ...event.data }
  spellTimes(event.type, data)
  return { ...event, at: instant(event.at), data }
}

export function runAnswer(record: RunRecord) {
  return {
    ...record,
    startedAt: instant(record.startedAt),
    stoppedAt: timestamp(record.stoppedAt),
    lastAt: instant(record.lastAt),
    peakMemoryAt: timestamp(record.peakMemoryAt),
    settings: settingsAnswer(record.settings),
  }
}

export function cycleAnswer(record: CycleRecord) {
  return { ...record, startedAt: instant(record.startedAt), completedAt: timestamp(record.completedAt) }
}

export function stateAnswer({ at, no, runs, items, next, incomplete }: StateAnswer) {
  return { at: timestamp(at), no, runs: [...runs], items: items.map(stateEntryAnswer), next, incomplete }
}

function stateEntryAnswer(entry: StateEntry) {
  return { ...entry, storedAt: instant(entry.storedAt), expiresAt: timestamp(entry.expiresAt) }
}

export function changeAnswer(record: ChangeRecord) {
  return { ...record, at: instant(record.at) }
}

/** The anchor as it is: it is for the next verification. */
export function verificationAnswer({ intact, rows, runs, anchor, incomplete }: Verification) {
  return { intact, rows, items: [...runs], anchor, next: null, incomplete }
}

/** A fault in one sentence. */
export function faultInWords({ first, last, seq, text }: ChainFault): string {
  const range = first === last ? `seq ${first}` : `seq ${first} to ${last}`
  return seq === null || first === last ? `${range}: ${text}` : `${range}: at seq ${seq}: ${text}`
}

export function warningAnswer(record: WarningRecord) {
  return { ...record, at: instant(record.at), since: { ...record.since, at: instant(record.since.at) } }
}

export function peakAnswer(record: PeakRecord) {
  return { ...record, at: instant(record.at) }
}

export function sampleAnswer(record: SampleRecord) {
  return {
    run: record.run,
    seq: record.seq,
    at: instant(record.at),
    memory_bytes: record.bytes,
    heap_bytes: record.heapBytes,
    item_count: record.items,
    usage: record.usage,
    alert_level: record.level,
    rss: record.rss,
    heap_used: record.heapUsed,
    caches: record.caches.map((cache) => ({
      name: cache.cache,
      items: cache.items,
      bytes: cache.bytes,
      hits: cache.hits,
      misses: cache.misses,
      bytes_added: cache.bytesAdded,
      writers: cache.writers.map(({ prefix, bytes, error }) => ({ prefix, bytes, error })),
    })),
  }
}

/** Limits that are none become `null`. */
function settingsAnswer(settings: Settings) {
  return {
    ...settings,
    maxMemory: limit(settings.maxMemory),
    maxHeap: limit(settings.maxHeap),
    maxItems: limit(settings.maxItems),
    caches: Object.fromEntries(
      Object.entries(settings.caches).map(([name, cache]) => [
        name,
        { maxItems: limit(cache.maxItems), maxMemory: limit(cache.maxMemory), ttl: limit(cache.ttl) },
      ]),
    ),
  }
}
