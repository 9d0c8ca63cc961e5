import { Type } from '#typebox'
import { POLICIES } from '../../../base/settings.ts'
import { EVICTION_CAUSES } from '../../../event/vocabulary.ts'
import { EVICTION_ORDERS } from '../../../query/answers.ts'
import * as answers from '../../answers.ts'
import {
  Anchor,
  Cycle,
  Eviction,
  LifeEvent,
  Peak,
  RunRow,
  RunVerification,
  Sample,
  Warning,
} from '../record-schemas.ts'
import { ItemKey, Nullable, Text, Time } from '../schemas.ts'
import {
  about,
  given,
  historyOf,
  ListQuery,
  list,
  OfCache,
  PageOf,
  PageQuery,
  question,
  Reverse,
  Run,
} from './audit-query.ts'
import type { App, RouteContext } from './context.ts'

const EvictionsQuery = Type.Object(
  {
    ...PageQuery,
    ...OfCache,
    key: Type.Optional(Type.String({ description: 'Of this key alone.', examples: ['acme:user:42'] })),
    prefix: Type.Optional(Type.String({ description: 'Keys that begin with this text.', examples: ['acme:'] })),
    cause: Type.Optional(Type.Enum(EVICTION_CAUSES)),
    policy: Type.Optional(Type.Enum(POLICIES)),
    cycle: Type.Optional(Type.String({ description: 'Of this eviction cycle.' })),
    order: Type.Optional(
      Type.Enum(EVICTION_ORDERS, {
        description: 'What comes first: the latest (default), largest, oldest, most hit, longest unused.',
      }),
    ),
    reverse: Reverse,
  },
  { additionalProperties: false },
)

const ExplainQuery = Type.Object({ key: ItemKey, ...OfCache, run: Type.Optional(Run) }, { additionalProperties: false })

const ExplainAnswer = Type.Object({
  key: Type.String(),
  cache: Text,
  verdict: Type.Enum(['evicted', 'expired', 'removed', 'cleared', 'rejected', 'present', 'run ended', 'no record']),
  summary: Type.Array(Type.String()),
  roomNeeded: Nullable(
    Type.Object({
      measure: Type.Enum(['items', 'bytes']),
      more: Type.Number(),
      isExact: Type.Boolean(),
      isLowerBound: Type.Boolean(),
      askedAt: Time,
    }),
    { description: 'How much more room would have kept it until it was asked for again.' },
  ),
  items: Type.Array(LifeEvent),
  next: Type.Null(),
  incomplete: Text,
})
const VerifyQuery = Type.Object({ run: Type.Optional(Run) }, { additionalProperties: false })
const VerifyAnswer = Type.Object({
  intact: Type.Boolean(),
  rows: Type.Integer(),
  items: Type.Array(RunVerification),
  anchor: Anchor,
  next: Type.Null(),
  incomplete: Text,
})
const HistoryAnswer = Type.Object({
  since: Nullable(Time),
  until: Nullable(Time),
  samples: Type.Array(Sample),
  peaks: Type.Array(Peak),
  next: Text,
  incomplete: Text,
})

/** The audit log's questions, answered while the service runs. */
export function auditRoutes(app: App, { memory }: RouteContext): void {
  const history = () => historyOf(memory)

  app.get(
    '/api/audit/evictions',
    {
      schema: {
        ...about('evictions', 'What was evicted, when and why, the latest first'),
        querystring: EvictionsQuery,
        response: { 200: PageOf(Eviction) },
      },
    },
    async (request) => {
      const { cache, key, prefix, cause, policy, cycle, order, reverse, ...rest } = request.query
      return list(
        await history().evictions({
          ...question(rest),
          ...given({ cache, key, prefix, cause, policy, cycle, order, reverse }),
        }),
        answers.evictionAnswer,
      )
    },
  )

  app.get(
    '/api/audit/explain',
    {
      schema: {
        ...about('explain', "A key's life, and why it isn't there any more"),
        querystring: ExplainQuery,
        response: { 200: ExplainAnswer },
      },
    },
    async (request) => {
      const { key, cache, run } = request.query
      return answers.explanationAnswer(await history().explain(key, given({ cache, run })))
    },
  )

  app.get(
    '/api/audit/verify',
    {
      schema: {
        ...about('verify', 'Whether the log is complete and untouched'),
        querystring: VerifyQuery,
        response: { 200: VerifyAnswer },
      },
    },
    async (request) => answers.verificationAnswer(await history().verify(given({ run: request.query.run }))),
  )

  app.get(
    '/api/audit/cycles',
    { schema: { ...about('cycles', 'Eviction cycles'), querystring: ListQuery, response: { 200: PageOf(Cycle) } } },
    async ({ query }) => {
      const asked = question(query)
      return list(await history().cycles(asked), answers.cycleAnswer)
    },
  )

  app.get(
    '/api/audit/runs',
    {
      schema: {
        ...about('runs', 'Every run, and how it ended'),
        querystring: ListQuery,
        response: { 200: PageOf(RunRow) },
      },
    },
    async ({ query }) => {
      const asked = question(query)
      return list(await history().runs(asked), answers.runAnswer)
    },
  )

  app.get(
    '/api/audit/peaks',
    {
      schema: {
        ...about('peaks', 'When memory and items were at their highest, and what held them'),
        querystring: ListQuery,
        response: { 200: PageOf(Peak) },
      },
    },
    async ({ query }) => {
      const asked = question(query)
      return list(await history().peaks(asked), answers.peakAnswer)
    },
  )

  app.get(
    '/api/audit/warnings',
    {
      schema: {
        ...about('warnings', 'Levels of memory usage entered and left, and who was writing'),
        querystring: ListQuery,
        response: { 200: PageOf(Warning) },
      },
    },
    async ({ query }) => {
      const asked = question(query)
      return list(await history().warnings(asked), answers.warningAnswer)
    },
  )

  app.get(
    '/api/cache/memory/history',
    {
      schema: {
        ...about('history', 'Samples and peaks over a range of time, across restarts'),
        querystring: ListQuery,
        response: { 200: HistoryAnswer },
      },
    },
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
