import { type Static, Type } from '#typebox'
import type { History, Page, Question } from '../../../query/answers.ts'
import { parseTime, TIME_FORMS } from '../../time.ts'
import { ProblemError } from '../problem.ts'
import { CacheName, Nullable } from '../schemas.ts'
import type { RouteContext } from './context.ts'

/* What the queries of the audit log's routes have in common. */

const Time = Type.String({ description: `${TIME_FORMS}.`, examples: ['-2h'] })

export const Run = Type.String({ description: 'Of this run alone.', examples: ['BcQwfg9wa__vSj2HP4U4X'] })
/** Of one cache alone. */
export const OfCache = { cache: Type.Optional(CacheName) }

export const Reverse = Type.Optional(Type.Boolean({ description: 'The other way round.' }))

/** From when, until when, of which run. */
export const RangeQuery = {
  run: Type.Optional(Run),
  since: Type.Optional(Time),
  until: Type.Optional(Time),
}

export const PageQuery = {
  ...RangeQuery,
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000, description: 'Rows a page, default 100.' })),
  cursor: Type.Optional(Type.String({ description: '`next` of the page before.' })),
}

export const ListQuery = Type.Object(PageQuery, { additionalProperties: false })
export type ListQuery = Static<typeof ListQuery>

const Next = Nullable(Type.String({ description: 'The cursor of the next page.' }))
const Incomplete = Nullable(Type.String({ description: 'What the answer may lack, in words.' }))

/** A page of rows. */
export const PageOf = <T extends Type.TSchema>(row: T) =>
  Type.Object({ items: Type.Array(row), next: Next, incomplete: Incomplete })

/** How the API's description speaks of a question of the audit log. */
export const about = (name: string, summary: string) =>
  ({ tags: ['Audit log'], operationId: `audit-${name}`, summary }) as const

export function historyOf(memory: RouteContext['memory']): History {
  if (memory.history === null)
    throw new ProblemError('no-audit-log', 'no audit log is kept here: nothing can be asked of it')
  return memory.history
}

export function list<T, Row>(page: Page<T>, answer: (row: T) => Row) {
  return { items: page.items.map(answer), next: page.next, incomplete: page.incomplete }
}

export function question({ run, since, until, limit, cursor }: ListQuery): Question {
  const now = Date.now()
  return given({ run, since: time(since, 'since', now), until: time(until, 'until', now), limit, cursor })
}

function time(text: string | undefined, field: string, now: number): number | undefined {
  if (text === undefined) return undefined
  return parseTime(text, now) ?? wrong(field, TIME_FORMS)
}

export function wrong(field: string, forms: string): never {
  const message = `must be ${forms}`
  throw new ProblemError('invalid-input', `${field}: ${message}`, { errors: [{ field, message }] })
}

type Given<T> = { [Name in keyof T]?: Exclude<T[Name], undefined> }

/** Without what was not asked for: `History` takes options that are left out, not options that are `undefined`. */
export function given<T extends object>(fields: T): Given<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Given<T>
}
