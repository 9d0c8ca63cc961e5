import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ask, type TestService, testService } from './http-support.ts'

let service: TestService
beforeAll(async () => {
  service = await testService()
})
afterAll(() => service.close())

const item = (cache: string, key: string) => `/api/cache/${encodeURIComponent(cache)}/items/${encodeURIComponent(key)}`

describe('items come back as they were put', () => {
  const binary = Buffer.from(Array.from({ length: 5000 }, (_, index) => (index * 7) % 256))
  const bodies: readonly [string, string | undefined, Buffer][] = [
    ['JSON, spaces and all', 'application/json', Buffer.from('{ "a" : 1,\n"b": [ ] }')],
    ['text with a charset', 'text/plain; charset=iso-8859-1', Buffer.from([0x68, 0xe9, 0x68])],
    ['binary', 'application/x-thing', binary],
    ['HTML', 'text/html', Buffer.from('<script>alert(1)</script>')],
    ['broken JSON', 'application/json', Buffer.from('{')],
    ['a form', 'application/x-www-form-urlencoded', Buffer.from('a=1&b=%20')],
    ['nothing', 'text/plain', Buffer.alloc(0)],
    ['bytes without a type', undefined, Buffer.from('abc')],
  ]
  for (const [what, contentType, body] of bodies) {
    test(what, async () => {
      const headers: Record<string, string> = contentType === undefined ? {} : { 'content-type': contentType }
      const put = await ask(service.port, { method: 'PUT', path: item('general', what), headers, body })
      expect(put.status).toBe(201)
      expect(put.json()).toMatchObject({ stored: true, cache: 'general', key: what, expires_at: null })
      const got = await ask(service.port, { path: item('general', what) })
      expect(got.status).toBe(200)
      expect(got.headers['content-type']).toBe(contentType ?? 'application/octet-stream')
      expect(got.body.equals(body)).toBe(true)
    })
  }
})

describe('keys', () => {
  const keys = [
    'a/b/c',
    '__proto__',
    'constructor',
    'toString',
    'ü 漢字 🦅',
    '%2F',
    '100%',
    'a?b#c',
    'a+b c',
    '..;',
    '"\\',
    '',
    '\u0000\n',
    'k'.repeat(5000),
  ]
  for (const key of keys) {
    test(`${JSON.stringify(key.slice(0, 20))} is a key like any other`, async () => {
      const path = item('keys', key)
      expect((await ask(service.port, { method: 'PUT', path, body: `value of ${key.length}` })).json()).toMatchObject({
        stored: true,
        key,
      })
      expect((await ask(service.port, { path })).body.toString()).toBe(`value of ${key.length}`)
      expect((await ask(service.port, { method: 'DELETE', path })).json()).toMatchObject({ deleted: true, key })
      expect((await ask(service.port, { method: 'DELETE', path })).json()).toMatchObject({ deleted: false, key })
      expect((await ask(service.port, { path })).status).toBe(404)
    })
  }

  test('an item that is coded already keeps its coding, and its tag tells it from one that is not', async () => {
    const path = '/api/cache/tenant/items/coded'
    const body = gzipSync('{"a":1}')
    const type = { 'content-type': 'application/json' }
    const put = async (coding: Record<string, string>) =>
      (await ask(service.port, { method: 'PUT', path, headers: { ...type, ...coding }, body })).headers.etag
    const plain = await put({})
    expect(await put({ 'content-encoding': 'identity' })).toBe(plain)
    const etag = await put({ 'content-encoding': 'GZIP' })
    expect(etag).not.toBe(plain)
    for (const method of ['GET', 'HEAD']) {
      const { headers } = await ask(service.port, { method, path })
      expect(headers).toMatchObject({ 'content-encoding': 'gzip', ...type, etag, 'content-length': `${body.length}` })
    }
    expect(await (await fetch(`http://127.0.0.1:${service.port}${path}`)).json()).toEqual({ a: 1 })

    const operations = [
      {
        op: 'put',
        key: 'b',
        base64: body.toString('base64'),
        content_type: 'application/json',
        content_encoding: 'gzip',
      },
      { op: 'get', key: 'b' },
    ]
    const bulk = { method: 'POST', path: '/api/cache/tenant/bulk', headers: type, body: JSON.stringify({ operations }) }
    const answer = (await ask(service.port, bulk)).json()
    expect(answer).toMatchObject({ results: [{ etag }, { content_encoding: 'gzip', base64: body.toString('base64') }] })
  })

  test('a content type that is none is refused by its name', async () => {
    for (const type of ['nonsense', 'text/', '', 'a b/c']) {
      const path = item('general', 'typed')
      const refused = await ask(service.port, { method: 'PUT', path, headers: { 'content-type': type }, body: 'v' })
      expect([type, refused.status, refused.json().detail]).toEqual([
        type,
        415,
        'Content-Type must be a media type, as application/json is',
      ])
    }
  })

  test('a cache may be called memory, or anything but __proto__', async () => {
    for (const cache of ['memory', 'a/b', 'constructor', 'ü']) {
      expect((await ask(service.port, { method: 'PUT', path: item(cache, 'k'), body: 'v' })).status).toBe(201)
      expect((await ask(service.port, { path: item(cache, 'k') })).body.toString()).toBe('v')
    }
    const refused = await ask(service.port, { method: 'PUT', path: item('__proto__', 'k'), body: 'v' })
    expect(refused).toMatchObject({ status: 400 })
    expect(refused.json()).toMatchObject({ errors: [{ field: 'cache' }] })
    expect(Object.prototype).not.toHaveProperty('k')
  })

  test('of 64 KiB works percent-encoded; one byte more is refused with its field', async () => {
    const longest = 'ü'.repeat(32 * 1024)
    expect((await ask(service.port, { method: 'PUT', path: item('keys', longest), body: 'v' })).status).toBe(201)
    const refused = await ask(service.port, { method: 'PUT', path: item('keys', `${longest}x`), body: 'v' })
    expect(refused.status).toBe(400)
    expect(refused.json()).toMatchObject({ code: 'ERR_MUNINN_KEY', errors: [{ field: 'key' }] })
  })
})

