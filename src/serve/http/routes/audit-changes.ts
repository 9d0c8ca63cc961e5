import { Type } from 'typebox'
import { changeAnswer } from '../../answers.ts'
import { given, historyOf, ListAnswer, list, PageQuery, question } from './audit-query.ts'
import type { App, RouteContext } from './context.ts'

const ChangesQuery = Type.Object(
  {
    ...PageQuery,
    actor: Type.Optional(Type.String({ description: 'Only what this one did.' })),
    cache: Type.Optional(Type.String()),
  },
  { additionalProperties: false },
)

/** Who changed settings, evicted by hand or purged a cache. */
export function auditChangesRoute(app: App, { memory }: RouteContext): void {
  app.get(
    '/api/audit/changes',
    { schema: { querystring: ChangesQuery, response: { 200: ListAnswer } } },
    async (request) => {
      const { actor, cache, ...rest } = request.query
      return list(await historyOf(memory).changes({ ...question(rest), ...given({ actor, cache }) }), changeAnswer)
    },
  )
}
