import type { Cleared, Expired, Rejected, Removed } from '../event/catalogue.ts'
import type { Database } from '../persist/reader.ts'
import type { EvictionRecord } from './answers.ts'
import type { Moment } from './life.ts'
import { modeAt } from './mode.ts'
import { remedyForEviction, remedyForExpiry, remedyForRefusal } from './remedy.ts'
import { by, causeInWords, refusal } from './sentences.ts'
import { settingsAt } from './settings-read.ts'
import { bytesInWords, countInWords, durationInWords, quoted, timeInWords } from './words.ts'

/**
 * What the last thing that settled a key's place was: when, why, what it cost, and what would have kept the key.
 *
 * @param room how much more of it would have kept the key, where it was evicted.
 */
export function departure(database: Database, key: string, moment: Moment, room: string | null): readonly string[] {
  const name = `${quoted(key)} of cache ${quoted(moment.cache)}`
  const when = `at ${timeInWords(moment.at)} (run ${moment.run}, seq ${moment.seq})`
  const settings = () => settingsAt(database, moment.runId, moment.seq)
  switch (moment.type) {
    case 'evicted': {
      if (moment.eviction === null) return []
      const record = moment.eviction
      return [
        `${name} was evicted ${when}, because ${causeInWords(record.cause)}.`,
        ...occasion(database, moment.runId, record),
        held(record),
        order(record),
        ...(record.policy === 'hybrid' ? modeAt(database, moment) : []),
        cost(record),
        remedyForEviction(record, settings()),
        ...(room === null ? [] : [room]),
      ]
    }
    case 'expired': {
      const { age, idle, hits, size } = fields<Expired>(moment)
      return [
        `${name} expired ${when}: its time was over ${durationInWords(age)} after it was stored.`,
        `It held ${bytesInWords(size)}, had ${countInWords(hits, 'hit')}, and had been unused for ${durationInWords(idle)}.`,
        remedyForExpiry(age, moment.cache, settings()),
      ]
    }
    case 'removed': {
      const { age, hits, size, cause, actor, traceId } = fields<Removed>(moment)
      const why =
        cause === 'deleted' ? `was deleted ${when}` : `was dropped ${when}, because an overwrite of it was refused`
      return [
        `${name} ${why}${by(actor, traceId)}.`,
        `It held ${bytesInWords(size)}, was ${durationInWords(age)} old, and had ${countInWords(hits, 'hit')}.`,
        cause === 'deleted'
          ? 'What would have kept it: nothing in the settings; whoever deleted it asked for it.'
          : 'What would have kept it: see why the overwrite was refused; the value it replaced must not outlive it.',
      ]
    }
    case 'cleared': {
      const { count, bytes, actor, traceId } = fields<Cleared>(moment)
      const sure =
        moment.level === 'departures' ? '; if it was there, it went with the rest' : ', and it went with the rest'
      return [
        `Cache ${quoted(moment.cache)} was cleared ${when}${by(actor, traceId)}${sure} (${countInWords(count, 'entry', 'entries')}, ${bytesInWords(bytes)}).`,
      ]
    }
    case 'rejected': {
      const rejected = fields<Rejected>(moment)
      return [
        `The last add of ${name} was refused ${when}${by(rejected.actor, rejected.traceId)}: ${refusal(rejected)}.`,
        remedyForRefusal(rejected.limitName, moment.cache, settings()),
      ]
    }
    default:
      return [`By the log, ${name} was there ${when}: ${moment.text}.`]
  }
}

/** What came after it: misses, loads, and clearings that may have concerned the key. */
export function afterwards(moments: readonly Moment[]): readonly string[] {
  return moments
    .filter(({ type, data }) => type !== 'loaded' && !(type === 'missed' && data.regret !== null))
    .slice(0, 3)
    .map(({ type, at, text }) =>
      type === 'cleared'
        ? `Afterwards, at ${timeInWords(at)}, ${text}; had it been stored again by then, it went with them.`
        : `Afterwards, at ${timeInWords(at)}: ${text}.`,
    )
}

/** The writer stored just these fields for this type. */
function fields<E>(moment: Moment): E {
  return moment.data as E
}

const SELECT_CYCLE = `
  select json_extract(data, '$.trigger') as "trigger", json_extract(data, '$.actor') as actor,
    json_extract(data, '$.traceId') as traceId,
    (select json_extract(c.data, '$.count') from events c
      where c.run_id = e.run_id and c.type = 'cycle-completed' and json_extract(c.data, '$.cycle') = :cycle) as count
  from events e
  where e.run_id = :runId and e.type = 'cycle-started' and json_extract(e.data, '$.cycle') = :cycle`

interface CycleRow {
  readonly trigger: string
  readonly actor: string | null
  readonly traceId: string | null
  readonly count: number | null
}

function occasion(database: Database, runId: number, { trigger, cycle }: EvictionRecord): readonly string[] {
  const said: string[] = []
  if (trigger !== null) {
    said.push(
      `The write that needed room: ${quoted(trigger.key)} of cache ${quoted(trigger.cache)}, ${bytesInWords(trigger.size)}.`,
    )
  }
  if (cycle !== null) {
    const row = database.prepare(SELECT_CYCLE).get({ runId, cycle }) as CycleRow | undefined
    const what = row === undefined ? '' : ` (${row.trigger}${by(row.actor, row.traceId)})`
    const came =
      row === undefined || row.count === null ? '' : `, which gave up ${countInWords(row.count, 'entry', 'entries')}`
    said.push(`It went in cycle ${cycle}${what}${came}.`)
  }
  return said
}

function held({ size, age, storedBy, hits, idle, ttlLeft }: EvictionRecord): string {
  const ttl = ttlLeft === null ? 'it had no TTL' : `${durationInWords(ttlLeft)} of its TTL were left`
  const hit = hits === 0 ? 'never hit' : `hit ${countInWords(hits, 'time')}`
  return `It held ${bytesInWords(size)}, stored ${durationInWords(age)} before${by(storedBy)}, ${hit}, unused for ${durationInWords(idle)}; ${ttl}.`
}

function order({ policy, score, runnerUp, runnerUpScore }: EvictionRecord): string {
  const next =
    runnerUp === null ? 'no other entry was in line' : `next in line was ${quoted(runnerUp)} (${runnerUpScore})`
  return `Policy ${policy} scored it ${score}; ${next}.`
}

function cost({ at, missedAt }: EvictionRecord): string {
  return missedAt === null
    ? 'What it cost: no miss of it while the cache still remembered the eviction.'
    : `What it cost: it was missed at ${timeInWords(missedAt)}, ${durationInWords(missedAt - at)} later.`
}
