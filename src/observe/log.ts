import type { Logger } from '../base/logger.ts'
import type { Redaction } from '../base/redaction.ts'
import type { Settings } from '../base/settings.ts'
import type { EventOf, EventType, Started } from '../event/catalogue.ts'
import { redacted } from '../event/redacted.ts'
import type { Publisher } from './publisher.ts'

/** Writes what happens to the log: levels entered at warn, cycles at info, usage and adds at debug. */
export function logEvents(publisher: Publisher, logger: Logger, redaction: Redaction | null): void {
  const on = <T extends EventType>(type: T, next: (event: EventOf<T>) => void): void => {
    publisher.listen([type], next)
  }
  on('warned', (told) => {
    const e = redaction === null ? told : redacted(told, redaction)
    const fields = {
      level: e.level,
      from: e.from,
      to: e.to,
      usage: e.usage,
      threshold: e.threshold,
      since: e.since,
      timeLeft: e.timeLeft,
    }
    if (e.level === 'recovered') logger.info(fields, `memory recovered: from ${e.from} to ${e.to}`)
    else logger.warn(fields, `memory ${e.level}: ${percent(e.usage)} >= ${percent(e.threshold)}`)
  })
  on('cycle-started', (e) => {
    logger.info(
      { cycle: e.cycle, trigger: e.trigger, policy: e.policy, usage: e.usage },
      `eviction cycle started (policy: ${e.policy})`,
    )
  })
  on('cycle-completed', (e) => {
    const { cycle, trigger, count, bytes, usageAfter, duration } = e
    logger.info(
      { cycle, trigger, count, bytes, usage: usageAfter, duration },
      `eviction cycle completed: ${count} entries, ${bytes} bytes`,
    )
  })
  on('budget-changed', (e) => logger.info({ from: e.from, to: e.to, reason: e.reason }, 'memory budget changed'))
  on('clock-changed', (e) =>
    logger.warn({ from: e.from, to: e.to }, 'the wall clock jumped; expiries and ages are not affected'),
  )
  if (!logger.isLevelEnabled?.('debug')) return
  on('checked', (e) => {
    logger.debug(
      { bytes: e.bytes, items: e.items, usage: e.usage, level: e.level },
      `memory usage: ${e.bytes} bytes (${percent(e.usage)})`,
    )
  })
  on('added', (e) => logger.debug({ cache: e.cache, size: e.size }, `added ${e.cache} item: size=${e.size} bytes`))
  on('updated', (e) => logger.debug({ cache: e.cache, size: e.size }, `updated ${e.cache} item: size=${e.size} bytes`))
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)}%`
}

/** Which limits hold, and why. */
export function logStart(logger: Logger, settings: Settings, started: Started, overcommitted: boolean): void {
  const { caches, maxItems, maxMemory, maxHeap } = settings
  const { mayUse } = started
  logger.info(
    {
      max: maxMemory,
      max_heap: maxHeap,
      cache_size: maxItems,
      tenant_size: caches.tenant?.maxItems ?? null,
      mimir_size: caches.mimir?.maxItems ?? null,
      policy: settings.policy,
      may_use: mayUse.bytes,
      may_use_source: mayUse.source,
      may_use_sources: mayUse.sources,
      run: started.runId,
    },
    'memory manager initialized',
  )
  if (overcommitted) logOvercommitted(logger, settings, started)
}

/** The budget is more than the process may use: taken, and said. */
export function logOvercommitted(logger: Logger, { maxMemory }: Settings, { mayUse }: Started): void {
  logger.warn(
    { max: maxMemory, may_use: mayUse.bytes, source: mayUse.source },
    'maxMemory is more than this process may use',
  )
}
