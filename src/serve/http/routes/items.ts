import { type Static, Type } from '@fastify/type-provider-typebox'
import type { FastifyReply } from 'fastify'
import { instant, limit, timestamp } from '../../wire.ts'
import { actorOf } from '../guard.ts'
import { ProblemError } from '../problem.ts'
import { itemOf, representationOf } from '../representation.ts'
import type { App, RouteContext } from './context.ts'

/** The rest of the path is the key, so that no limit on the length of a parameter cuts it off. */
const ITEM = '/api/cache/:cache/items/*'
const Params = Type.Object({ cache: Type.String(), key: Type.String({ description: 'Percent-encoded.' }) })

const PutQuery = Type.Object(
  { ttl: Type.Optional(Type.String({ description: 'Time to live in ms, or as 5m.' })) },
  { additionalProperties: false },
)
const PutAnswer = Type.Object({
  stored: Type.Boolean(),
  cache: Type.String(),
  key: Type.String(),
  reason: Type.Optional(Type.String({ description: 'Why it was not stored: too-large, full, admission.' })),
  limit: Type.Optional(Type.String({ description: 'The limit in the way, where one is.' })),
  size: Type.Optional(Type.Number({ description: 'Bytes charged.' })),
  expires_at: Type.Optional(Type.Union([Type.String({ format: 'date-time' }), Type.Null()])),
})
type PutAnswer = Static<typeof PutAnswer>

/** Puts items, gets them back byte for byte with their content type, and deletes them. */
export function itemRoutes(app: App, { memory, exposeValues, maxItemBytes }: RouteContext): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: maxItemBytes }, (_request, body, done) =>
    done(null, body),
  )

  app.addHook('preValidation', async (request) => {
    request.params = underItsName(request.params)
  })

  /** A cache that exists. Asking doesn't make one: a name in a URL is anybody's. */
  const existing = (name: string) => (memory.cacheNames().includes(name) ? memory.cache<unknown>(name) : null)

  app.put(
    ITEM,
    { schema: { params: Params, querystring: PutQuery, response: { 200: PutAnswer, 201: PutAnswer } } },
    async (request, reply) => {
      if (!exposeValues) throw valuesHidden()
      const { cache: name, key } = request.params
      const body: unknown = request.body
      const item = itemOf(Buffer.isBuffer(body) ? body : Buffer.alloc(0), request.headers['content-type'])
      const cache = memory.actingAs(actorOf(request), () => memory.cache<unknown>(name))
      const existed = cache.has(key)
      const { ttl } = request.query
      const options = ttl === undefined ? {} : { ttl: ttl === 'Infinity' ? Number.POSITIVE_INFINITY : ttl }
      const result = memory.actingAs(actorOf(request), () => cache.put(key, item, options))
      const answer: PutAnswer = { stored: result.stored, cache: name, key }
      if (result.reason !== null) answer.reason = result.reason
      if (result.limit !== null) answer.limit = result.limit
      const info = result.stored ? cache.info(key) : undefined
      if (info !== undefined) Object.assign(answer, { size: info.size, expires_at: timestamp(info.expiresAt) })
      return reply.code(result.stored && !existed ? 201 : 200).send(answer)
    },
  )

  app.get(ITEM, { exposeHeadRoute: false, schema: { params: Params } }, async (request, reply) => {
    if (!exposeValues) throw valuesHidden()
    const { cache: name, key } = request.params
    const value = existing(name)?.get(key)
    if (value === undefined) throw missing(name, key)
    const item = representationOf(value)
    if (item === null)
      throw new ProblemError('not-representable', `the value of ${JSON.stringify(key)} can't be written as JSON`)
    return harmless(reply).type(item.contentType).send(item.body)
  })

  // Says what a GET would, without counting as a use of the entry.
  app.head(ITEM, { schema: { params: Params } }, async (request, reply) => {
    const { cache: name, key } = request.params
    const value = existing(name)?.peek(key)
    if (value === undefined) throw missing(name, key)
    const item = exposeValues ? representationOf(value) : null
    if (item === null) return harmless(reply).send()
    return harmless(reply).header('content-length', item.body.length).type(item.contentType).send()
  })

  app.delete(
    ITEM,
    {
      schema: {
        params: Params,
        response: { 200: Type.Object({ deleted: Type.Boolean(), cache: Type.String(), key: Type.String() }) },
      },
    },
    async (request) => {
      const { cache: name, key } = request.params
      const deleted = memory.actingAs(actorOf(request), () => existing(name)?.delete(key) ?? false)
      return { deleted, cache: name, key }
    },
  )

  listRoute(app, memory, existing)
}

