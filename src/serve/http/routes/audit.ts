import { Type } from 'typebox'
import { POLICIES } from '../../../base/settings.ts'
import { EVICTION_CAUSES } from '../../../event/vocabulary.ts'
import type { Question } from '../../../query/answers.ts'
import * as answers from '../../answers.ts'
import { given, historyOf, ListAnswer, ListQuery, list, PageQuery, question, Text } from './audit-query.ts'
import type { App, RouteContext } from './context.ts'

const EvictionsQuery = Type.Object(
  {
    ...PageQuery,
    cache: Type.Optional(Type.String()),
    key: Type.Optional(Type.String()),
    prefix: Type.Optional(Type.String({ description: 'Keys that begin with this text.' })),
    cause: Type.Optional(Type.Union(EVICTION_CAUSES.map((cause) => Type.Literal(cause)))),
    policy: Type.Optional(Type.Union(POLICIES.map((policy) => Type.Literal(policy)))),
    cycle: Type.Optional(Type.String()),
  },
  { additionalProperties: false },
)

const ExplainQuery = Type.Object(
  { key: Type.String(), cache: Type.Optional(Type.String()), run: Type.Optional(Type.String()) },
  { additionalProperties: false },
)

const ExplainAnswer = Type.Object({
  key: Type.String(),
  cache: Text,
  verdict: Type.String(),
  summary: Type.Array(Type.String()),
  roomNeeded: Type.Union([
    Type.Object({
      measure: Type.String(),
      more: Type.Number(),
      isExact: Type.Boolean(),
      isLowerBound: Type.Boolean(),
      askedAt: Type.String(),
    }),
    Type.Null(),
  ]),
  items: Type.Array(Type.Unknown()),
  next: Type.Null(),
  incomplete: Text,
})
const VerifyQuery = Type.Object({ run: Type.Optional(Type.String()) }, { additionalProperties: false })
const VerifyAnswer = Type.Object({
  intact: Type.Boolean(),
  rows: Type.Integer(),
  items: Type.Array(Type.Unknown()),
  anchor: Type.Unknown(),
  next: Type.Null(),
  incomplete: Text,
})
const HistoryAnswer = Type.Object({
  since: Text,
  until: Text,
  samples: Type.Array(Type.Unknown()),
  peaks: Type.Array(Type.Unknown()),
  next: Text,
  incomplete: Text,
})

/** The audit log's questions, answered while the service runs. */
export function auditRoutes(app: App, { memory }: RouteContext): void {
  const history = () => historyOf(memory)

  app.get(
    '/api/audit/evictions',
    { schema: { querystring: EvictionsQuery, response: { 200: ListAnswer } } },
    async (request) => {
      const { cache, key, prefix, cause, policy, cycle, ...rest } = request.query
      return list(
        await history().evictions({ ...question(rest), ...given({ cache, key, prefix, cause, policy, cycle }) }),
        answers.evictionAnswer,
      )
    },
  )

  app.get(
    '/api/audit/explain',
    { schema: { querystring: ExplainQuery, response: { 200: ExplainAnswer } } },
    async (request) => {
      const { key, cache, run } = request.query
      return answers.explanationAnswer(await history().explain(key, given({ cache, run })))
    },
  )

  app.get(
    '/api/audit/verify',
    { schema: { querystring: VerifyQuery, response: { 200: VerifyAnswer } } },
    async (request) => answers.verificationAnswer(await history().verify(given({ run: request.query.run }))),
  )

  const lists = {
    cycles: async (query: Question) => list(await history().cycles(query), answers.cycleAnswer),
    runs: async (query: Question) => list(await history().runs(query), answers.runAnswer),
    peaks: async (query: Question) => list(await history().peaks(query), answers.peakAnswer),
    warnings: async (query: Question) => list(await history().warnings(query), answers.warningAnswer),
  }
  for (const [name, ask] of Object.entries(lists)) {
    app.get(
      `/api/audit/${name}`,
      { schema: { querystring: ListQuery, response: { 200: ListAnswer } } },
      async (request) => ask(question(request.query)),
    )
  }

  app.get(
    '/api/cache/memory/history',
    { schema: { querystring: ListQuery, response: { 200: HistoryAnswer } } },
    async (request) => {
      const asked = question(request.query)
      const { cursor: _samplesAlone, ...range } = asked
      // A cursor is one of samples: the peaks came with the first page.
      const peaks = asked.cursor === undefined ? await history().peaks(range) : null
      const samples = await history().samples({ ...asked, limit: asked.limit ?? 1000 })
      const incomplete = [
        ...new Set([samples.incomplete, peaks?.incomplete].filter((text) => typeof text === 'string')),
      ]
      return {
        since: asked.since === undefined ? null : new Date(asked.since).toISOString(),
        until: asked.until === undefined ? null : new Date(asked.until).toISOString(),
        samples: samples.items.map(answers.sampleAnswer),
        peaks: (peaks?.items ?? []).map(answers.peakAnswer),
        next: samples.next,
        incomplete: incomplete.length === 0 ? null : incomplete.join('; '),
      }
    },
  )
}
