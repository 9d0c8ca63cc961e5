import { localTime, printable } from './text.ts'

const NAMES: Readonly<Record<number, string>> = {
  10: 'TRACE',
  20: 'DEBUG',
  30: 'INFO',
  40: 'WARN',
  50: 'ERROR',
  60: 'FATAL',
}
/** On every line of pino's, and of no interest to who sits at the terminal. */
const OMITTED: readonly string[] = ['level', 'time', 'pid', 'hostname', 'msg', 'reqId']

/** Where pino writes when a person reads: one plain line for each of its JSON lines. */
export const terminalLog = {
  write(line: string): void {
    process.stdout.write(`${readable(line)}\n`)
  },
}

function readable(line: string): string {
  const entry = parsed(line)
  if (entry === null) return printable(line.trimEnd())
  const time = localTime(typeof entry.time === 'number' ? entry.time : null).slice(11)
  const level = (NAMES[Number(entry.level)] ?? '').padEnd(5)
  const fields = Object.entries(entry)
    .filter(([name, value]) => !OMITTED.includes(name) && (typeof value !== 'object' || name === 'err'))
    .map(([name, value]) => `${name}=${name === 'err' ? stackOf(value) : String(value)}`)
  // A table in a message keeps its lines; they are indented, so that none can pass for an entry of its own.
  const [message = '', ...more] = String(entry.msg ?? '').split('\n')
  return [[time, level, message, ...fields].join(' '), ...more.map((line) => `  ${line}`)].map(printable).join('\n')
}

function stackOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'stack' in error
    ? String(error.stack).replace(/\n\s+/g, ' | ')
    : String(error)
}

function parsed(line: string): Record<string, unknown> | null {
  try {
    return JSON.parse(line) as Record<string, unknown>
  } catch {
    return null
  }
}
