import type { CacheSettings, SettingsChange } from '../base/settings.ts'
import type { BudgetChanged, Cleared, Configured, CycleCompleted, CycleStarted } from '../event/catalogue.ts'
import type { Database } from '../persist/reader.ts'
import type { ChangeQuestion, ChangeRecord, Page } from './answers.ts'
import { joined } from './incomplete.ts'
import { readPage, type Source } from './page.ts'
import type { Asked } from './question.ts'
import { retentionNote } from './retention-note.ts'
import { bytesInWords, countInWords, durationInWords, quoted } from './words.ts'

const SELECT_CHANGES = `
  select r.run, e.run_id as runId, e.seq, e.at, e.type, e.cache, e.data,
    iif(e.type = 'cycle-started', (
      select c.data from events c
      where c.run_id = e.run_id and c.type = 'cycle-completed'
        and json_extract(c.data, '$.cycle') = json_extract(e.data, '$.cycle')
    ), null) as completed
  from events e join runs r on r.id = e.run_id`

/** Cycles that nobody asked for follow from what was stored, or from a change that is in the list itself. */
const DONE_BY_SOMEBODY = `
  (e.type in ('configured', 'budget-changed', 'cleared', 'stats-reset')
    or (e.type = 'cycle-started' and json_extract(e.data, '$.trigger') = 'forced'))`

/** Of a change of settings, the caches are named in what it changed. */
const OF_CACHE = `
  (e.cache = :cache
    or exists (select 1 from json_each(e.data, '$.to.caches') c where e.type = 'configured' and c.key = :cache))`

interface ChangeRow {
  readonly run: string
  readonly runId: number
  readonly seq: number
  readonly at: number
  readonly type: ChangeRecord['type']
  readonly cache: string | null
  readonly data: string
  readonly completed: string | null
}

/** Who changed settings, evicted by hand, purged a cache or reset the statistics, and when. */
export function changes(database: Database, question: Asked<ChangeQuestion>): Page<ChangeRecord> {
  const conditions = [DONE_BY_SOMEBODY]
  const parameters: Record<string, string> = {}
  if (question.actor !== undefined) {
    conditions.push(`json_extract(e.data, '$.actor') = :actor`)
    parameters.actor = question.actor
  }
  if (question.cache !== undefined) {
    conditions.push(OF_CACHE)
    parameters.cache = question.cache
  }
  const source: Source = {
    question: 'changes',
    kind: 'general',
    select: SELECT_CHANGES,
    at: 'e.at',
    runId: 'e.run_id',
    seq: 'e.seq',
    conditions,
    parameters,
  }
  const page = readPage(database, source, question, changeRecord)
  // Clearings and cycles are kept less long than settings.
  return { ...page, incomplete: joined(page.incomplete, retentionNote(database, question, 'cycles')) }
}

function changeRecord({ run, seq, at, type, cache, data: json, completed }: ChangeRow): ChangeRecord {
  const { actor = null, traceId = null, ...data } = JSON.parse(json) as Record<string, unknown>
  return {
    run,
    seq,
    at,
    type,
    cache,
    actor: actor as string | null,
    traceId: traceId as string | null,
    text: changeSentence(type, cache, data, completed === null ? null : (JSON.parse(completed) as CycleCompleted)),
    data,
  }
}

function changeSentence(
  type: ChangeRecord['type'],
  cache: string | null,
  data: unknown,
  completed: CycleCompleted | null,
): string {
  switch (type) {
    case 'configured':
      return configured(data as Configured)
    case 'budget-changed': {
      const { from, to, reason } = data as BudgetChanged
      return `budget ${bytesInWords(from.maxMemory)} -> ${bytesInWords(to.maxMemory)} (${reason})`
    }
    case 'cleared': {
      const { count, bytes } = data as Cleared
      return `cache ${quoted(cache ?? '')} cleared: ${countInWords(count, 'entry', 'entries')}, ${bytesInWords(bytes)}`
    }
    case 'stats-reset':
      return 'statistics reset'
    case 'cycle-started': {
      const { bytes } = data as CycleStarted
      const where = cache === null ? 'all caches' : `cache ${quoted(cache)}`
      const came =
        completed === null
          ? `of ${bytesInWords(bytes)}; it did not complete`
          : `${countInWords(completed.count, 'entry', 'entries')}, ${bytesInWords(completed.bytes)}`
      return `evict() of ${where}: ${came}`
    }
  }
}

function configured({ from, to, reason }: Configured): string {
  const name = Object.keys(to.caches ?? {})[0] ?? ''
  if (reason === 'cache-created') return `cache ${quoted(name)} made${ownLimits(to.caches?.[name] ?? null)}`
  if (reason === 'cache-dropped') return `cache ${quoted(name)} dropped`
  const { caches: _, ...common } = to
  const said = Object.entries(common).map(([setting, value]) =>
    changed(setting, from[setting as keyof SettingsChange], value),
  )
  for (const [cache, own] of Object.entries(to.caches ?? {})) {
    const before = from.caches?.[cache] ?? null
    for (const [setting, value] of Object.entries(own ?? {})) {
      const was: unknown = before === null ? undefined : before[setting as keyof CacheSettings]
      if (was !== value) said.push(changed(`caches.${cache}.${setting}`, was, value))
    }
  }
  return said.length === 0 ? 'settings changed' : said.join(', ')
}

function ownLimits(own: CacheSettings | null): string {
  const limits = Object.entries(own ?? {}).filter(([, value]) => value !== null)
  return limits.length === 0 ? '' : `: ${limits.map(([name, value]) => `${name} ${inWords(name, value)}`).join(', ')}`
}

function changed(setting: string, from: unknown, to: unknown): string {
  const name = setting.slice(setting.lastIndexOf('.') + 1)
  return `${setting} ${inWords(name, from)} -> ${inWords(name, to)}`
}

/** Out of JSON: `null` stands for `Infinity`, which is no limit. */
function inWords(name: string, value: unknown): string {
  if (value === null || value === undefined) return 'none'
  if (typeof value !== 'number') return String(value)
  if (name === 'maxMemory' || name === 'maxHeap') return bytesInWords(value)
  return name === 'ttl' || name === 'checkInterval' ? durationInWords(value) : String(value)
}
