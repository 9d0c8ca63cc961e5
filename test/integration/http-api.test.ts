import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ask, JSON_TYPE, type TestService, testService } from './http-support.ts'

let service: TestService
beforeAll(async () => {
  service = await testService()
})
afterAll(() => service.close())

const REFERENCE_KEYS = [
  'current_memory_bytes',
  'max_memory_bytes',
  'memory_usage_percent',
  'peak_memory_bytes',
  'cache_item_count',
  'max_cache_size',
  'tenant_cache_count',
  'max_tenant_cache_size',
  'mimir_cache_count',
  'max_mimir_cache_size',
  'eviction_count',
  'memory_warnings',
  'last_eviction',
  'last_memory_check',
  'last_reset',
  'eviction_policy',
  'eviction_threshold',
  'memory_threshold',
]

describe('memory and status', () => {
  test("GET /api/cache/memory has the reference's keys at the top level", async () => {
    service.memory.cache('tenant').set('t', 'x')
    const answer = (await ask(service.port, { path: '/api/cache/memory' })).json()
    expect(Object.keys(answer)).toEqual(expect.arrayContaining(REFERENCE_KEYS))
    expect(answer).toMatchObject({
      max_memory_bytes: 64 * 1024 ** 2,
      cache_item_count: 1,
      max_cache_size: 1000,
      tenant_cache_count: 1,
      max_tenant_cache_size: 500,
      mimir_cache_count: 0,
      last_eviction: null,
      eviction_policy: 'hybrid',
      eviction_threshold: 0.9,
      memory_threshold: 0.8,
      alert_level: 'normal',
    })
  })

  test('GET /api/cache/status has the three caches, all caches and the memory', async () => {
    const answer = (await ask(service.port, { path: '/api/cache/status' })).json()
    expect(Object.keys(answer).sort()).toEqual([
      'caches',
      'general_cache',
      'memory_management',
      'mimir_discovery_cache',
      'tenant_discovery_cache',
    ])
    expect(Object.keys(answer.memory_management as object)).toEqual(expect.arrayContaining(REFERENCE_KEYS))
    expect(answer.tenant_discovery_cache).toMatchObject({
      items: 1,
      max_items: 500,
      ttl: null,
      hits: 0,
      last_updated: expect.stringMatching(/^\d{4}-.*Z$/),
    })
    expect(answer.general_cache).toMatchObject({ name: 'general', items: 0, hit_rate: null, max_items: null })
    expect(answer.caches).toHaveLength(3)
  })

  test('POST evict answers the cycle, with the body left out, empty or given', async () => {
    for (let index = 0; index < 10; index++) service.memory.cache('mimir').set(`m${index}`, 'x'.repeat(1000))
    const evict = (body?: string) =>
      ask(service.port, {
        method: 'POST',
        path: '/api/cache/memory/evict',
        ...(body === undefined ? {} : { headers: JSON_TYPE, body }),
      })
    expect((await evict()).json()).toMatchObject({
      message: expect.any(String),
      timestamp: expect.stringMatching(/Z$/),
      trigger: 'forced',
      count: expect.any(Number),
    })
    expect((await evict('')).status).toBe(200)
    const form = { 'content-type': 'application/x-www-form-urlencoded', 'content-length': '0' }
    expect((await ask(service.port, { method: 'POST', path: '/api/cache/memory/reset', headers: form })).status).toBe(
      200,
    )
    const emptied = (await evict('{"cache":"mimir","target":0}')).json()
    expect(emptied).toMatchObject({ cache: 'mimir' })
    expect(service.memory.cache('mimir').size).toBe(0)
    expect(service.memory.stats().evictionCount).toBe(1)
    expect((await evict('{"cache":"nobody"}')).status).toBe(404)
    expect((await evict('{"target":-1}')).json()).toMatchObject({ errors: [{ field: 'target' }] })
  })

  test('POST reset takes no field, and a refused one resets nothing', async () => {
    const asked = { method: 'POST', path: '/api/cache/memory/reset', headers: JSON_TYPE }
    const before = service.memory.stats().lastReset
    expect((await ask(service.port, { ...asked, body: '{"cache":"tenant"}' })).json()).toMatchObject({
      status: 400,
      errors: [{ field: 'cache' }],
    })
    expect(service.memory.stats().lastReset).toBe(before)
    expect((await ask(service.port, { ...asked, body: '{}' })).status).toBe(200)
  })

  test('POST reset starts the statistics anew and keeps the contents', async () => {
    service.memory.cache('general').set('kept', 1)
    const answer = await ask(service.port, { method: 'POST', path: '/api/cache/memory/reset' })
    expect(answer.json()).toMatchObject({
      message: expect.any(String),
      timestamp: expect.any(String),
      last_reset: expect.stringMatching(/Z$/),
    })
    expect((await ask(service.port, { path: '/api/cache/memory' })).json()).toMatchObject({
      eviction_count: 0,
      last_reset: answer.json().last_reset,
    })
    expect(service.memory.cache('general').peek('kept')).toBe(1)
  })
})

