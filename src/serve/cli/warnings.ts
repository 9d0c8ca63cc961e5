import type { Command } from 'commander'
import type { WarningRecord } from '../../query/answers.ts'
import { warningAnswer } from '../answers.ts'
import { askLog, type ListOptions, listCommand, printPage, questionOf } from './log-command.ts'
import type { Column } from './table.ts'
import { bytes, duration, localTime, percent } from './text.ts'

/** Which level, at what usage. */
export const LEVEL_COLUMNS: readonly Column<WarningRecord>[] = [
  { title: 'TIME', text: (row) => localTime(row.at) },
  { title: 'LEVEL', text: (row) => row.level },
  { title: 'USAGE', text: (row) => percent(row.usage), right: true },
  { title: 'BYTES', text: (row) => bytes(row.bytes), right: true },
  { title: 'FULL IN', text: (row) => duration(row.timeLeft), right: true },
]

const COLUMNS: readonly Column<WarningRecord>[] = [
  ...LEVEL_COLUMNS,
  { title: 'TOP WRITER', text: topWriter, flexible: true },
]

/** `muninn warnings`: the levels of memory usage that were entered and left, and who was writing. */
export function warningsCommand(): Command {
  return listCommand('warnings', 'levels of memory usage, and who was writing').action(async (options: ListOptions) => {
    const page = await askLog(options, (history) => history.warnings(questionOf(options)))
    printPage(page, options, { name: 'warnings', columns: COLUMNS, answer: warningAnswer })
  })
}

function topWriter({ since: { writers } }: WarningRecord): string {
  const top = writers.reduce<WarningRecord['since']['writers'][number] | null>(
    (best, one) => (best === null || one.bytes > best.bytes ? one : best),
    null,
  )
  return top === null ? '-' : `${top.cache}/${top.prefix} (${bytes(top.bytes)})`
}
