import { type Command, Option } from 'commander'
import type { TopQuestion, TopRecord } from '../../query/history.ts'
import { askLog, type ListOptions, listCommand, printPage, questionOf } from './log-command.ts'
import type { Column } from './table.ts'
import { bytes, count, percent } from './text.ts'

interface TopOptions extends ListOptions, Pick<TopQuestion, 'of' | 'by' | 'cache'> {}

const COLUMNS: readonly Column<TopRecord>[] = [
  { title: 'CACHE', text: (row) => row.cache, flexible: true },
  { title: 'NAME', text: (row) => (row.name === '' ? '(none)' : row.name), flexible: true },
  { title: 'EVICTED', text: (row) => count(row.evicted), right: true },
  { title: 'BYTES', text: (row) => bytes(row.bytes), right: true },
  { title: 'REGRETTED', text: (row) => (row.regretted === null ? '-' : count(row.regretted)), right: true },
  { title: 'SHARE', text: (row) => percent(row.regretted === null ? null : row.regretted / row.evicted), right: true },
]

/** `muninn top`: the keys or key prefixes that were evicted most. */
export function topCommand(): Command {
  return listCommand('top', 'keys or key prefixes by evictions, bytes or regrets')
    .addOption(new Option('--of <what>', 'what is listed (default: prefix)').choices(['prefix', 'key']))
    .addOption(new Option('--by <figure>', 'by what (default: evictions)').choices(['evictions', 'bytes', 'regrets']))
    .option('--cache <name>', 'only from this cache')
    .action(async (options: TopOptions) => {
      const { of, by, cache } = options
      const page = await askLog(options, (history) =>
        history.top({
          ...questionOf(options),
          ...(of === undefined ? {} : { of }),
          ...(by === undefined ? {} : { by }),
          ...(cache === undefined ? {} : { cache }),
        }),
      )
      const prefixes = of === 'key' ? [] : page.items.map(({ name }) => name)
      printPage(page, options, { name: 'evictions', columns: COLUMNS, answer: (row) => row, prefixes })
    })
}
