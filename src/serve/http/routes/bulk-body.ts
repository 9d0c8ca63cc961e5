import type { FastifySchemaValidationError as Issue } from 'fastify'
import { type Static, Type } from '#typebox'
import { ProblemError } from '../problem.ts'
import { ItemKey, Ttl } from '../schemas.ts'
import { checkWhenAsked } from './schema-check.ts'

export const MOST_OPERATIONS = 1_000
/** As fastify takes a header's. */
const MEDIA_TYPE = /^[\w!#$%&'*+.^`|~-]+\/[\w!#$%&'*+.^`|~-]+[ \t]*(?:;[\t\x20-\x7e\x80-\xff]*)?$/
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/

const closed = { additionalProperties: false }
const Get = Type.Object({ op: Type.Literal('get'), key: ItemKey }, closed)
const Delete = Type.Object({ op: Type.Literal('delete'), key: ItemKey }, closed)
const Put = Type.Object(
  {
    op: Type.Literal('put'),
    key: ItemKey,
    text: Type.Optional(Type.String({ description: 'The item, if it is text (JSON included); else give base64.' })),
    base64: Type.Optional(
      Type.String({ description: 'The item, if it is not text; padding may be left out.', contentEncoding: 'base64' }),
    ),
    content_type: Type.Optional(
      Type.String({ maxLength: 1024, description: 'A media type.', examples: ['application/json'] }),
    ),
    content_encoding: Type.Optional(
      Type.String({
        maxLength: 256,
        pattern: '^[A-Za-z0-9-]+(, *[A-Za-z0-9-]+)*$',
        description: 'How the item is coded already; given back with it.',
        examples: ['gzip'],
      }),
    ),
    ttl: Type.Optional(
      Type.Union([Type.Number(), Ttl], {
        description: 'Time to live: milliseconds above 0, as a number or text; text such as 5m, or Infinity.',
      }),
    ),
    tags: Type.Optional(Type.Array(Type.String())),
  },
  closed,
)
const KINDS = { get: Get, put: Put, delete: Delete }
const Operation = Type.Union([Get, Put, Delete])
export type Operation = Static<typeof Operation>

export const BulkBody = Type.Object(
  { operations: Type.Array(Operation, { minItems: 1, maxItems: MOST_OPERATIONS }) },
  {
    ...closed,
    examples: [
      {
        operations: [
          { op: 'put', key: 'acme:user:42', text: '{"name":"Ada"}', content_type: 'application/json', ttl: '5m' },
          { op: 'get', key: 'acme:user:42' },
          { op: 'delete', key: 'acme:user:41' },
        ],
      },
    ],
  },
)

type Check = ReturnType<typeof checkWhenAsked>

/**
 * The check of the whole body says of a wrong operation what each kind would want of it, and stops after a few fields.
 * So the first operation that is none is asked again as the kind that it says it is.
 */
export function checkedByKind(part: Parameters<typeof checkWhenAsked>[0]): Check {
  const whole = checkWhenAsked(part)
  if (part.httpPart !== 'body') return whole
  const kinds = new Map(Object.entries(KINDS).map(([op, schema]) => [op, checkWhenAsked({ ...part, schema })]))
  return (body) => {
    const result = whole(body)
    return issuesIn(result).length === 0 ? result : { error: wrongOperation(kinds, body) ?? issuesIn(result) }
  }
}

/** What is wrong with the first operation that is none; `null` where all of them are. */
function wrongOperation(kinds: ReadonlyMap<unknown, Check>, body: unknown): Issue[] | null {
  const { operations }: { operations?: unknown } = Object(body)
  if (!Array.isArray(operations)) return null
  for (const [index, operation] of operations.entries()) {
    if (typeof operation !== 'object' || operation === null) continue
    const check = 'op' in operation ? kinds.get(operation.op) : undefined
    const issues = check === undefined ? [unknownKind(operation)] : issuesIn(check(operation))
    if (issues.length === 0) continue
    return issues.map((issue) => ({ ...issue, instancePath: `/operations/${index}${issue.instancePath}` }))
  }
  return null
}

function issuesIn(result: ReturnType<Check>): Issue[] {
  return typeof result === 'object' && 'error' in result && Array.isArray(result.error) ? result.error : []
}

function unknownKind(operation: object): Issue {
  const issue = { schemaPath: '', keyword: 'enum', instancePath: '/op', params: { allowedValues: Object.keys(KINDS) } }
  if ('op' in operation) return issue
  return { ...issue, keyword: 'required', instancePath: '', params: { requiredProperties: ['op'] } }
}

/** @throws {ProblemError} where it puts no item, or two. Beyond the schema, whose words would be patterns. */
export function demandItem(operation: Operation, index: number): void {
  if (operation.op !== 'put') return
  const { text, base64, content_type: type } = operation
  if (text === undefined && base64 === undefined)
    throw refused(index, ['text', 'base64'], 'one of text and base64 must be given')
  if (text !== undefined && base64 !== undefined)
    throw refused(index, ['text', 'base64'], 'only one of text and base64 may be given')
  if (base64 !== undefined && !isBase64(base64)) throw refused(index, ['base64'], 'must be base64')
  if (type !== undefined && !MEDIA_TYPE.test(type))
    throw refused(index, ['content_type'], 'must be a media type, as application/json is')
}

function refused(index: number, fields: readonly string[], message: string): ProblemError {
  const errors = fields.map((name) => ({ field: `operations.${index}.${name}`, message }))
  const detail = errors.map(({ field }) => field).join(', ')
  return new ProblemError('invalid-input', `${detail}: ${message}`, { errors })
}

/** What Buffer would decode without dropping anything of it. */
function isBase64(text: string): boolean {
  if (!BASE64.test(text)) return false
  const digits = text.length - (text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0)
  return digits % 4 !== 1 && (digits === text.length || text.length % 4 === 0)
}
