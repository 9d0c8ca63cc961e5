import { fileURLToPath } from 'node:url'
import fastifyStatic from '@fastify/static'
import type { FastifyInstance } from 'fastify'

/** Where `npm run build` puts it; from the sources and from `dist/` the same way. */
const FILES = fileURLToPath(new URL('../../../../dist/dashboard/', import.meta.url))

/** The dashboard's files, at the root of the instance. There is no data in them: the page asks for the token. */
export async function dashboardRoutes(app: FastifyInstance): Promise<void> {
  app.addHook('onRoute', (route) => {
    route.config = { ...route.config, muninnOpen: true }
  })
  app.addHook('onRequest', async (request, reply) => {
    const path = request.url.split('?')[0] ?? ''
    // The page's own addresses are relative: `/prefix` alone would look for them one level up.
    if (app.prefix !== '' && path === app.prefix) return reply.redirect(`${app.prefix}/`, 308)
    // Names of assets change with their content; the page names them.
    reply.header('cache-control', path.includes('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache')
    return undefined
  })
  await app.register(fastifyStatic, {
    root: FILES,
    // One route a file that is there: no path of a request ever reaches the file system.
    wildcard: false,
    decorateReply: false,
    cacheControl: false,
  })
}
