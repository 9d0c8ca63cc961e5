import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { POLICIES, type PolicyName } from '../../src/base/settings.ts'
import { AuditFolder } from '../support/audit-file.ts'
import { ask, JSON_TYPE, type TestService, testService } from './http-support.ts'

const PATH = '/api/cache/memory/settings'
/** Those whose order is known before anybody needs room. */
const EXACT: readonly PolicyName[] = POLICIES.filter((policy) => policy !== 'hybrid')

let service: TestService
const files = new AuditFolder()
beforeEach(async () => {
  service = await testService({
    memory: { maxMemory: 100_000, maxHeap: '64MB', policy: 'lru', maxItems: 1000, audit: files.path() },
  })
})
afterEach(() => service.close())

const post = async (path: string, body: object) => {
  const answer = await ask(service.port, { method: 'POST', path, headers: JSON_TYPE, body: JSON.stringify(body) })
  return { status: answer.status, ...answer.json() } as Record<string, unknown>
}
const preview = (body: object) => post(`${PATH}/preview`, body)
const change = (body: object) => post(PATH, body)

/** Two caches whose entries differ in all that a policy looks at, with many equals. */
function fill(): void {
  for (let n = 0; n < 50; n++) {
    service.memory.cache('general').set(`g${n}`, n, { size: 500 + (n % 3) * 500, ttl: 60_000 * (1 + (n % 4)) })
    if (n < 30) service.memory.cache('tenant').set(`t${n}`, n, { size: 400 + (n % 5) * 100 })
  }
  for (let n = 0; n < 50; n += 3) service.memory.cache('general').get(`g${n}`)
  for (let n = 0; n < 30; n += 7) for (let hits = n; hits > 0; hits -= 7) service.memory.cache('tenant').get(`t${n}`)
}

describe('settings of single caches', () => {
  test('are read and changed, each by itself, and recorded with who did it', async () => {
    expect(await change({ caches: { tenant: { maxItems: 20, maxMemoryBytes: 9000, ttl: 5000 } } })).toMatchObject({
      maxTenantCacheSize: 20,
      caches: { tenant: { maxItems: 20, maxMemoryBytes: 9000, ttl: 5000 }, mimir: { maxItems: 500, ttl: null } },
    })
    expect(await change({ caches: { tenant: { ttl: null } }, onFull: 'reject', maxHeapBytes: 2 ** 20 })).toMatchObject({
      caches: { tenant: { maxItems: 20, maxMemoryBytes: 9000, ttl: null } },
      onFull: 'reject',
      maxHeapBytes: 2 ** 20,
    })
    const tenants = service.memory.cache('tenant')
    for (let n = 0; n < 40; n++) tenants.set(`t${n}`, n, { size: 1 })
    // Nothing is evicted for an add any more.
    expect([tenants.size, tenants.has('t0'), tenants.has('t20')]).toEqual([20, true, false])
    const { items } = (await ask(service.port, { path: '/api/audit/changes' })).json() as { items: { text: string }[] }
    expect(items.filter(({ text }) => text.includes('onFull') || text.includes('caches.tenant.ttl'))).toMatchObject([
      { actor: 'http' },
      { actor: 'http' },
    ])
  })

  test('what is refused changes nothing, and is named as the request spells it', async () => {
    const before = (await ask(service.port, { path: PATH })).json()
    const refused: [body: object, field: string][] = [
      [{ caches: { tenant: { maxItems: 0 } } }, 'caches.tenant.maxItems'],
      [{ caches: { tenant: { maxMemoryBytes: 1.5 } } }, 'caches.tenant.maxMemoryBytes'],
      [{ caches: { tenant: { colour: 'red' } } }, 'caches.tenant.colour'],
      [{ caches: { [`x${'y'.repeat(300)}`]: { maxItems: 1 } }, evictionPolicy: 'lfu' }, 'cache'],
      [{ caches: { tenant: { maxItems: 7 } }, maxTenantCacheSize: 8 }, 'maxTenantCacheSize'],
      [{ evictionPolicy: 'size', maxCacheSize: 1, evictionTarget: 0.95 }, 'evictionTarget'],
      [{ onFull: 'sometimes' }, 'onFull'],
    ]
    for (const [body, field] of refused) {
      expect([field, await change(body)]).toEqual([
        field,
        expect.objectContaining({ status: 400, errors: [expect.objectContaining({ field })] }),
      ])
      expect([field, (await preview(body)).status]).toEqual([field, 400])
    }
    expect((await ask(service.port, { path: PATH })).json()).toEqual(before)
  })

  test('the whole answer can be sent back with a part of it changed', async () => {
    const { status: _, ...whole } = await change({ maxCacheSize: 900 })
    expect(await change({ ...whole, maxTenantCacheSize: 70 })).toMatchObject({ caches: { tenant: { maxItems: 70 } } })
    // The target was never stated: it follows.
    const { maxHeapBytes: heap } = whole
    expect(await change({ ...whole, evictionThreshold: 0.45 })).toMatchObject({
      evictionTarget: 0.4,
      maxHeapBytes: heap,
      caches: { tenant: { maxItems: 500 } },
    })
  })

  test('a threshold and the target below it come in one change', async () => {
    await change({ evictionTarget: 0.7 })
    expect(await change({ evictionThreshold: 0.6, evictionTarget: 0.5 })).toMatchObject({
      status: 200,
      evictionThreshold: 0.6,
      evictionTarget: 0.5,
    })
  })
})

