import { Type } from 'typebox'
import { stateAnswer } from '../../answers.ts'
import { parseMoment } from '../../moment.ts'
import { TIME_FORMS } from '../../time.ts'
import { given, historyOf, PageQuery, Text, wrong } from './audit-query.ts'
import type { App, RouteContext } from './context.ts'

const { run, limit, cursor } = PageQuery

const StateQuery = Type.Object(
  {
    at: Type.String({ description: `${TIME_FORMS}, or the seq of an event.` }),
    run,
    cache: Type.Optional(Type.String()),
    limit,
    cursor,
  },
  { additionalProperties: false },
)

const StateAnswer = Type.Object({
  at: Text,
  no: Text,
  runs: Type.Array(Type.Unknown()),
  items: Type.Array(Type.Unknown()),
  next: Text,
  incomplete: Text,
})

/** What was in the caches at a moment. */
export function auditStateRoute(app: App, { memory }: RouteContext): void {
  app.get(
    '/api/audit/state',
    { schema: { querystring: StateQuery, response: { 200: StateAnswer } } },
    async (request) => {
      const { at, ...rest } = request.query
      const moment = parseMoment(at, Date.now()) ?? wrong('at', `${TIME_FORMS}, or the seq of an event`)
      return stateAnswer(await historyOf(memory).state({ ...moment, ...given(rest) }))
    },
  )
}
