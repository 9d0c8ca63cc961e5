import type { MemoryManagerOptions } from 'muninn-cache'
import { estimateSize, MemoryManager, optionsFromEnv } from 'muninn-cache'
import * as history from 'muninn-cache/history'
import * as http from 'muninn-cache/http'
import * as replay from 'muninn-cache/replay'

/** A user's program: it is never run, only checked against the types of the installed package. */
interface Tenant {
  readonly name: string
}

const options: MemoryManagerOptions = {
  maxMemory: '64MB',
  maxItems: 1000,
  memoryThreshold: 0.8,
  policy: 'lru',
  caches: { tenant: { maxItems: 500, ttl: '5m' } },
}
const memory = new MemoryManager(options)
const tenants = memory.cache<Tenant>('tenant')

export const stored: boolean = tenants.set('a', { name: 'A' }, { ttl: 1000, cost: 2, tags: ['x'] })
export const hit: Tenant | undefined = tenants.get('a')
export const loaded: Promise<Tenant> = tenants.getOrLoad('b', async () => ({ name: 'B' }))
export const bytes: number = estimateSize({ name: 'A' }, 'payload')
export const fromEnvironment = new MemoryManager(optionsFromEnv({ CACHE_MAX_ITEMS: '10' }))
export const subpaths = [history, http, replay]

export const stopListening: () => void = memory.on('evicted', (event) => {
  const cause: string = event.cause
  const seq: number = event.seq
  return `${seq} ${cause}`
})
memory.evictions$.subscribe((event) => event.key.length)

for (const [key, tenant] of tenants) key.concat(tenant.name)

// @ts-expect-error a tenant has a name
tenants.set('c', { title: 'C' })
// @ts-expect-error there is no such policy
new MemoryManager({ policy: 'fifo' })
// @ts-expect-error there is no such event
memory.on('vanished', () => undefined)
