import { BlockList, isIP } from 'node:net'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { MuninnError } from '../../base/errors.ts'
import type { Actor } from '../../muninn.ts'
import { BROWSER_HEADERS } from './headers.ts'
import { ProblemError, problem, problemOf, sendProblem } from './problem.ts'
import { findToken, type Role, type Token } from './tokens.ts'
import { traceIdOf } from './trace-parent.ts'

/** What a request must show before any route sees it. */
export interface GuardOptions {
  /** Whether a request without a token is refused; a token that is shown is judged in any case. */
  readonly tokenNeeded: boolean
  readonly tokens: readonly Token[]
  /**
   * Names that `Host` may have, in lower case, with or without a port; `null`: any, but where no token is needed and the
   * request came to a loopback address, that must be what it names.
   */
  readonly hosts: readonly string[] | null
}

/** Who asks, as the guard found. */
export interface Caller {
  readonly role: Role
  /** What the audit log records as the actor. */
  readonly actor: string
  /** Whether a token was shown, or none is needed. */
  readonly known: boolean
}

declare module 'fastify' {
  interface FastifyRequest {
    muninnCaller: Caller | null
  }
  interface FastifyContextConfig {
    /** Answered without a token, even where one is needed. */
    muninnOpen?: boolean
    /** Passes with role `read` whatever its method: what of it changes something, its handler refuses. */
    muninnReads?: boolean
  }
}

export const LOOPBACK_HOSTS: readonly string[] = ['localhost', '127.0.0.1', '[::1]']

const LOOPBACK = new BlockList()
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4')
LOOPBACK.addAddress('::1', 'ipv6')

/** Whether listening on it reaches this machine alone. A name that isn't `localhost` counts as reachable from outside. */
export function isLoopback(host: string): boolean {
  const family = isIP(host)
  if (family === 0) return host.toLowerCase() === 'localhost'
  return LOOPBACK.check(host, family === 4 ? 'ipv4' : 'ipv6')
}

/** @throws {MuninnError} when it would listen beyond loopback without a token. */
export function checkExposure(host: string, tokens: readonly Token[]): void {
  if (tokens.length === 0 && !isLoopback(host)) {
    throw new MuninnError(
      'ERR_MUNINN_USAGE',
      `${host} is reachable from outside this machine, and no token is set: set MUNINN_TOKEN, or listen on 127.0.0.1`,
    )
  }
}

/** Puts the checks before every route of the instance, its answers to unknown routes included. */
export function guard(app: FastifyInstance, options: GuardOptions): void {
  app.decorateRequest('muninnCaller', null)
  app.addHook('onRequest', (request, reply, done) => {
    try {
      const caller = admit(request, reply, options)
      request.muninnCaller = caller
      // For pages, which show what may be done.
      if (caller.known) reply.header('muninn-role', caller.role)
      done()
    } catch (refusal) {
      done(refusal instanceof Error ? refusal : new Error(String(refusal)))
    }
  })
}

/** Who the audit log says did it. */
export function actorOf(request: FastifyRequest): Actor {
  const actor = request.muninnCaller?.actor ?? 'http'
  const traceId = traceIdOf(request.headers.traceparent)
  return traceId === null ? { actor } : { actor, traceId }
}

/**
 * For fastify's `frameworkErrors`: a path that can't be decoded never reaches the hooks, and is answered as if it had.
 */
export function guardUndecodable(options: GuardOptions) {
  return (error: Error, request: FastifyRequest, reply: FastifyReply): void => {
    try {
      admit(request, reply, options)
      sendProblem(reply, problem('bad-request', error.message))
    } catch (refusal) {
      sendProblem(reply, problemOf(refusal instanceof Error ? refusal : error))
    }
  }
}

