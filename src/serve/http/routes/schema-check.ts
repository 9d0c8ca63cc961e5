import type { TypeBoxValidatorCompiler } from '@fastify/type-provider-typebox'
import type { FastifyInstance, FastifyServerOptions, preValidationHookHandler, RouteOptions } from 'fastify'
import { Type } from '#typebox'

type Compiler = typeof TypeBoxValidatorCompiler
type Check = ReturnType<Compiler>

let compiler: Compiler | null = null

/** Loads what checks requests: a fifth of a second that a start need not wait for, and the first request mostly won't. */
export async function loadSchemaCheck(): Promise<Compiler> {
  compiler ??= (await import('@fastify/type-provider-typebox')).TypeBoxValidatorCompiler
  return compiler
}

/**
 * For an application of Muninn's own: without them fastify loads compilers that nobody asks, a fifth of a start. Answers
 * are written out field by field, so that no schema needs a serializer.
 */
export const OWN_COMPILERS: NonNullable<FastifyServerOptions['schemaController']> = {
  // Their types are those of ajv's.
  compilersFactory: { buildValidator: () => checkWhenAsked as never, buildSerializer: () => () => JSON.stringify },
}

/** A schema is compiled by the first request that it checks: most of them never do in the life of a process. */
export function checkWhenAsked(route: Parameters<Compiler>[0]): Check {
  let check: Check | null = null
  return (value) => {
    if (compiler === null) throw new Error('a schema was asked before what checks it was loaded')
    check ??= compiler(route)
    return check(value)
  }
}

/**
 * Has every route with a schema wait until requests can be checked. The check itself must not be what waits: fastify takes
 * whatever an asynchronous one answers but `false` for a pass.
 */
export function waitForSchemaCheck(app: FastifyInstance): void {
  app.addHook('onRoute', (route: RouteOptions) => {
    const { body, querystring, params, headers } = route.schema ?? {}
    if ([body, querystring, params, headers].every((part) => part === undefined)) return
    route.preValidation = [wait, ...[route.preValidation ?? []].flat()]
  })
}

/** A misspelled or needless query would pass in silence on a route that takes none: it gets a schema which has no place for one. */
export function refuseUnaskedQueries(app: FastifyInstance): void {
  app.addHook('onRoute', (route: RouteOptions) => {
    if (route.schema === undefined || route.schema.querystring !== undefined || !route.url.includes('/api/')) return
    route.schema = { ...route.schema, querystring: NoQuery }
  })
}

const NoQuery = Type.Object({}, { additionalProperties: false })

const wait: preValidationHookHandler = (_request, _reply, done) => {
  if (compiler === null) loadSchemaCheck().then(() => done(), done)
  else done()
}
