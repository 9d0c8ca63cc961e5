import { Type } from '#typebox'
import { limitsOf, SettingsBody, underItsName } from '../settings-body.ts'
import { victimsUnder } from '../victims.ts'
import type { App, RouteContext } from './context.ts'
import { MANAGEMENT } from './rate.ts'

const counts = { items: Type.Integer(), bytes: Type.Number() }
const Answer = Type.Object({
  evicts: Type.Object(counts, { description: 'At once, or with the next write, in all.' }),
  caches: Type.Array(Type.Object({ cache: Type.String(), ...counts })),
  isExact: Type.Boolean({
    description: 'false: hybrid, and a change to lfu, decide some of it only when it comes to it.',
  }),
})

/** What a change of settings would do, before it is made. */
export function settingsPreviewRoute(app: App, { memory }: RouteContext): void {
  app.post(
    '/api/cache/memory/settings/preview',
    {
      config: { ...MANAGEMENT, muninnReads: true },
      schema: {
        tags: ['Settings'],
        operationId: 'previewSettings',
        summary: 'What a change of settings would evict, by what is held now; changes nothing',
        body: SettingsBody,
        response: { 200: Answer },
      },
    },
    async ({ body }) => {
      const policy = body.evictionPolicy ?? memory.settings.policy
      const supposed = underItsName(() => memory.settingsUnder(limitsOf(body, memory.settings)))
      const caches = await victimsUnder(memory, { ...supposed, policy })
      const sum = (of: 'items' | 'bytes') => caches.reduce((all, cache) => all + cache[of], 0)
      return {
        evicts: { items: sum('items'), bytes: sum('bytes') },
        caches,
        isExact: policy !== 'hybrid' && (policy !== 'lfu' || memory.settings.policy === 'lfu'),
      }
    },
  )
}
