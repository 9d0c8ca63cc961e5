import type { TypeBoxValidatorCompiler } from '@fastify/type-provider-typebox'

type Compiler = typeof TypeBoxValidatorCompiler
type Check = ReturnType<Compiler>

let compiler: Compiler | null = null

/** Loads what checks requests: a fifth of a second that a start need not wait for, and the first request mostly won't. */
export async function loadSchemaCheck(): Promise<Compiler> {
  compiler ??= (await import('@fastify/type-provider-typebox')).TypeBoxValidatorCompiler
  return compiler
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
