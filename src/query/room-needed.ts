import { rememberedEvictions } from '../base/remembered.ts'
import type { PolicyName, Settings } from '../base/settings.ts'
import type { EvictionCause } from '../event/vocabulary.ts'
import type { Database } from '../persist/reader.ts'
import type { EvictionRecord, RoomNeeded } from './answers.ts'
import type { Moment } from './life.ts'
import { type Ask, isBounded, isDeleting, type Room, recordedRoom } from './recorded-room.ts'
import { bytesInWords, countInWords, durationInWords } from './words.ts'

/*
 * How much more room would have kept an entry until it was asked for again.
 *
 * An order that ranks entries by what they are (lru, lfu, ttl, size) evicts in a larger cache the same entries later:
 * those that were evicted after this one, and ranked above it, would all still be there at the next ask, beside what is
 * there. When the last of them went, the cache was full: the room needed beside it is this entry and all of them. Those of
 * a cache with a limit of its own don't count: that would have evicted them all the same. Some may have been stored again by then and be counted twice: those that
 * were missed before the ask are left out, and those that so many evictions ago that a miss would not be known. So it is a
 * lower bound where stores follow misses. A cycle runs while more than its target is held, and a larger budget would keep
 * the entry only if all of it stayed below the threshold. Where every store is recorded, lru needs no such guess.
 */

const RANKS: Readonly<Record<PolicyName, ((of: EvictionRecord, later: Later) => boolean) | null>> = {
  lru: () => true,
  lfu: (of, { score }) => score !== null && score > of.score,
  ttl: (of, { score }) => score === null || score > of.score,
  size: (of, { score }) => score !== null && score < of.score,
  // Two candidates are compared by estimates that change with the room there is.
  hybrid: null,
}

/** The causes that more room would have prevented. */
const MEASURES: Readonly<Partial<Record<EvictionCause, RoomNeeded['measure']>>> = {
  items: 'items',
  'cache-items': 'items',
  memory: 'bytes',
  'cache-memory': 'bytes',
  threshold: 'bytes',
}

/** Evictions looked at. */
const MOST_ROWS = 200_000

const SELECT_LATER = `
  select cache, key, size, score, at, ttl_left as ttlLeft, missed_at as missedAt from evictions
  where run_id = :runId and seq > :seq and seq < :askSeq and at <= :askAt and cause = :cause and (:cache is null or cache = :cache)
  order by seq limit ${MOST_ROWS}`

interface Later {
  readonly cache: string
  readonly key: string
  readonly size: number
  readonly score: number | null
  readonly at: number
  readonly ttlLeft: number | null
  readonly missedAt: number | null
}

/** What is known of it: a figure where there is one, and a sentence, which says why where there is none. */
export interface RoomAnswer {
  readonly needed: RoomNeeded | null
  readonly sentence: string | null
}

const NOTHING: RoomAnswer = { needed: null, sentence: null }

