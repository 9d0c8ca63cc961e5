import type { FastifyReply } from 'fastify'
import { Type } from '#typebox'
import { actorOf } from '../guard.ts'
import { DeleteAnswer, demandValues, Items, missing, StoreAnswer } from '../items.ts'
import { demandMatch, demandPreconditions, isKnown } from '../preconditions.ts'
import { type HttpItem, itemOf } from '../representation.ts'
import { CacheName, ItemKey, Ttl } from '../schemas.ts'
import type { App, RouteContext } from './context.ts'
import { ITEM_MUTATIONS } from './rate.ts'
import { checkWhenAsked } from './schema-check.ts'

const params = Type.Object({ cache: CacheName, key: ItemKey })
const closed = { additionalProperties: false }
const putQuery = {
  ttl: Type.Optional(Ttl),
  tags: Type.Optional(
    Type.String({
      description: 'Tags, separated by commas: kept, shown and recorded.',
      pattern: '^[^,]+(,[^,]+)*$',
      examples: ['acme,reports'],
    }),
  ),
}

/** Where a request names its item. */
const IN_PATH = {
  // The rest of the path is the key, so that no limit on the length of a parameter cuts it off.
  url: '/api/cache/:cache/items/*',
  suffix: '',
  summary: '',
  params,
  query: Type.Object({}, closed),
  putQuery: Type.Object(putQuery, closed),
}
const IN_QUERY: typeof IN_PATH = {
  url: '/api/cache/:cache/item',
  suffix: 'ByKey',
  summary: ': any key, those included (., .., the empty one) that URL clients take for folders in a path',
  // The key is put beside it once the query has been checked.
  params: Type.Object({ cache: CacheName }) as unknown as typeof params,
  query: Type.Object({ key: ItemKey }, closed),
  putQuery: Type.Object({ key: ItemKey, ...putQuery }, closed),
}

/** For the document alone: the body is bytes of any type, and goes out as it is. */
const Body = { content: { '*/*': { schema: Type.String({ format: 'binary', examples: ['{"name":"Acme"}'] }) } } }
const got = {
  200: { description: 'The item, with the content type and encoding that it was put with, and its ETag.', ...Body },
  304: { description: 'The reader has it already.', type: 'null' },
}

/** Puts items, gets them back byte for byte with their content type, and deletes them. */
export function itemRoutes(app: App, context: RouteContext): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: context.maxItemBytes }, (_request, body, done) =>
    done(null, body),
  )
  app.addHook('preValidation', (request, _reply, done) => {
    request.params = underItsName(request.params)
    done()
  })
  app.addHook('preHandler', (request, _reply, done) => {
    const { params, query } = request as { params: object; query: object }
    if (!('key' in params) && 'key' in query) Object.assign(params, { key: query.key })
    done()
  })
  for (const form of [IN_PATH, IN_QUERY]) addForm(app, context, form)
}

function addForm(app: App, { memory, exposeValues }: RouteContext, form: typeof IN_PATH): void {
  const { url, suffix, params, query } = form
  const items = new Items(memory)
  const tags = ['Items']
  const etagOf = (cache: string, key: string) => () => items.peek(cache, key)?.etag ?? null

  app.put(
    url,
    {
      config: ITEM_MUTATIONS,
      schema: {
        tags,
        operationId: `putItem${suffix}`,
        summary: `Store an item of any content type${form.summary}`,
        description:
          'An item that was not stored is no error: 200 with `stored: false` and the reason. `If-Match` and `If-None-Match` make it conditional.',
        params,
        querystring: form.putQuery,
        response: { 200: StoreAnswer, 201: StoreAnswer },
      },
    },
    async (request, reply) => {
      demandValues(exposeValues)
      const { cache, key } = request.params
      const { ttl, tags: list } = request.query
      demandPreconditions(request, etagOf(cache, key))
      const body: unknown = request.body
      const { 'content-type': type, 'content-encoding': coding } = request.headers
      const item = itemOf(Buffer.isBuffer(body) ? body : Buffer.alloc(0), type, coding)
      const existed = items.cache(cache)?.has(key) ?? false
      const answer = items.put(actorOf(request), cache, key, item, { ttl, tags: list?.split(',') })
      if (answer.stored) reply.header('etag', item.etag)
      return reply.code(answer.stored && !existed ? 201 : 200).send(answer)
    },
  )

  app.get(
    url,
    {
      exposeHeadRoute: false,
      // Parameters of a path are text whatever they are: there is nothing to check, and checking costs a tenth of a GET.
      validatorCompiler: (part) => (part.httpPart === 'params' ? () => true : checkWhenAsked(part)),
      schema: {
        tags,
        operationId: `getItem${suffix}`,
        summary: `Get an item as it was put${form.summary}`,
        params,
        querystring: query,
        response: got,
      },
    },
    async (request, reply) => {
      demandValues(exposeValues)
      const { cache, key } = request.params
      const item = items.get(cache, key)
      if (item === null) throw missing(cache, key)
      demandMatch(request, item.etag)
      if (isKnown(request, item.etag)) return notModified(reply, item)
      return described(reply, item).send(item.body)
    },
  )

  // Says what a GET would, without counting as a use of the entry.
  app.head(
    url,
    {
      config: { swagger: { exposeHeadRoute: true } },
      schema: {
        tags,
        operationId: `item${suffix}`,
        summary: `Whether an item is there, without using it${form.summary}`,
        params,
        querystring: query,
      },
    },
    async (request, reply) => {
      const { cache, key } = request.params
      if (!exposeValues) {
        if (items.cache(cache)?.has(key) !== true) throw missing(cache, key)
        return harmless(reply).send()
      }
      const item = items.peek(cache, key)
      if (item === null) throw missing(cache, key)
      demandMatch(request, item.etag)
      if (isKnown(request, item.etag)) return notModified(reply, item)
      return described(reply, item).header('content-length', item.body.length).send()
    },
  )

  app.delete(
    url,
    {
      config: ITEM_MUTATIONS,
      schema: {
        tags,
        operationId: `deleteItem${suffix}`,
        summary: `Delete an item${form.summary}`,
        description: '`If-Match` deletes it only while it is the item that the caller knows.',
        params,
        querystring: query,
        response: { 200: DeleteAnswer },
      },
    },
    async (request) => {
      const { cache, key } = request.params
      if (exposeValues) demandPreconditions(request, etagOf(cache, key))
      return items.delete(actorOf(request), cache, key)
    },
  )
}

/** The router calls the rest of a path `*`, which is no name that a schema could have for it. */
function underItsName(params: unknown): unknown {
  if (typeof params !== 'object' || params === null || !('*' in params)) return params
  const { cache, '*': key } = params as { cache: unknown; '*': unknown }
  return { cache, key }
}

function described(reply: FastifyReply, { etag, contentType, contentEncoding }: HttpItem): FastifyReply {
  if (contentEncoding !== null) reply.header('content-encoding', contentEncoding)
  return harmless(reply).header('etag', etag).type(contentType)
}

function notModified(reply: FastifyReply, { etag }: HttpItem): FastifyReply {
  return harmless(reply).header('etag', etag).code(304).send()
}

const HARMLESS = {
  'content-disposition': 'attachment',
  'content-security-policy': "sandbox; default-src 'none'",
  'x-content-type-options': 'nosniff',
}

/** Whatever an item claims to be, a browser that is led to it neither runs nor shows it. */
function harmless(reply: FastifyReply): FastifyReply {
  return reply.headers(HARMLESS)
}
