import type { Logger } from '../base/logger.ts'
import type { Redaction } from '../base/redaction.ts'
import type { Settings } from '../base/settings.ts'
import { shownBytes } from '../base/units.ts'
import type { EventOf, EventType, MayUse, Started } from '../event/catalogue.ts'
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
      // pino has a `level` of its own: a second one in a line hides it.
      alert_level: e.level,
      from: e.from,
      to: e.to,
      usage: e.usage,
      threshold: e.threshold,
      since: e.since,
      timeLeft: e.timeLeft,
    }
    if (e.level === 'recovered') logger.info(fields, `memory recovered: from ${e.from} to ${e.to}`)
    else logger.warn(fields, `memory ${e.level}: ${percent(e.usage)} >= ${percent(e.threshold)}${culprit(e)}`)
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
  on('budget-changed', (e) => logBudget(logger, e))
  on('remeasured', ({ sampled, bytesBefore, bytesAfter, entries }) => {
    if (entries.length === 0) return
    const fields = { sampled, changed: entries.length, bytes_before: bytesBefore, bytes_after: bytesAfter }
    logger.warn(
      fields,
      `values were changed after they were stored: ${entries.length} of ${sampled} entries sized again`,
    )
  })
  on('clock-changed', (e) =>
    logger.warn({ from: e.from, to: e.to }, 'the wall clock jumped; expiries and ages are not affected'),
  )
  if (!logger.isLevelEnabled?.('debug')) return
  on('checked', (e) => {
    logger.debug(
      { bytes: e.bytes, items: e.items, usage: e.usage, alert_level: e.level },
      `memory usage: ${e.bytes} bytes (${percent(e.usage)})`,
    )
  })
  on('added', (e) => logger.debug({ cache: e.cache, size: e.size }, `added ${e.cache} item: size=${e.size} bytes`))
  on('updated', (e) => logger.debug({ cache: e.cache, size: e.size }, `updated ${e.cache} item: size=${e.size} bytes`))
}

/** Who filled it, and how long it will last at that rate. */
function culprit({ since, timeLeft }: EventOf<'warned'>): string {
  const [cache] = since.caches
  if (cache === undefined) return ''
  const writer = since.writers.find((candidate) => candidate.cache === cache.cache && candidate.prefix !== '')
  const prefix = writer === undefined ? '' : `, ${shownBytes(writer.bytes)} of them under ${writer.prefix}`
  const by = `; since the last level ${shownBytes(since.bytesAdded)} were added, ${shownBytes(cache.bytes)} by ${cache.cache}${prefix}`
  return timeLeft === null ? by : `${by}; full in ${Math.round(timeLeft / 1000)} s at that rate`
}

function logBudget(logger: Logger, e: EventOf<'budget-changed'>): void {
  const { from, to, stated, reason, evidence, mayUse } = e
  const memory = `budget ${shownBytes(from.maxMemory)} -> ${shownBytes(to.maxMemory)}`
  const budgets = `${memory}, heap ${shownBytes(from.maxHeap)} -> ${shownBytes(to.maxHeap)}`
  const fields = { from, to, stated, reason, evidence }
  if (mayUse !== null) {
    logger.warn({ ...fields, may_use: mayUse }, `what this process may use changed: ${budgets}`)
    logger.info({}, budgetTable(mayUse))
  } else if (evidence !== null) {
    const { source, used, limit, afterCollection } = evidence
    const full = `${source} at ${percent(used / limit)} of ${shownBytes(limit)}`
    const when = afterCollection ? ' after a garbage collection' : ''
    if (reason === 'pressure') logger.warn(fields, `the process is short of memory (${full}${when}): ${budgets}`)
    else logger.info(fields, `the process has room again (${full}${when}): ${budgets}`)
  }
}

/** What this process may use, as a table to read: each source, its value, which one won. */
function budgetTable(mayUse: MayUse): string {
  const rows = [
    ...mayUse.sources.map((row) => ({ ...row, won: row.source === mayUse.source ? 'memory' : '' })),
    ...mayUse.heapSources.map((row) => ({ ...row, won: row.source === mayUse.heapSource ? 'heap' : '' })),
  ]
  const name = Math.max(...rows.map(({ source }) => source.length))
  const lines = rows.map(({ source, bytes, won }) => {
    const line = `  ${source.padEnd(name)}  ${shownBytes(bytes).padStart(11)}`
    return won === '' ? line : `${line}  <- ${won}`
  })
  return ['what this process may use', ...lines].join('\n')
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
  logger.info(
    { may_use: mayUse.bytes, heap_limit: mayUse.heapLimit, max: maxMemory, max_heap: maxHeap },
    budgetTable(mayUse),
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