/** @param after what came after the eviction. @param settings as they were then. */
export function roomFor(database: Database, moment: Moment, after: readonly Moment[], settings: Settings): RoomAnswer {
  const record = moment.eviction
  if (record === null) return NOTHING
  const measure = MEASURES[record.cause]
  const ask = askAfter(record, moment, after)
  if (ask === null) {
    return saying(
      'How much more room would have done: it was not asked for again while the cache remembered it, so there is no until when.',
    )
  }
  const when = `until it was asked for again ${durationInWords(ask.at - record.at)} later`
  if (record.ttlLeft !== null && record.at + record.ttlLeft <= ask.at) {
    return saying(`More room would not have kept it ${when}: its time was over before.`)
  }
  if (measure === undefined) return NOTHING
  if (RANKS[record.policy] === null) {
    return saying(
      `How much more room would have done ${when}: not known under policy ${record.policy}, whose choice depends on the room itself; replay a recording with a higher limit.`,
    )
  }
  const exact = moment.level === 'departures' ? null : recordedRoom(database, moment, ask, measure)
  const { more, isExact, isLowerBound } = exact ?? leastRoom(database, moment, record, ask, measure, settings)
  const room = measure === 'items' ? `room for ${countInWords(more, 'more item')}` : `${bytesInWords(more)} more`
  if (!isExact && measure === 'bytes' && more === 1) {
    return saying(`A little more room might have kept it ${when}: what was evicted in between gives no lower bound.`)
  }
  const sentence = isExact
    ? `Exactly ${room} would have kept it ${when}: every store since is recorded (deletes of what was not there are not).`
    : isLowerBound
      ? `At least ${room}, ${when}: an observed lower bound, from what was evicted after it and not asked for again (stores without a miss before them are not seen at this level).`
      : `Some ${room}, ${when}: an estimate, from what was evicted after it and not asked for again; less may have done, because of what expired or was deleted meanwhile.`
  return { needed: { measure, more, isExact, isLowerBound, askedAt: ask.at }, sentence }
}

/** The miss that regretted the eviction: as a row, or, where that is elsewhere, as the eviction's row has it. */
function askAfter(record: EvictionRecord, { runId }: Moment, after: readonly Moment[]): Ask | null {
  const row = after.find(
    ({ type, data, ...miss }) => type === 'missed' && miss.runId === runId && data.regret === record.seq,
  )
  if (row !== undefined) return row
  return record.missedAt === null ? null : { seq: Number.MAX_SAFE_INTEGER, at: record.missedAt }
}

function saying(sentence: string): RoomAnswer {
  return { needed: null, sentence }
}

function leastRoom(
  database: Database,
  { runId }: Moment,
  record: EvictionRecord,
  ask: Ask,
  measure: RoomNeeded['measure'],
  settings: Settings,
): Room {
  const { cause, policy, seq, cache } = record
  const own = cause === 'cache-items' || cause === 'cache-memory' ? cache : null
  const rows = database
    .prepare(SELECT_LATER)
    .all({ runId, seq, askSeq: ask.seq, askAt: ask.at, cause, cache: own }) as Later[]
  const newest = new Map<string, Later>()
  // A miss is known of the last evictions alone.
  for (const row of rows.slice(-rememberedEvictions(settings.maxItems)))
    newest.set(JSON.stringify([row.cache, row.key]), row)
  const ranks = RANKS[policy]
  const kept = [...newest.values()].filter(
    (row) =>
      ranks?.(record, row) === true &&
      (own !== null || !isBounded(settings, row.cache)) &&
      (row.missedAt === null || row.missedAt > ask.at) &&
      (row.ttlLeft === null || row.at + row.ttlLeft > ask.at),
  )
  const last = rows.at(-1)
  if (last === undefined) return { more: 1, isExact: false, isLowerBound: true }
  // A larger cache may have held older copies, whose time was over earlier, or deleted what here had been evicted.
  const hasTtl = record.ttlLeft !== null || rows.some(({ ttlLeft }) => ttlLeft !== null)
  const about = { isExact: false, isLowerBound: !hasTtl && !isDeleting(database, runId, record.at, ask.at) }
  if (measure === 'items') return { ...about, more: 1 + kept.length }
  // The last eviction happened in a cache that was full with its victim in it.
  const bytes = Math.max(0, record.size + kept.reduce((sum, { size }) => sum + size, 0) - last.size)
  return { ...about, more: cause === 'threshold' ? beyondThreshold(bytes, settings) : 1 + bytes }
}

/** How much larger the budget must be for so many bytes, beside a cycle's target, to stay below its threshold. */
function beyondThreshold(bytes: number, { maxMemory, maxHeap, evictionThreshold, evictionTarget }: Settings): number {
  const held = evictionTarget * Math.min(maxMemory, maxHeap)
  return Math.max(1, Math.floor((held + bytes) / evictionThreshold - maxMemory))
}
