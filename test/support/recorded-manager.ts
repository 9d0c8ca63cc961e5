import { MemoryManager, type MemoryManagerOptions, type MuninnEvent } from '../../src/muninn.ts'
import type { AuditFolder } from './audit-file.ts'

/** When the first of them begins: on the minute. */
export const START = Date.UTC(2026, 0, 2, 3, 0, 0)

/** A real manager in virtual time, its log on disk when it has ended, and all that it told. */
export interface Recorded {
  readonly memory: MemoryManager
  readonly events: MuninnEvent[]
  readonly runId: string
  /** Virtual time: `at` is epoch ms; `pass` moves it on. */
  now(): number
  pass(ms: number): void
}

/** Runs the work with a manager that keeps a log, and closes it. */
export async function recordedManager(
  files: AuditFolder,
  options: MemoryManagerOptions,
  work: (recorded: Recorded) => void | Promise<void>,
  start = START,
): Promise<Recorded> {
  let now = start
  const memory = new MemoryManager({
    clock: { now: () => now },
    seed: 1,
    checkInterval: 0,
    policy: 'lru',
    ...options,
    audit: { sampleAbove: Number.POSITIVE_INFINITY, ...(options.audit as object | undefined), path: files.path() },
  })
  const events: MuninnEvent[] = []
  memory.events$.subscribe((event) => events.push(event))
  const recorded = {
    memory,
    events,
    runId: memory.runId,
    now: () => now,
    pass: (ms: number) => {
      now += ms
    },
  }
  await work(recorded)
  await memory.close()
  return recorded
}
