import type { IncomingMessage, ServerResponse } from 'node:http'
import { type FastifyInstance, fastify } from 'fastify'
import type { MemoryManager } from '../../muninn.ts'
import { type GuardOptions, guardUndecodable } from './guard.ts'
import { BROWSER_HEADERS } from './headers.ts'
import { mountApi } from './mount.ts'
import { checkPluginOptions } from './plugin-options.ts'
import { answerUnknown, PROBLEM_TYPE, problem } from './problem.ts'
import { protect } from './protect.ts'
import { OWN_COMPILERS } from './routes/schema-check.ts'

export interface MuninnHttpOptions {
  memory: MemoryManager
  /**
   * Whether items' values may be read and written over HTTP. Default `false`: a host application's values are its own;
   * keys, sizes and statistics are shown, and entries can be deleted and evicted.
   */
  exposeValues?: boolean
  /** A token, or `name:role:secret,…` with roles `read` and `admin`; given, every route but health needs one. Default: none, the host application guards. */
  token?: string
  /**
   * Names that `Host` may have, with or without a port. Default: any; without a `token`, what comes to a loopback address
   * must name that, against DNS rebinding. Behind a proxy on the same machine give the names that it passes on.
   */
  allowedHosts?: readonly string[]
  /** Largest body of an item, in bytes. Default 16 MiB. */
  maxItemBytes?: number
  /** Whether `/readyz` fails while the audit log is in trouble. Default `false`. */
  requireAudit?: boolean
  /** Whether the dashboard stands at the prefix. Default: under a prefix, yes; at the root, `/` is the host application's. */
  dashboard?: boolean
}

export const DEFAULT_MAX_ITEM_BYTES = 16 * 1024 * 1024
/** A cache's name of 256 characters, percent-encoded. */
export const MAX_PARAM_LENGTH = 256 * 12

/** What answers the requests of a server that isn't fastify's. */
export interface MuninnHandler {
  (request: IncomingMessage, response: ServerResponse): void
  /** Ends the streams of events, and what it holds; the memory manager stays open. */
  close(): Promise<void>
}

/**
 * The same for Express, Connect and plain `node:http`: `app.use('/muninn', await muninnHandler({ memory }))`, before parsers
 * of bodies, or `createServer(await muninnHandler({ memory }))`. It answers everything that it is given; a request whose
 * body was read before it gets 500, saying so.
 *
 * @throws {OptionError} where an option is not one, or not what it may be.
 */
export async function muninnHandler(options: MuninnHttpOptions): Promise<MuninnHandler> {
  const checks = checksOf(options)
  const app = fastify({
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
    schemaController: OWN_COMPILERS,
    frameworkErrors: guardUndecodable(checks),
  })
  // What comes here is Muninn's: unknown paths are guarded, too.
  app.setNotFoundHandler(answerUnknown)
  await mount(app, { dashboard: true, ...options }, checks)
  await app.ready()
  const handler = (request: IncomingMessage, response: ServerResponse) => {
    // What was read is gone: fastify would wait for it for ever.
    if (request.readableDidRead) refuseRead(response)
    else app.routing(request, response)
  }
  return Object.assign(handler, { close: () => app.close() })
}

function refuseRead(response: ServerResponse): void {
  const answer = problem(
    'internal',
    'the body was read before it came here: mount muninnHandler before parsers of bodies',
  )
  response.writeHead(answer.status, { ...BROWSER_HEADERS, 'content-type': PROBLEM_TYPE }).end(JSON.stringify(answer))
}

/**
 * Muninn's HTTP routes for a fastify application of one's own: `app.register(muninnHttp, { memory, prefix: '/muninn' })`.
 * Hooks, parsers and error answers stay inside; a mutation that comes from a page of another origin is always refused.
 *
 * @throws {OptionError} where an option is not one, or not what it may be.
 */
export default async function muninnHttp(app: FastifyInstance, options: MuninnHttpOptions): Promise<void> {
  const checks = checksOf(options)
  // At the root, unknown routes are the host application's to answer.
  if (app.prefix !== '') app.setNotFoundHandler(answerUnknown)
  await mount(app, options, checks)
}

function checksOf(options: MuninnHttpOptions): GuardOptions {
  const tokens = checkPluginOptions(options)
  const hosts = options.allowedHosts?.map((host) => host.toLowerCase()) ?? null
  return { tokenNeeded: tokens.length > 0, tokens, hosts }
}

async function mount(app: FastifyInstance, options: MuninnHttpOptions, checks: GuardOptions): Promise<void> {
  await protect(app, checks)
  let closing = false
  app.addHook('preClose', async () => {
    closing = true
  })
  mountApi(app, {
    memory: options.memory,
    exposeValues: options.exposeValues ?? false,
    maxItemBytes: options.maxItemBytes ?? DEFAULT_MAX_ITEM_BYTES,
    requireAudit: options.requireAudit ?? false,
    dashboard: options.dashboard ?? app.prefix !== '',
    draining: () => closing,
  })
}
