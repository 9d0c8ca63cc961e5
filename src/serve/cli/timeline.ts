import { type Command, InvalidArgumentError } from 'commander'
import { parseDuration } from '../../base/units.ts'
import type { Timeline, TimelinePoint } from '../../query/history.ts'
import { countInWords } from '../../query/words.ts'
import { timelineAnswer } from '../analysis-answers.ts'
import { axis, chart, marks } from './chart.ts'
import { askLog, logCommand, nothing, type RangeOptions, rangeOf, withRange } from './log-command.ts'
import { print, printJson, prose, terminalWidth } from './output.ts'
import { type Column, table } from './table.ts'
import { bytes, count, duration, localTime, percent } from './text.ts'

interface TimelineOptions extends RangeOptions {
  readonly cache?: string
  readonly every?: number
  readonly rows?: boolean
}

const ROWS: readonly Column<TimelinePoint>[] = [
  { title: 'FROM', text: (row) => localTime(row.from).slice(0, 16) },
  { title: 'USAGE', text: (row) => percent(row.mostUsage), right: true },
  { title: 'BYTES', text: (row) => (row.mostBytes === null ? '-' : bytes(row.mostBytes)), right: true },
  { title: 'HIT RATE', text: (row) => percent(row.hitRate), right: true },
  { title: 'EVICTED', text: (row) => count(row.evicted), right: true },
  { title: 'REGRETTED', text: (row) => count(row.regretted), right: true },
  { title: 'EVENTS', text: marksOf },
]

/** `muninn timeline`: usage, hit rate and evictions over time, with warnings and restarts. */
export function timelineCommand(): Command {
  return withRange(logCommand('timeline', 'usage, hit rate, evictions, warnings and restarts over time'))
    .option('--cache <name>', 'only this cache')
    .option('--every <time>', 'width of a column, whole minutes, such as 5m', everyArgument)
    .option('--rows', 'a row for each column of the chart instead of the chart')
    .action(async (options: TimelineOptions) => {
      const { cache, every } = options
      const timeline = await askLog(options, (history) =>
        history.timeline({
          ...rangeOf(options),
          ...(cache === undefined ? {} : { cache }),
          ...(every === undefined ? {} : { every }),
        }),
      )
      if (options.json === true) printJson(timelineAnswer(timeline))
      else if (!timeline.items.some(cache === undefined ? isTold : isCounted)) print(nothing('counts', options))
      else print(options.rows === true ? table(ROWS, timeline.items, terminalWidth()) : charts(timeline, options.cache))
      if (options.json !== true && timeline.incomplete !== null)
        print(`\n${prose(`Incomplete: ${timeline.incomplete}`)}`)
    })
}

function everyArgument(text: string): number {
  try {
    return parseDuration(text, 'every', 60_000)
  } catch {
    throw new InvalidArgumentError('It must be a minute or more, such as 5m (m, h, d).')
  }
}

function isTold(point: TimelinePoint): boolean {
  return isCounted(point) || point.starts + point.crashes > 0
}

/** Whether it has anything of the cache that is asked for. */
function isCounted({ hits, misses, evicted, expired, rejected, bytes: held }: TimelinePoint): boolean {
  return hits + misses + evicted + expired + rejected > 0 || held !== null
}

function charts({ items, every }: Timeline, cache: string | undefined): string {
  // One column less than the terminal has, or some terminals wrap.
  const shown = items.slice(-Math.max(20, (terminalWidth() ?? 80) - 13))
  const [first, last] = [shown[0], shown.at(-1)]
  if (first === undefined || last === undefined) return ''
  const held = cache === undefined ? shown.map(({ mostUsage }) => mostUsage) : shown.map(({ mostBytes }) => mostBytes)
  const mostHeld = Math.max(0, ...held.map((value) => value ?? 0))
  const minutes = every / 60_000
  const evicted = shown.map((point) => point.evicted / minutes)
  const most = Math.max(0, ...evicted)
  const columns = [
    cache === undefined
      ? chart('usage of the budget', held, 1, '100%')
      : chart('bytes held', held, mostHeld, bytes(mostHeld)),
    chart(
      'hit rate',
      shown.map(({ hitRate }) => hitRate),
      1,
      '100%',
    ),
    chart('evictions a minute', evicted, most, count(Math.round(most))),
    marks('events', shown.map(mark)),
    axis(localTime(first.from).slice(0, 16), localTime(last.to).slice(0, 16), shown.length),
    prose(
      `${duration(every)} a column. Events: S a run started, X it ended without saying goodbye, W a level was entered.`,
      '           ',
    ),
  ]
  return columns.join('\n')
}

/** One letter, of what matters most. */
function mark({ crashes, starts, warnings }: TimelinePoint): string {
  return crashes > 0 ? 'X' : starts > 0 ? 'S' : warnings > 0 ? 'W' : ' '
}

function marksOf({ crashes, starts, warnings }: TimelinePoint): string {
  const said = [
    crashes > 0 ? `crashed` : '',
    starts > 0 ? `started` : '',
    warnings > 0 ? countInWords(warnings, 'warning') : '',
  ].filter((text) => text !== '')
  return said.length === 0 ? '-' : said.join(', ')
}
