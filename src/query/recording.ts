import type { Settings, SettingsChange } from '../base/settings.ts'
import type { EventOf, EventType, Evicted, MayUse, MuninnEvent } from '../event/catalogue.ts'
import type { Database } from '../persist/reader.ts'
import type { KeyRow } from '../persist/rows.ts'
import { recorded } from './recorded.ts'
import { infinite, withInfinity } from './settings-read.ts'

const EVICTIONS = `
  select seq, at, cache, key, cause, policy, size, hits, stored_at as storedAt, stored_by as storedBy, age, idle,
    ttl_left as ttlLeft, cost, score, runner_up as runnerUp, runner_up_score as runnerUpScore,
    trigger_cache as triggerCache, trigger_key as triggerKey, trigger_size as triggerSize, cycle,
    mode, mode_since as modeSince
  from evictions where run_id = :runId and seq >= :from order by seq`

const KEY_EVENTS =
  'select seq, at, type, cache, key, data from key_events where run_id = :runId and seq >= :from order by seq'

const EVENTS = 'select seq, at, type, cache, data from events where run_id = :runId and seq >= :from order by seq'

/**
 * All that the log has of a run from a `seq` on, in the order of `seq`, as the events were told: at level `all` everything
 * that happened, so that folding it gives what the cache knew. Reads as it is asked; each table once.
 */
export function* recording(database: Database, runId: number, from = 1): Generator<MuninnEvent> {
  const scope = { runId, from }
  const sources = [
    mapped(database.prepare(EVICTIONS).iterate(scope) as Rows<EvictionRow>, evicted),
    mapped(database.prepare(KEY_EVENTS).iterate(scope) as Rows<EventRow>, event),
    mapped(database.prepare(EVENTS).iterate(scope) as Rows<EventRow>, event),
    mapped(recorded(database, runId, from, Number.MAX_SAFE_INTEGER), recordedEvent),
  ]
  try {
    const heads = sources.map((source) => source.next())
    for (;;) {
      let first = -1
      for (const [index, head] of heads.entries()) {
        if (head.done !== true && (first < 0 || head.value.seq < (heads[first] as Head).value.seq)) first = index
      }
      if (first < 0) return
      yield (heads[first] as Head).value
      heads[first] = (sources[first] as Generator<MuninnEvent>).next()
    }
  } finally {
    // A connection with a statement that hasn't ended can't be closed.
    for (const source of sources) source.return(undefined)
  }
}

type Rows<T> = IterableIterator<T>
type Head = IteratorYieldResult<MuninnEvent>

interface EventRow {
  readonly seq: number
  readonly at: number
  readonly type: EventType
  readonly cache: string | null
  readonly key?: string
  readonly data: string
}

type EvictionRow = Omit<Evicted, 'type' | 'trigger'> & {
  readonly triggerCache: string | null
  readonly triggerKey: string
  readonly triggerSize: number
}

function* mapped<R>(rows: Iterable<R>, read: (row: R) => MuninnEvent): Generator<MuninnEvent> {
  for (const row of rows) yield read(row)
}

function recordedEvent([seq, at, type, cache, key, data]: KeyRow): MuninnEvent {
  return { seq, at, type, cache, key, ...data } as unknown as MuninnEvent
}

function evicted({ triggerCache, triggerKey, triggerSize, ...row }: EvictionRow): Evicted {
  return {
    ...row,
    type: 'evicted',
    ttlLeft: row.ttlLeft ?? Number.POSITIVE_INFINITY,
    score: row.score ?? Number.POSITIVE_INFINITY,
    runnerUpScore: row.runnerUp === null ? null : (row.runnerUpScore ?? Number.POSITIVE_INFINITY),
    trigger: triggerCache === null ? null : { cache: triggerCache, key: triggerKey, size: triggerSize },
  }
}

function event({ data, cache, ...identity }: EventRow): MuninnEvent {
  const fields = JSON.parse(data) as object
  const place = cache !== null || OF_ONE_OR_ALL.has(identity.type) ? { cache } : {}
  const told = { ...identity, ...place, ...fields } as unknown as MuninnEvent
  return (RESTORED[told.type] as ((event: MuninnEvent) => MuninnEvent) | undefined)?.(told) ?? told
}

/** Types that say `cache: null` where they are about all. */
const OF_ONE_OR_ALL: ReadonlySet<EventType> = new Set(['cycle-started', 'cycle-completed', 'adapted'])

/** Where JSON had to write null for `Infinity`. */
const RESTORED: { readonly [T in EventType]?: (event: EventOf<T>) => EventOf<T> } = {
  started: (event) => ({
    ...event,
    settings: withInfinity(event.settings),
    mayUse: restoredMayUse(event.mayUse),
  }),
  configured: (event) => ({ ...event, from: restoredChange(event.from), to: restoredChange(event.to) }),
  'budget-changed': (event) => ({
    ...event,
    from: infinite(event.from),
    to: infinite(event.to),
    stated: infinite(event.stated),
    mayUse: event.mayUse === null ? null : restoredMayUse(event.mayUse),
  }),
  'cycle-started': ({ targetBytes, targetHeapBytes, ...event }) => ({
    ...event,
    ...infinite({ targetBytes, targetHeapBytes }),
  }),
  added: (event) => ({ ...event, expiresAt: event.expiresAt ?? Number.POSITIVE_INFINITY }),
  updated: (event) => ({ ...event, expiresAt: event.expiresAt ?? Number.POSITIVE_INFINITY }),
}

/** A log of 0.1.0 has no sources of the heap's limit. */
function restoredMayUse(mayUse: MayUse): MayUse {
  return {
    ...mayUse,
    sources: mayUse.sources.map(infinite),
    ...(mayUse.heapSources === undefined ? {} : { heapSources: mayUse.heapSources.map(infinite) }),
  }
}

/** `null` in place of a cache's settings stays: there is no such cache. */
function restoredChange(change: SettingsChange): SettingsChange {
  return withInfinity(change as Partial<Settings>) as SettingsChange
}
