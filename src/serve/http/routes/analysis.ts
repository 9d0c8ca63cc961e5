import { Type } from '#typebox'
import { parseDuration } from '../../../base/units.ts'
import { REGRET_ORDERS } from '../../../query/analyses.ts'
import type { TimeWindow } from '../../../query/history.ts'
import * as answers from '../../analysis-answers.ts'
import { parseWindow, WINDOW_FORMS } from '../../time.ts'
import { Comparison, Crash, Diagnosis, Regrets, Timeline, Top } from '../analysis-schemas.ts'
import {
  about,
  given,
  historyOf,
  list,
  OfCache,
  PageOf,
  PageQuery,
  question,
  RangeQuery,
  Reverse,
  Run,
  wrong,
} from './audit-query.ts'
import type { App, RouteContext } from './context.ts'

const strict = { additionalProperties: false }
const Duration = (meaning: string) =>
  Type.Optional(Type.String({ description: `${meaning}: milliseconds, or text such as 10m.`, examples: ['10m'] }))
const Window = Type.String({ description: `${WINDOW_FORMS}.`, examples: ['-2h..-1h'] })

const CrashQuery = Type.Object({ run: Type.Optional(Run), window: Duration('How much before the end') }, strict)
const RegretsQuery = Type.Object(
  {
    ...PageQuery,
    ...OfCache,
    prefix: Type.Optional(Type.String({ description: 'Of this key prefix, as a whole.', examples: ['acme'] })),
    order: Type.Optional(Type.Enum(REGRET_ORDERS, { description: 'Of what most comes first, default regretted.' })),
    reverse: Reverse,
  },
  strict,
)
const TimelineQuery = Type.Object({ ...RangeQuery, ...OfCache, every: Duration('Width of a point') }, strict)
const TopQuery = Type.Object(
  {
    ...PageQuery,
    ...OfCache,
    of: Type.Optional(Type.Enum(['key', 'prefix'], { description: 'What is listed, default prefix.' })),
    by: Type.Optional(Type.Enum(['evictions', 'bytes', 'regrets'], { description: 'By what, default evictions.' })),
  },
  strict,
)
const CompareQuery = Type.Object({ before: Window, after: Window, run: Type.Optional(Run), ...OfCache }, strict)
const DoctorQuery = Type.Object({ ...RangeQuery, ...OfCache }, strict)

/** What follows from the audit log, beyond what is in it. */
export function analysisRoutes(app: App, { memory }: RouteContext): void {
  const history = () => historyOf(memory)

  app.get(
    '/api/audit/crash',
    {
      schema: {
        ...about('crash', 'How a run ended, and the evidence'),
        querystring: CrashQuery,
        response: { 200: Crash },
      },
    },
    async ({ query: { run, window } }) =>
      answers.crashAnswer(await history().crash(given({ run, window: duration(window, 'window') }))),
  )

  app.get(
    '/api/audit/regrets',
    {
      schema: {
        ...about('regrets', 'What was evicted and missed afterwards, by key prefix'),
        querystring: RegretsQuery,
        response: { 200: Regrets },
      },
    },
    async ({ query: { cache, prefix, order, reverse, ...rest } }) =>
      answers.regretAnswer(await history().regrets({ ...question(rest), ...given({ cache, prefix, order, reverse }) })),
  )

  app.get(
    '/api/audit/timeline',
    {
      schema: {
        ...about('timeline', 'Usage, hit rate, evictions, warnings and restarts over time'),
        querystring: TimelineQuery,
        response: { 200: Timeline },
      },
    },
    async ({ query: { cache, every, ...rest } }) => {
      const asked = { ...question(rest), ...given({ cache, every: duration(every, 'every') }) }
      return answers.timelineAnswer(await history().timeline(asked))
    },
  )

  app.get(
    '/api/audit/top',
    {
      schema: {
        ...about('top', 'Keys or key prefixes by evictions, bytes or regrets'),
        querystring: TopQuery,
        response: { 200: PageOf(Top) },
      },
    },
    async ({ query: { cache, of, by, ...rest } }) =>
      list(await history().top({ ...question(rest), ...given({ cache, of, by }) }), (row) => row),
  )

  app.get(
    '/api/audit/compare',
    {
      schema: {
        ...about('compare', 'Two windows of time: what was different'),
        querystring: CompareQuery,
        response: { 200: Comparison },
      },
    },
    async ({ query: { before, after, run, cache } }) => {
      const windows = [window(before, 'before'), window(after, 'after')] as const
      return answers.comparisonAnswer(await history().compare(...windows, given({ run, cache })))
    },
  )

  app.get(
    '/api/audit/doctor',
    {
      schema: {
        ...about('doctor', 'What is wrong, with evidence and the setting to change'),
        querystring: DoctorQuery,
        response: { 200: Diagnosis },
      },
    },
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
