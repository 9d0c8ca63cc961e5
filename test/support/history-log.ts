import type { AuditLevel } from '../../src/base/audit-options.ts'
import type { AuditLog } from '../../src/persist/audit-log.ts'
import type { History } from '../../src/query/answers.ts'
import { openHistory } from '../../src/query/history.ts'
import type { AuditFolder } from './audit-file.ts'
import { Run } from './events.ts'

/** A log with one closed run of the events that the test tells, and the questions to it. */
export async function logOf(
  files: AuditFolder,
  tell: (log: AuditLog, run: Run) => void,
  { level = 'departures', id = 'one' }: { level?: AuditLevel; id?: string } = {},
): Promise<void> {
  const log = files.open({ level })
  const run = new Run(id)
  log.record(run.started())
  tell(log, run)
  log.record(run.event('stopped'))
  await log.close()
}

export async function asking<T>(files: AuditFolder, ask: (history: History) => Promise<T>): Promise<T> {
  const history = openHistory(files.path())
  try {
    return await ask(history)
  } finally {
    await history.close()
  }
}
