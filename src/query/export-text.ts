import type { ExportedEvent } from './answers.ts'
import { timeInWords } from './words.ts'

/* Exported events as lines of text: times as ISO 8601, everything else as the events have it. */

/** Fields that are points in time, by the type of event that has them; all have `at`. */
const TIMES: Readonly<Record<string, readonly string[]>> = {
  added: ['expiresAt'],
  updated: ['expiresAt'],
  evicted: ['storedAt', 'modeSince', 'missedAt'],
  peaked: ['peakedAt'],
  gap: ['fromAt', 'toAt'],
}
const NONE: readonly string[] = []
/** What `Date` can say, in ms; an entry that never expires does so at infinity. */
const LAST_TIME = 8.64e15

export function jsonLine(event: ExportedEvent): string {
  return `${JSON.stringify(timed(event))}\n`
}

/** The event itself, which is nobody else's: a copy, or a replacer for `JSON.stringify`, takes more time than the rest. */
function timed(event: ExportedEvent): Record<string, unknown> {
  const fields = event as Record<string, unknown>
  fields.at = timeInWords(event.at)
  spellTimes(event.type, fields)
  if (event.type === 'warned') {
    const since = fields.since as { at: number }
    fields.since = { ...since, at: timeInWords(since.at) }
  }
  return fields
}

/** What of an event's own fields is a point in time becomes text, or `null` where it is none. */
export function spellTimes(type: string, fields: Record<string, unknown>): void {
  for (const name of TIMES[type] ?? NONE) {
    const value = fields[name]
    if (typeof value === 'number') fields[name] = Math.abs(value) <= LAST_TIME ? timeInWords(value) : null
  }
}

/** RFC 4180. What has no column of its own stands in `data`, as JSON. */
export const CSV_HEADER = 'run,seq,at,type,cache,key,cause,size,age,hits,actor,traceId,data\r\n'

export function csvLine(event: ExportedEvent): string {
  const { run, seq, at, type, cache, key, cause, size, age, hits, actor, traceId, ...rest } = timed(event)
  const cells = [run, seq, at, type, cache, key, cause, size, age, hits, actor, traceId, JSON.stringify(rest)]
  return `${cells.map(cell).join(',')}\r\n`
}

/** What a spreadsheet would take for a formula: keys are anybody's. It gets an apostrophe, as such a program would give it. */
const FORMULA = /^[=+\-@\t\r]/

function cell(value: unknown): string {
  if (value === null || value === undefined) return ''
  if (typeof value !== 'string') return String(value)
  const text = FORMULA.test(value) ? `'${value}` : value
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
