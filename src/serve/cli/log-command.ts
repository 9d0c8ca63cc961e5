import { Command, InvalidArgumentError } from 'commander'
import { HistoryError, MuninnError } from '../../base/errors.ts'
import { OTHERS } from '../../base/prefix.ts'
import type { History, Page, Question } from '../../query/answers.ts'
import { parseTime, TIME_FORMS } from '../time.ts'
import { print, printJson, prose, terminalWidth } from './output.ts'
import { type Column, table } from './table.ts'

/** What every command that reads the audit log takes. */
export interface LogOptions {
  readonly db?: string
  readonly json?: boolean
  readonly secretFile?: string
}

/** What those take that look at a range of time. */
export interface RangeOptions extends LogOptions {
  readonly run?: string
  readonly since?: number
  readonly until?: number
}

/** What those take that answer with a list. */
export interface ListOptions extends RangeOptions {
  readonly limit?: number
  readonly cursor?: string
}

export const DEFAULT_DB = 'data/muninn.db'

/** A command that reads the audit log. */
export function logCommand(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .option('--db <file>', `the audit log (default: MUNINN_DB, else ${DEFAULT_DB})`)
    .option('--json', 'one JSON document instead of text')
    .option('--secret-file <file>', 'the secret of a log whose keys are hashed (default: MUNINN_REDACT_SECRET[_FILE])')
}

/** A command that answers with a list from the audit log. */
export function listCommand(name: string, description: string): Command {
  return withRange(logCommand(name, description))
    .option('--limit <n>', 'rows at most, 1 to 10000 (default: 100)', limitArgument)
    .option('--cursor <text>', 'go on where the answer before ended')
}

/** With the options of a range of time. */
export function withRange(command: Command): Command {
  return command
    .option('--run <id>', 'only this run')
    .option('--since <time>', 'from this time on: ISO 8601, or ago as -2h', timeArgument)
    .option('--until <time>', 'before this time', timeArgument)
}

export function timeArgument(text: string): number {
  const ms = parseTime(text, Date.now())
  if (ms === undefined) throw new InvalidArgumentError(`It must be ${TIME_FORMS}.`)
  return ms
}

export function limitArgument(text: string): number {
  const limit = /^\d{1,5}$/.test(text) ? Number(text) : 0
  if (limit < 1 || limit > 10_000) throw new InvalidArgumentError('It must be an integer from 1 to 10000.')
  return limit
}

/** The part of the options that says when. */
export function rangeOf({ run, since, until }: RangeOptions): Pick<Question, 'run' | 'since' | 'until'> {
  return {
    ...(run === undefined ? {} : { run }),
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until }),
  }
}

/** The part of the options that every list question takes. */
export function questionOf({ limit, cursor, ...range }: ListOptions): Question {
  return {
    ...rangeOf(range),
    ...(limit === undefined ? {} : { limit }),
    ...(cursor === undefined ? {} : { cursor }),
  }
}

/** @throws {HistoryError} where the log can't be opened or read. */
export async function askLog<T>(options: LogOptions, ask: (history: History) => Promise<T>): Promise<T> {
  const path = logPath(options)
  const { secretFile } = options
  const { openHistory } = await import('../../query/history.ts')
  try {
    const history = openHistory(path, secretFile === undefined ? {} : { redactSecretFile: secretFile })
    try {
      return await ask(history)
    } finally {
      await history.close()
    }
  } catch (error) {
    if (error instanceof MuninnError) throw error
    throw new HistoryError(`can't read ${path}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    })
  }
}

/** A flag wins over the variable, as for the service; an empty one is wrong here as there. */
export function logPath({ db }: LogOptions): string {
  const path = db ?? process.env.MUNINN_DB ?? DEFAULT_DB
  if (path === '')
    throw new MuninnError('ERR_MUNINN_USAGE', 'the audit log has no path: give --db, or set MUNINN_DB to one')
  return path
}

/** What was looked for and isn't there, and where. */
export function nothing(what: string, options: LogOptions): string {
  const {
    db: _db,
    json: _json,
    secretFile: _secret,
    limit: _limit,
    cursor,
    ...asked
  } = options as LogOptions & Record<string, unknown>
  const said = Object.entries(asked)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name} ${typeof value === 'number' ? new Date(value).toISOString() : String(value)}`)
  const which = said.length === 0 ? '' : ` with ${said.join(', ')}`
  return prose(`no ${cursor === undefined ? '' : 'more '}${what}${which} in ${logPath(options)}`)
}

/** What `*` stands for, where it stands among the key prefixes. */
export function othersNote(prefixes: readonly string[]): string | null {
  if (!prefixes.includes(OTHERS)) return null
  return prose(
    `${OTHERS}: prefixes that the counts do not tell apart (there were too many at once, or their rows were lost).`,
  )
}

/** Prints a page: as one document, or as a table and what a reader of it should know. */
export function printPage<T>(
  page: Page<T>,
  options: LogOptions,
  how: {
    readonly name: string
    readonly columns: readonly Column<T>[]
    readonly answer: (row: T) => object
    /** Key prefixes in it, where it has any. */
    readonly prefixes?: readonly string[]
  },
): void {
  if (options.json === true) {
    printJson({ items: page.items.map(how.answer), next: page.next, incomplete: page.incomplete })
    return
  }
  print(page.items.length === 0 ? nothing(how.name, options) : table(how.columns, page.items, terminalWidth()))
  const others = othersNote(how.prefixes ?? [])
  if (others !== null) print(`\n${others}`)
  if (page.next !== null) print(`\nThere is more: repeat the question with --cursor ${page.next}`)
  if (page.incomplete !== null) print(`\n${prose(`Incomplete: ${page.incomplete}`)}`)
}
