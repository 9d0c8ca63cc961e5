import { Type } from '#typebox'
import { stateAnswer } from '../../answers.ts'
import { parseMoment } from '../../moment.ts'
import { TIME_FORMS } from '../../time.ts'
import { StateEntry, StateOfRun } from '../record-schemas.ts'
import { List, Nullable, Text, Time } from '../schemas.ts'
import { about, given, historyOf, OfCache, PageQuery, wrong } from './audit-query.ts'
import type { App, RouteContext } from './context.ts'

const { run, limit, cursor } = PageQuery

const StateQuery = Type.Object(
  {
    at: Type.String({ description: `${TIME_FORMS}, or the seq of an event.`, examples: ['-1h'] }),
    run,
    ...OfCache,
    limit,
    cursor,
  },
  { additionalProperties: false },
)

const StateAnswer = Type.Object({
  at: Nullable(Time),
  no: Nullable(Type.String({ description: 'Why it can not be told at all.' })),
  runs: List(StateOfRun),
  items: List(StateEntry),
  next: Text,
  incomplete: Text,
})

/** What was in the caches at a moment. */
export function auditStateRoute(app: App, { memory }: RouteContext): void {
  app.get(
    '/api/audit/state',
    {
      schema: {
        ...about('state', 'What was in the caches at a moment (levels changes and all)'),
        querystring: StateQuery,
        response: { 200: StateAnswer },
      },
    },
    async (request) => {
      const { at, ...rest } = request.query
      const moment = parseMoment(at, Date.now()) ?? wrong('at', `${TIME_FORMS}, or the seq of an event`)
      return stateAnswer(await historyOf(memory).state({ ...moment, ...given(rest) }))
    },
  )
}
