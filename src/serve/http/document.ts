import type { FastifySchema, RouteOptions } from 'fastify'
import { VERSION } from '../../base/version.ts'
import type { Problem } from './problem.ts'
import { PROBLEM_TYPE } from './problem.ts'
import type { AddRoutes, RouteContext } from './routes/context.ts'
import { HIDDEN } from './routes/methods.ts'

/** The OpenAPI 3.1 document, as far as what shows it needs to know. */
export interface ApiDocument {
  readonly openapi: string
  readonly info: { readonly title: string; readonly version: string; readonly description: string }
  readonly paths: Readonly<Record<string, Readonly<Record<string, ApiOperation>>>>
}

export interface ApiOperation {
  readonly operationId?: string
  readonly tags?: readonly string[]
  readonly summary?: string
  readonly description?: string
  readonly parameters?: readonly ApiParameter[]
  readonly requestBody?: { readonly content: ApiContent }
  readonly responses: Readonly<Record<string, { readonly description?: string; readonly content?: ApiContent }>>
}

export interface ApiParameter {
  readonly name: string
  readonly in: string
  readonly required?: boolean
  readonly schema: ApiSchema
  readonly description?: string
}

type ApiContent = Readonly<Record<string, { readonly schema?: ApiSchema; readonly example?: unknown }>>
export type ApiSchema = Readonly<Record<string, unknown>>

const DESCRIPTION = `The caches, their memory and their audit log, for programs in any language.
Errors are RFC 9457 problem documents. Times in answers are RFC 3339 in UTC, durations milliseconds, sizes bytes;
null stands for "none". Beyond loopback every request needs a bearer token, but those for health.`

const EXAMPLE: Problem = {
  type: 'urn:muninn:problem:invalid-input',
  title: 'Invalid input',
  status: 400,
  detail: 'evictionThreshold: must be <= 1',
  errors: [{ field: 'evictionThreshold', message: 'must be <= 1' }],
}

const PROBLEM_SCHEMA = {
  type: 'object',
  required: ['type', 'title', 'status', 'detail'],
  properties: {
    type: { type: 'string', description: 'A URN that stays the same for the same kind of problem.' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    code: { type: 'string', description: "The code of Muninn's own error, where one stands behind it." },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        required: ['field', 'message'],
        properties: {
          field: { type: 'string', description: 'As the request spells it.' },
          message: { type: 'string' },
        },
      },
    },
  },
  examples: [EXAMPLE],
}

/**
 * The document of these routes, made of their schemas. They are registered once more, in an application that never
 * listens: so the plugin that reads them costs a start nothing, and never meets one that the host application has.
 */
export async function describeApi(context: RouteContext, addRoutes: AddRoutes, prefix: string): Promise<ApiDocument> {
  const [{ fastify }, { default: swagger }] = await Promise.all([import('fastify'), import('@fastify/swagger')])
  const app = fastify({ routerOptions: { maxParamLength: 10_000 } })
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Muninn',
        version: VERSION,
        description: DESCRIPTION,
        license: { name: 'MIT', identifier: 'MIT' },
      },
      servers: [{ url: prefix === '' ? '/' : prefix }],
      components: {
        securitySchemes: { token: { type: 'http', scheme: 'bearer', description: 'Not needed on loopback.' } },
      },
      security: [{}, { token: [] }],
    },
    transform: ({ schema, url, route }) => ({ schema: described(schema, route), url: url.replace('/*', '/:key') }),
  })
  addRoutes(app, context)
  await app.ready()
  const document = app.swagger() as ApiDocument
  await app.close()
  return document
}

function described(schema: FastifySchema | undefined, { config }: RouteOptions): FastifySchema {
  // Files of the dashboard, and answers for methods that a path doesn't have, are no endpoints.
  if (schema?.summary === undefined) return HIDDEN
  const response = typeof schema.response === 'object' && schema.response !== null ? schema.response : {}
  const problem = {
    description: 'What went wrong.',
    content: { [PROBLEM_TYPE]: { schema: PROBLEM_SCHEMA } },
  }
  return {
    ...schema,
    ...(config?.muninnOpen === true ? { security: [] } : {}),
    response: { ...response, default: problem },
  }
}
