import { readdirSync } from 'node:fs'
import { extname, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { HIDDEN } from './methods.ts'

/** Where `npm run build` puts it; from the sources and from `dist/` the same way. */
const FILES = fileURLToPath(new URL('../../../../dist/dashboard/', import.meta.url))

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
}
/** The build compresses what is text; by themselves the compressed files have no addresses. */
const PACKED = { br: '.br', gzip: '.gz' } as const

/** The dashboard's files, at the root of the instance. There is no data in them: the page asks for the token. */
export async function dashboardRoutes(app: FastifyInstance): Promise<void> {
  app.addHook('onRoute', (route) => {
    route.config = { ...route.config, muninnOpen: true }
  })
  app.addHook('onRequest', async (request, reply) => {
    const path = request.url.split('?')[0] ?? ''
    const shown = askedOf(request)
    // The page's own addresses are relative: without the slash at its end they would lead one level up.
    if ((path === app.prefix || path === `${app.prefix}/`) && !shown.endsWith('/')) {
      return reply.redirect(`${shown.slice(shown.lastIndexOf('/') + 1)}/`, 308)
    }
    // Names of assets change with their content; the page names them.
    reply.header('cache-control', path.includes('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache')
    reply.header('vary', 'accept-encoding')
    return undefined
  })
  const names = readdirSync(FILES, { recursive: true, encoding: 'utf8' })
  const files = new Set(names.map((name) => name.replaceAll(sep, '/')))
  // One route a file that is there: no path of a request ever reaches the file system.
  const paths = [...files]
    .filter((file) => TYPES[extname(file)] !== undefined)
    .map((file) => [`/${file}`, file] as const)
  for (const [url, file] of [['/', 'index.html'] as const, ...paths]) {
    const handler = (request: FastifyRequest, reply: FastifyReply) => sendFile(request, reply, file, files)
    app.route({ method: ['GET', 'HEAD'], url, schema: HIDDEN, handler })
  }
}

async function sendFile(
  request: FastifyRequest,
  reply: FastifyReply,
  file: string,
  files: ReadonlySet<string>,
): Promise<FastifyReply> {
  const encoding = (['br', 'gzip'] as const).find((name) => takes(request, name) && files.has(file + PACKED[name]))
  // Loaded by the first request for it: a start need not wait.
  const { send } = await import('@fastify/send')
  const path = encoding === undefined ? file : file + PACKED[encoding]
  const sent = await send(request.raw, path, { root: FILES, cacheControl: false, contentType: false })
  if (sent.type === 'error') throw sent.metadata.error
  reply.code(sent.statusCode).headers(sent.headers)
  if (sent.statusCode !== 304) reply.type(TYPES[extname(file)] ?? '')
  if (encoding !== undefined) reply.header('content-encoding', encoding)
  return reply.send(sent.stream)
}

/** Whether `Accept-Encoding` names it, and not with a weight of 0. */
function takes({ headers }: FastifyRequest, encoding: string): boolean {
  const accepted = String(headers['accept-encoding'] ?? '').toLowerCase()
  return accepted.split(',').some((part) => {
    const [name, weight = ''] = part.replaceAll(/\s/g, '').split(';')
    return name === encoding && !/^q=0(?:\.0*)?$/.test(weight)
  })
}

/** The path as the browser asked for it: what Express mounts somewhere is told the rest alone. */
function askedOf({ raw, url }: FastifyRequest): string {
  const original = 'originalUrl' in raw && typeof raw.originalUrl === 'string' ? raw.originalUrl : url
  return original.split('?')[0] ?? ''
}
