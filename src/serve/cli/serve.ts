import { createServer } from 'node:net'
import { resolve } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { Command, InvalidArgumentError, Option } from 'commander'
import type { AuditOptions } from '../../base/audit-options.ts'
import { optionsFromEnv } from '../../base/environment.ts'
import { HistoryError, OptionError } from '../../base/errors.ts'
import type { MemoryManagerOptions } from '../../base/options.ts'
import { POLICIES, type PolicyName } from '../../base/settings.ts'
import { MemoryManager } from '../../muninn.ts'
import { DEMO_OPTIONS } from '../demo/options.ts'
import { portFrom, serviceFromEnv } from '../environment.ts'
import { checkExposure } from '../http/guard.ts'
import type { Service } from '../http/server.ts'
import { DEFAULT_DB } from './log-command.ts'
import { print, printJson, usageError } from './output.ts'
import { type LogTarget, openStartLog } from './start-log.ts'
import { stopOnSignal } from './stop.ts'
import { bytes, count } from './text.ts'
import { unreadVariables } from './unread-variables.ts'

interface ServeOptions {
  readonly host?: string
  readonly port?: number
  readonly db?: string
  readonly maxMemory?: string
  readonly maxItems?: number
  readonly policy?: PolicyName
  readonly demo?: boolean
  readonly json?: boolean
}

/** The service always keeps an audit log. */
export type ServedOptions = Omit<MemoryManagerOptions, 'audit'> & { audit: AuditOptions }

/** `muninn serve`: the HTTP service, until a signal ends it. */
export function serveCommand(): Command {
  return new Command('serve')
    .description('run the HTTP service; flags win over environment variables')
    .option(
      '--host <address>',
      'address to listen on; beyond loopback MUNINN_TOKEN must be set (default: MUNINN_HOST, else 127.0.0.1)',
    )
    .option('--port <port>', 'port to listen on, 0 for any (default: MUNINN_PORT, else 8080)', portArgument)
    .option('--db <file>', `the audit log (default: MUNINN_DB, else ${DEFAULT_DB})`)
    .option('--max-memory <size>', 'memory budget: bytes, 512MB, or 25% of what the process may use')
    .option('--max-items <n>', 'items over all caches, or Infinity', itemsArgument)
    .addOption(new Option('--policy <name>', 'eviction policy').choices(POLICIES))
    .option(
      '--demo',
      'caches with a workload of their own and some past, to look around; forgotten at the end without --db',
    )
    .option('--json', 'say where it listens as one JSON document on stdout; the log goes to stderr')
    .action(serve)
}

function portArgument(text: string): number {
  const port = portFrom(text)
  if (port === undefined) throw new InvalidArgumentError('It must be an integer from 0 to 65535.')
  return port
}

function itemsArgument(text: string): number {
  const items = text === 'Infinity' ? Number.POSITIVE_INFINITY : /^\d{1,15}$/.test(text) ? Number(text) : 0
  if (items < 1) throw new InvalidArgumentError('It must be an integer of 1 or more, or Infinity.')
  return items
}

async function serve(flags: ServeOptions): Promise<void> {
  const env = serviceFromEnv(process.env)
  const options = memoryOptions(flags)
  const host = flags.host ?? env.host
  const port = flags.port ?? env.port
  checkExposure(host, env.tokens)
  // Before anything is made: a second start must not leave the trace of a run that never was in the first one's log.
  await checkPort(host, port)

  const log = await openStartLog(env.logLevel, logTarget(flags))
  const { logger } = log
  for (const { variable, nearest } of await unreadVariables(process.env)) {
    const hint = nearest === null ? 'Muninn has none of that name' : `is it meant to be ${nearest}?`
    logger.warn({ variable, nearest }, `nobody reads the variable ${variable}: ${hint}`)
  }
  const start = async (memory: MemoryManager, at: number) => {
    // While the log's thread finds out whether it can be written.
    const [{ startService }] = await Promise.all([import('../http/server.ts'), demandLog(memory)])
    return startService({ memory, host, port: at, ...pick(env), logger })
  }
  if (flags.demo === true) {
    const { serveDemo } = await import('./serve-demo.ts')
    const demo = await serveDemo(options, (memory, at) => start(memory, at ?? port), flags.db !== undefined)
    log.release()
    stopOnSignal(demo, demo, logger)
    announce(demo.url, demo.memory, demo.db, flags)
    if (!talksToPerson(flags)) logger.info({ url: demo.url, db: demo.db }, 'listening')
    return
  }
  const memory = open({ ...options, logger })
  // The reference's caches are there from the start, so that their figures are, too.
  for (const name of ['general', 'tenant', 'mimir']) memory.cache(name)
  let service: Service
  try {
    service = await start(memory, port)
  } catch (error) {
    // What can't be written to the log would only be tried again, and waited for; the error says all that the lines do.
    if (!(error instanceof HistoryError)) {
      log.release()
      await memory.close()
    }
    throw error
  }
  log.release()
  stopOnSignal(service, memory, logger)
  announce(service.url, memory, resolve(options.audit.path), flags)
  if (!talksToPerson(flags)) logger.info({ url: service.url, db: resolve(options.audit.path) }, 'listening')
}

