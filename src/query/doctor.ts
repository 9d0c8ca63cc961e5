import type { Database } from '../persist/reader.ts'
import type { Diagnosis, DoctorQuestion, Finding } from './analyses.ts'
import { boundsOf, countedWindow, countingGaps } from './counts.ts'
import { readFacts } from './facts.ts'
import { advice } from './findings-of-advice.ts'
import { evictionRate, hitRates, thrashing } from './findings-of-eviction.ts'
import { crowding, growingProcess, memoryWarnings, refusedAdds, tooLarge } from './findings-of-memory.ts'
import { fightingSettings } from './findings-of-settings.ts'
import type { Asked } from './question.ts'

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

const SELECT_CHANGE = `
  select max(at) as at from events
  where type = 'configured' and json_extract(data, '$.reason') in ('limits', 'policy') and at >= :since and at < :until
    and (:run is null or run_id = (select id from runs where run = :run))`

/** What happened under other settings is no evidence about these: an advice that was followed would be given for ever. */
function lastChange(database: Database, { run }: Asked<DoctorQuestion>, window: { since: number; until: number }) {
  const bounds = { run: run ?? null, since: window.since, until: window.until }
  return (database.prepare(SELECT_CHANGE).get(bounds) as { at: number | null }).at
}

const SELECT_LAST = 'select max(last_at) as at from runs where :run is null or run = :run'

function windowOf(database: Database, { run, since, until }: Asked<DoctorQuestion>) {
  const { at } = database.prepare(SELECT_LAST).get({ run: run ?? null }) as { at: number | null }
  if (at === null) return null
  const end = until ?? at + 1
  return countedWindow(since ?? Math.min(at, end) - WINDOW, end)
}
