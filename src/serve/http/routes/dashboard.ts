import { fileURLToPath } from 'node:url'
import fastifyStatic from '@fastify/static'
import type { FastifyInstance, FastifyRequest } from 'fastify'

/** Where `npm run build` puts it; from the sources and from `dist/` the same way. */
const FILES = fileURLToPath(new URL('../../../../dist/dashboard/', import.meta.url))

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
  await app.register(fastifyStatic, {
    root: FILES,
    // One route a file that is there: no path of a request ever reaches the file system.
    wildcard: false,
    // Compressed by the build, and sent to who takes it; by themselves they have no addresses.
    preCompressed: true,
    globIgnore: ['**/*.{br,gz}'],
    decorateReply: false,
    cacheControl: false,
  })
}

/** The path as the browser asked for it: what Express mounts somewhere is told the rest alone. */
function askedOf({ raw, url }: FastifyRequest): string {
  const original = 'originalUrl' in raw && typeof raw.originalUrl === 'string' ? raw.originalUrl : url
  return original.split('?')[0] ?? ''
}