describe('what a PUT says', () => {
  test('an overwrite is 200', async () => {
    const path = item('general', 'twice')
    expect((await ask(service.port, { method: 'PUT', path, body: '1' })).status).toBe(201)
    expect((await ask(service.port, { method: 'PUT', path, body: '2' })).status).toBe(200)
  })

  test('not stored is no error and says why', async () => {
    const small = await testService({ memory: { maxMemory: '10KB' } })
    const answer = await ask(small.port, { method: 'PUT', path: item('general', 'large'), body: Buffer.alloc(20_000) })
    expect(answer.status).toBe(200)
    expect(answer.json()).toMatchObject({ stored: false, reason: 'too-large', limit: 'memory' })
    await small.close()
  })

  test('ttl is in ms, or text', async () => {
    for (const ttl of ['60000', '1m']) {
      const put = await ask(service.port, { method: 'PUT', path: `${item('general', 'ttl')}?ttl=${ttl}`, body: 'x' })
      const left = Date.parse(String(put.json().expires_at)) - Date.now()
      expect(left).toBeGreaterThan(50_000)
      expect(left).toBeLessThanOrEqual(60_100)
    }
  })

  for (const query of ['ttl=0', 'ttl=-5', 'ttl=soon', 'ttl=', 'ttl=NaN', 'tll=5']) {
    test(`?${query} is refused, and nothing is stored`, async () => {
      const path = item('general', `refused ${query}`)
      const answer = await ask(service.port, { method: 'PUT', path: `${path}?${query}`, body: 'x' })
      expect(answer.status).toBe(400)
      expect(answer.headers['content-type']).toBe('application/problem+json')
      expect(answer.json()).toMatchObject({ status: 400, errors: [{ field: query.split('=')[0] }] })
      expect((await ask(service.port, { path })).status).toBe(404)
    })
  }

  test('a body over the limit is 413, stated or streamed, and nothing is stored', async () => {
    const path = item('general', 'too large')
    const stated = await ask(service.port, {
      method: 'PUT',
      path,
      headers: { 'content-length': String(17 * 1024 * 1024) },
    }).catch(() => null)
    const streamed = await ask(service.port, {
      method: 'PUT',
      path,
      headers: { 'transfer-encoding': 'chunked' },
      body: Buffer.alloc(17 * 1024 * 1024),
    }).catch(() => null)
    // A client that is still sending may see the connection end before it sees the answer.
    for (const answer of [stated, streamed]) if (answer !== null) expect(answer).toMatchObject({ status: 413 })
    expect(stated?.json()).toMatchObject({ type: 'urn:muninn:problem:body-too-large', status: 413 })
    expect((await ask(service.port, { path })).status).toBe(404)
  })
})

