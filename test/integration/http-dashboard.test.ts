import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib'
import { fastify } from 'fastify'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { MemoryManager } from '../../src/muninn.ts'
import { Demo } from '../../src/serve/demo/demo.ts'
import { DEMO_OPTIONS } from '../../src/serve/demo/options.ts'
import muninnHttp, { muninnHandler } from '../../src/serve/http/plugin.ts'
import { ask, type TestService, testService } from './http-support.ts'

/* What serves the dashboard, and what it asks that nothing else asks; the dashboard itself is tested in `browser`. */

describe('the dashboard’s files', () => {
  let service: TestService
  beforeAll(async () => {
    service = await testService({ host: '0.0.0.0', token: 's3cret-s3cret-s3cret' })
  })
  afterAll(() => service.close())

  test('the page needs no token, loads from its own origin alone, and has no script in it', async () => {
    const page = await ask(service.port, { path: '/' })
    expect(page.status).toBe(200)
    expect(page.headers['cache-control']).toBe('no-cache')
    const policy = String(page.headers['content-security-policy'])
    expect(policy).toContain("default-src 'none'")
    expect(policy).not.toMatch(/unsafe|https?:|\*/)
    const html = page.body.toString()
    expect(html).not.toMatch(/<script(?![^>]*src=)|<style|style=|\son\w+=/)
    const files = [...html.matchAll(/(?:src|href)="(\.\/assets\/[^"]+)"/g)].map((match) => match[1]?.slice(1) ?? '')
    expect(files.length).toBeGreaterThan(2)
    for (const path of files) {
      const file = await ask(service.port, { path })
      expect([path, file.status]).toEqual([path, 200])
      expect(file.headers['cache-control']).toContain('immutable')
      // What a slow line has to carry before anything is seen.
      if (path.endsWith('.js')) expect(gzipSync(file.body).length).toBeLessThan(150_000)
    }
  })

  test('what is text is sent compressed to who takes that, and is then the same', async () => {
    const html = (await ask(service.port, { path: '/' })).body.toString()
    const files = [...html.matchAll(/(?:src|href)="\.(\/assets\/[^"]+)"/g)].map((match) => match[1] ?? '')
    const unpack = { br: brotliDecompressSync, gzip: gunzipSync }
    for (const path of ['/', ...files.filter((file) => !file.endsWith('woff2'))]) {
      const plain = await ask(service.port, { path })
      expect([path, plain.headers['content-encoding'], plain.headers.vary]).toEqual([
        path,
        undefined,
        'accept-encoding',
      ])
      for (const encoding of ['br', 'gzip'] as const) {
        const packed = await ask(service.port, { path, headers: { 'accept-encoding': encoding } })
        expect([path, packed.status, packed.headers['content-encoding']]).toEqual([path, 200, encoding])
        expect(packed.headers).toMatchObject({
          vary: 'accept-encoding',
          'content-type': plain.headers['content-type'],
          'cache-control': plain.headers['cache-control'],
          'content-security-policy': plain.headers['content-security-policy'],
        })
        expect(packed.body.length).toBeLessThan(plain.body.length)
        expect(unpack[encoding](packed.body).equals(plain.body)).toBe(true)
        expect((await ask(service.port, { path: `${path}.${encoding === 'br' ? 'br' : 'gz'}` })).status).not.toBe(200)
      }
      const refusing = await ask(service.port, { path, headers: { 'accept-encoding': 'br;q=0, GZIP;q=0.5' } })
      expect([path, refusing.headers['content-encoding']]).toEqual([path, 'gzip'])
      const etag = String(plain.headers.etag)
      expect((await ask(service.port, { path, headers: { 'if-none-match': etag } })).status).toBe(304)
    }
  })

  test('no path leads out of its folder', async () => {
    for (const path of ['/assets/../../../package.json', '/assets/%2e%2e/%2e%2e/package.json', '/..%2fpackage.json']) {
      const { status } = await ask(service.port, { path })
      expect([path, [400, 401, 404].includes(status)]).toEqual([path, true])
    }
  })
})

test('mounted under a prefix, its relative addresses hold', async () => {
  const memory = new MemoryManager({ checkInterval: 0 })
  const app = fastify()
  await app.register(muninnHttp, { memory, prefix: '/cache' })
  const bare = await app.inject('/cache?x=1')
  expect([bare.statusCode, bare.headers.location]).toEqual([308, 'cache/'])
  const page = await app.inject('/cache/')
  const script = /src="\.(\/assets\/[^"]+)"/.exec(page.body)?.[1]
  expect((await app.inject(`/cache${script}`)).statusCode).toBe(200)
  await app.close()
  await memory.close()
})

test('at the root of a host application, / is its own', async () => {
  const memory = new MemoryManager({ checkInterval: 0 })
  const app = fastify()
  app.get('/', async () => 'the host')
  await app.register(muninnHttp, { memory })
  expect((await app.inject('/')).body).toBe('the host')
  expect((await app.inject('/livez')).statusCode).toBe(200)
  await app.close()
  await memory.close()
})

test('where Express mounts the handler, its page is found, too', async () => {
  const memory = new MemoryManager({ checkInterval: 0 })
  const handler = await muninnHandler({ memory })
  // What Express does to a request under a path.
  const server = createServer((request, response) => {
    const { url = '' } = request
    handler(Object.assign(request, { originalUrl: url, url: url.replace(/^\/muninn\/?/, '/') }), response)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const bare = await ask(port, { path: '/muninn' })
  expect([bare.status, bare.headers.location]).toEqual([308, 'muninn/'])
  expect((await ask(port, { path: '/muninn/' })).headers['content-type']).toContain('text/html')
  server.close()
  await handler.close()
  await memory.close()
})

test('the demonstration asks for the same under the same seed, and its past has what it promises', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'muninn-demo-test-'))
  const past = 70_000
  const lived = async (name: string, seed: number) => {
    const demo = await Demo.begin({
      seed,
      past,
      memory: { ...DEMO_OPTIONS, maxMemory: '3MB', audit: join(folder, name) },
    })
    const { history } = demo.memory
    const evictions = await history?.evictions({ limit: 10_000 })
    const runs = await history?.runs()
    const changes = await history?.changes({ actor: 'kari' })
    await demo.memory.close()
    return {
      evicted: evictions?.items.map(({ seq, key, cause, size }) => [seq, key, cause, size]),
      runs: runs?.items.map(({ state }) => state),
      changes: changes?.items.length,
    }
  }
  const [first, again, other] = [await lived('1.db', 7), await lived('2.db', 7), await lived('3.db', 8)]
  expect(first).toEqual(again)
  expect(first.evicted).not.toEqual(other.evicted)
  // An export, a crash, a deploy with its restart, and an operator.
  expect(first.evicted?.some(([, key]) => String(key).startsWith('export:'))).toBe(true)
  expect(first.runs).toEqual(['running', 'closed', 'crashed'])
  expect(first.changes).toBe(4)
  rmSync(folder, { recursive: true, force: true })
})
