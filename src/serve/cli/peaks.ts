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
  { title: 'RUN', text: (row) => row.run, flexible: true },
]

/** `muninn peaks`: when each metric passed its peak, and how high. */
export function peaksCommand(): Command {
  return listCommand('peaks', 'when memory and items were at their highest').action(async (options: ListOptions) => {
    const page = await askLog(options, (history) => history.peaks(questionOf(options)))
    printPage(page, options, { name: 'peaks', columns: COLUMNS, answer: peakAnswer })
  })
}
