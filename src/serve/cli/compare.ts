import { type Command, InvalidArgumentError } from 'commander'
import type { Comparison, Difference, TimeWindow } from '../../query/history.ts'
import { comparisonAnswer } from '../analysis-answers.ts'
import { parseWindow, WINDOW_FORMS } from '../time.ts'
import { askLog, type LogOptions, logCommand, logPath, othersNote } from './log-command.ts'
import { print, printJson, prose, terminalWidth } from './output.ts'
import { type Column, table } from './table.ts'
import { bytes, count, duration, localTime, percent } from './text.ts'

interface CompareOptions extends LogOptions {
  readonly cache?: string
  readonly run?: string
  readonly limit?: number
}

/** Differences that are shown; the document has them all. */
const SHOWN = 30

const COLUMNS: readonly Column<Difference>[] = [
  { title: 'WHAT', text: (row) => row.what },
  { title: 'CACHE', text: (row) => row.cache, flexible: true },
  { title: 'NAME', text: (row) => (row.name === '' ? '-' : row.name), flexible: true },
  { title: 'BEFORE', text: (row) => figure(row.before, row.unit), right: true },
  { title: 'AFTER', text: (row) => figure(row.after, row.unit), right: true },
  { title: 'CHANGE', text: change, right: true },
]

/** `muninn compare A..B C..D`: what differs between two windows. */
export function compareCommand(): Command {
  return logCommand('compare', 'what differs between two windows of time')
    .argument('<before>', `the former window: ${WINDOW_FORMS}`, windowArgument)
    .argument('<after>', 'the latter window, in the same form', windowArgument)
    .option('--cache <name>', 'only this cache')
    .option('--run <id>', 'only this run')
    .action(async (before: TimeWindow, after: TimeWindow, options: CompareOptions) => {
      const { cache, run } = options
      const answer = await askLog(options, (history) =>
        history.compare(before, after, {
          ...(cache === undefined ? {} : { cache }),
          ...(run === undefined ? {} : { run }),
        }),
      )
      if (options.json === true) printJson(comparisonAnswer(answer))
      else print(asText(answer, logPath(options)))
    })
}

function windowArgument(text: string): TimeWindow {
  const window = parseWindow(text.trim(), Date.now())
  if (window === undefined) throw new InvalidArgumentError(`It must be ${WINDOW_FORMS}.`)
  return window
}

function asText({ before, after, items, incomplete }: Comparison, path: string): string {
  const parts = [`before: ${inWords(before)}`, `after:  ${inWords(after)} (whole minutes)`, '']
  if (items.length === 0 && incomplete !== null) {
    return [...parts, prose(`Nothing to compare, by the counts in ${path}: ${incomplete}.`)].join('\n')
  }
  if (items.length === 0) {
    parts.push(prose(`No difference in causes, sizes, prefixes, hit rates, ages or traffic, by the counts in ${path}.`))
  } else {
    parts.push(table(COLUMNS, items.slice(0, SHOWN), terminalWidth()))
    if (items.length > SHOWN) parts.push('', `${items.length - SHOWN} smaller differences: --json has them all.`)
  }
  const others = othersNote(items.slice(0, SHOWN).map(({ name }) => name))
  if (others !== null) parts.push('', others)
  if (incomplete !== null) parts.push('', prose(`Incomplete: ${incomplete}`))
  return parts.join('\n')
}

function inWords({ since, until }: TimeWindow): string {
  return `${localTime(since).slice(0, 16)} to ${localTime(until).slice(0, 16)}`
}

function figure(value: number | null, unit: Difference['unit']): string {
  if (value === null) return '-'
  switch (unit) {
    case 'per minute':
      return `${value < 10 ? Number(value.toFixed(1)) : count(Math.round(value))}/min`
    case 'bytes':
      return bytes(Math.round(value))
    case 'bytes per minute':
      return `${bytes(Math.round(value))}/min`
    case 'ms':
      return duration(value)
    case 'share':
      return percent(value)
  }
}

function change({ before, after, unit }: Difference): string {
  if (before === null || after === null) return '-'
  if (unit === 'share') {
    const points = (after - before) * 100
    return `${points > 0 ? '+' : ''}${points.toFixed(1)} pt`
  }
  if (before === 0) return 'new'
  if (after === 0) return 'gone'
  const times = after / before
  return times >= 2 ? `× ${times.toFixed(1)}` : `${times >= 1 ? '+' : ''}${((times - 1) * 100).toFixed(1)}%`
}
