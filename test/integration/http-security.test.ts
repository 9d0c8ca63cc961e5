import { request } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { checkExposure } from '../../src/serve/http/guard.ts'
import { ask, JSON_TYPE, type TestService, testService } from './http-support.ts'

const READING = [
  '/api/cache/memory',
  '/api/cache/status',
  '/api/cache/memory/settings',
  '/api/cache/general/items',
  '/api/cache/general/items/k',
  '/api/audit/runs',
]
const OPEN = ['/livez', '/readyz', '/healthz']
const UNKNOWN = ['/nothing', '/api/../x', '/%', '/api/cache/memory/']
const MUTATIONS = [
  { method: 'POST', path: '/api/cache/memory/evict' },
  { method: 'POST', path: '/api/cache/memory/reset' },
  { method: 'POST', path: '/api/cache/memory/settings', headers: JSON_TYPE, body: '{"maxCacheSize":5}' },
  { method: 'PUT', path: '/api/cache/general/items/attack', body: 'x' },
  { method: 'DELETE', path: '/api/cache/general/items/k' },
]

describe('on loopback', () => {
  let service: TestService
  beforeAll(async () => {
    service = await testService({ allowedHosts: ['cache.internal'] })
    service.memory.cache('general').set('k', 'secret')
  })
  afterAll(() => service.close())

  test('its own names pass, with any port and in any case', async () => {
    for (const host of [
      'localhost',
      'LOCALHOST:1',
      '127.0.0.1',
      `127.0.0.1:${service.port}`,
      '[::1]',
      '[::1]:8080',
      'cache.internal:80',
    ]) {
      expect(await ask(service.port, { path: '/livez', headers: { host } })).toMatchObject({ status: 200 })
    }
  })

  test('a name rebound to this address reaches no route, known or not', async () => {
    const hosts = [
      'evil.example',
      'evil.example:8080',
      'localhost.evil.example',
      '127.0.0.1.evil.example',
      'localhost:x',
      '127.0.0.2',
      'localhost@evil',
      '[::2]',
      'localhost, evil',
    ]
    for (const host of hosts) {
      for (const path of ['/api/cache/memory', '/livez', '/nothing', '/%']) {
        const answer = await ask(service.port, { path, headers: { host } })
        expect([path, host, answer.status]).toEqual([path, host, 403])
        // The address listened on is one of the three: it was named twice.
        expect(answer.json()).toMatchObject({
          type: 'urn:muninn:problem:foreign-host',
          detail: 'Host must be one of localhost, 127.0.0.1, [::1], cache.internal',
        })
      }
    }
  })

  test('what a proxy header claims does not count', async () => {
    const headers = { host: 'evil.example', 'x-forwarded-host': 'localhost', forwarded: 'host=localhost' }
    expect((await ask(service.port, { path: '/livez', headers })).status).toBe(403)
  })

  test('a request for another host in the request line is refused', async () => {
    expect(
      (await ask(service.port, { path: 'http://evil.example/livez', headers: { host: 'localhost' } })).status,
    ).toBe(400)
  })

  const foreign: readonly Record<string, string>[] = [
    { origin: 'http://evil.example' },
    { origin: 'null' },
    { origin: 'http://localhost:1' },
    { origin: 'not an origin' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { 'sec-fetch-site': 'cross-site', origin: 'http://localhost:8080' },
  ]
  for (const headers of foreign) {
    test(`a page with ${JSON.stringify(headers)} changes nothing`, async () => {
      for (const mutation of MUTATIONS) {
        const answer = await ask(service.port, {
          ...mutation,
          headers: { host: 'localhost:8080', ...mutation.headers, ...headers },
        })
        expect([mutation.path, answer.status]).toEqual([mutation.path, 403])
        expect(answer.json()).toMatchObject({ type: 'urn:muninn:problem:foreign-origin' })
      }
      expect(service.memory.cache('general').peek('attack')).toBeUndefined()
      expect(service.memory.cache('general').peek('k')).toBe('secret')
      expect(service.memory.settings.maxItems).toBe(1000)
    })
  }

  test('its own page, and what is no browser, may change things', async () => {
    for (const headers of [
      {},
      { origin: 'http://localhost:8080', 'sec-fetch-site': 'same-origin' },
      { 'sec-fetch-site': 'none' },
    ]) {
      expect(
        (
          await ask(service.port, {
            method: 'POST',
            path: '/api/cache/memory/reset',
            headers: { host: 'localhost:8080', ...headers },
          })
        ).status,
      ).toBe(200)
    }
  })

  test('no answer is shared with another origin', async () => {
    for (const path of [...READING, ...UNKNOWN]) {
      const { headers } = await ask(service.port, {
        path,
        headers: { host: 'localhost', origin: 'http://evil.example' },
      })
      expect(headers['access-control-allow-origin']).toBeUndefined()
      if (path !== '/%')
        expect(headers).toMatchObject({ 'cross-origin-resource-policy': 'same-origin', 'cache-control': 'no-store' })
    }
    const preflight = await ask(service.port, {
      method: 'OPTIONS',
      path: '/api/cache/general/items/k',
      headers: { host: 'localhost', origin: 'http://evil.example', 'access-control-request-method': 'PUT' },
    })
    expect(Object.keys(preflight.headers).filter((name) => name.startsWith('access-control'))).toEqual([])
  })
})

describe('beyond loopback', () => {
  let service: TestService
  const as = (secret: string) => ({ authorization: `Bearer ${secret}` })
  beforeAll(async () => {
    service = await testService({
      host: '0.0.0.0',
      token: 'dash:read:may-look-and-only-look,ops:admin:may-change-anything',
    })
    service.memory.cache('general').set('k', 'secret')
  })
  afterAll(() => service.close())

  test('it does not listen without a token', async () => {
    for (const host of ['0.0.0.0', '::', '192.168.1.5', 'example.org', '127.1', '0', '::ffff:10.0.0.1']) {
      expect(() => checkExposure(host, [])).toThrow(/MUNINN_TOKEN/)
    }
    for (const host of ['127.0.0.1', '127.8.8.8', '::1', 'localhost', '::ffff:127.0.0.1'])
      expect(() => checkExposure(host, [])).not.toThrow()
    await expect(testService({ host: '0.0.0.0' })).rejects.toThrow(/MUNINN_TOKEN/)
  })

  test('without a token nothing answers but health, known route or not', async () => {
    for (const asked of [...[...READING, ...UNKNOWN].map((path) => ({ path })), ...MUTATIONS]) {
      const answer = await ask(service.port, asked)
      expect([asked.path, answer.status]).toEqual([asked.path, 401])
      expect(answer.headers['www-authenticate']).toMatch(/^Bearer/)
      expect(answer.json()).toMatchObject({ status: 401 })
    }
  })

  test('health gives the status word alone', async () => {
    for (const path of OPEN) {
      const answer = await ask(service.port, { path, headers: { host: '10.0.0.1:8080' } })
      expect([path, answer.status, answer.json()]).toEqual([path, 200, { status: 'ok' }])
    }
  })

  test('a wrong token is none', async () => {
    const wrong = [
      'Bearer',
      'Bearer ',
      'Bearer nope',
      'Bearer may-look-and-only-look may-change-anything',
      'Basic may-look-and-only-look',
      'may-look-and-only-look',
      'Bearer LOOK-ONLY',
      'Bearer may-look-and-only-lookx',
      'Bearer ops',
      `Bearer ${'x'.repeat(5000)}`,
    ]
    for (const authorization of wrong) {
      const answer = await ask(service.port, { path: '/api/cache/memory', headers: { authorization } })
      expect([authorization, answer.status]).toEqual([authorization, 401])
    }
    expect((await ask(service.port, { path: '/api/cache/memory?token=may-change-anything' })).status).toBe(401)
  })

  test('a read token reads and changes nothing', async () => {
    expect((await ask(service.port, { path: '/api/cache/memory', headers: as('may-look-and-only-look') })).status).toBe(
      200,
    )
    expect(
      (
        await ask(service.port, { path: '/api/cache/general/items/k', headers: as('may-look-and-only-look') })
      ).body.toString(),
    ).toBe('secret')
    for (const mutation of MUTATIONS) {
      const answer = await ask(service.port, {
        ...mutation,
        headers: { ...mutation.headers, ...as('may-look-and-only-look') },
      })
      expect([mutation.path, answer.status]).toEqual([mutation.path, 403])
    }
    expect(service.memory.cache('general').peek('k')).toBe('secret')
  })

  test('an admin token changes things, but not from another origin', async () => {
    const [evict] = MUTATIONS
    if (evict === undefined) throw new Error('no mutation')
    expect((await ask(service.port, { ...evict, headers: as('may-change-anything') })).status).toBe(200)
    expect(
      (await ask(service.port, { ...evict, headers: { ...as('may-change-anything'), origin: 'http://evil.example' } }))
        .status,
    ).toBe(403)
  })

  test('any Host passes, unless a list says which', async () => {
    expect(
      (
        await ask(service.port, {
          path: '/api/cache/memory',
          headers: { host: 'cache.example', ...as('may-look-and-only-look') },
        })
      ).status,
    ).toBe(200)
    const listed = await testService({
      host: '0.0.0.0',
      token: 'the-only-one-there-is',
      allowedHosts: ['cache.example', 'other.example:81'],
    })
    const status = async (host: string) =>
      (await ask(listed.port, { path: '/api/cache/memory', headers: { host, ...as('the-only-one-there-is') } })).status
    expect(await status('cache.example:8080')).toBe(200)
    expect(await status('other.example:81')).toBe(200)
    expect(await status('other.example')).toBe(403)
    expect(await status('evil.example')).toBe(403)
    await listed.close()
  })
})

test('on another address of loopback, Host may be that address, and not just any', async () => {
  const service = await testService({ host: '127.0.0.2' })
  try {
    const url = `http://127.0.0.2:${service.port}/livez`
    expect((await fetch(url)).status).toBe(200)
    const foreign = await new Promise<number | undefined>((done, fail) => {
      request(url, { headers: { host: '127.0.0.3' } }, ({ statusCode }) => done(statusCode))
        .on('error', fail)
        .end()
    })
    expect(foreign).toBe(403)
  } finally {
    await service.close()
  }
})