function talksToPerson(flags: ServeOptions): boolean {
  return flags.json !== true && process.stdout.isTTY
}

/** ms for which the log may be silent at the start, its writer's own patience with a lock included. */
const LOG_PATIENCE = 5_000
/** As the log's writer words it, whose thread tells no code. */
const LOCKED = /: another (process|connection) keeps it locked \(/

/**
 * A log that somebody keeps locked is somebody else's, as a port in use is. Any other trouble with it, now or later, is said, and
 * the cache goes on without.
 *
 * @throws {HistoryError} saying in one line that the log is locked.
 */
async function demandLog(memory: MemoryManager): Promise<void> {
  await Promise.race([memory.flush(), setTimeout(LOG_PATIENCE, undefined, { ref: false })])
  const problem = memory.stats().audit?.problem ?? null
  if (problem !== null && LOCKED.test(problem)) throw new HistoryError(`can't write the audit log: ${problem}`)
}

/** pino's JSON lines on stdout, on stderr beside `--json`, and as plain lines for a person at a terminal. */
function logTarget(flags: ServeOptions): LogTarget {
  if (talksToPerson(flags)) return 'terminal'
  return flags.json === true ? 2 : 1
}

function pick({ tokens, allowedHosts, requireAudit }: ReturnType<typeof serviceFromEnv>) {
  return { tokens, allowedHosts, requireAudit }
}

/** Flags over variables over the service's own defaults. */
function memoryOptions(flags: ServeOptions): ServedOptions {
  if (flags.db === '') throw usageError('--db: give the path of the audit log')
  const options = optionsFromEnv({ ...process.env, MUNINN_DB: process.env.MUNINN_DB ?? DEFAULT_DB })
  const audit = typeof options.audit === 'object' ? options.audit : { path: String(options.audit) }
  return {
    ...(flags.demo === true ? DEMO_OPTIONS : {}),
    ...options,
    ...(flags.maxMemory === undefined ? {} : { maxMemory: flags.maxMemory }),
    ...(flags.maxItems === undefined ? {} : { maxItems: flags.maxItems }),
    ...(flags.policy === undefined ? {} : { policy: flags.policy }),
    audit: { ...audit, path: flags.db ?? audit.path },
    caches: { tenant: { maxItems: 500 }, mimir: { maxItems: 500 }, ...options.caches },
  }
}

/** Variables have been checked by now, so that an option that is wrong came from a flag. */
function open(options: MemoryManagerOptions): MemoryManager {
  try {
    return new MemoryManager(options)
  } catch (error) {
    if (!(error instanceof OptionError) || error.option !== 'maxMemory') throw error
    throw usageError(error.message.replace('maxMemory', '--max-memory'))
  }
}

/** @throws {Error} saying in one line that the port is taken, or the address not this machine's. */
async function checkPort(host: string, port: number): Promise<void> {
  const probe = createServer()
  await new Promise<void>((done, fail) => {
    probe.once('error', (error: NodeJS.ErrnoException) => fail(listenError(error, host, port)))
    probe.listen({ host, port }, done)
  })
  await new Promise((done) => probe.close(done))
}

function listenError(error: NodeJS.ErrnoException, host: string, port: number): Error {
  const problem =
    error.code === 'EADDRINUSE'
      ? `port ${port} on ${host} is in use: choose another with --port or MUNINN_PORT, or stop what listens there`
      : `can't listen on ${host}, port ${port}: ${error.message}`
  return Object.assign(new Error(problem), { code: error.code })
}

/** Where to look: on a terminal for a person, with `--json` for a program; elsewhere the log's line says it. */
function announce(url: string, memory: MemoryManager, db: string | null, flags: ServeOptions): void {
  const { maxMemory, maxItems, caches, policy } = memory.settings
  const problem = memory.stats().audit?.problem ?? null
  const log =
    problem === null ? `${db ?? 'none'}  (npx muninn-cache evictions, … explain KEY)` : `NOT WRITTEN: ${problem}`
  const limits = { maxMemoryBytes: maxMemory, maxCacheSize: maxItems, policy }
  if (flags.json === true) printJson({ url, db, pid: process.pid, run: memory.runId, limits })
  if (!talksToPerson(flags)) return
  const limited = Object.entries(caches).filter(([, cache]) => Number.isFinite(cache.maxItems))
  const each = limited.map(([name, cache]) => `${name} ${count(cache.maxItems)}`)
  print(
    [
      'Muninn, the cache that remembers what it forgot',
      `  dashboard  ${url}/`,
      `  status     ${url}/api/cache/status`,
      `  items      ${url}/api/cache/general/items`,
      `  audit log  ${log}`,
      `  limits     ${bytes(maxMemory)}, ${count(maxItems)} items (${each.join(', ')}); policy ${policy}`,
      '',
    ].join('\n'),
  )
}
