import type { ExportedEvent } from './answers.ts'
import { timeInWords } from './words.ts'

/* Exported events as lines of text: times as ISO 8601, everything else as the events have it. */

/** Fields that are points in time. */
const TIMES: Readonly<Record<string, true>> = {
  at: true,
  storedAt: true,
  expiresAt: true,
  missedAt: true,
  peakedAt: true,
  fromAt: true,
  toAt: true,
}

export function jsonLine(event: ExportedEvent): string {
  return `${JSON.stringify(event, asText)}\n`
}

function asText(name: string, value: unknown): unknown {
  return typeof value === 'number' && Object.hasOwn(TIMES, name) ? timeInWords(value) : value
}

/** The columns; what else an event has stands in `data`, as JSON. */
const COLUMNS = [
  'run',
  'seq',
  'at',
  'type',
  'cache',
  'key',
  'cause',
  'size',
  'age',
  'hits',
  'actor',
  'traceId',
] as const

/** RFC 4180. */
export const CSV_HEADER = `${[...COLUMNS, 'data'].join(',')}\r\n`

export function csvLine(event: ExportedEvent): string {
  const rest: Record<string, unknown> = { ...event }
  const cells = COLUMNS.map((column) => {
    const value = rest[column]
    delete rest[column]
    return cell(asText(column, value))
  })
  return `${cells.join(',')},${cell(JSON.stringify(rest, asText))}\r\n`
}

/** What a spreadsheet would take for a formula: keys are anybody's. It gets an apostrophe, as such a program would give it. */
const FORMULA = /^[=+\-@\t\r]/

function cell(value: unknown): string {
  if (value === null || value === undefined) return ''
  if (typeof value !== 'string') return String(value)
  const text = FORMULA.test(value) ? `'${value}` : value
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
