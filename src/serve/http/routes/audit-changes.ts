import { Type } from '#typebox'
import { changeAnswer } from '../../answers.ts'
import { ChangeRow } from '../record-schemas.ts'
import { about, given, historyOf, list, OfCache, PageOf, PageQuery, question } from './audit-query.ts'
import type { App, RouteContext } from './context.ts'

const ChangesQuery = Type.Object(
  {
    ...PageQuery,
    actor: Type.Optional(Type.String({ description: 'Only what this one did.', examples: ['http:ops'] })),
    ...OfCache,
  },
  { additionalProperties: false },
)

/** Who changed settings, evicted by hand or purged a cache. */
export function auditChangesRoute(app: App, { memory }: RouteContext): void {
  app.get(
    '/api/audit/changes',
    {
      schema: {
        ...about('changes', 'Who changed settings, evicted by hand or purged a cache'),
        querystring: ChangesQuery,
        response: { 200: PageOf(ChangeRow) },
      },
    },
    async (request) => {
      const { actor, cache, ...rest } = request.query
      return list(await historyOf(memory).changes({ ...question(rest), ...given({ actor, cache }) }), changeAnswer)
    },
  )
}
