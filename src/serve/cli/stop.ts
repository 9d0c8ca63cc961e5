import type { Logger } from '../../base/logger.ts'
import type { Service } from '../http/server.ts'

/** What was asked before the signal has this long to be answered; `/readyz` says 503 meanwhile. */
const GRACE = 3000
/** After this long it ends whatever is left, and the log has its last second: supervisors kill after ten, some after five. */
const DEADLINE = 4000

/** What is served, and ends after the service. */
export interface Served {
  close(): Promise<void>
}

/** On SIGTERM, SIGINT or SIGHUP: answer what was asked, stop listening, close the caches and their log; a second one ends at once. */
export function stopOnSignal(service: Pick<Service, 'close'>, memory: Served, logger: Logger): void {
  let stopping = false
  const stop = (signal: NodeJS.Signals) => {
    if (stopping) process.exit(1)
    stopping = true
    logger.info({ signal }, 'stopping')
    setTimeout(() => process.exit(1), DEADLINE).unref()
    void end(service, memory, logger)
  }
  process.on('SIGTERM', stop)
  // The terminal was closed.
  process.on('SIGHUP', stop)
  process.on('SIGINT', stop)
}

async function end(service: Pick<Service, 'close'>, memory: Served, logger: Logger): Promise<void> {
  try {
    await service.close(GRACE)
    await memory.close()
    logger.info({}, 'stopped')
  } catch (error) {
    logger.error({ err: error }, 'stopping failed')
    process.exitCode = 1
  }
  // Nothing is left to wait for; what would still hold the process is no reason to stay.
  process.exit()
}
