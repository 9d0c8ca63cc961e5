import { type Static, Type } from '#typebox'
import { ProblemError } from '../problem.ts'
import type { App, RouteContext } from './context.ts'

// Not `Type.Tuple`: its `items` is a list, which JSON Schema 2020-12 (OpenAPI 3.1) no longer knows.
const Point = Type.Unsafe<[size: number, hitRatio: number]>(
  Type.Array(Type.Number(), { minItems: 2, maxItems: 2, description: 'A size, and its hit ratio (0-1).' }),
)
const Limit = Type.Union([Type.Number(), Type.Null()])

export type CurveAnswer = Static<typeof CurveAnswer>

const CurveAnswer = Type.Object({
  items: Type.Array(
    Type.Object({
      cache: Type.String(),
      requests: Type.Number(),
      error: Type.Number({ description: 'Mean absolute error that is to be expected; 0: exact.' }),
      held_items: Type.Number(),
      held_bytes: Type.Number(),
      hit_ratio: Type.Union([Type.Number(), Type.Null()], { description: 'Of the cache as it is, under its policy.' }),
      max_items: Limit,
      max_memory_bytes: Limit,
      by_items: Type.Array(Point, { description: 'By entries.' }),
      by_bytes: Type.Array(Point, { description: 'By bytes.' }),
    }),
  ),
  next: Type.Null(),
  incomplete: Type.Union([Type.String(), Type.Null()]),
})

const Query = Type.Object({ cache: Type.Optional(Type.String()) }, { additionalProperties: false })

/** What other sizes would hit. */
export function curveRoute(app: App, { memory }: RouteContext): void {
  app.get(
    '/api/analysis/curve',
    {
      schema: {
        tags: ['Analysis'],
        operationId: 'curve',
        summary: 'Miss-ratio curves of the caches under LRU, by items and by bytes',
        querystring: Query,
        response: { 200: CurveAnswer },
      },
    },
    async ({ query: { cache } }) => {
      if (cache !== undefined && !memory.cacheNames().includes(cache))
        throw new ProblemError('not-found', `there is no cache ${JSON.stringify(cache)}`)
      const { settings } = memory
      const stats = new Map(memory.stats().caches.map((row) => [row.name, row]))
      const names = cache === undefined ? memory.cacheNames() : [cache]
      const items = names.flatMap((name) => {
        const curve = memory.curve(name)
        const row = stats.get(name)
        if (curve === null || row === undefined) return []
        return [
          {
            cache: name,
            requests: curve.requests,
            error: curve.error,
            held_items: row.items,
            held_bytes: row.bytes,
            hit_ratio: row.hitRate,
            max_items: limit(Math.min(settings.maxItems, settings.caches[name]?.maxItems ?? settings.maxItems)),
            max_memory_bytes: limit(
              Math.min(settings.maxMemory, settings.caches[name]?.maxMemory ?? settings.maxMemory),
            ),
            by_items: curve.byItems.map(point),
            by_bytes: curve.byBytes.map(point),
          },
        ]
      })
      const left = names.length - items.length
      const incomplete = left === 0 ? null : `${left} caches without requests, or beyond the eighth, have no curve`
      return { items, next: null, incomplete }
    },
  )
}

function point([size, ratio]: readonly [number, number]): [number, number] {
  return [size, ratio]
}

function limit(value: number): number | null {
  return Number.isFinite(value) ? value : null
}
