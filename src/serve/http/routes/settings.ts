import { type Static, Type } from '#typebox'
import { POLICIES, type Settings } from '../../../base/settings.ts'
import type { MemoryManager } from '../../../muninn.ts'
import { limit } from '../../wire.ts'
import { actorOf } from '../guard.ts'
import { Nullable } from '../schemas.ts'
import { limitsOf, SettingsBody, underItsName } from '../settings-body.ts'
import type { App, RouteContext } from './context.ts'
import { MANAGEMENT } from './rate.ts'

const PATH = '/api/cache/memory/settings'

const Limit = Nullable(Type.Number())
const SettingsAnswer = Type.Object({
  maxMemoryBytes: Limit,
  maxHeapBytes: Limit,
  maxCacheSize: Limit,
  maxTenantCacheSize: Limit,
  maxMimirCacheSize: Limit,
  evictionPolicy: Type.Enum(POLICIES),
  evictionThreshold: Type.Number(),
  evictionTarget: Type.Number(),
  memoryThreshold: Type.Number(),
  onFull: Type.Enum(['evict', 'reject']),
  caches: Type.Record(Type.String(), Type.Object({ maxItems: Limit, maxMemoryBytes: Limit, ttl: Limit })),
})

export function settingsRoutes(app: App, { memory }: RouteContext): void {
  const tags = ['Settings']
  app.get(
    PATH,
    {
      schema: {
        tags,
        operationId: 'settings',
        summary: 'Limits, thresholds and policy that hold now',
        response: { 200: SettingsAnswer },
      },
    },
    async () => settingsAnswer(memory.settings),
  )

  app.post(
    PATH,
    {
      config: MANAGEMENT,
      schema: {
        tags,
        operationId: 'changeSettings',
        summary: 'Change any part of the settings, until the process ends; the answer is the whole',
        body: SettingsBody,
        response: { 200: SettingsAnswer },
      },
    },
    async (request) => {
      underItsName(() => memory.actingAs(actorOf(request), () => change(memory, request.body)))
      return settingsAnswer(memory.settings)
    },
  )
}

function change(memory: MemoryManager, body: SettingsBody): void {
  const limits = limitsOf(body, memory.settings)
  // All that can be refused is refused before anything changes; what lowered limits evict is for the new policy to choose.
  memory.settingsUnder(limits)
  if (body.evictionPolicy !== undefined) memory.setPolicy(body.evictionPolicy)
  memory.setLimits(limits)
}

function settingsAnswer(settings: Settings): Static<typeof SettingsAnswer> {
  const caches = Object.entries(settings.caches).map(([name, { maxItems, maxMemory, ttl }]) => [
    name,
    { maxItems: limit(maxItems), maxMemoryBytes: limit(maxMemory), ttl: limit(ttl) },
  ])
  return {
    maxMemoryBytes: limit(settings.maxMemory),
    maxHeapBytes: limit(settings.maxHeap),
    maxCacheSize: limit(settings.maxItems),
    maxTenantCacheSize: limit(settings.caches.tenant?.maxItems ?? null),
    maxMimirCacheSize: limit(settings.caches.mimir?.maxItems ?? null),
    evictionPolicy: settings.policy,
    evictionThreshold: settings.evictionThreshold,
    evictionTarget: settings.evictionTarget,
    memoryThreshold: settings.memoryThreshold,
    onFull: settings.onFull,
    caches: Object.fromEntries(caches),
  }
}
