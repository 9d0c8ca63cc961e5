import { type Command, Option } from 'commander'
import { POLICIES, type PolicyName } from '../../base/settings.ts'
import { EVICTION_CAUSES, type EvictionCause } from '../../event/vocabulary.ts'
import type { EvictionRecord } from '../../query/answers.ts'
import { evictionAnswer } from '../answers.ts'
import { askLog, type ListOptions, listCommand, printPage, questionOf } from './log-command.ts'
import type { Column } from './table.ts'
import { brief, bytes, localTime } from './text.ts'

interface EvictionsOptions extends ListOptions {
  readonly cache?: string
  readonly key?: string
  readonly prefix?: string
  readonly cause?: EvictionCause
  readonly policy?: PolicyName
  readonly cycle?: string
}

/** What was evicted and why. */
export const EVICTION_COLUMNS: readonly Column<EvictionRecord>[] = [
  { title: 'TIME', text: (row) => localTime(row.at) },
  { title: 'CACHE', text: (row) => row.cache, flexible: true },
  { title: 'KEY', text: (row) => row.key, flexible: true },
  { title: 'CAUSE', text: (row) => row.cause },
  { title: 'SIZE', text: (row) => bytes(row.size), right: true },
]

const COLUMNS: readonly Column<EvictionRecord>[] = [
  ...EVICTION_COLUMNS,
  { title: 'HITS', text: (row) => String(row.hits), right: true },
  { title: 'IDLE', text: (row) => brief(row.idle), right: true },
  {
    title: 'MISSED',
    text: (row) => (row.missedAt === null ? '-' : `+${brief(row.missedAt - row.at)}`),
    right: true,
  },
]

/** `muninn evictions`: what was evicted, when, why, and whether it was missed afterwards. */
export function evictionsCommand(): Command {
  return listCommand('evictions', 'what was evicted, when and why')
    .option('--cache <name>', 'only from this cache')
    .option('--key <key>', 'only this key')
    .option('--prefix <text>', 'only keys that begin with this text')
    .addOption(new Option('--cause <cause>', 'only for this cause').choices(EVICTION_CAUSES))
    .addOption(new Option('--policy <policy>', 'only under this policy').choices(POLICIES))
    .option('--cycle <id>', 'only in this eviction cycle')
    .action(async (options: EvictionsOptions) => {
      const { cache, key, prefix, cause, policy, cycle } = options
      const page = await askLog(options, (history) =>
        history.evictions({
          ...questionOf(options),
          ...(cache === undefined ? {} : { cache }),
          ...(key === undefined ? {} : { key }),
          ...(prefix === undefined ? {} : { prefix }),
          ...(cause === undefined ? {} : { cause }),
          ...(policy === undefined ? {} : { policy }),
          ...(cycle === undefined ? {} : { cycle }),
        }),
      )
      printPage(page, options, { name: 'evictions', columns: COLUMNS, answer: evictionAnswer })
    })
}
