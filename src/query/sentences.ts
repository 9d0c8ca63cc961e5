import type {
  Accessed,
  Added,
  Cleared,
  Expired,
  Loaded,
  LoadFailed,
  Missed,
  Rejected,
  Removed,
  Updated,
} from '../event/catalogue.ts'
import type { EvictionCause } from '../event/vocabulary.ts'
import type { EvictionRecord } from './answers.ts'
import { bytesInWords, countInWords, durationInWords, quoted, timeInWords } from './words.ts'

/* What happened to a key, each event in one sentence. Out of JSON: null stands for `Infinity`. */

const CAUSES: Readonly<Record<EvictionCause, string>> = {
  memory: 'the memory budget was full',
  heap: 'the heap budget was full',
  items: 'the limit of items over all caches was reached',
  'cache-items': "the cache's own limit of items was reached",
  'cache-memory': "the cache's own memory limit was reached",
  threshold: 'usage had reached the eviction threshold, and a cycle made room',
  pressure: 'the process ran short of memory, and a cycle gave some back',
  forced: 'somebody called evict()',
  'limit-lowered': 'a limit was lowered below what was held',
  admission: 'the policy held the other entries to be worth more',
}

export function causeInWords(cause: EvictionCause): string {
  return CAUSES[cause]
}

export function evictedSentence(record: EvictionRecord): string {
  const { cause, size, age, hits, missedAt, at } = record
  const cost = missedAt === null ? '' : `; missed ${durationInWords(missedAt - at)} later`
  return `evicted, because ${CAUSES[cause]}: ${bytesInWords(size)}, ${durationInWords(age)} old, ${countInWords(hits, 'hit')}${cost}`
}

type Data<E> = Omit<E, 'seq' | 'at' | 'type' | 'cache' | 'key'>

const SENTENCES = {
  added: (e: Data<Added>) => `stored: ${bytesInWords(e.size)}, ${expiry(e.expiresAt)}${by(e.actor, e.traceId)}`,
  updated: (e: Data<Updated>) =>
    `overwritten: ${bytesInWords(e.size)} for ${bytesInWords(e.previousSize)}, ${expiry(e.expiresAt)}${by(e.actor, e.traceId)}`,
  accessed: (e: Data<Accessed>) => `hit, ${durationInWords(e.age)} after it was stored`,
  missed: (e: Data<Missed>) =>
    e.regret === null
      ? `missed: ${e.cause === 'expired' ? 'it had expired' : 'it was not there'}`
      : `missed, and it had been evicted (seq ${e.regret})`,
  expired: (e: Data<Expired>) =>
    `expired ${durationInWords(e.age)} after it was stored: ${bytesInWords(e.size)}, ${countInWords(e.hits, 'hit')}, unused for ${durationInWords(e.idle)}`,
  removed: (e: Data<Removed>) =>
    `${e.cause === 'deleted' ? 'deleted' : 'dropped, because an overwrite of it was refused'}: ${bytesInWords(e.size)}, ${durationInWords(e.age)} old, ${countInWords(e.hits, 'hit')}${by(e.actor, e.traceId)}`,
  cleared: (e: Data<Cleared>) =>
    `its cache was cleared: ${countInWords(e.count, 'entry', 'entries')}, ${bytesInWords(e.bytes)}${by(e.actor, e.traceId)}`,
  rejected: (e: Data<Rejected>) => `refused: ${refusal(e)}${by(e.actor, e.traceId)}`,
  loaded: (e: Data<Loaded>) => `loaded in ${durationInWords(e.duration)}`,
  'load-failed': (e: Data<LoadFailed>) => `its loader failed after ${durationInWords(e.duration)} (${e.error})`,
}

/** The sentence for an event out of the log. */
export function sentence(type: string, data: unknown): string {
  if (!Object.hasOwn(SENTENCES, type)) return type
  // The writer stored just these fields for this type.
  const say = SENTENCES[type as keyof typeof SENTENCES] as (data: unknown) => string
  return say(data)
}

export function refusal({ reason, size, limit, limitName }: Data<Rejected>): string {
  const counted = limitName === 'items' || limitName === 'cache-items'
  const bound = limit === null ? '' : ` (${counted ? countInWords(limit, 'item') : bytesInWords(limit)})`
  const name = limitName === null ? 'a limit' : `the limit "${limitName}"`
  if (reason === 'too-large') return `its ${bytesInWords(size)} are more than ${name} allows${bound}`
  if (reason === 'full') return `${name} is reached${bound}, and nothing might be evicted for it`
  return 'the policy held what was there to be worth more'
}

function expiry(expiresAt: number | null): string {
  return expiresAt === null ? 'no TTL' : `until ${timeInWords(expiresAt)}`
}

/** Who did it, and in which trace, where that is known. */
export function by(actor: string | null, traceId: string | null = null): string {
  const trace = traceId === null ? '' : ` (trace ${traceId})`
  return actor === null ? '' : `, by ${quoted(actor)}${trace}`
}
