import { errorName } from '../base/error-name.ts'

/*
 * One `exit` hook for all logs of the process. It may take a second in all: half of it for the writers' threads to
 * write all they have, then what they need to let go of the database, and the rest to write what is left from here.
 */

const THREADS_MS = 500
const STOP_MS = 700
const ALL_MS = 1_000

/** What the hook asks of a log. */
export interface ExitingLog {
  /**
   * Records that the process exits, and hands all that waits to the writer's thread.
   *
   * @param error name of the exception that nobody caught, where it exits for one.
   */
  beforeExit(code: number, error: string | null): void
  /** Blocks until the thread has written all or the deadline (of `performance.now()`) has passed. */
  awaitThread(deadline: number): void
  /** Blocks until the thread has let go of the database: it can't be ended safely before. */
  stopThread(deadline: number): void
  /** Writes what is left on this thread, and a gap for what time does not suffice for. */
  writeRest(deadline: number): void
}

const open = new Set<ExitingLog>()
let hooked = false
/** Longest time between an exception and the exit that it leads to: a handler may close what is open first. */
const AFTERMATH_MS = 10_000
/** Name of the last exception that nobody caught, and when (of `performance.now()`). */
let uncaught = { name: '', at: Number.NEGATIVE_INFINITY }

export function watchExit(log: ExitingLog): void {
  open.add(log)
  if (hooked) return
  hooked = true
  process.on('exit', onExit)
  // It only watches: Node treats the exception as it would without.
  process.on('uncaughtExceptionMonitor', (error: unknown) => {
    uncaught = { name: errorName(error), at: performance.now() }
  })
}

export function unwatchExit(log: ExitingLog): void {
  open.delete(log)
}

function onExit(code: number): void {
  const start = performance.now()
  const logs = [...open]
  const isCause = code !== 0 && start - uncaught.at < AFTERMATH_MS
  for (const log of logs) attempt(() => log.beforeExit(code, isCause ? uncaught.name : null))
  for (const log of logs) attempt(() => log.awaitThread(start + THREADS_MS))
  for (const log of logs) attempt(() => log.stopThread(start + STOP_MS))
  for (const log of logs) attempt(() => log.writeRest(start + ALL_MS))
}

function attempt(step: () => void): void {
  try {
    step()
  } catch {
    // A broken log must not change how the process ends, nor what becomes of the other logs.
  }
}
