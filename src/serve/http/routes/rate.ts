import type { FastifyRequest } from 'fastify'
import { ProblemError } from '../problem.ts'

/*
 * How often one caller may change something: one token from one address. Whoever is refused is told when to come again.
 */

/** What a person or a script does now and then: settings, evictions, resets. Some take the main thread for a while. */
export const MANAGEMENT = { rateLimit: { max: 60, timeWindow: 60_000 } }
/** What a program does all the time: above what one process serves over a network, below what starves other callers. */
export const ITEM_MUTATIONS = { rateLimit: { max: 100_000, timeWindow: 10_000 } }

export const RATE_LIMITS = {
  global: false,
  keyGenerator: (request: FastifyRequest) => `${request.muninnCaller?.actor ?? ''} ${request.ip}`,
  errorResponseBuilder: (_request: FastifyRequest, { max, after }: { max: number; after: string }) =>
    new ProblemError('too-many-requests', `more than ${max} changes: come again in ${after}`),
} as const
