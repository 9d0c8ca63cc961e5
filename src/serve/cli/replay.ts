import { Command, InvalidArgumentError } from 'commander'
import type { ReplayResult } from '../../replay/replay.ts'
import { print, printJson, terminalWidth, usageError } from './output.ts'
import { Asked, Progress, type RunFlags, withRuns } from './replay-runs.ts'
import { type Column, table } from './table.ts'
import { bytes, count } from './text.ts'

interface ReplayFlags extends RunFlags {
  readonly db?: string
  readonly json?: boolean
}

/** `muninn replay`: what hit ratio a trace would have had, under other policies and limits. */
export function replayCommand(): Command {
  return withRuns(
    new Command('replay').description('run a trace through the real cache, and say what hit ratio it has'),
  )
    .argument('[file]', 'one request a line: key or key,size or key,size,ttl_ms; .gz by name; - for standard input')
    .option(
      '--eviction-threshold <share>',
      'usage at which eviction cycles start (default: 1, none)',
      thresholdArgument,
    )
    .option('--seed <n>', 'seed of every random decision (default: 1)', seedArgument)
    .option('--db <file>', 'write an audit log of the run (default: none)')
    .option('--json', 'one JSON document instead of a table')
    .action(run)
}

function thresholdArgument(text: string): number {
  const share = /^\d*\.?\d+$/.test(text) ? Number(text) : 0
  if (!(share > 0 && share <= 1)) throw new InvalidArgumentError('It must be a share above 0 and at most 1.')
  return share
}

function seedArgument(text: string): number {
  const seed = /^\d{1,10}$/.test(text) ? Number(text) : -1
  if (seed < 0 || seed > 0xffffffff) throw new InvalidArgumentError('It must be an integer from 0 to 4294967295.')
  return seed
}

async function run(given: string | undefined, flags: ReplayFlags): Promise<void> {
  const asked = new Asked(flags)
  const file = given ?? asked.takeFile()
  asked.demandNoRest()
  if (file === undefined) throw usageError('which trace? Give its file, or - for standard input')
  if (!asked.isLimited) throw usageError('a replay needs a limit: --max-items, --max-memory, or both')
  const runs = asked.runs()
  if (flags.db !== undefined && runs.length > 1) throw usageError('--db takes one run: give one policy and one limit')
  if (flags.db === '') throw usageError('--db: give the path of the audit log')

  const { replayAll } = await import('../../replay/replay.ts')
  const { db } = flags
  const progress = new Progress('requests')
  let results: readonly ReplayResult[]
  try {
    results = await replayAll(file, db === undefined ? runs : runs.map((run) => ({ ...run, audit: db })), {
      onProgress: (requests) => progress.show(requests),
    })
  } finally {
    progress.clear()
  }
  if (flags.json === true) printJson(runs.length === 1 ? results[0] : { items: results })
  else printTable(file, results)
}

const COLUMNS: readonly Column<ReplayResult>[] = [
  { title: 'POLICY', text: (row) => row.policy },
  { title: 'ITEMS', text: (row) => count(row.max_items), right: true },
  { title: 'MEMORY', text: (row) => bytes(row.max_memory_bytes), right: true },
  { title: 'HIT RATIO', text: (row) => ratio(row.hit_ratio), right: true },
  { title: 'BYTE HITS', text: (row) => ratio(row.byte_hit_ratio), right: true },
  { title: 'EVICTIONS', text: (row) => count(row.evictions), right: true },
  { title: 'REJECTED', text: (row) => count(row.rejections), right: true },
  { title: 'SECONDS', text: (row) => row.seconds.toFixed(2), right: true },
]

function ratio(share: number | null): string {
  return share === null ? '-' : share.toFixed(4)
}

function printTable(file: string, results: readonly ReplayResult[]): void {
  print(`${file === '-' ? 'standard input' : file}: ${count(results[0]?.requests ?? 0)} requests\n`)
  print(table(COLUMNS, results, terminalWidth()))
}
