import { HistoryError, MissingDependencyError, MuninnError, TraceError } from '../../base/errors.ts'
import { printable, wrapped } from './text.ts'

/** Exit codes, as `docs/` promises them. */
export const EXIT = { fine: 0, no: 1, usage: 2, unreadable: 3 } as const

/** The terminal's width, or `COLUMNS`; `undefined` where the output goes to a file or a pipe, which has no width to fit. */
export function terminalWidth(): number | undefined {
  const stated = Number(process.env.COLUMNS)
  if (!process.stdout.isTTY) return Number.isInteger(stated) && stated > 0 ? Math.max(stated, 40) : undefined
  return Math.max(process.stdout.columns || 80, 40)
}

/** Sentences, broken at the terminal's width; each line stands as far in as the first. */
export function prose(text: string, indent = ''): string {
  const columns = terminalWidth()
  const safe = printable(text)
  if (columns === undefined) return indent + safe
  return wrapped(safe, columns - indent.length)
    .map((line) => indent + line)
    .join('\n')
}

export function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

/** One JSON document. */
export function printJson(document: unknown): void {
  print(JSON.stringify(document, null, 2))
}

/** Something the command can't go on from: one line on stderr, without a stack. */
export function complain(error: unknown): void {
  const message = error instanceof Error ? error.message : String(error)
  // What nobody foresaw keeps its stack: it is a bug, and whoever reports it will want it.
  const foreseen = error instanceof MuninnError || (error instanceof Error && 'code' in error)
  process.stderr.write(`muninn: ${foreseen || !(error instanceof Error) ? message : (error.stack ?? message)}\n`)
}

export function exitCodeOf(error: unknown): number {
  if (error instanceof HistoryError || error instanceof TraceError) return EXIT.unreadable
  if (error instanceof MissingDependencyError) return EXIT.unreadable
  if (error instanceof MuninnError) return EXIT.usage
  return EXIT.no
}

export function usageError(message: string): MuninnError {
  return new MuninnError('ERR_MUNINN_USAGE', message)
}