describe('settings', () => {
  const post = (body: unknown) =>
    ask(service.port, {
      method: 'POST',
      path: '/api/cache/memory/settings',
      headers: JSON_TYPE,
      body: JSON.stringify(body),
    })
  const read = async () => (await ask(service.port, { path: '/api/cache/memory/settings' })).json()

  test('any part can be changed, and the answer is the whole', async () => {
    const before = await read()
    expect(before).toMatchObject({
      maxMemoryBytes: 64 * 1024 ** 2,
      maxCacheSize: 1000,
      maxTenantCacheSize: 500,
      maxMimirCacheSize: 500,
      evictionPolicy: 'hybrid',
      evictionThreshold: 0.9,
      memoryThreshold: 0.8,
    })
    expect((await post({ maxTenantCacheSize: 7 })).json()).toEqual({
      ...before,
      maxTenantCacheSize: 7,
      caches: { ...(before.caches as object), tenant: { maxItems: 7, maxMemoryBytes: null, ttl: null } },
    })
    expect((await post({ maxCacheSize: null, maxMimirCacheSize: null })).json()).toMatchObject({
      maxCacheSize: null,
      maxMimirCacheSize: null,
    })
    const changed = {
      maxMemoryBytes: 2 ** 25,
      maxCacheSize: 50,
      maxTenantCacheSize: 5,
      maxMimirCacheSize: 6,
      evictionPolicy: 'lru',
      evictionThreshold: 0.7,
      memoryThreshold: 0.75,
    }
    expect((await post(changed)).json()).toMatchObject(changed)
    expect(await read()).toMatchObject(changed)
    // The heap budget followed the memory budget, and is now stated.
    expect((await post(before)).json()).toEqual(before)
  })

  const wrong: readonly [Record<string, unknown>, string][] = [
    [{ maxMemoryBytes: 0 }, 'maxMemoryBytes'],
    [{ maxMemoryBytes: null }, 'maxMemoryBytes'],
    [{ maxMemoryBytes: '64MB' }, 'maxMemoryBytes'],
    [{ maxCacheSize: 1.5 }, 'maxCacheSize'],
    [{ maxCacheSize: -1 }, 'maxCacheSize'],
    [{ maxTenantCacheSize: '5' }, 'maxTenantCacheSize'],
    [{ maxMimirCacheSize: 1e300 }, 'maxMimirCacheSize'],
    [{ evictionPolicy: 'fifo' }, 'evictionPolicy'],
    [{ evictionThreshold: 0 }, 'evictionThreshold'],
    [{ evictionThreshold: 1.01 }, 'evictionThreshold'],
    [{ memoryThreshold: 0.91 }, 'memoryThreshold'],
    [{ maxCachesize: 5 }, 'maxCachesize'],
    [{}, 'body'],
  ]
  for (const [body, field] of wrong) {
    test(`${JSON.stringify(body)} is refused by name, and nothing changes`, async () => {
      const before = await read()
      const answer = await post({ ...(field === 'body' ? {} : { maxCacheSize: 9, memoryThreshold: 0.5 }), ...body })
      expect(answer.status).toBe(400)
      expect(answer.headers['content-type']).toBe('application/problem+json')
      expect(answer.json()).toMatchObject({
        type: 'urn:muninn:problem:invalid-input',
        title: expect.any(String),
        status: 400,
        detail: expect.stringContaining(field),
      })
      expect((answer.json().errors as { field: string }[]).map((error) => error.field)).toEqual([field])
      expect(await read()).toEqual(before)
    })
  }
})

