import type { FastifyInstance } from 'fastify'
import { ProblemError } from '../problem.ts'

/** Largest body of the routes that take JSON. */
const MAX_JSON_BYTES = 64 * 1024

/** JSON and nothing else, whatever parsers the host application has; an empty body is no body, of whatever type. */
export function takeJson(scope: FastifyInstance): void {
  scope.removeAllContentTypeParsers()
  const parse = scope.getDefaultJsonParser('error', 'error')
  const options = { parseAs: 'string', bodyLimit: MAX_JSON_BYTES } as const
  scope.addContentTypeParser('application/json', options, (request, body, done) => {
    const text = String(body)
    if (text === '') done(null, undefined)
    else void parse(request, text, (error, value) => (error ? done(refusal(text)) : done(null, value)))
  })
  // `curl -X POST -d ''` calls its nothing a form.
  scope.addContentTypeParser('*', options, (_request, body, done) => {
    if (String(body) === '') done(null, undefined)
    else done(new ProblemError('unsupported-media-type', 'the body must be JSON: send Content-Type: application/json'))
  })
}

/** What the parser refused: text that isn't JSON, or a key that could reach an object's prototype. Its error doesn't say. */
function refusal(text: string): ProblemError {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    return new ProblemError(
      'bad-request',
      `the body is not valid JSON: ${error instanceof Error ? error.message : error}`,
    )
  }
  const field = prototypeKey(value)
  const message = 'is no key that is taken'
  return new ProblemError('invalid-input', `${field}: ${message}`, { errors: [{ field, message }] })
}

/** Where the first such key stands. Without recursion: a body may be nested as deeply as it is long. */
function prototypeKey(body: unknown): string {
  const left: { path: string; value: unknown }[] = [{ path: '', value: body }]
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    const { path, value } = next
    if (typeof value !== 'object' || value === null) continue
    for (const [key, inner] of Object.entries(value).reverse()) {
      const field = path === '' ? key : `${path}.${key}`
      if (key === '__proto__') return field
      if (key === 'constructor' && typeof inner === 'object' && inner !== null && Object.hasOwn(inner, 'prototype'))
        return `${field}.prototype`
      left.push({ path: field, value: inner })
    }
  }
  return 'body'
}
