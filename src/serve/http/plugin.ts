import type { FastifyInstance } from 'fastify'
import type { MemoryManager } from '../../muninn.ts'
import { mountApi } from './mount.ts'
import { problem, sendProblem } from './problem.ts'
import { protect } from './protect.ts'
import { parseTokens } from './tokens.ts'

export interface MuninnHttpOptions {
  memory: MemoryManager
  /**
   * Whether items' values may be read and written over HTTP. Default `false`: a host application's values are its own;
   * keys, sizes and statistics are shown, and entries can be deleted and evicted.
   */
  exposeValues?: boolean
  /** A token, or `name:role:secret,…` with roles `read` and `admin`; given, every route but health needs one. Default: none, the host application guards. */
  token?: string
  /** Names that `Host` may have, with or without a port. Default: any; whoever listens on loopback should give its names. */
  allowedHosts?: readonly string[]
  /** Largest body of an item, in bytes. Default 16 MiB. */
  maxItemBytes?: number
  /** Whether `/readyz` fails while the audit log is in trouble. Default `false`. */
  requireAudit?: boolean
}

export const DEFAULT_MAX_ITEM_BYTES = 16 * 1024 * 1024

/**
 * Muninn's HTTP routes for a fastify application of one's own: `app.register(muninnHttp, { memory, prefix: '/muninn' })`.
 * Hooks, parsers and error answers stay inside; a mutation that comes from a page of another origin is always refused.
 */
export default async function muninnHttp(app: FastifyInstance, options: MuninnHttpOptions): Promise<void> {
  const tokens = options.token === undefined ? [] : parseTokens(options.token)
  await protect(app, {
    tokenNeeded: tokens.length > 0,
    tokens,
    hosts: options.allowedHosts?.map((host) => host.toLowerCase()) ?? null,
  })
  // At the root, unknown routes are the host application's to answer.
  if (app.prefix !== '') {
    app.setNotFoundHandler((request, reply) =>
      sendProblem(reply, problem('not-found', `there is no ${request.method} ${request.url.split('?')[0]}`)),
    )
  }
  let closing = false
  app.addHook('preClose', async () => {
    closing = true
  })
  mountApi(app, {
    memory: options.memory,
    exposeValues: options.exposeValues ?? false,
    maxItemBytes: options.maxItemBytes ?? DEFAULT_MAX_ITEM_BYTES,
    requireAudit: options.requireAudit ?? false,
    draining: () => closing,
  })
}
