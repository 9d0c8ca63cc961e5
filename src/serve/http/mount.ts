import type { FastifyInstance } from 'fastify'
import { EventStreams } from './event-streams.ts'
import type { Metrics } from './metrics.ts'
import { addRoutes } from './routes/all.ts'
import type { RouteContext } from './routes/context.ts'
import { loadSchemaCheck } from './routes/schema-check.ts'

/** ms after which what is mostly wanted later is loaded. */
const IDLE = 1000

/** Adds the API to an instance that is protected already, with what lives as long as it does. */
export function mountApi(app: FastifyInstance, options: Omit<RouteContext, 'metrics' | 'streams'>): void {
  let made: Promise<Metrics> | null = null
  const metrics = () => {
    made ??= import('./metrics.ts').then(({ Metrics }) => new Metrics(options.memory))
    return made
  }
  // A while after it listens: neither a start nor the first requests need to wait. What loaders do from then on is observed.
  let soon: NodeJS.Timeout | null = null
  app.addHook('onListen', async () => {
    soon = setTimeout(() => void Promise.all([metrics(), loadSchemaCheck()]), IDLE).unref()
  })
  app.addHook('onClose', async () => {
    if (soon !== null) clearTimeout(soon)
    await (await made)?.close()
  })
  const streams = new EventStreams(options.memory, (error) => app.log.error({ err: error }, 'telling of events failed'))
  app.addHook('preClose', async () => streams.close())
  addRoutes(app, { ...options, metrics, streams })
}
