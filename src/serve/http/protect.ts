import rateLimit from '@fastify/rate-limit'
import type { FastifyInstance } from 'fastify'
import { type GuardOptions, guard } from './guard.ts'
import { answerErrorsAsProblems } from './problem.ts'
import { RATE_LIMITS } from './routes/rate.ts'

/** All that stands before the routes of the instance: rules for browsers, the guard, limits of rate, answers to errors. */
export async function protect(app: FastifyInstance, options: GuardOptions): Promise<void> {
  guard(app, options)
  await app.register(rateLimit, RATE_LIMITS)
  answerErrorsAsProblems(app)
}