describe('problem documents', () => {
  const problem = async (asked: Parameters<typeof ask>[1], status: number) => {
    const answer = await ask(service.port, asked)
    expect([asked.path, answer.status]).toEqual([asked.path, status])
    expect(answer.headers['content-type']).toBe('application/problem+json')
    expect(answer.json()).toMatchObject({
      type: expect.stringMatching(/^urn:muninn:problem:/),
      title: expect.any(String),
      status,
      detail: expect.any(String),
    })
    return answer
  }

  test('unknown routes, paths that can not be decoded', async () => {
    await problem({ path: '/nothing' }, 404)
    await problem({ path: '/api/cache/memory/nothing', method: 'POST' }, 404)
    await problem({ path: '/api/cache/general/items/%ff' }, 400)
  })

  test('a query on a route that takes none is refused by name, and changes nothing', async () => {
    for (const path of ['/api/cache/memory', '/api/cache/status', '/api/cache/memory/settings']) {
      const answer = await problem({ path: `${path}?cache=general` }, 400)
      expect((answer.json().errors as { field: string }[]).map(({ field }) => field)).toEqual(['cache'])
    }
    service.memory.cache('general').set('stays', 1)
    await problem({ path: '/api/cache/memory/reset?dryRun=1', method: 'POST' }, 400)
    await problem({ path: '/api/cache/memory/evict?cache=general', method: 'POST' }, 400)
    expect(service.memory.cache('general').has('stays')).toBe(true)
    expect((await ask(service.port, { path: '/healthz?1' })).status).toBe(200)
  })

  test('wrong methods, with the right ones', async () => {
    const { headers } = await problem({ path: '/api/cache/memory/evict', method: 'DELETE' }, 405)
    expect(headers.allow).toBe('OPTIONS, POST')
    await problem(
      { path: '/api/cache/memory', method: 'POST', headers: { 'content-type': 'text/plain' }, body: 'x' },
      405,
    )
    await problem({ path: '/api/cache/general/items/k', method: 'POST', body: 'x' }, 405)
    await problem({ path: '/livez', method: 'PATCH' }, 405)
    const options = await ask(service.port, { path: '/api/cache/general/items/k', method: 'OPTIONS' })
    expect(options).toMatchObject({ status: 204, headers: { allow: 'DELETE, GET, HEAD, OPTIONS, PUT' } })
  })

  test('bodies of the wrong kind, broken or too large', async () => {
    const path = '/api/cache/memory/settings'
    await problem({ path, method: 'POST', headers: { 'content-type': 'text/plain' }, body: '{}' }, 415)
    await problem(
      {
        path,
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: 'maxCacheSize=1',
      },
      415,
    )
    await problem({ path, method: 'POST', headers: JSON_TYPE, body: '{' }, 400)
    await problem({ path, method: 'POST', headers: JSON_TYPE, body: '{"__proto__":{"maxCacheSize":1}}' }, 400)
    await problem({ path, method: 'POST', headers: JSON_TYPE, body: `{"x":"${'x'.repeat(70_000)}"}` }, 413)
    await problem({ path, method: 'POST', headers: JSON_TYPE, body: '[]' }, 400)
    await problem({ path, method: 'POST' }, 400)
  })

  test('no audit log is said so', async () => {
    for (const path of [
      '/api/audit/evictions',
      '/api/audit/explain?key=k',
      '/api/audit/runs',
      '/api/cache/memory/history',
    ])
      await problem({ path }, 404)
  })

  test('questions that can not be asked', async () => {
    const wrong: readonly [string, string][] = [
      ['/api/audit/explain', 'key'],
      ['/api/audit/evictions?cause=bad', 'cause'],
      ['/api/audit/runs?limit=0', 'limit'],
      ['/api/audit/peaks?since=yesterday', 'since'],
      ['/api/cache/memory/history?untl=now', 'untl'],
    ]
    for (const [path, field] of wrong)
      expect((await problem({ path }, 400)).json()).toMatchObject({ errors: [{ field }] })
  })

  test('what is no HTTP, and headers without end', async () => {
    const raw = (text: string) =>
      new Promise<string>((resolve) => {
        const socket = connect(service.port, '127.0.0.1', () => socket.write(text))
        let answer = ''
        socket.on('data', (chunk) => {
          answer += chunk.toString()
        })
        socket.on('error', () => resolve(answer))
        socket.on('close', () => resolve(answer))
      })
    expect(await raw('nonsense\r\n\r\n')).toMatch(/^HTTP\/1.1 400 [\s\S]*application\/problem\+json/)
    expect(await raw(`GET /${'x'.repeat(300_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`)).toMatch(/^HTTP\/1.1 431 /)
  })
})

describe('health', () => {
  test('live, ready and healthy, with details on loopback', async () => {
    for (const path of ['/livez', '/readyz', '/healthz']) {
      expect((await ask(service.port, { path })).json()).toMatchObject({ status: 'ok' })
    }
  })

  test('a required audit log that is not there makes it unready, and not dead', async () => {
    const required = await testService({ requireAudit: true })
    expect(await ask(required.port, { path: '/readyz' })).toMatchObject({ status: 503 })
    expect(await ask(required.port, { path: '/livez' })).toMatchObject({ status: 200 })
    await required.close()
  })
})
