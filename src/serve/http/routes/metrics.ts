import { Type } from '#typebox'
import type { App, RouteContext } from './context.ts'

/** `/metrics`, in Prometheus' text format. */
export function metricsRoute(app: App, { metrics }: RouteContext): void {
  app.get(
    '/metrics',
    {
      schema: {
        tags: ['Memory'],
        operationId: 'metrics',
        summary: "Metrics in Prometheus' text format; a key is never a label",
        response: { 200: { description: 'The exposition.', content: { 'text/plain': { schema: Type.String() } } } },
      },
    },
    async (_request, reply) => {
      const { contentType, text } = await (await metrics()).expose()
      return reply.type(contentType).send(text)
    },
  )
}
