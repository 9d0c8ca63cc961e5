import { type Command, InvalidArgumentError } from 'commander'
import type { StateAnswer, StateEntry } from '../../query/answers.ts'
import { stateAnswer } from '../answers.ts'
import { parseMoment } from '../moment.ts'
import { TIME_FORMS } from '../time.ts'
import { askLog, type LogOptions, limitArgument, logCommand } from './log-command.ts'
import { EXIT, print, printJson, prose, terminalWidth } from './output.ts'
import { type Column, table } from './table.ts'
import { bytes, count, localTime, printable } from './text.ts'

interface StateOptions extends LogOptions {
  readonly at: { readonly seq: number } | { readonly at: number }
  readonly run?: string
  readonly cache?: string
  readonly limit?: number
  readonly cursor?: string
}

const COLUMNS: readonly Column<StateEntry>[] = [
  { title: 'STORED', text: (row) => localTime(row.storedAt) },
  { title: 'CACHE', text: (row) => row.cache, flexible: true },
  { title: 'KEY', text: (row) => row.key, flexible: true },
  { title: 'SIZE', text: (row) => bytes(row.size), right: true },
  { title: 'EXPIRES', text: (row) => (row.isExpired ? 'past its time' : localTime(row.expiresAt)) },
  { title: 'BY', text: (row) => row.actor ?? '-', flexible: true },
]

/** `muninn state`: what was in the caches at a moment. */
export function stateCommand(): Command {
  return logCommand('state', 'what was in the caches at a moment (audit levels changes and all)')
    .requiredOption('--at <moment>', 'a time (ISO 8601, or ago as -2h), or the seq of an event', momentArgument)
    .option('--run <id>', 'only in this run')
    .option('--cache <name>', 'only in this cache')
    .option('--limit <n>', 'entries at most, 1 to 10000 (default: 100)', limitArgument)
    .option('--cursor <text>', 'go on where the answer before ended')
    .action(async (options: StateOptions) => {
      const { run, cache, limit, cursor } = options
      const answer = await askLog(options, (history) =>
        history.state({
          ...options.at,
          ...(run === undefined ? {} : { run }),
          ...(cache === undefined ? {} : { cache }),
          ...(limit === undefined ? {} : { limit }),
          ...(cursor === undefined ? {} : { cursor }),
        }),
      )
      if (options.json === true) printJson(stateAnswer(answer))
      else print(asText(answer))
      if (answer.no !== null) process.exitCode = EXIT.no
    })
}

function momentArgument(text: string): { readonly seq: number } | { readonly at: number } {
  const moment = parseMoment(text, Date.now())
  if (moment === undefined) throw new InvalidArgumentError(`It must be ${TIME_FORMS}, or the seq of an event.`)
  return moment
}

function asText({ no, runs, items, next, incomplete }: StateAnswer): string {
  if (no !== null) return prose(`No: ${no}`)
  const parts = runs.map(({ run, seq, caches }) => {
    const of = caches.map((cache) => `${printable(cache.cache)} ${count(cache.items)} (${bytes(cache.bytes)})`)
    return prose(`run ${run}, seq ${seq}: ${of.length === 0 ? 'nothing' : of.join(', ')}`)
  })
  if (items.length > 0) parts.push('', table(COLUMNS, items, terminalWidth()))
  if (next !== null) parts.push('', `There is more: repeat the question with --cursor ${next}`)
  if (incomplete !== null) parts.push('', prose(`Incomplete: ${incomplete}`))
  return parts.join('\n')
}
