import type { Logger } from 'pino'
import type { LogLevel } from '../environment.ts'
import { terminalLog } from './terminal-log.ts'

/** Where the service's log goes: a file descriptor, or a person's terminal. */
export type LogTarget = 1 | 2 | 'terminal'

export interface StartLog {
  readonly logger: Logger
  /** Writes what was held, and from now on each line as it comes. */
  release(): void
}

/** The log of a service that starts: its lines are held until it is known how that ends, for a mistake in the call is one line. */
export async function openStartLog(level: LogLevel, target: LogTarget): Promise<StartLog> {
  const { pino, destination } = await import('pino')
  const stream = target === 'terminal' ? terminalLog : destination({ fd: target, sync: true })
  let held: string[] | null = []
  const write = (line: string) => {
    if (held === null) stream.write(line)
    else held.push(line)
  }
  const release = () => {
    const lines = held ?? []
    held = null
    for (const line of lines) stream.write(line)
  }
  return { logger: pino({ level }, { write }), release }
}