describe('what a change would evict', () => {
  const changes: readonly Record<string, unknown>[] = [
    { maxCacheSize: 60 },
    { caches: { tenant: { maxItems: 10 }, general: { maxMemoryBytes: 20_000 } } },
    { maxMemoryBytes: 40_000, maxTenantCacheSize: 25 },
    { maxHeapBytes: 30_000 },
    { maxMemoryBytes: 66_000, onFull: 'reject' },
    { maxCacheSize: null, onFull: 'reject' },
  ]

  test.each(EXACT)('under %s is what it then evicts, and asking changes nothing', async (evictionPolicy) => {
    await change({ evictionPolicy })
    for (const body of changes) {
      fill()
      const { stats } = { stats: service.memory.stats() }
      const told = (await preview(body)) as { evicts: object; caches: { cache: string }[]; isExact: boolean }
      expect(told.isExact).toBe(true)
      expect(service.memory.stats().cacheItemCount).toBe(stats.cacheItemCount)
      await change(body)
      // What is above the threshold is left for a cycle, which begins with the next write.
      const settings = service.memory.settings
      const { currentMemoryBytes: bytes, heapBytes } = service.memory.stats()
      if (settings.onFull === 'evict' && (bytes >= 0.9 * settings.maxMemory || heapBytes >= 0.9 * settings.maxHeap))
        service.memory.evict({ target: settings.evictionTarget })
      const after = service.memory.stats()
      const left = told.caches.map(({ cache }) => {
        const of = (from: typeof after) => from.caches.find(({ name }) => name === cache)
        const [was, is] = [of(stats), of(after)]
        return { cache, items: (was?.items ?? 0) - (is?.items ?? 0), bytes: (was?.bytes ?? 0) - (is?.bytes ?? 0) }
      })
      expect([body, told.caches]).toEqual([body, left])
      await change({
        maxCacheSize: 1000,
        maxMemoryBytes: 100_000,
        maxHeapBytes: 2 ** 26,
        onFull: 'evict',
        caches: { tenant: { maxItems: 500 }, general: { maxMemoryBytes: null } },
      })
      service.memory.evict({ target: 0 })
    }
  })

  test('is an estimate, and says so, where hybrid decides', async () => {
    fill()
    expect(await preview({ evictionPolicy: 'hybrid', maxCacheSize: 60 })).toMatchObject({
      evicts: { items: 20 },
      isExact: false,
    })
  })
})

describe('the order in which keys would go', () => {
  const listed = async (query = '') => {
    const keys: string[] = []
    let cursor = ''
    let isExact = true
    for (let next: string | null = ''; next !== null; ) {
      const path = `/api/cache/general/items?order=policy&limit=7${query}${cursor}`
      const page = (await ask(service.port, { path })).json() as {
        items: { key: string }[]
        next: string | null
        isExact: boolean
      }
      keys.push(...page.items.map(({ key }) => key))
      isExact = page.isExact
      next = page.next
      cursor = `&cursor=${next}`
    }
    return { keys, isExact }
  }

  test.each(EXACT)('under %s is that in which they go', async (evictionPolicy) => {
    await change({ evictionPolicy })
    fill()
    const { keys, isExact } = await listed()
    const gone: string[] = []
    service.memory.on('evicted', ({ key }) => gone.push(key))
    service.memory.evict({ cache: 'general', target: 0 })
    expect(isExact).toBe(true)
    expect(keys).toEqual(gone)
    expect(keys).toHaveLength(50)
  })

  test('under hybrid is said to be none that is sure', async () => {
    await change({ evictionPolicy: 'hybrid' })
    fill()
    expect((await listed()).isExact).toBe(false)
  })
})
