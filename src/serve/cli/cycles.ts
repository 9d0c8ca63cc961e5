import type { Command } from 'commander'
import type { CycleRecord } from '../../query/answers.ts'
import { cycleAnswer } from '../answers.ts'
import { askLog, type ListOptions, listCommand, printPage, questionOf } from './log-command.ts'
import type { Column } from './table.ts'
import { bytes, count, localTime, percent } from './text.ts'

const COLUMNS: readonly Column<CycleRecord>[] = [
  { title: 'STARTED', text: (row) => localTime(row.startedAt) },
  { title: 'TRIGGER', text: (row) => row.trigger },
  { title: 'POLICY', text: (row) => row.policy },
  { title: 'CACHE', text: (row) => row.cache ?? 'all', flexible: true },
  { title: 'EVICTED', text: (row) => (row.count === null ? 'unknown' : count(row.count)), right: true },
  { title: 'BYTES', text: (row) => (row.bytes === null ? 'unknown' : bytes(row.bytes)), right: true },
  {
    title: 'USAGE',
    text: (row) => `${percent(row.usageBefore)} > ${percent(row.usageAfter)}`,
    flexible: true,
    wraps: true,
  },
]

/** `muninn cycles`: the eviction cycles, what started each and what it gave up. */
export function cyclesCommand(): Command {
  return listCommand('cycles', 'eviction cycles: what started each and what it gave up').action(
    async (options: ListOptions) => {
      const page = await askLog(options, (history) => history.cycles(questionOf(options)))
      printPage(page, options, { name: 'cycles', columns: COLUMNS, answer: cycleAnswer })
    },
  )
}
