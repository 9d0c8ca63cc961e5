import { Type } from 'typebox'
import { POLICIES } from '../../../base/settings.ts'
import { victimsUnder } from '../victims.ts'
import type { App, RouteContext } from './context.ts'

const Items = Type.Optional(
  Type.Union([Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }), Type.Literal('none')], {
    description: 'none: no limit.',
  }),
)
const Query = Type.Object(
  {
    maxMemoryBytes: Type.Optional(Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER })),
    maxCacheSize: Items,
    maxTenantCacheSize: Items,
    maxMimirCacheSize: Items,
    evictionPolicy: Type.Optional(Type.Union(POLICIES.map((policy) => Type.Literal(policy)))),
    evictionThreshold: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 1 })),
    memoryThreshold: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 0.9 })),
  },
  { additionalProperties: false, examples: [{ maxCacheSize: 2000 }] },
)

const counts = { items: Type.Integer(), bytes: Type.Number() }
const Answer = Type.Object({
  evicts: Type.Object(counts, { description: 'At once, or with the next write, in all.' }),
  caches: Type.Array(Type.Object({ cache: Type.String(), ...counts })),
})

/** What a change of settings would do, before it is made. */
export function settingsPreviewRoute(app: App, { memory }: RouteContext): void {
  app.get(
    '/api/cache/memory/settings/preview',
    {
      schema: {
        tags: ['Settings'],
        operationId: 'previewSettings',
        summary: 'What a change of settings would evict, by what is held now and the present policy; changes nothing',
        querystring: Query,
        response: { 200: Answer },
      },
    },
    async ({ query }) => {
      const { settings } = memory
      const own = Object.entries(settings.caches).map(([name, cache]) => [name, cache.maxItems] as const)
      const threshold = query.evictionThreshold ?? settings.evictionThreshold
      const caches = await victimsUnder(memory, {
        maxMemory: query.maxMemoryBytes ?? settings.maxMemory,
        maxItems: items(query.maxCacheSize, settings.maxItems),
        caches: {
          ...Object.fromEntries(own),
          tenant: items(query.maxTenantCacheSize, settings.caches.tenant?.maxItems),
          mimir: items(query.maxMimirCacheSize, settings.caches.mimir?.maxItems),
        },
        evictionThreshold: threshold,
        // It follows the threshold.
        evictionTarget: (settings.evictionTarget / settings.evictionThreshold) * threshold,
      })
      const sum = (of: 'items' | 'bytes') => caches.reduce((all, cache) => all + cache[of], 0)
      return { evicts: { items: sum('items'), bytes: sum('bytes') }, caches }
    },
  )
}

function items(asked: number | 'none' | undefined, now = Number.POSITIVE_INFINITY): number {
  return asked === 'none' ? Number.POSITIVE_INFINITY : (asked ?? now)
}
