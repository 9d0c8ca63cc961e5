import { Type } from '#typebox'
import type { CacheStats } from '../../../command/stats.ts'
import { CacheAnswer, cacheAnswer, MemoryAnswer, memoryAnswer } from '../memory-answer.ts'
import type { App, RouteContext } from './context.ts'

const StatusAnswer = Type.Object({
  general_cache: CacheAnswer,
  tenant_discovery_cache: CacheAnswer,
  mimir_discovery_cache: CacheAnswer,
  caches: Type.Array(CacheAnswer),
  memory_management: MemoryAnswer,
})

/** `GET /api/cache/status`: the reference's three caches by its names, then all of them. */
export function statusRoutes(app: App, { memory }: RouteContext): void {
  app.get(
    '/api/cache/status',
    {
      schema: {
        tags: ['Memory'],
        operationId: 'status',
        summary: 'The caches, by name and all of them, and the memory',
        response: { 200: StatusAnswer },
      },
    },
    async () => {
      const stats = memory.stats()
      const named = (name: string) => cacheAnswer(stats.caches.find((cache) => cache.name === name) ?? unused(name))
      return {
        general_cache: named('general'),
        tenant_discovery_cache: named('tenant'),
        mimir_discovery_cache: named('mimir'),
        caches: stats.caches.map(cacheAnswer),
        memory_management: memoryAnswer(stats),
      }
    },
  )
}

/** A cache that nobody has used yet: the reference's keys are there all the same. */
function unused(name: string): CacheStats {
  return {
    name,
    items: 0,
    bytes: 0,
    maxItems: Number.POSITIVE_INFINITY,
    maxMemoryBytes: Number.POSITIVE_INFINITY,
    ttl: Number.POSITIVE_INFINITY,
    hits: 0,
    misses: 0,
    hitRate: null,
    added: 0,
    updated: 0,
    evictedItems: 0,
    evictedBytes: 0,
    evictedByCause: {},
    expiredItems: 0,
    removedItems: 0,
    rejectedItems: 0,
    regrettedMisses: 0,
    mode: null,
    share: null,
    lastUpdated: null,
  }
}
