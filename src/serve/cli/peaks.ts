import type { Command } from 'commander'
import type { PeakRecord } from '../../query/answers.ts'
import { peakAnswer } from '../answers.ts'
import { askLog, type ListOptions, listCommand, printPage, questionOf } from './log-command.ts'
import type { Column } from './table.ts'
import { bytes, count, localTime } from './text.ts'

const COLUMNS: readonly Column<PeakRecord>[] = [
  { title: 'REACHED', text: (row) => localTime(row.at) },
  { title: 'METRIC', text: (row) => row.metric },
  { title: 'VALUE', text: (row) => (row.metric === 'items' ? count(row.value) : bytes(row.value)), right: true },
  { title: 'HELD BY', text: ({ held }) => holders(held?.caches ?? []), flexible: true },
  { title: 'OF PREFIX', text: ({ held }) => holders(held?.prefixes ?? []), flexible: true },
  { title: 'RUN', text: (row) => row.run.slice(0, 8) },
]

/** The largest with its share, and how many more there are. */
function holders(all: readonly { readonly cache: string; readonly prefix?: string; readonly bytes: number }[]): string {
  const [first] = all
  if (first === undefined) return '-'
  const sum = all.reduce((total, { bytes: held }) => total + held, 0)
  const name = first.prefix ?? first.cache
  const rest = all.length > 1 ? ` +${all.length - 1}` : ''
  const share = sum === 0 ? 0 : Math.round((first.bytes / sum) * 100)
  return `${name === '' ? '(none)' : name} ${share}%${rest}`
}

/** `muninn peaks`: when each metric passed its peak, how high, and what held the memory. */
export function peaksCommand(): Command {
  return listCommand('peaks', 'when memory and items were at their highest').action(async (options: ListOptions) => {
    const page = await askLog(options, (history) => history.peaks(questionOf(options)))
    printPage(page, options, { name: 'peaks', columns: COLUMNS, answer: peakAnswer })
  })
}
