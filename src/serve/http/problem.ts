import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import {
  ClosedError,
  HistoryError,
  InvalidEntryError,
  MissingDependencyError,
  OptionError,
  TooManyCachesError,
} from '../../base/errors.ts'

export const PROBLEM_TYPE = 'application/problem+json'

/** What is wrong with one field of the request. */
export interface FieldError {
  /** The field's name as the request spells it. */
  readonly field: string
  readonly message: string
}

/** An RFC 9457 problem document; `type` is a URN that stays the same for the same kind of problem. */
export interface Problem {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  /** The error's code, where Muninn's own error stands behind it. */
  readonly code?: string
  readonly errors?: readonly FieldError[]
}

/** Every kind of problem: the last part of its `type`, its status and its title. */
const KINDS = {
  'bad-request': [400, 'Bad request'],
  'invalid-input': [400, 'Invalid input'],
  unauthorized: [401, 'A token is needed'],
  forbidden: [403, 'Not allowed'],
  'foreign-host': [403, 'Host not allowed'],
  'foreign-origin': [403, 'Origin not allowed'],
  'values-hidden': [403, 'Values are not shown'],
  'not-found': [404, 'Not found'],
  'no-audit-log': [404, 'No audit log'],
  'method-not-allowed': [405, 'Method not allowed'],
  'too-many-caches': [409, 'Too many caches'],
  'precondition-failed': [412, 'Precondition failed'],
  'body-too-large': [413, 'Body too large'],
  'unsupported-media-type': [415, 'Unsupported media type'],
  'not-representable': [422, 'Value has no representation'],
  'too-many-requests': [429, 'Too many requests'],
  internal: [500, 'Internal error'],
  unavailable: [503, 'Not available'],
} as const satisfies Record<string, readonly [number, string]>

export type ProblemKind = keyof typeof KINDS

export function problem(kind: ProblemKind, detail: string, more: Pick<Problem, 'code' | 'errors'> = {}): Problem {
  const [status, title] = KINDS[kind]
  return { type: `urn:muninn:problem:${kind}`, title, status, detail, ...more }
}

/** Thrown in a handler or hook to answer with a problem document. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError'
  readonly problem: Problem

  constructor(kind: ProblemKind, detail: string, more?: Pick<Problem, 'code' | 'errors'>) {
    super(detail)
    this.problem = problem(kind, detail, more)
  }
}

export function sendProblem(reply: FastifyReply, answer: Problem): FastifyReply {
  // As bytes: fastify would put a string through the route's response schema, which is that of the good answer.
  return reply
    .code(answer.status)
    .type(PROBLEM_TYPE)
    .send(Buffer.from(JSON.stringify(answer)))
}

/** For a path that there is not. */
export function answerUnknown(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return sendProblem(reply, problem('not-found', `there is no ${request.method} ${request.url.split('?')[0]}`))
}

/** Makes problem documents of every error that the instance's routes throw. */
export function answerErrorsAsProblems(app: FastifyInstance): void {
  app.setErrorHandler((error: FastifyError, request: FastifyRequest, reply) => {
    const answer = problemOf(error)
    // Only what nobody foresaw is an error of the service; what says why it isn't available has been logged at its source.
    if (answer.status === 500) request.log.error({ err: error }, 'request failed')
    return sendProblem(reply, answer)
  })
}

export function problemOf(error: FastifyError | Error): Problem {
  if (error instanceof ProblemError) return error.problem
  if ('validation' in error && error.validation !== undefined) return invalidInput(error)
  return ownError(error) ?? frameworkError(error) ?? problem('internal', 'the request failed; the log says why')
}

const ENTRY_FIELDS = {
  ERR_MUNINN_KEY: 'key',
  ERR_MUNINN_VALUE: 'body',
  ERR_MUNINN_SIZE: 'size',
  ERR_MUNINN_TTL: 'ttl',
} as const

/** Muninn's typed errors, each with the status that says whose turn it is. */
function ownError(error: Error): Problem | undefined {
  if (error instanceof OptionError) {
    const message = error.message.replace(`${error.option}: `, '')
    return problem('invalid-input', error.message, { code: error.code, errors: [{ field: error.option, message }] })
  }
  if (error instanceof InvalidEntryError) {
    return problem('invalid-input', error.message, {
      code: error.code,
      errors: [{ field: ENTRY_FIELDS[error.code], message: error.message }],
    })
  }
  if (error instanceof TooManyCachesError) return problem('too-many-caches', error.message, { code: error.code })
  if (error instanceof ClosedError || error instanceof HistoryError || error instanceof MissingDependencyError) {
    return problem('unavailable', error.message, { code: error.code })
  }
  return undefined
}

function frameworkError(error: FastifyError | Error): Problem | undefined {
  const status = 'statusCode' in error ? error.statusCode : undefined
  if (status === 413) return problem('body-too-large', 'the body is larger than this route takes')
  // Every media type has a parser, if one that refuses it.
  if (status === 415)
    return problem('unsupported-media-type', 'Content-Type must be a media type, as application/json is')
  if (status !== undefined && status >= 400 && status < 500) return problem('bad-request', error.message)
  return undefined
}

interface SchemaIssue {
  readonly keyword?: unknown
  readonly instancePath?: unknown
  readonly message?: unknown
  readonly params?: Readonly<Record<string, unknown>>
}

function invalidInput(error: FastifyError | Error): Problem {
  const issues: readonly SchemaIssue[] =
    'validation' in error && Array.isArray(error.validation) ? error.validation : []
  const errors = fieldErrors(issues, 'validationContext' in error ? String(error.validationContext) : 'body')
  const detail = errors.length === 0 ? error.message : errors.map((one) => `${one.field}: ${one.message}`).join('; ')
  return problem('invalid-input', detail, { errors })
}

/** The schema check's issues, one entry a field, under the names that the request uses. */
function fieldErrors(issues: readonly SchemaIssue[], context: string): FieldError[] {
  const messages = new Map<string, Set<string>>()
  const say = (field: string, message: string) => messages.set(field, (messages.get(field) ?? new Set()).add(message))
  for (const { keyword, instancePath, params = {}, message } of issues) {
    // The issues inside an alternative say enough, and so does the unknown name itself.
    if (keyword === 'anyOf' || keyword === 'boolean') continue
    const path = String(instancePath ?? '')
      .slice(1)
      .replaceAll('/', '.')
    const field = path || context
    const under = (name: string) => (path === '' ? name : `${path}.${name}`)
    for (const name of namesIn(params.additionalProperties)) say(under(name), 'is not known here')
    for (const name of namesIn(params.requiredProperties)) say(under(name), 'is missing')
    if (keyword === 'const') say(field, `must be ${JSON.stringify(params.allowedValue)}`)
    else if (keyword === 'enum') say(field, `must be one of ${namesIn(params.allowedValues).join(', ')}`)
    else if (keyword !== 'additionalProperties' && keyword !== 'required') say(field, String(message))
  }
  return [...messages].map(([field, all]) => ({ field, message: [...all].join(' or ') }))
}

function namesIn(list: unknown): string[] {
  return Array.isArray(list) ? list.map(String) : []
}
