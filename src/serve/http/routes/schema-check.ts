import type { TypeBoxValidatorCompiler } from '@fastify/type-provider-typebox'
import type { FastifyServerOptions } from 'fastify'

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
  const compiled = (made: Compiler): Check => {
    check ??= made(route)
    return check
  }
  // Fastify waits for the promise, which its types don't say.
  const later = (value: unknown) => loadSchemaCheck().then((made) => compiled(made)(value))
  return (value) => (compiler === null ? (later(value) as unknown as ReturnType<Check>) : compiled(compiler)(value))
}
