import type { Socket } from 'node:net'
import { type FastifyBaseLogger, type FastifyInstance, fastify, LogController } from 'fastify'
import type { MemoryManager } from '../../muninn.ts'
import { checkExposure, type GuardOptions, guardUndecodable, isLoopback, LOOPBACK_HOSTS } from './guard.ts'
import { InFlight } from './in-flight.ts'
import { mountApi } from './mount.ts'
import { DEFAULT_MAX_ITEM_BYTES, MAX_PARAM_LENGTH } from './plugin.ts'
import { answerUnknown, PROBLEM_TYPE } from './problem.ts'
import { protect } from './protect.ts'
import { OWN_COMPILERS } from './routes/schema-check.ts'
import type { Token } from './tokens.ts'

export interface ServiceOptions {
  readonly memory: MemoryManager
  readonly host: string
  /** 0: any free one. */
  readonly port: number
  readonly tokens: readonly Token[]
  readonly allowedHosts: readonly string[] | null
  readonly requireAudit: boolean
  readonly logger: FastifyBaseLogger
  readonly patience?: Patience
}

/** A service that listens. */
export interface Service {
  /** Its address, as `http://127.0.0.1:8080`. */
  readonly url: string
  /**
   * Lets what was asked be answered, at most `grace` ms, while `/readyz` says 503 to whoever asks; then stops listening. The
   * memory manager stays open.
   */
  close(grace: number): Promise<void>
}

/** A key of 64 KiB, each of its bytes percent-encoded, and room for the other headers. */
const MAX_HEADER_BYTES = 3 * 64 * 1024 + 16 * 1024
/** How long, in ms, a sender may take, so that slow ones can't hold connections. */
export interface Patience {
  /** For the headers of a request. */
  readonly headers: number
  /** For the whole of it. */
  readonly request: number
  /** How often it is looked whether one is over. */
  readonly check: number
}
const PATIENCE: Patience = { headers: 10_000, request: 120_000, check: 500 }
/** ms after which a connection that was refused is cut where its sender doesn't hang up: until then the answer can be read. */
const LINGER = 1_000
/** Connections at a time: what a process with the usual 1,024 files may open is less, and more is an attack. */
const MOST_CONNECTIONS = 10_000

/** The HTTP service: the guard before everything, then the routes. */
export async function startService(options: ServiceOptions): Promise<Service> {
  checkExposure(options.host, options.tokens)
  const loopback = isLoopback(options.host)
  const checks: GuardOptions = {
    tokenNeeded: !loopback,
    tokens: options.tokens,
    hosts: loopback
      ? [...LOOPBACK_HOSTS, options.host.toLowerCase(), ...(options.allowedHosts ?? [])]
      : options.allowedHosts,
  }
  let draining = false
  const app = build(options.logger, checks, options.patience ?? PATIENCE)
  const inFlight = new InFlight(app)
  await protect(app, checks)
  // Otherwise a connection whose last request was in flight at the signal would be kept open for a next one.
  app.addHook('onSend', (_request, reply, payload, done) => {
    if (draining) reply.header('connection', 'close')
    done(null, payload)
  })
  mountApi(app, {
    memory: options.memory,
    exposeValues: true,
    maxItemBytes: DEFAULT_MAX_ITEM_BYTES,
    requireAudit: options.requireAudit,
    dashboard: true,
    draining: () => draining,
  })
  app.server.maxConnections = MOST_CONNECTIONS
  const closeUnused = closerOfUnused(app)
  await app.listen({ host: options.host, port: options.port })
  return {
    url: app.listeningOrigin,
    close: async (grace) => {
      draining = true
      const impatience = setTimeout(() => app.server.closeAllConnections(), grace)
      await inFlight.settled()
      closeUnused()
      await app.close()
      clearTimeout(impatience)
    },
  }
}

/** Browsers and balancers connect ahead of need: a server that stops would wait for what may never be asked. */
function closerOfUnused(app: FastifyInstance): () => void {
  const open = new Set<Socket>()
  app.server.on('connection', (socket) => {
    open.add(socket)
    socket.once('close', () => open.delete(socket))
  })
  return () => {
    for (const socket of open) if (socket.bytesRead === 0) socket.destroy()
  }
}

function build(logger: FastifyBaseLogger, checks: GuardOptions, patience: Patience): FastifyInstance {
  const app: FastifyInstance = fastify({
    loggerInstance: quiet(logger),
    logController: new LogController({ disableRequestLogging: true }),
    http: {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: patience.headers,
      connectionsCheckingInterval: patience.check,
    },
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
    schemaController: OWN_COMPILERS,
    requestTimeout: patience.request,
    // While it drains, what still comes in on an open connection is answered: /readyz has something to say then.
    return503OnClosing: false,
    clientErrorHandler: answerMalformed,
    frameworkErrors: guardUndecodable(checks),
  })
  app.setNotFoundHandler(answerUnknown)
  return app
}

/** What fastify itself has to say is of interest from warnings on; where it listens, the caller says. */
function quiet(logger: FastifyBaseLogger): FastifyBaseLogger {
  return ['trace', 'debug', 'info'].includes(logger.level) ? logger.child({}, { level: 'warn' }) : logger
}

/** What isn't HTTP, or has headers beyond every bound, never becomes a request. */
function answerMalformed(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return
  // In the middle of an answer, another one would be taken for its rest.
  const { _httpMessage: answer } = socket as Socket & { _httpMessage?: { headersSent: boolean } | null }
  if (answer?.headersSent === true) {
    socket.destroy()
    return
  }
  const [status, title] =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? [431, 'Request Header Fields Too Large']
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? [408, 'Request Timeout']
        : [400, 'Bad Request']
  const body = JSON.stringify({ type: 'about:blank', title, status })
  socket.end(
    `HTTP/1.1 ${status} ${title}\r\nContent-Type: ${PROBLEM_TYPE}\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  )
  setTimeout(() => socket.destroy(), LINGER).unref()
}