/** The router calls the rest of a path `*`, which is no name that a schema could have for it. */
function underItsName(params: unknown): unknown {
  if (typeof params !== 'object' || params === null || !('*' in params)) return params
  const { '*': key, ...others } = params
  return { ...others, key }
}

const ListQuery = Type.Object(
  {
    prefix: Type.Optional(Type.String()),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
    cursor: Type.Optional(Type.String({ pattern: '^\\d{1,15}$' })),
  },
  { additionalProperties: false },
)
const Row = Type.Object({
  key: Type.String(),
  size: Type.Number(),
  stored_at: Type.String({ format: 'date-time' }),
  expires_at: Type.Union([Type.String({ format: 'date-time' }), Type.Null()]),
  hits: Type.Number(),
  last_access: Type.Union([Type.String({ format: 'date-time' }), Type.Null()]),
  cost: Type.Number(),
  tags: Type.Array(Type.String()),
  score: Type.Union([Type.Number(), Type.Null()]),
})
const ListAnswer = Type.Object({ items: Type.Array(Row), next: Type.Union([Type.String(), Type.Null()]) })

type Existing = (name: string) => ReturnType<RouteContext['memory']['cache']> | null

/** Keys and what is known of them, never values; a page is a moment of a cache that goes on changing. */
function listRoute(app: App, memory: RouteContext['memory'], existing: Existing): void {
  const params = Type.Object({ cache: Type.String() })
  app.get(
    '/api/cache/:cache/items',
    { schema: { params, querystring: ListQuery, response: { 200: ListAnswer } } },
    async (request) => {
      const { prefix = '', limit: most = 100, cursor = '0' } = request.query
      const cache = existing(request.params.cache)
      if (cache === null)
        throw new ProblemError('not-found', `there is no cache ${JSON.stringify(request.params.cache)}`)
      const items: Static<typeof Row>[] = []
      let position = 0
      for (const held of cache.keys()) {
        if (position++ < Number(cursor)) continue
        // The prefix is one of what is shown: of the keys themselves, it would be a way to guess them letter by letter.
        const key = memory.redaction?.key(held) ?? held
        if (!key.startsWith(prefix)) continue
        if (items.length === most) return { items, next: String(position - 1) }
        const info = cache.info(held)
        if (info === undefined) continue
        items.push({
          key,
          size: info.size,
          stored_at: instant(info.storedAt),
          expires_at: timestamp(info.expiresAt),
          hits: info.hits,
          last_access: timestamp(info.lastAccess),
          cost: info.cost,
          tags: info.tags.map((tag) => memory.redaction?.key(tag) ?? tag),
          score: limit(info.score),
        })
      }
      return { items, next: null }
    },
  )
}

/** Whatever an item claims to be, a browser that is led to it neither runs nor shows it. */
function harmless(reply: FastifyReply): FastifyReply {
  return reply.headers({
    'content-disposition': 'attachment',
    'content-security-policy': "sandbox; default-src 'none'",
    'x-content-type-options': 'nosniff',
  })
}

function missing(cache: string, key: string): ProblemError {
  return new ProblemError('not-found', `there is no ${shownKey(key)} in cache ${JSON.stringify(cache)}`)
}

function shownKey(key: string): string {
  return JSON.stringify(key.length > 200 ? `${key.slice(0, 200)}…` : key)
}

function valuesHidden(): ProblemError {
  return new ProblemError(
    'values-hidden',
    'values neither leave nor come in here: register the plugin with exposeValues: true',
  )
}
