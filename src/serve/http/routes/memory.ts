import type { FastifyRequest } from 'fastify'
import { Type } from '#typebox'
import { timestamp } from '../../wire.ts'
import { actorOf } from '../guard.ts'
import { MemoryAnswer, memoryAnswer } from '../memory-answer.ts'
import { ProblemError } from '../problem.ts'
import type { App, RouteContext } from './context.ts'
import { MANAGEMENT } from './rate.ts'

/** The reference's clients send no body at all. */
const noBodyIsEmpty = async (request: FastifyRequest) => {
  request.body ??= {}
}

const EvictBody = Type.Object(
  {
    cache: Type.Optional(Type.String({ description: 'Evict from this cache alone.' })),
    target: Type.Optional(
      Type.Union([Type.Number({ minimum: 0 }), Type.String()], {
        description: 'What is to remain: a share of the budget (below 1), bytes, or text such as "64MB".',
      }),
    ),
  },
  { additionalProperties: false, examples: [{}, { cache: 'tenant', target: 0.5 }] },
)

const EvictAnswer = Type.Object({
  message: Type.String(),
  timestamp: Type.String({ format: 'date-time' }),
  cycle: Type.Union([Type.String(), Type.Null()]),
  trigger: Type.String(),
  policy: Type.String(),
  cache: Type.Union([Type.String(), Type.Null()]),
  count: Type.Number(),
  bytes: Type.Number(),
  usage_before: Type.Number(),
  usage_after: Type.Number(),
  duration_ms: Type.Number(),
})

const ResetAnswer = Type.Object({
  message: Type.String(),
  timestamp: Type.String({ format: 'date-time' }),
  last_reset: Type.Union([Type.String({ format: 'date-time' }), Type.Null()]),
})

/** The reference's three endpoints about memory. */
export function memoryRoutes(app: App, { memory }: RouteContext): void {
  const tags = ['Memory']
  app.get(
    '/api/cache/memory',
    {
      schema: {
        tags,
        operationId: 'memory',
        summary: 'Memory, items, hits and evictions, now and since the last reset',
        response: { 200: MemoryAnswer },
      },
    },
    async () => memoryAnswer(memory.stats()),
  )

  app.post(
    '/api/cache/memory/evict',
    {
      config: MANAGEMENT,
      schema: {
        tags,
        operationId: 'evict',
        summary: 'Evict down to a target now',
        body: EvictBody,
        response: { 200: EvictAnswer },
      },
      preValidation: noBodyIsEmpty,
    },
    async (request) => {
      const { cache, target } = request.body
      if (cache !== undefined && !memory.cacheNames().includes(cache)) {
        throw new ProblemError('not-found', `there is no cache ${JSON.stringify(cache)}`)
      }
      const asked = { ...(cache === undefined ? {} : { cache }), ...(target === undefined ? {} : { target }) }
      const summary = memory.actingAs(actorOf(request), () => memory.evict(asked))
      const entries = summary.count === 1 ? '1 entry' : `${summary.count} entries`
      return {
        message: `Memory eviction completed: ${entries}, ${summary.bytes} bytes`,
        timestamp: new Date().toISOString(),
        cycle: summary.cycle,
        trigger: summary.trigger,
        policy: summary.policy,
        cache: summary.cache,
        count: summary.count,
        bytes: summary.bytes,
        usage_before: summary.usageBefore,
        usage_after: summary.usageAfter,
        duration_ms: summary.duration,
      }
    },
  )

  app.post(
    '/api/cache/memory/reset',
    {
      config: MANAGEMENT,
      schema: {
        tags,
        operationId: 'resetStatistics',
        summary: 'Start statistics and peaks anew; contents stay',
        body: Type.Object({}, { additionalProperties: false, examples: [{}] }),
        response: { 200: ResetAnswer },
      },
      preValidation: noBodyIsEmpty,
    },
    async (request) => {
      memory.actingAs(actorOf(request), () => memory.resetStats())
      return {
        message: 'Memory statistics reset',
        timestamp: new Date().toISOString(),
        last_reset: timestamp(memory.stats().lastReset),
      }
    },
  )
}
