import { HistoryError, MissingDependencyError, MuninnError, TraceError } from '../../base/errors.ts'

/** Exit codes, as `docs/` promises them. */
export const EXIT = { fine: 0, no: 1, usage: 2, unreadable: 3 } as const

/** The terminal's width; `undefined` where the output goes to a file or a pipe, which has no width to fit. */
export function terminalWidth(): number | undefined {
  return process.stdout.isTTY ? Math.max(process.stdout.columns || 80, 40) : undefined
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
