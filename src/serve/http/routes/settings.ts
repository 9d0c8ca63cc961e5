import { type Static, Type } from 'typebox'
import { OptionError } from '../../../base/errors.ts'
import { POLICIES, type Settings } from '../../../base/settings.ts'
import type { MemoryManager } from '../../../muninn.ts'
import { limit } from '../../wire.ts'
import { actorOf } from '../guard.ts'
import { ProblemError } from '../problem.ts'
import type { App, RouteContext } from './context.ts'
import { MANAGEMENT } from './rate.ts'

const PATH = '/api/cache/memory/settings'

const Bytes = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER })
const Items = Type.Union([Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }), Type.Null()], {
  description: 'null: no limit',
})
const Policy = Type.Union(POLICIES.map((policy) => Type.Literal(policy)))

/** What may be changed, any part of it. The bounds are those of the options, so that nothing fails halfway. */
const SettingsBody = Type.Object(
  {
    maxMemoryBytes: Type.Optional(Bytes),
    maxCacheSize: Type.Optional(Items),
    maxTenantCacheSize: Type.Optional(Items),
    maxMimirCacheSize: Type.Optional(Items),
    evictionPolicy: Type.Optional(Policy),
    evictionThreshold: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 1 })),
    memoryThreshold: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 0.9 })),
  },
  { additionalProperties: false, minProperties: 1, examples: [{ maxCacheSize: 2000, evictionPolicy: 'lru' }] },
)
type SettingsBody = Static<typeof SettingsBody>

const Limit = Type.Union([Type.Number(), Type.Null()])
const SettingsAnswer = Type.Object({
  maxMemoryBytes: Limit,
  maxCacheSize: Limit,
  maxTenantCacheSize: Limit,
  maxMimirCacheSize: Limit,
  evictionPolicy: Type.String(),
  evictionThreshold: Type.Number(),
  memoryThreshold: Type.Number(),
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
      try {
        memory.actingAs(actorOf(request), () => change(memory, request.body))
      } catch (error) {
        throw error instanceof OptionError ? underItsName(error) : error
      }
      return settingsAnswer(memory.settings)
    },
  )
}

function change(memory: MemoryManager, body: SettingsBody): void {
  const { evictionPolicy, evictionThreshold } = body
  const limits = limitsOf(body)
  // What can still be refused comes first: one more cache, then the policy (a threshold below a stated target). What
  // lowered limits evict is for the new policy to choose; their bounds have been checked by the schema.
  for (const name of Object.keys(limits.caches ?? {})) memory.cache(name)
  if (evictionPolicy !== undefined || evictionThreshold !== undefined) {
    memory.setPolicy(evictionPolicy ?? memory.settings.policy, evictionThreshold)
  }
  if (Object.keys(limits).length > 0) memory.setLimits(limits)
}

function settingsAnswer(settings: Settings): Static<typeof SettingsAnswer> {
  return {
    maxMemoryBytes: limit(settings.maxMemory),
    maxCacheSize: limit(settings.maxItems),
    maxTenantCacheSize: limit(settings.caches.tenant?.maxItems ?? null),
    maxMimirCacheSize: limit(settings.caches.mimir?.maxItems ?? null),
    evictionPolicy: settings.policy,
    evictionThreshold: settings.evictionThreshold,
    memoryThreshold: settings.memoryThreshold,
  }
}

interface Limits {
  maxMemory?: number
  maxItems?: number
  memoryThreshold?: number
  caches?: Record<string, { maxItems: number }>
}

function limitsOf(body: SettingsBody): Limits {
  const limits: Limits = {}
  if (body.maxMemoryBytes !== undefined) limits.maxMemory = body.maxMemoryBytes
  if (body.maxCacheSize !== undefined) limits.maxItems = items(body.maxCacheSize)
  if (body.memoryThreshold !== undefined) limits.memoryThreshold = body.memoryThreshold
  const caches: Record<string, { maxItems: number }> = {}
  if (body.maxTenantCacheSize !== undefined) caches.tenant = { maxItems: items(body.maxTenantCacheSize) }
  if (body.maxMimirCacheSize !== undefined) caches.mimir = { maxItems: items(body.maxMimirCacheSize) }
  if (Object.keys(caches).length > 0) limits.caches = caches
  return limits
}

function items(value: number | null): number {
  return value ?? Number.POSITIVE_INFINITY
}

const NAMES: Readonly<Record<string, string>> = {
  maxMemory: 'maxMemoryBytes',
  maxItems: 'maxCacheSize',
  'caches.tenant.maxItems': 'maxTenantCacheSize',
  'caches.mimir.maxItems': 'maxMimirCacheSize',
  policy: 'evictionPolicy',
}

/** The option's error, under the name that the request has for it. */
function underItsName(error: OptionError): ProblemError {
  const field = NAMES[error.option] ?? error.option
  const message = error.message.replace(`${error.option}: `, '')
  return new ProblemError('invalid-input', `${field}: ${message}`, { code: error.code, errors: [{ field, message }] })
}
