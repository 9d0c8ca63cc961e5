import { Type } from 'typebox'
import { parseDuration } from '../../../base/units.ts'
import type { TimeWindow } from '../../../query/history.ts'
import * as answers from '../../analysis-answers.ts'
import { parseWindow, WINDOW_FORMS } from '../../time.ts'
import { given, historyOf, ListAnswer, list, PageQuery, question, RangeQuery, Text, wrong } from './audit-query.ts'
import type { App, RouteContext } from './context.ts'

const strict = { additionalProperties: false }
const Cache = { cache: Type.Optional(Type.String()) }
const Duration = Type.Optional(Type.String({ description: 'Milliseconds, or text such as 10m.' }))
const Window = Type.String({ description: `${WINDOW_FORMS}.` })

const CrashQuery = Type.Object({ run: Type.Optional(Type.String()), window: Duration }, strict)
const RegretsQuery = Type.Object({ ...PageQuery, ...Cache, prefix: Type.Optional(Type.String()) }, strict)
const TimelineQuery = Type.Object({ ...RangeQuery, ...Cache, every: Duration }, strict)
const TopQuery = Type.Object(
  {
    ...PageQuery,
    ...Cache,
    of: Type.Optional(Type.Union([Type.Literal('key'), Type.Literal('prefix')])),
    by: Type.Optional(Type.Union([Type.Literal('evictions'), Type.Literal('bytes'), Type.Literal('regrets')])),
  },
  strict,
)
const CompareQuery = Type.Object({ before: Window, after: Window, run: Type.Optional(Type.String()), ...Cache }, strict)
const DoctorQuery = Type.Object({ ...RangeQuery, ...Cache }, strict)

/** One document, written out by `analysis-answers.ts`. */
const Document = Type.Object({ incomplete: Text }, { additionalProperties: true })
const ListDocument = Type.Object(
  { items: Type.Array(Type.Unknown()), next: Text, incomplete: Text },
  { additionalProperties: true },
)

/** What follows from the audit log, beyond what is in it. */
export function analysisRoutes(app: App, { memory }: RouteContext): void {
  const history = () => historyOf(memory)

  app.get(
    '/api/audit/crash',
    { schema: { querystring: CrashQuery, response: { 200: Document } } },
    async ({ query: { run, window } }) =>
      answers.crashAnswer(await history().crash(given({ run, window: duration(window, 'window') }))),
  )

  app.get(
    '/api/audit/regrets',
    { schema: { querystring: RegretsQuery, response: { 200: ListDocument } } },
    async ({ query: { cache, prefix, ...rest } }) =>
      answers.regretAnswer(await history().regrets({ ...question(rest), ...given({ cache, prefix }) })),
  )

  app.get(
    '/api/audit/timeline',
    { schema: { querystring: TimelineQuery, response: { 200: ListDocument } } },
    async ({ query: { cache, every, ...rest } }) => {
      const asked = { ...question(rest), ...given({ cache, every: duration(every, 'every') }) }
      return answers.timelineAnswer(await history().timeline(asked))
    },
  )

  app.get(
    '/api/audit/top',
    { schema: { querystring: TopQuery, response: { 200: ListAnswer } } },
    async ({ query: { cache, of, by, ...rest } }) =>
      list(await history().top({ ...question(rest), ...given({ cache, of, by }) }), (row) => row),
  )

  app.get(
    '/api/audit/compare',
    { schema: { querystring: CompareQuery, response: { 200: ListDocument } } },
    async ({ query: { before, after, run, cache } }) => {
      const windows = [window(before, 'before'), window(after, 'after')] as const
      return answers.comparisonAnswer(await history().compare(...windows, given({ run, cache })))
    },
  )

  app.get(
    '/api/audit/doctor',
    { schema: { querystring: DoctorQuery, response: { 200: ListDocument } } },
    async ({ query: { cache, ...rest } }) =>
      answers.diagnosisAnswer(await history().doctor({ ...question(rest), ...given({ cache }) })),
  )
}

function duration(text: string | undefined, field: string): number | undefined {
  if (text === undefined) return undefined
  try {
    return parseDuration(/^\d+$/.test(text) ? Number(text) : text, field)
  } catch {
    return wrong(field, 'milliseconds, or text such as 10m (ms, s, m, h, d)')
  }
}

function window(text: string, field: string): TimeWindow {
  return parseWindow(text, Date.now()) ?? wrong(field, WINDOW_FORMS)
}
