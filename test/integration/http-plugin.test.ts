import { type FastifyInstance, fastify } from 'fastify'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { MemoryManager } from '../../src/muninn.ts'
import muninnHttp from '../../src/serve/http/plugin.ts'
import { type Answer, ask } from './http-support.ts'

interface Host {
  readonly app: FastifyInstance
  readonly memory: MemoryManager
  readonly port: number
}

async function host(options: Partial<Parameters<typeof muninnHttp>[1]>, prefix?: string): Promise<Host> {
  const memory = new MemoryManager({ maxMemory: '16MB', checkInterval: 0 })
  memory.cache<unknown>('tenant').set('k', { name: 'confidential' })
  const app = fastify()
  app.get('/own', async () => ({ own: true }))
  app.post('/own', async (request) => ({ got: request.body }))
  await app.register(muninnHttp, { memory, ...options, ...(prefix === undefined ? {} : { prefix }) })
  await app.listen({ host: '127.0.0.1', port: 0 })
  const address = app.server.address()
  return { app, memory, port: typeof address === 'object' && address !== null ? address.port : 0 }
}

async function close({ app, memory }: Host): Promise<void> {
  await app.close()
  await memory.close()
}

describe('in a host application', () => {
  let service: Host
  beforeAll(async () => {
    service = await host({}, '/muninn')
  })
  afterAll(() => close(service))
  const at = (path: string, more: Partial<Parameters<typeof ask>[1]> = {}): Promise<Answer> =>
    ask(service.port, { path: `/muninn${path}`, ...more })

  test('statistics and keys are shown under its prefix', async () => {
    expect((await at('/api/cache/memory')).json()).toMatchObject({ cache_item_count: 1 })
    expect((await at('/api/cache/tenant/items')).json()).toMatchObject({ items: [{ key: 'k' }] })
    expect((await at('/readyz')).status).toBe(200)
  })

  test('values neither leave nor come in', async () => {
    for (const asked of [{}, { method: 'HEAD' }, { method: 'PUT', body: 'x' }]) {
      const answer = await at('/api/cache/tenant/items/k', asked)
      expect(answer.body.toString()).not.toContain('confidential')
      expect(answer.headers['content-length'] ?? '0').not.toBe(String(JSON.stringify({ name: 'confidential' }).length))
    }
    expect((await at('/api/cache/tenant/items/k')).json()).toMatchObject({
      type: 'urn:muninn:problem:values-hidden',
      status: 403,
    })
    expect((await at('/api/cache/tenant/items/k', { method: 'PUT', body: 'x' })).status).toBe(403)
    expect(service.memory.cache('tenant').peek('k')).toEqual({ name: 'confidential' })
  })

  test('pages of other origins change nothing; on loopback a foreign Host is refused', async () => {
    expect(
      (await at('/api/cache/tenant/items/k', { method: 'DELETE', headers: { 'sec-fetch-site': 'cross-site' } })).status,
    ).toBe(403)
    expect((await at('/api/cache/memory', { headers: { host: 'app.example' } })).status).toBe(403)
  })

  test('its problems, parsers and headers stay inside', async () => {
    expect((await at('/nothing')).json()).toMatchObject({ type: 'urn:muninn:problem:not-found' })
    expect((await at('/api/cache/memory', { method: 'PUT' })).status).toBe(405)
    const own = await ask(service.port, { path: '/own' })
    expect(own.json()).toEqual({ own: true })
    expect(own.headers['cross-origin-resource-policy']).toBeUndefined()
    expect((await ask(service.port, { path: '/nothing' })).json()).toMatchObject({ error: 'Not Found' })
    expect((await ask(service.port, { path: '/own', method: 'DELETE' })).status).toBe(404)
    const foreign = { origin: 'http://evil.example', 'content-type': 'text/plain' }
    expect((await ask(service.port, { path: '/own', method: 'POST', headers: foreign, body: 'x' })).json()).toEqual({
      got: 'x',
    })
  })
})

describe('what it may be told', () => {
  test('to show values, at the root beside the routes of the host application', async () => {
    const service = await host({ exposeValues: true })
    expect((await ask(service.port, { path: '/api/cache/tenant/items/k' })).json()).toEqual({ name: 'confidential' })
    expect((await ask(service.port, { path: '/nothing' })).json()).toMatchObject({ error: 'Not Found' })
    await close(service)
  })

  test('a token, hosts, a size', async () => {
    const service = await host(
      {
        token: 'a:read:the-first-of-tokens,b:admin:the-second-of-tokens',
        allowedHosts: ['App.example'],
        exposeValues: true,
        maxItemBytes: 10,
      },
      '/m',
    )
    const asked = (headers: Record<string, string>, more = {}) =>
      ask(service.port, { path: '/m/api/cache/tenant/items/k', headers: { host: 'app.example', ...headers }, ...more })
    expect((await asked({})).status).toBe(401)
    expect((await asked({ authorization: 'Bearer the-first-of-tokens' })).status).toBe(200)
    expect((await asked({ authorization: 'Bearer the-first-of-tokens', host: 'localhost' })).status).toBe(403)
    expect((await asked({ authorization: 'Bearer the-first-of-tokens' }, { method: 'DELETE' })).status).toBe(403)
    expect(
      (await asked({ authorization: 'Bearer the-second-of-tokens' }, { method: 'PUT', body: 'x'.repeat(11) })).status,
    ).toBe(413)
    expect(
      (await asked({ authorization: 'Bearer the-second-of-tokens' }, { method: 'PUT', body: 'x' })).json(),
    ).toMatchObject({
      stored: true,
    })
    expect((await ask(service.port, { path: '/m/livez', headers: { host: 'app.example' } })).json()).toEqual({
      status: 'ok',
    })
    await close(service)
  })
})
