import type { Command } from 'commander'
import type { ChangeRecord } from '../../query/answers.ts'
import { changeAnswer } from '../answers.ts'
import { askLog, type ListOptions, listCommand, printPage, questionOf } from './log-command.ts'
import type { Column } from './table.ts'
import { localTime } from './text.ts'

interface ChangesOptions extends ListOptions {
  readonly actor?: string
  readonly cache?: string
}

const COLUMNS: readonly Column<ChangeRecord>[] = [
  { title: 'TIME', text: (row) => localTime(row.at) },
  { title: 'WHO', text: (row) => row.actor ?? '-', flexible: true },
  { title: 'WHAT', text: (row) => row.text, flexible: true, wraps: true },
]

/** `muninn changes`: who changed settings, evicted by hand, purged a cache or reset the statistics, and when. */
export function changesCommand(): Command {
  return listCommand('changes', 'who changed settings, evicted by hand or purged a cache, and when')
    .option('--actor <name>', 'only what this one did')
    .option('--cache <name>', 'only what was done to this cache')
    .action(async (options: ChangesOptions) => {
      const { actor, cache } = options
      const page = await askLog(options, (history) =>
        history.changes({
          ...questionOf(options),
          ...(actor === undefined ? {} : { actor }),
          ...(cache === undefined ? {} : { cache }),
        }),
      )
      printPage(page, options, { name: 'changes', columns: COLUMNS, answer: changeAnswer })
    })
}
