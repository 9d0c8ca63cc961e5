import rateLimit from '@fastify/rate-limit'
import type { FastifyInstance } from 'fastify'
import { type GuardOptions, guard } from './guard.ts'
import { answerErrorsAsProblems } from './problem.ts'
import { RATE_LIMITS } from './routes/rate.ts'
import { STRONG_SECRET } from './tokens.ts'

/** All that stands before the routes of the instance: rules for browsers, the guard, limits of rate, answers to errors. */
export async function protect(app: FastifyInstance, options: GuardOptions): Promise<void> {
  guard(app, options)
  for (const { name, weak } of options.tokens) {
    if (weak)
      app.log.warn(
        { token: name },
        `this token is shorter than ${STRONG_SECRET} characters, and could be guessed: make one with openssl rand -base64 24`,
      )
  }
  await app.register(rateLimit, RATE_LIMITS)
  answerErrorsAsProblems(app)
}
