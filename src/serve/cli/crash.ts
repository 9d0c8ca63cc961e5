import { type Command, InvalidArgumentError } from 'commander'
import { parseDuration } from '../../base/units.ts'
import type { CrashReport, SampleRecord } from '../../query/history.ts'
import { crashAnswer } from '../analysis-answers.ts'
import { coloured } from './colour.ts'
import { EVICTION_COLUMNS } from './evictions.ts'
import { askLog, type LogOptions, logCommand, logPath } from './log-command.ts'
import { print, printJson, prose, terminalWidth } from './output.ts'
import { type Column, table } from './table.ts'
import { bytes, count, duration, localTime, percent, printable } from './text.ts'
import { LEVEL_COLUMNS } from './warnings.ts'

interface CrashOptions extends LogOptions {
  readonly run?: string
  readonly window?: number
}

/** Checks and caches that are shown. */
const CHECKS = 12
const CACHES = 3

/** `muninn crash`: the last minutes of a run that ended without saying goodbye. */
export function crashCommand(): Command {
  return logCommand('crash', 'the last minutes of a run that ended without saying goodbye')
    .option('--run <id>', 'this run (default: the latest that crashed)')
    .option('--window <time>', 'how much before the end, such as 10m (default: 10m)', windowArgument)
    .action(async (options: CrashOptions) => {
      const { run, window } = options
      const report = await askLog(options, (history) =>
        history.crash({ ...(run === undefined ? {} : { run }), ...(window === undefined ? {} : { window }) }),
      )
      if (options.json === true) printJson(crashAnswer(report))
      else print(asText(report, logPath(options)))
    })
}

function windowArgument(text: string): number {
  try {
    return parseDuration(text, 'window', 1)
  } catch {
    throw new InvalidArgumentError('It must be text such as 10m (ms, s, m, h, d).')
  }
}

function asText(report: CrashReport, path: string): string {
  const { run } = report
  if (run === null) return report.summary.map((sentence) => prose(`${sentence} Looked in ${path}.`)).join('\n')
  const sure = { known: '', likely: ', most likely', unknown: ' (by what, the log can not tell)' }[report.certainty]
  const head = `Run ${run.run} on ${printable(run.host)}, pid ${run.pid}: ${report.verdict}${sure}`
  const parts = [coloured(prose(head), report.verdict === 'no crash' ? 'green' : 'red')]
  parts.push(...report.summary.map((sentence) => prose(sentence, '  ')))
  if (report.verdict === 'no crash') return parts.join('\n')
  const section = (title: string, text: string) => {
    if (text !== '') parts.push('', coloured(title, 'bold'), text)
  }
  section(`The last ${duration((report.to ?? 0) - (report.from ?? 0))}, check by check`, checks(report.samples))
  section('Levels', shown(LEVEL_COLUMNS, report.levels))
  section('Who wrote most', shown(WRITERS, report.writers))
  section('Evictions', shown(EVICTIONS, report.evictions))
  section('The last of them', shown(EVICTION_COLUMNS, report.lastEvictions))
  section('Changes', shown(CHANGES, report.changes))
  if (report.unfinishedCycles.length > 0) {
    parts.push('', prose(`Cycles that never ended: ${report.unfinishedCycles.join(', ')}.`))
  }
  if (report.gap !== null) {
    const until =
      report.gap.until === null
        ? 'nobody knows when'
        : `at the latest ${localTime(report.gap.until)}, when the next run began`
    parts.push(
      '',
      prose(
        `Missing: what it did after seq ${report.gap.afterSeq}, ${localTime(report.gap.at)}; it was over ${until}.`,
      ),
    )
  }
  if (report.incomplete !== null) parts.push('', prose(`Incomplete: ${report.incomplete}`))
  return parts.join('\n')
}

function shown<T>(columns: readonly Column<T>[], rows: readonly T[]): string {
  return rows.length === 0 ? '' : table(columns, rows, terminalWidth())
}

/** The newest checks, with what the largest caches held. */
function checks(samples: readonly SampleRecord[]): string {
  if (samples.length === 0) return 'No check is in the log.'
  const largest = new Map<string, number>()
  for (const { caches } of samples) {
    for (const { cache, bytes: held } of caches) largest.set(cache, Math.max(held, largest.get(cache) ?? 0))
  }
  const names = [...largest]
    .sort(([, a], [, b]) => b - a)
    .slice(0, CACHES)
    .map(([name]) => name)
  const columns: Column<SampleRecord>[] = [
    { title: 'TIME', text: (row) => localTime(row.at).slice(11) },
    { title: 'USAGE', text: (row) => percent(row.usage), right: true },
    { title: 'CACHES', text: (row) => bytes(row.bytes), right: true },
    { title: 'PROCESS', text: (row) => bytes(row.rss), right: true },
    { title: 'HEAP', text: (row) => bytes(row.heapUsed), right: true },
    ...names.map((name) => ({
      title: printable(name).slice(0, 12),
      text: (row: SampleRecord) => bytes(row.caches.find(({ cache }) => cache === name)?.bytes ?? 0),
      right: true,
    })),
  ]
  return table(columns, samples.slice(-CHECKS), terminalWidth())
}

const WRITERS: readonly Column<CrashReport['writers'][number]>[] = [
  { title: 'CACHE', text: (row) => row.cache, flexible: true },
  { title: 'PREFIX', text: (row) => (row.prefix === '' ? '(none)' : row.prefix), flexible: true },
  { title: 'STORED', text: (row) => bytes(row.bytes), right: true },
  { title: 'AT LEAST', text: (row) => bytes(row.bytes - row.error), right: true },
]

const EVICTIONS: readonly Column<CrashReport['evictions'][number]>[] = [
  { title: 'CACHE', text: (row) => row.cache, flexible: true },
  { title: 'CAUSE', text: (row) => row.cause },
  { title: 'COUNT', text: (row) => count(row.count), right: true },
  { title: 'BYTES', text: (row) => bytes(row.bytes), right: true },
]

const CHANGES: readonly Column<CrashReport['changes'][number]>[] = [
  { title: 'TIME', text: (row) => localTime(row.at) },
  { title: 'WHAT', text: (row) => row.type },
  { title: 'BY', text: (row) => row.actor ?? '-' },
  { title: 'DATA', text: (row) => JSON.stringify(row.data.to ?? row.data), flexible: true, wraps: true },
]
