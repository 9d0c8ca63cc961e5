import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import rateLimit from '@fastify/rate-limit'
import swagger from '@fastify/swagger'
import express from 'express'
import { fastify } from 'fastify'
import { afterEach, describe, expect, test } from 'vitest'
import { MemoryManager } from '../../src/muninn.ts'
import muninnHttp, { muninnHandler } from '../../src/serve/http/plugin.ts'
import { EventReader } from './event-reader.ts'
import { ask } from './http-support.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

async function mounted() {
  const memory = new MemoryManager({ maxMemory: '16MB', checkInterval: 0 })
  closing.push(() => memory.close())
  memory.cache<unknown>('tenant').set('k', { a: 1 })
  const handler = await muninnHandler({ memory, exposeValues: true })
  closing.push(() => handler.close())
  return { memory, handler }
}

async function listen(listener: RequestListener): Promise<number> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

async function works(port: number, prefix: string): Promise<void> {
  const at = (path: string, more = {}) => ask(port, { path: prefix + path, ...more })
  expect((await at('/api/cache/memory')).json()).toMatchObject({ cache_item_count: 1 })
  const put = { method: 'PUT', headers: { 'content-type': 'application/json' }, body: '{ "b": 2 }' }
  expect((await at('/api/cache/tenant/items/a%2Fb', put)).status).toBe(201)
  expect((await at('/api/cache/tenant/items/a%2Fb')).body.toString()).toBe('{ "b": 2 }')
  expect((await at('/metrics')).body.toString()).toContain('muninn_cache_entries{cache="tenant"} 2')
  expect((await at('/nothing')).json()).toMatchObject({ type: 'urn:muninn:problem:not-found' })
  expect((await at('/api/cache/memory', { method: 'PUT' })).status).toBe(405)
  expect(
    (await at('/api/cache/memory/reset', { method: 'POST', headers: { 'sec-fetch-site': 'cross-site' } })).status,
  ).toBe(403)
}

describe('without a token, on loopback', () => {
  test.each(['rebound.example', 'rebound.example:8080', '127.0.0.1.rebound.example', '10.0.0.1'])(
    'a page that bound its name %j to the address is refused',
    async (host) => {
      const { memory, handler } = await mounted()
      const port = await listen(handler)
      const headers = { host, origin: `http://${host}` }
      expect((await ask(port, { path: '/api/cache/memory', headers })).status).toBe(403)
      const change = { path: '/api/cache/tenant/items/k', method: 'DELETE', headers }
      expect((await ask(port, change)).json()).toMatchObject({ type: 'urn:muninn:problem:foreign-host' })
      expect(memory.cache('tenant').size).toBe(1)
    },
  )

  test.each(['/nothing', '/api/cache/%zz/items'])('… at %s, which is no path of it, too', async (path) => {
    const { handler } = await mounted()
    const port = await listen(handler)
    const refused = await ask(port, { path, headers: { host: 'rebound.example' } })
    expect(refused.json()).toMatchObject({ type: 'urn:muninn:problem:foreign-host' })
    const answered = await ask(port, { path })
    for (const { headers } of [refused, answered]) {
      expect(headers['content-type']).toBe('application/problem+json')
      expect(headers['content-security-policy']).toContain("default-src 'none'")
    }
  })

  test('its own names and those of allowedHosts pass, and with a token any', async () => {
    const { memory, handler } = await mounted()
    const port = await listen(handler)
    const named = await muninnHandler({ memory, allowedHosts: ['App.example.com'] })
    const guarded = await muninnHandler({ memory, token: 'a-secret-of-its-own' })
    closing.push(
      () => named.close(),
      () => guarded.close(),
    )
    const asked = async (to: number, host: string, more = {}) =>
      (await ask(to, { path: '/api/cache/memory', headers: { host, ...more } })).status
    for (const host of [`localhost:${port}`, '127.0.0.1', '[::1]:80']) expect(await asked(port, host)).toBe(200)
    const proxied = await listen(named)
    expect([await asked(proxied, 'app.example.com'), await asked(proxied, 'localhost')]).toEqual([200, 403])
    expect(await asked(await listen(guarded), 'any.example', { authorization: 'Bearer a-secret-of-its-own' })).toBe(200)
  })
})

