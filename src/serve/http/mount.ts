import type { FastifyInstance } from 'fastify'
import { EventStreams } from './event-streams.ts'
import type { Metrics } from './metrics.ts'
import { addRoutes } from './routes/all.ts'
import type { RouteContext } from './routes/context.ts'
import { loadSchemaCheck } from './routes/schema-check.ts'

/** Adds the API to an instance that is protected already, with what lives as long as it does. */
export function mountApi(app: FastifyInstance, options: Omit<RouteContext, 'metrics' | 'streams'>): void {
  let made: Promise<Metrics> | null = null
  const metrics = () => {
    made ??= import('./metrics.ts').then(({ Metrics }) => new Metrics(options.memory))
    return made
  }
  // Not before it listens: a start need not wait for it. What loaders do from then on is observed.
  app.addHook('onListen', async () => void Promise.all([metrics(), loadSchemaCheck()]))
  app.addHook('onClose', async () => (await made)?.close())
  const streams = new EventStreams(options.memory, (error) => app.log.error({ err: error }, 'telling of events failed'))
  app.addHook('preClose', async () => streams.close())
  addRoutes(app, { ...options, metrics, streams })
}
