import type { EventOf, Evicted, Missed, MuninnEvent } from '../event/catalogue.ts'

/*
 * Events as rows. They are made on the host's thread, in the order of the columns named here, and travel as one JSON
 * text a batch: half the bytes of the events themselves, and the writer only binds them.
 */

type Value = string | number | null
type KeyedEvent = EventOf<Exclude<Extract<MuninnEvent, { readonly key: string }>['type'], 'evicted'>>
type GeneralEvent = Exclude<MuninnEvent, Evicted | KeyedEvent>

export const EVICTION_COLUMNS = [
  'seq',
  'at',
  'cache',
  'key',
  'cause',
  'policy',
  'size',
  'hits',
  'stored_at',
  'stored_by',
  'age',
  'idle',
  'ttl_left',
  'cost',
  'score',
  'runner_up',
  'runner_up_score',
  'trigger_cache',
  'trigger_key',
  'trigger_size',
  'cycle',
] as const

/** In the order of `EVICTION_COLUMNS`. */
function evictionRow(event: Evicted): readonly Value[] {
  const trigger = event.trigger
  return [
    event.seq,
    event.at,
    event.cache,
    event.key,
    event.cause,
    event.policy,
    event.size,
    event.hits,
    event.storedAt,
    event.storedBy,
    event.age,
    event.idle,
    event.ttlLeft,
    event.cost,
    event.score,
    event.runnerUp,
    event.runnerUpScore,
    trigger === null ? null : trigger.cache,
    trigger === null ? null : trigger.key,
    trigger === null ? null : trigger.size,
    event.cycle,
  ]
}

type KeyRow = readonly [seq: number, at: number, type: string, cache: string, key: string, data: object]
type EventRow = readonly [seq: number, at: number, type: string, cache: string | null, data: object]
type RegretRow = readonly [seq: number, at: number]

function keyRow(event: KeyedEvent): KeyRow {
  const { seq, at, type, cache, key, ...data } = event
  return [seq, at, type, cache, key, data]
}

function eventRow(event: GeneralEvent): EventRow {
  if ('cache' in event) {
    const { seq, at, type, cache, ...data } = event
    return [seq, at, type, cache, data]
  }
  const { seq, at, type, ...data } = event
  return [seq, at, type, null, data]
}

/** A batch's rows, table by table. `Infinity` is null in them. */
export interface Rows {
  readonly evictions: (readonly Value[])[]
  readonly keyEvents: KeyRow[]
  readonly events: EventRow[]
  /** First misses that regret an eviction: its `seq`, and when. */
  readonly regrets: RegretRow[]
}

/** The rows of events, as the text that the writer reads. */
export function encodeRows(events: readonly MuninnEvent[]): string {
  const rows: Rows = { evictions: [], keyEvents: [], events: [], regrets: [] }
  for (const event of events) {
    if (event.type === 'evicted') {
      rows.evictions.push(evictionRow(event))
    } else if ('key' in event) {
      rows.keyEvents.push(keyRow(event))
      if (event.type === 'missed') noteRegret(rows.regrets, event)
    } else {
      rows.events.push(eventRow(event))
    }
  }
  return JSON.stringify(rows)
}

function noteRegret(regrets: RegretRow[], event: Missed): void {
  if (event.regret !== null && event.firstRegret) regrets.push([event.regret, event.at])
}

export function decodeRows(text: string): Rows {
  return JSON.parse(text) as Rows
}