/** @throws {ProblemError} where the request may not pass; the answer has its headers in any case. */
function admit(request: FastifyRequest, reply: FastifyReply, options: GuardOptions): Caller {
  reply.headers(BROWSER_HEADERS)
  checkHost(request, options.hosts ?? hostsOfLoopback(request, options.tokenNeeded))
  const mutates = !['GET', 'HEAD', 'OPTIONS', 'TRACE'].includes(request.method)
  if (mutates) checkOrigin(request)
  const caller = authenticate(request, reply, options)
  if (mutates && caller.role !== 'admin' && request.routeOptions.config?.muninnReads !== true) throw mayNotChange()
  return caller
}

/** @throws {ProblemError} where the caller may read only. */
export function demandAdmin(request: FastifyRequest): void {
  if (request.muninnCaller?.role !== 'admin') throw mayNotChange()
}

function mayNotChange(): ProblemError {
  return new ProblemError('forbidden', 'this token may read, and not change anything')
}

/**
 * A page that rebinds its own name to this address sends that name as `Host`. Read from the header itself: what
 * `trustProxy` makes of `X-Forwarded-Host` is in the sender's hand.
 */
function checkHost(request: FastifyRequest, hosts: readonly string[] | null): void {
  const target = request.raw.url ?? ''
  if (!target.startsWith('/') && target !== '*')
    throw new ProblemError('bad-request', 'the request target must be a path')
  if (hosts === null) return
  const host = hostOf(request)
  if (!hosts.includes(host) && !hosts.includes(host.replace(/:\d+$/, ''))) {
    throw new ProblemError('foreign-host', `Host must be one of ${[...new Set(hosts)].join(', ')}`)
  }
}

/** What `Host` may be where nobody said: what a browser on this machine can reach, a page of any name can, by rebinding it. */
function hostsOfLoopback(request: FastifyRequest, tokenNeeded: boolean): readonly string[] | null {
  const { localAddress } = request.socket
  if (tokenNeeded || localAddress === undefined || !isLoopback(localAddress)) return null
  return [...LOOPBACK_HOSTS, localAddress.replace(/^::ffff:/, '')]
}

function hostOf(request: FastifyRequest): string {
  const host = request.headers.host ?? request.headers[':authority']
  return typeof host === 'string' ? host.toLowerCase() : ''
}

/** A browser says where a request that changes something comes from; what isn't a browser says nothing, and passes. */
function checkOrigin(request: FastifyRequest): void {
  const site = request.headers['sec-fetch-site']
  const origin = request.headers.origin
  if (
    site === 'cross-site' ||
    site === 'same-site' ||
    (origin !== undefined && originHost(origin) !== defaultPort(origin, hostOf(request)))
  ) {
    throw new ProblemError('foreign-origin', 'a page of another origin may not change anything here')
  }
}

function originHost(origin: string): string | null {
  return URL.canParse(origin) ? new URL(origin).host : null
}

/** `Host` as an origin of the same scheme would spell it: without the scheme's own port. */
function defaultPort(origin: string, host: string): string {
  return host.replace(origin.startsWith('https:') ? /:443$/ : /:80$/, '')
}

function authenticate(request: FastifyRequest, reply: FastifyReply, options: GuardOptions): Caller {
  const header = request.headers.authorization
  const shown = header !== undefined && options.tokens.length > 0
  if (!shown && !options.tokenNeeded) return { role: 'admin', actor: 'http', known: true }
  const secret = shown ? /^Bearer +(\S+) *$/i.exec(header)?.[1] : undefined
  const token = secret === undefined ? null : findToken(options.tokens, secret)
  if (token !== null) return { role: token.role, actor: `http:${token.name}`, known: true }
  if (request.routeOptions.config?.muninnOpen === true) return { role: 'read', actor: 'http', known: false }
  reply.header('www-authenticate', shown ? 'Bearer realm="muninn", error="invalid_token"' : 'Bearer realm="muninn"')
  const detail = shown ? 'the token is none of this service' : 'send Authorization: Bearer and a token of this service'
  throw new ProblemError('unauthorized', detail)
}
