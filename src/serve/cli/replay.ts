import { Command, InvalidArgumentError } from 'commander'
import { POLICIES, type PolicyName } from '../../base/settings.ts'
import { parseBytes } from '../../base/units.ts'
import type { ReplayOptions, ReplayResult } from '../../replay/replay.ts'
import { print, printJson, terminalWidth, usageError } from './output.ts'
import { type Column, table } from './table.ts'
import { bytes, count } from './text.ts'

interface ReplayFlags {
  readonly policy?: string[]
  readonly maxItems?: string[]
  readonly maxMemory?: string[]
  readonly evictionThreshold?: number
  readonly seed?: number
  readonly db?: string
  readonly json?: boolean
}

/** `muninn replay`: what hit ratio a trace would have had, under other policies and limits. */
export function replayCommand(): Command {
  return new Command('replay')
    .description('run a trace through the real cache, and say what hit ratio it has')
    .argument('[file]', 'one request a line: key or key,size or key,size,ttl_ms; .gz by name; - for standard input')
    .option('--policy <name...>', `${POLICIES.join(', ')}; several are compared (default: hybrid)`)
    .option('--max-items <n...>', 'items at most; several are compared')
    .option('--max-memory <size...>', 'bytes at most, or 64MB; several are compared')
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
  const runs = asked.runs()
  if (runs.length === 0) throw usageError('a replay needs a limit: --max-items, --max-memory, or both')
  if (flags.db !== undefined && runs.length > 1) throw usageError('--db takes one run: give one policy and one limit')
  if (flags.db === '') throw usageError('--db: give the path of the audit log')

  const { replayAll } = await import('../../replay/replay.ts')
  const progress = new Progress()
  let results: readonly ReplayResult[]
  try {
    results = await replayAll(file, runs, { onProgress: (requests) => progress.show(requests) })
  } finally {
    progress.clear()
  }
  if (flags.json === true) printJson(runs.length === 1 ? results[0] : { items: results })
  else printTable(file, results)
}

/** The runs that were asked for: every policy under every limit. */
class Asked {
  private readonly policies: PolicyName[] = []
  private readonly maxItems: number[] = []
  private readonly maxMemory: number[] = []
  private readonly flags: ReplayFlags
  /** What an option took that is no value of its own: an option with several values takes the file after it, too. */
  private readonly rest: string[] = []

  constructor(flags: ReplayFlags) {
    this.flags = flags
    this.take(flags.policy, '--policy', this.policies, (text) => POLICIES.find((policy) => policy === text))
    this.take(flags.maxItems, '--max-items', this.maxItems, (text) =>
      /^[1-9]\d{0,14}$/.test(text) ? Number(text) : undefined,
    )
    this.take(flags.maxMemory, '--max-memory', this.maxMemory, (text) =>
      /^[\d.]+\s*[a-z]*$/i.test(text) ? parseBytes(text, '--max-memory') : undefined,
    )
  }

  /** The file, where it stood after an option with several values. */
  takeFile(): string | undefined {
    return this.rest.pop()?.replace(/^--[a-z-]+ /, '')
  }

  demandNoRest(): void {
    const [wrong] = this.rest
    if (wrong === undefined) return
    const allowed = wrong.startsWith('--policy ')
      ? `one of ${POLICIES.join(', ')}`
      : wrong.startsWith('--max-items ')
        ? 'an integer of 1 or more'
        : 'bytes, or a size such as 64MB'
    throw usageError(`${wrong}: give ${allowed}`)
  }

  runs(): ReplayOptions[] {
    const { evictionThreshold, seed, db } = this.flags
    const policies = this.policies.length === 0 ? [undefined] : this.policies
    const limits = orNone(this.maxItems).flatMap((maxItems) =>
      orNone(this.maxMemory).map((maxMemory) => ({ maxItems, maxMemory })),
    )
    if (this.maxItems.length + this.maxMemory.length === 0) return []
    return policies.flatMap((policy) =>
      limits.map(({ maxItems, maxMemory }) => ({
        ...(policy === undefined ? {} : { policy }),
        ...(maxItems === undefined ? {} : { maxItems }),
        ...(maxMemory === undefined ? {} : { maxMemory }),
        ...(evictionThreshold === undefined ? {} : { evictionThreshold }),
        ...(seed === undefined ? {} : { seed }),
        ...(db === undefined ? {} : { audit: db }),
      })),
    )
  }

  private take<T>(
    texts: readonly string[] | undefined,
    option: string,
    into: T[],
    parse: (text: string) => T | undefined,
  ): void {
    for (const text of texts ?? []) {
      const values = text.split(',').map(parse)
      if (values.includes(undefined)) this.rest.push(`${option} ${text}`)
      else into.push(...(values as T[]))
    }
  }
}

function orNone<T>(values: readonly T[]): readonly (T | undefined)[] {
  return values.length === 0 ? [undefined] : values
}

/** Requests so far, on a terminal's stderr, once it takes over a second. */
class Progress {
  private readonly started = performance.now()
  private shown = false

  show(requests: number): void {
    if (!process.stderr.isTTY || performance.now() - this.started < 1000) return
    process.stderr.write(`\r${count(requests)} requests`)
    this.shown = true
  }

  clear(): void {
    if (this.shown) process.stderr.write('\r\u001b[K')
  }
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