describe('without fastify', () => {
  test('with a token, what is no path of it asks for the token, too', async () => {
    const { memory } = await mounted()
    const handler = await muninnHandler({ memory, token: 'long-enough-to-hold' })
    closing.push(() => handler.close())
    const port = await listen(handler)
    for (const path of ['/nothing', '/api/cache/%zz/items']) expect((await ask(port, { path })).status).toBe(401)
  })

  test('a request whose body was read before is answered, saying so', async () => {
    const { handler } = await mounted()
    const app = express()
    app.use(express.json())
    app.use('/muninn', handler)
    const port = await listen(app)
    const put = { method: 'PUT', headers: { 'content-type': 'application/json' }, body: '{ "b": 2 }' }
    const answer = await ask(port, { path: '/muninn/api/cache/tenant/items/a', ...put })
    expect(answer.status).toBe(500)
    expect(answer.json()).toMatchObject({ detail: expect.stringContaining('before parsers of bodies') })
    expect(answer.headers['content-security-policy']).toContain("default-src 'none'")
    expect((await ask(port, { path: '/muninn/api/cache/tenant/items/k' })).status).toBe(200)
  })

  test.each([
    ['memory', { memory: undefined }],
    ['memory', { memory: {} }],
    ['exposeValue', { exposeValue: true }],
    ['exposeValues', { exposeValues: 'yes' }],
    ['maxItemBytes', { maxItemBytes: '1MB' }],
    ['allowedHosts', { allowedHosts: 'cache.internal' }],
    ['token', { token: 'a:b:hunter2' }],
  ])('an option that is wrong is refused, naming %s', async (option, wrong) => {
    const memory = new MemoryManager({ maxMemory: '16MB', checkInterval: 0 })
    closing.push(() => memory.close())
    const refused = muninnHandler({ memory, ...wrong } as unknown as Parameters<typeof muninnHandler>[0])
    await expect(refused).rejects.toMatchObject({ code: 'ERR_MUNINN_OPTION', option })
    await expect(refused).rejects.not.toThrow(/hunter2/)
  })

  test('in Express, beside its own routes', async () => {
    const { handler } = await mounted()
    const app = express()
    app.use('/muninn', handler)
    app.use(express.json())
    app.post('/own', (request: { body: unknown }, response: { json(body: unknown): void }) =>
      response.json(request.body),
    )
    const port = await listen(app)
    await works(port, '/muninn')
    const headers = { 'content-type': 'application/json' }
    expect((await ask(port, { path: '/own', method: 'POST', headers, body: '{"own":1}' })).json()).toEqual({ own: 1 })
  })

  test('in plain node:http, live events included, which end with it', async () => {
    const { handler, memory } = await mounted()
    const port = await listen(handler)
    await works(port, '')
    const listener = await EventReader.open(port, '?type=added')
    memory.cache('tenant').set('live', 1)
    expect((await listener.count(1))[0]).toMatchObject({ event: 'added', data: { key: 'live' } })
    const ended = listener.ended()
    await handler.close()
    await ended
  })
})

test('beside plugins of the host application that it uses itself', async () => {
  const memory = new MemoryManager({ maxMemory: '16MB', checkInterval: 0 })
  closing.push(() => memory.close())
  const app = fastify()
  await app.register(swagger, { openapi: { info: { title: 'Host', version: '1' } } })
  await app.register(rateLimit, { max: 100 })
  await app.register(muninnHttp, { memory, prefix: '/muninn' })
  app.get('/own', async () => ({ own: true }))
  await app.listen({ host: '127.0.0.1', port: 0 })
  closing.push(() => app.close())
  const { port } = app.server.address() as AddressInfo
  expect((await ask(port, { path: '/muninn/openapi.json' })).json()).toMatchObject({
    openapi: '3.1.0',
    servers: [{ url: '/muninn' }],
  })
  expect((await ask(port, { path: '/muninn/api/cache/memory' })).headers['content-security-policy']).toContain(
    "default-src 'none'",
  )
  expect((await ask(port, { path: '/own' })).headers['content-security-policy']).toBeUndefined()
})