describe('reading', () => {
  test('a HEAD answers like a GET and is no use of the entry', async () => {
    const path = item('general', 'head')
    await ask(service.port, { method: 'PUT', path, headers: { 'content-type': 'text/css' }, body: 'four' })
    const head = await ask(service.port, { method: 'HEAD', path })
    expect(head).toMatchObject({ status: 200, headers: { 'content-type': 'text/css', 'content-length': '4' } })
    expect(head.body.length).toBe(0)
    expect(service.memory.cache('general').info('head')?.hits).toBe(0)
    await ask(service.port, { path })
    expect(service.memory.cache('general').info('head')?.hits).toBe(1)
  })

  test('a miss of an unknown cache makes no cache', async () => {
    expect((await ask(service.port, { path: item('nobody', 'k') })).status).toBe(404)
    expect((await ask(service.port, { method: 'DELETE', path: item('nobody', 'k') })).json()).toMatchObject({
      deleted: false,
    })
    expect(service.memory.cacheNames()).not.toContain('nobody')
  })

  test('values that a program put are shown as text, bytes or JSON', async () => {
    const cache = service.memory.cache<unknown>('program')
    cache.set('text', 'héllo')
    cache.set('bytes', Uint8Array.of(1, 2))
    cache.set('object', { a: [1, null] })
    cache.set('cycle', Object.assign([] as unknown[], { toJSON: () => BigInt(1) }))
    expect(await ask(service.port, { path: item('program', 'text') })).toMatchObject({
      headers: { 'content-type': 'text/plain; charset=utf-8' },
    })
    expect((await ask(service.port, { path: item('program', 'bytes') })).body).toEqual(Buffer.of(1, 2))
    expect((await ask(service.port, { path: item('program', 'object') })).json()).toEqual({ a: [1, null] })
    expect((await ask(service.port, { path: item('program', 'cycle') })).status).toBe(422)
  })

  test('no item runs in a browser', async () => {
    const path = item('general', 'page')
    await ask(service.port, {
      method: 'PUT',
      path,
      headers: { 'content-type': 'text/html' },
      body: '<script>1</script>',
    })
    for (const method of ['GET', 'HEAD']) {
      const { headers } = await ask(service.port, { method, path })
      expect(headers['x-content-type-options']).toBe('nosniff')
      expect(headers['content-disposition']).toBe('attachment')
      expect(headers['content-security-policy']).toContain('sandbox')
      expect(headers['access-control-allow-origin']).toBeUndefined()
    }
  })
})

test('the list has keys and figures, by prefix and page by page', async () => {
  for (let index = 0; index < 25; index++)
    service.memory.cache('list').set(`${index % 2 === 0 ? 'even' : 'odd'}:${index}`, 'x')
  const page = async (query: string) => (await ask(service.port, { path: `/api/cache/list/items?${query}` })).json()
  const rows = (answer: Record<string, unknown>) => answer.items as { key: string; size: number; stored_at: string }[]
  const first = await page('prefix=even:&limit=10')
  expect(rows(first)).toHaveLength(10)
  const second = await page(`prefix=even:&limit=10&cursor=${String(first.next)}`)
  expect(second.next).toBeNull()
  const keys = [...rows(first), ...rows(second)].map((row) => row.key)
  expect(new Set(keys).size).toBe(13)
  expect(keys.every((key) => key.startsWith('even:'))).toBe(true)
  expect(rows(first)[0]).toMatchObject({ size: expect.any(Number), stored_at: expect.stringMatching(/Z$/), hits: 0 })
  expect((await ask(service.port, { path: '/api/cache/nobody/items' })).status).toBe(404)
  expect((await ask(service.port, { path: '/api/cache/list/items?limit=0' })).json()).toMatchObject({
    errors: [{ field: 'limit' }],
  })
})
