import { isDeepStrictEqual } from 'node:util'
import type { Settings } from '../base/settings.ts'
import type { Database } from '../persist/reader.ts'
import type { Diagnosis, DoctorQuestion, Finding } from './analyses.ts'
import { boundsOf, countedWindow, countingGaps } from './counts.ts'
import { readFacts } from './facts.ts'
import { advice } from './findings-of-advice.ts'
import { evictionRate, hitRates, thrashing } from './findings-of-eviction.ts'
import { crowding, growingProcess, memoryWarnings, refusedAdds, tooLarge } from './findings-of-memory.ts'
import { fightingSettings } from './findings-of-settings.ts'
import type { Asked } from './question.ts'
import { settingsAt } from './settings-read.ts'
import { sizeDrift } from './size-drift.ts'

/** What is looked at where no time is asked for, back from the last event. */
const WINDOW = 86_400_000

const CHECKS = [
  evictionRate,
  thrashing,
  hitRates,
  memoryWarnings,
  growingProcess,
  crowding,
  tooLarge,
  refusedAdds,
  sizeDrift,
  fightingSettings,
  advice,
] as const

const SEVERITIES: readonly Finding['severity'][] = ['critical', 'warning', 'notice']

/** What is wrong by the data, each finding with its evidence and the one setting to change. */
export function doctor(database: Database, question: Asked<DoctorQuestion>): Diagnosis {
  const window = windowOf(database, question)
  if (window === null) {
    return {
      since: null,
      until: null,
      items: [],
      next: null,
      looked: [question.run === undefined ? 'no run has been recorded' : `this log has no run ${question.run}`],
      incomplete: null,
    }
  }
  const changedAt = lastChange(database, question, window)
  const since = Math.max(window.since, changedAt === null ? 0 : countedWindow(0, changedAt).until)
  const range = { ...question, since, until: Math.max(since, window.until) }
  const bounds = boundsOf(database, range)
  const facts = readFacts(database, bounds)
  const checked = facts === null ? [] : CHECKS.map((check) => check(facts))
  return {
    since: range.since,
    until: range.until,
    items: checked
      .flatMap(({ findings }) => findings)
      .sort((a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity)),
    next: null,
    looked: [
      ...(changedAt === null
        ? []
        : [`settings changed at ${new Date(changedAt).toISOString()}: only what came after it counts`]),
      ...(facts === null
        ? [changedAt === null ? 'no run of the log lived then' : 'nothing has been counted since']
        : checked.map(({ looked }) => looked)),
    ],
    incomplete: countingGaps(database, range, bounds),
  }
}

/** Settings by which it is decided what leaves. */
const DECIDING = [
  'maxMemory',
  'maxHeap',
  'maxItems',
  'evictionThreshold',
  'evictionTarget',
  'policy',
  'optimize',
  'onFull',
  'sizing',
] as const

const SELECT_CHANGE = `
  select max(at) as at from events
  where type = 'configured' and json_extract(data, '$.reason') in ('limits', 'policy') and at >= :since and at < :until
    and (:run is null or run_id = (select id from runs where run = :run))`

/** What happened under other settings is no evidence about these: an advice that was followed would be given for ever. */
function lastChange(database: Database, { run }: Asked<DoctorQuestion>, window: { since: number; until: number }) {
  const bounds = { run: run ?? null, since: window.since, until: window.until }
  const { at } = database.prepare(SELECT_CHANGE).get(bounds) as { at: number | null }
  const restartedAt = run === undefined ? lastRestart(database, window) : null
  return at === null || restartedAt === null ? (at ?? restartedAt) : Math.max(at, restartedAt)
}

/** Runs that began after the one before had ended, newest first, where either's settings may differ from the other's. */
const SELECT_RESTARTS = `
  with ordered as (
    select id, started_at, settings, lag(id) over by_start as earlier, lag(last_at) over by_start as ended_at,
      lag(settings) over by_start as earlier_settings
    from runs window by_start as (order by started_at, id))
  select id, started_at as at, earlier from ordered
  where at >= :since and at < :until and ended_at <= at and (settings <> earlier_settings
    or exists (select 1 from events where run_id = earlier and type = 'configured'
      and json_extract(data, '$.reason') in ('limits', 'policy')))
  order by at desc, id desc`

/** When a run last began with other settings than the one before it had at its end; `null`: never in that time. */
function lastRestart(database: Database, window: { since: number; until: number }): number | null {
  const restarts = database.prepare(SELECT_RESTARTS).all(window) as { id: number; at: number; earlier: number }[]
  const changed = restarts.find(({ id, earlier }) =>
    differ(settingsAt(database, earlier, Number.MAX_SAFE_INTEGER), settingsAt(database, id, 0)),
  )
  return changed?.at ?? null
}

/** Whether what decides about evictions differs; a cache that one of them doesn't have is no difference. */
function differ(one: Settings, other: Settings): boolean {
  if (DECIDING.some((name) => one[name] !== other[name])) return true
  return Object.entries(one.caches).some(([name, cache]) => {
    const its = other.caches[name]
    return its !== undefined && !isDeepStrictEqual(cache, its)
  })
}

const SELECT_LAST = 'select max(last_at) as at from runs where :run is null or run = :run'

function windowOf(database: Database, { run, since, until }: Asked<DoctorQuestion>) {
  const { at } = database.prepare(SELECT_LAST).get({ run: run ?? null }) as { at: number | null }
  if (at === null) return null
  const end = until ?? at + 1
  return countedWindow(since ?? Math.min(at, end) - WINDOW, end)
}
