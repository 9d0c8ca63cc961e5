import type { FastifyInstance, RouteOptions } from 'fastify'
import { problem, sendProblem } from '../problem.ts'

/** For the API's description: these are no endpoints. */
export const HIDDEN = { hide: true }

/**
 * Answers a known path under a method that it doesn't have: 405 with `Allow`, or 204 for OPTIONS. Call it before the
 * routes; call what it returns after them.
 */
export function refuseOtherMethods(app: FastifyInstance): () => void {
  const taken = new Map<string, Set<string>>()
  app.addHook('onRoute', (route: RouteOptions) => {
    const methods = taken.get(route.url) ?? new Set<string>()
    for (const method of [route.method].flat()) methods.add(method)
    taken.set(route.url, methods)
  })
  return () => {
    for (const [path, methods] of [...taken]) {
      const url = path.startsWith(app.prefix) ? path.slice(app.prefix.length) : path
      const allow = [...methods, 'OPTIONS'].sort().join(', ')
      const others = app.supportedMethods.filter((method) => !methods.has(method))
      app.route({
        url,
        method: others,
        exposeHeadRoute: false,
        schema: HIDDEN,
        // Before the body is parsed, so that no media type comes first; after the guard, which is the instance's hook.
        onRequest: async (request, reply) => {
          reply.header('allow', allow)
          if (request.method === 'OPTIONS') return reply.code(204).send()
          return sendProblem(reply, problem('method-not-allowed', `${request.method} is not one of ${allow}`))
        },
        handler: async () => undefined,
      })
    }
  }
}
