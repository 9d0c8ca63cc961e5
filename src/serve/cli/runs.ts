import type { Command } from 'commander'
import type { RunRecord } from '../../query/answers.ts'
import { runAnswer } from '../answers.ts'
import { askLog, type ListOptions, listCommand, printPage, questionOf } from './log-command.ts'
import type { Column } from './table.ts'
import { brief, bytes, count, localTime } from './text.ts'

const COLUMNS: readonly Column<RunRecord>[] = [
  { title: 'RUN', text: (row) => row.run },
  { title: 'STARTED', text: (row) => localTime(row.startedAt).slice(0, 16), flexible: true, wraps: true },
  { title: 'LASTED', text: (row) => brief(lasted(row)), right: true },
  {
    title: 'STATE',
    text: (row) => (row.exitCode === null || row.exitCode === 0 ? row.state : `${row.state} (${row.exitCode})`),
    flexible: true,
    wraps: true,
  },
  { title: 'EVICTED', text: (row) => count(row.evictedItems), right: true },
  { title: 'PEAK', text: (row) => bytes(row.peakMemoryBytes), right: true },
  { title: 'LOST', text: (row) => count(row.lostEvents), right: true },
]

/** A service that runs has lasted until now, however long it has had nothing to write. */
function lasted({ startedAt, stoppedAt, lastAt, state }: RunRecord): number {
  const until = stoppedAt ?? (state === 'running' ? Math.max(Date.now(), lastAt) : lastAt)
  return until - startedAt
}

/** `muninn runs`: every run that the log knows, and how it ended. */
export function runsCommand(): Command {
  return listCommand('runs', 'every run, and how it ended').action(async (options: ListOptions) => {
    const page = await askLog(options, (history) => history.runs(questionOf(options)))
    printPage(page, options, { name: 'runs', columns: COLUMNS, answer: runAnswer })
  })
}
