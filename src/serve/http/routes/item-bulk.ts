import { isUtf8 } from 'node:buffer'
import { type Static, Type } from '#typebox'
import type { Actor } from '../../../command/actor.ts'
import { actorOf, demandAdmin } from '../guard.ts'
import { demandValues, Items } from '../items.ts'
import { type Problem, problem, problemOf } from '../problem.ts'
import { type HttpItem, itemOf } from '../representation.ts'
import { CacheName, ItemKey, Nullable, Time } from '../schemas.ts'
import { BulkBody, checkedByKind, demandItem, MOST_OPERATIONS, type Operation } from './bulk-body.ts'
import type { App, RouteContext } from './context.ts'
import { ITEM_MUTATIONS } from './rate.ts'

/** Of items in one answer; what is beyond is to be asked for by itself. */
const MOST_BYTES = 64 * 1024 * 1024

const Result = Type.Object({
  op: Type.Union([Type.Literal('get'), Type.Literal('put'), Type.Literal('delete')]),
  key: ItemKey,
  found: Type.Optional(Type.Boolean({ description: 'get: whether it is there.' })),
  text: Type.Optional(Type.String({ description: 'get: the item, if it is UTF-8.' })),
  base64: Type.Optional(Type.String({ description: 'get: the item, if it is not.' })),
  content_type: Type.Optional(Type.String()),
  content_encoding: Type.Optional(Type.String({ description: 'get: how the item was coded when it was put.' })),
  etag: Type.Optional(Type.String()),
  stored: Type.Optional(Type.Boolean({ description: 'put: whether it was stored.' })),
  reason: Type.Optional(Type.String()),
  limit: Type.Optional(Type.String()),
  size: Type.Optional(Type.Number()),
  expires_at: Type.Optional(Nullable(Time)),
  deleted: Type.Optional(Type.Boolean({ description: 'delete: whether a live entry was there.' })),
  problem: Type.Optional(
    Type.Object(
      {
        type: Type.String(),
        title: Type.String(),
        status: Type.Number(),
        detail: Type.String(),
        errors: Type.Optional(Type.Array(Type.Object({ field: Type.String(), message: Type.String() }))),
      },
      { description: 'Why this one could not be done; the others were.' },
    ),
  ),
})
type Result = Static<typeof Result>

/** Many operations on one cache in one request, done in their order. */
export function itemBulkRoute(app: App, { memory, exposeValues, maxItemBytes }: RouteContext): void {
  const items = new Items(memory)
  const schema = {
    tags: ['Items'],
    operationId: 'bulk',
    summary: 'Get, put and delete many items, in order',
    description: `Up to ${MOST_OPERATIONS} operations. What can't be done says so in its result, and the others are done; where one is no operation, none is done. A token with role read may get.`,
    params: Type.Object({ cache: CacheName }),
    body: BulkBody,
    response: { 200: Type.Object({ results: Type.Array(Result) }) },
  }
  app.post(
    '/api/cache/:cache/bulk',
    {
      config: { ...ITEM_MUTATIONS, muninnReads: true },
      bodyLimit: maxItemBytes,
      validatorCompiler: checkedByKind,
      schema,
    },
    async (request) => {
      const { operations } = request.body
      operations.forEach(demandItem)
      if (operations.some(({ op }) => op !== 'delete')) demandValues(exposeValues)
      if (operations.some(({ op }) => op !== 'get')) demandAdmin(request)
      const by = actorOf(request)
      let room = MOST_BYTES
      return {
        results: operations.map((operation) => {
          const result = perform(items, by, request.params.cache, operation, room)
          room -= (result.text?.length ?? 0) + (result.base64?.length ?? 0)
          return result
        }),
      }
    },
  )
}

function perform(items: Items, by: Actor, cache: string, operation: Operation, room: number): Result {
  const { op, key } = operation
  try {
    if (op === 'get') return { op, key, ...shownAs(items.get(cache, key), room) }
    if (op === 'delete') return { op, key, deleted: items.delete(by, cache, key).deleted }
    const { text, base64, ttl, tags, content_type: type, content_encoding: coding } = operation
    const item =
      text === undefined
        ? itemOf(Buffer.from(base64 ?? '', 'base64'), type, coding)
        : itemOf(Buffer.from(text), type ?? 'text/plain; charset=utf-8', coding)
    const { cache: _, ...answer } = items.put(by, cache, key, item, { ttl, tags })
    return { op, ...answer, ...(answer.stored ? { etag: item.etag } : {}) }
  } catch (error) {
    return { op, key, problem: told(problemOf(error instanceof Error ? error : new Error(String(error)))) }
  }
}

function shownAs(item: HttpItem | null, room: number): Omit<Result, 'op' | 'key'> {
  if (item === null) return { found: false }
  const { contentType, contentEncoding, etag } = item
  const coding = contentEncoding === null ? {} : { content_encoding: contentEncoding }
  const known = { found: true, content_type: contentType, ...coding, etag }
  if (item.body.length > room) {
    const detail = `this answer has ${MOST_BYTES} bytes of items already: ask for this one by itself`
    return { ...known, problem: told(problem('body-too-large', detail)) }
  }
  const body = isUtf8(item.body) ? { text: item.body.toString() } : { base64: item.body.toString('base64') }
  return { ...known, ...body }
}

function told({ type, title, status, detail, errors }: Problem): NonNullable<Result['problem']> {
  return { type, title, status, detail, ...(errors === undefined ? {} : { errors: [...errors] }) }
}
