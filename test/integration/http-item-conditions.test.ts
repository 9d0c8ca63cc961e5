import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ask, JSON_TYPE, type TestService, testService } from './http-support.ts'

let service: TestService
beforeAll(async () => {
  service = await testService({ token: 'look:read:looking-at-things,all:admin:changing-of-things' })
})
afterAll(() => service.close())

const item = (key: string) => `/api/cache/general/items/${encodeURIComponent(key)}`
const put = (key: string, body: string, headers: Record<string, string> = {}) =>
  ask(service.port, { method: 'PUT', path: item(key), headers, body })

describe('conditional requests', () => {
  test('the tag is of bytes and type: the same after the same PUT, another after another', async () => {
    const first = (await put('tag', 'one', { 'content-type': 'text/plain' })).headers.etag
    expect(first).toMatch(/^"[\w-]{22}"$/)
    expect((await put('tag', 'one', { 'content-type': 'text/plain' })).headers.etag).toBe(first)
    expect((await put('tag', 'one', { 'content-type': 'text/css' })).headers.etag).not.toBe(first)
    expect((await put('tag', 'two', { 'content-type': 'text/plain' })).headers.etag).not.toBe(first)
  })

  test('a reader that has it is told so, without the bytes', async () => {
    const { etag } = (await put('known', 'value')).headers
    for (const list of [String(etag), `"other", ${String(etag)}`, `W/${String(etag)}`, '*']) {
      for (const method of ['GET', 'HEAD']) {
        const answer = await ask(service.port, { method, path: item('known'), headers: { 'if-none-match': list } })
        expect([list, answer.status, answer.body.length, answer.headers.etag]).toEqual([list, 304, 0, etag])
      }
    }
    const got = await ask(service.port, { path: item('known'), headers: { 'if-none-match': '"other"' } })
    expect(got).toMatchObject({ status: 200, headers: { etag } })
    expect(got.body.toString()).toBe('value')
  })

  test("a program's own value has a tag, too", async () => {
    service.memory.cache<unknown>('general').set('own', { a: 1 })
    const { etag } = (await ask(service.port, { path: item('own') })).headers
    expect(await ask(service.port, { path: item('own'), headers: { 'if-none-match': String(etag) } })).toMatchObject({
      status: 304,
    })
    service.memory.cache<unknown>('general').set('own', { a: 2 })
    expect(await ask(service.port, { path: item('own'), headers: { 'if-none-match': String(etag) } })).toMatchObject({
      status: 200,
    })
  })

  test('a lost update is refused, and changes nothing', async () => {
    const mine = String((await put('shared', 'mine')).headers.etag)
    const theirs = String((await put('shared', 'theirs', { 'if-match': mine })).headers.etag)
    const lost = await put('shared', 'mine again', { 'if-match': mine })
    expect(lost.status).toBe(412)
    expect(lost.json()).toMatchObject({ type: 'urn:muninn:problem:precondition-failed' })
    const refused: readonly Record<string, string>[] = [
      { 'if-match': `W/${theirs}` },
      { 'if-match': 'nonsense' },
      { 'if-none-match': '*' },
    ]
    for (const headers of refused) expect([headers, (await put('shared', 'x', headers)).status]).toEqual([headers, 412])
    const deletion = { method: 'DELETE', path: item('shared') }
    expect((await ask(service.port, { ...deletion, headers: { 'if-match': mine } })).status).toBe(412)
    expect((await ask(service.port, { path: item('shared') })).body.toString()).toBe('theirs')
    expect((await ask(service.port, { ...deletion, headers: { 'if-match': theirs } })).json()).toMatchObject({
      deleted: true,
    })
    expect((await put('shared', 'x', { 'if-match': '*' })).status).toBe(412)
    expect((await put('shared', 'x', { 'if-none-match': '*' })).status).toBe(201)
  })

  test('asking what is there before a PUT is no use of it', async () => {
    const { etag } = (await put('unused', 'x')).headers
    await ask(service.port, { method: 'DELETE', path: item('unused'), headers: { 'if-match': '"other"' } })
    await ask(service.port, { method: 'HEAD', path: item('unused'), headers: { 'if-none-match': String(etag) } })
    expect(service.memory.cache('general').info('unused')?.hits).toBe(0)
  })
})

test('tags are kept and shown; an empty one is refused', async () => {
  const path = `${item('tagged')}?tags=acme,r%C3%A9ports&ttl=1h`
  expect((await ask(service.port, { method: 'PUT', path, body: 'x' })).status).toBe(201)
  expect(service.memory.cache('general').info('tagged')?.tags).toEqual(['acme', 'réports'])
  for (const tags of ['', ',', 'a,', 'a,,b']) {
    const refused = await ask(service.port, { method: 'PUT', path: `${item('tagged')}?tags=${tags}`, body: 'y' })
    expect([tags, refused.status, refused.json()]).toMatchObject([tags, 400, { errors: [{ field: 'tags' }] }])
  }
  expect((await ask(service.port, { path: item('tagged') })).body.toString()).toBe('x')
})

describe('bulk', () => {
  const bulk = (operations: unknown, token = 'changing-of-things') =>
    ask(service.port, {
      method: 'POST',
      path: '/api/cache/many/bulk',
      headers: { ...JSON_TYPE, authorization: `Bearer ${token}` },
      body: JSON.stringify({ operations }),
    })

  test('many operations are done in order, text and bytes come back as they came', async () => {
    const bytes = Buffer.of(0, 255, 128)
    const answer = await bulk([
      { op: 'put', key: 'a/ü', text: '{"a":1}', content_type: 'application/json', tags: ['t'] },
      { op: 'put', key: 'b', base64: bytes.toString('base64'), ttl: '1m' },
      { op: 'get', key: 'a/ü' },
      { op: 'get', key: 'b' },
      { op: 'delete', key: 'b' },
      { op: 'delete', key: 'b' },
      { op: 'get', key: 'b' },
    ])
    expect(answer.status).toBe(200)
    expect(answer.json().results).toMatchObject([
      { op: 'put', key: 'a/ü', stored: true, expires_at: null },
      { op: 'put', stored: true, expires_at: expect.stringMatching(/Z$/) },
      { op: 'get', found: true, content_type: 'application/json', text: '{"a":1}' },
      { op: 'get', found: true, content_type: 'application/octet-stream', base64: bytes.toString('base64') },
      { op: 'delete', deleted: true },
      { op: 'delete', deleted: false },
      { op: 'get', found: false },
    ])
    const single = await ask(service.port, { path: '/api/cache/many/items/a%2F%C3%BC' })
    expect(single.headers).toMatchObject({ 'content-type': 'application/json' })
    expect(single.headers.etag).toBe((answer.json().results as { etag: string }[])[2]?.etag)
  })

  test('what can not be done says so, and the others are done', async () => {
    const { results } = (
      await bulk([
        { op: 'put', key: 'x', text: '1', ttl: '0' },
        { op: 'put', key: 'x'.repeat(65_537), text: '1' },
        { op: 'put', key: 'x', text: '1', ttl: -1 },
        { op: 'put', key: 'y', text: '1' },
      ])
    ).json()
    expect(results).toMatchObject([
      { problem: { status: 400, errors: [{ field: 'ttl' }] } },
      { problem: { status: 400, errors: [{ field: 'key' }] } },
      { problem: { status: 400, errors: [{ field: 'ttl' }] } },
      { stored: true },
    ])
    expect([...service.memory.cache('many').keys()]).toContain('y')
    expect(service.memory.cache('many').has('x')).toBe(false)
  })

  test('a request outside the schema does nothing at all', async () => {
    const fine = { op: 'put', key: 'never', text: '1' }
    const wrong = [
      [],
      [fine, { op: 'steal', key: 'k' }],
      [fine, { op: 'get' }],
      [fine, { op: 'get', key: 'k', ttl: '1m' }],
      [fine, { op: 'put', key: 'k', base64: 'not base64!' }],
      Array.from({ length: 1001 }, () => fine),
      'all',
    ]
    for (const operations of wrong) expect((await bulk(operations)).status).toBe(400)
    expect(service.memory.cache('many').has('never')).toBe(false)
  })

  test('what is no operation is named by its field, as its own op has it, and nothing is done', async () => {
    const fine = { op: 'put', key: 'never', text: '1' }
    const put = { op: 'put', key: 'k' }
    const wrong: [unknown, ...string[]][] = [
      [{ op: 'get' }, 'key'],
      [{ op: 'get', key: 'k', ttl: '1m' }, 'ttl'],
      [{ op: 'delete', key: 'k', text: '1', a: 1, b: 2, c: 3, d: 4, e: 5 }, 'text', 'a', 'b', 'c', 'd', 'e'],
      [{ ...put, text: '1', ttl: true }, 'ttl'],
      [{ ...put, text: '1', tags: ['a', 1] }, 'tags.1'],
      [{ ...put, text: '1', content_type: 'plain' }, 'content_type'],
      [{ ...put, text: '1', content_type: 'text/plain\r\nx: y' }, 'content_type'],
      [{ ...put, text: '1', base64: 'AA==' }, 'text', 'base64'],
      [put, 'text', 'base64'],
      ...['not base64!', 'A', 'AA=', 'AAA==', 'A==='].map((base64): [unknown, string] => [
        { ...put, base64 },
        'base64',
      ]),
      [{ op: 'steal', key: 'k' }, 'op'],
      [{ key: 'k' }, 'op'],
    ]
    for (const [operation, ...names] of wrong) {
      const answer = await bulk([fine, operation])
      const fields = (answer.json().errors as { field: string }[]).map(({ field }) => field)
      expect([operation, answer.status, fields]).toEqual([operation, 400, names.map((name) => `operations.1.${name}`)])
    }
    expect((await bulk([fine, 'all'])).json().errors).toMatchObject([{ field: 'operations.1' }])
    expect((await bulk([{ op: 'steal' }])).json().detail).toBe('operations.0.op: must be one of get, put, delete')
    expect(service.memory.cache('many').has('never')).toBe(false)
  })

  test('a ttl is a number of milliseconds as well as text, base64 needs no padding', async () => {
    const { results } = (
      await bulk([
        { op: 'put', key: 'number', base64: 'AAE', ttl: 60_000 },
        { op: 'put', key: 'text', base64: 'AAE=', ttl: '60000' },
        { op: 'get', key: 'number' },
      ])
    ).json()
    expect(results).toMatchObject([
      { stored: true, expires_at: expect.stringMatching(/Z$/) },
      { stored: true },
      { text: '\0\u0001' },
    ])
    expect(service.memory.cache('many').info('number')?.expiresAt).toBeLessThan(Number.POSITIVE_INFINITY)
  })

  test('a token with role read gets, and puts nothing', async () => {
    expect((await bulk([{ op: 'get', key: 'a/ü' }], 'looking-at-things')).json()).toMatchObject({
      results: [{ found: true }],
    })
    const refused = await bulk(
      [
        { op: 'get', key: 'a/ü' },
        { op: 'put', key: 'z', text: '1' },
      ],
      'looking-at-things',
    )
    expect(refused.status).toBe(403)
    expect(service.memory.cache('many').has('z')).toBe(false)
  })
})

describe('the list', () => {
  const list = async (cache: string, query: string) => {
    const answer = await ask(service.port, { path: `/api/cache/${cache}/items?${query}` })
    return answer.json() as { items: { key: string; size: number; hits: number }[]; next: string | null }
  }
  /** All pages, three rows each. */
  const all = async (cache: string, query: string) => {
    const keys: string[] = []
    let cursor = ''
    for (;;) {
      const page = await list(cache, `${query}&limit=3${cursor}`)
      keys.push(...page.items.map(({ key }) => key))
      if (page.next === null) return keys
      cursor = `&cursor=${page.next}`
    }
  }

  test('by age, size, hits and what the policy gives up first; forwards and backwards, page by page', async () => {
    const own = await testService({ memory: { policy: 'lfu' } })
    const cache = own.memory.cache<string>('sorted')
    const sizes = [5, 1, 4, 2, 3, 4, 1]
    for (const [index, size] of sizes.entries()) cache.set(`k${index}`, 'x'.repeat(size * 100))
    const hits = [2, 0, 1, 5, 3, 0, 4]
    hits.forEach((count, index) => {
      for (let hit = 0; hit < count; hit++) cache.get(`k${index}`)
    })
    const shared = service
    service = own
    try {
      const bySize = await all('sorted', 'order=size')
      expect(bySize.map((key) => sizes[Number(key.slice(1))])).toEqual([5, 4, 4, 3, 2, 1, 1])
      expect(await all('sorted', 'order=size&reverse=true')).toEqual([...bySize].reverse())
      const byHits = await all('sorted', 'order=hits')
      expect(byHits.map((key) => hits[Number(key.slice(1))])).toEqual([5, 4, 3, 2, 1, 0, 0])
      expect((await all('sorted', 'order=policy')).map((key) => hits[Number(key.slice(1))])).toEqual([
        0, 0, 1, 2, 3, 4, 5,
      ])
      expect(new Set(await all('sorted', '')).size).toBe(7)
      own.memory.evict({ cache: 'sorted', target: Math.floor(cache.bytes * 0.7) })
      expect(cache.has('k3')).toBe(true)
      expect(cache.has('k1')).toBe(false)
    } finally {
      service = shared
      await own.close()
    }
  })

  test('a cursor of another order is refused by name', async () => {
    for (let index = 0; index < 3; index++) service.memory.cache('few').set(`k${index}`, 'x')
    const { next } = await list('few', 'limit=1')
    for (const query of [`cursor=${next}&order=size`, `cursor=${next}&reverse=true`, 'cursor=nonsense', 'cursor=e30']) {
      const answer = await ask(service.port, { path: `/api/cache/few/items?${query}` })
      expect([query, answer.status, answer.json()]).toMatchObject([query, 400, { errors: [{ field: 'cursor' }] }])
    }
    expect((await ask(service.port, { path: '/api/cache/few/items?order=name' })).json()).toMatchObject({
      errors: [{ field: 'order' }],
    })
  })

  test('of a large cache, others are answered in between', async () => {
    const own = await testService({ memory: { maxItems: 60_000 } })
    const cache = own.memory.cache<number>('large')
    for (let index = 0; index < 50_000; index++) cache.set(`k${index}`, index)
    const order: string[] = []
    const listed = ask(own.port, { path: '/api/cache/large/items?order=size&limit=1' }).then(() => order.push('list'))
    const lived = ask(own.port, { path: '/livez' }).then(() => order.push('live'))
    await Promise.all([listed, lived])
    expect(order).toEqual(['live', 'list'])
    await own.close()
  })
})

describe('one key among many', () => {
  test('is listed by itself, whatever begins with it', async () => {
    const cache = service.memory.cache('crowd')
    for (let index = 0; index < 300; index++) cache.set(`a${index}`, 'x')
    for (const key of ['a', '', '.']) cache.set(key, 'x', { ttl: 60_000, tags: ['t'] })
    for (const key of ['a', '', '.']) {
      const { items, next } = (
        await ask(service.port, { path: `/api/cache/crowd/items?key=${encodeURIComponent(key)}` })
      ).json()
      expect([items, next]).toMatchObject([[{ key, hits: 0, tags: ['t'] }], null])
    }
    expect((await ask(service.port, { path: '/api/cache/crowd/items?key=gone' })).json().items).toEqual([])
    expect(cache.info('a')?.hits).toBe(0)
  })

  test('is found by the key itself and as it is shown, where keys are hashed', async () => {
    const own = await testService({ memory: { redactKeys: true, redactSecret: 'x'.repeat(32) } })
    own.memory.cache('private').set('user:42', 'x')
    own.memory.cache('private').set('user:43', 'x')
    const list = async (key: string) =>
      (await ask(own.port, { path: `/api/cache/private/items?key=${encodeURIComponent(key)}` })).json().items as {
        key: string
      }[]
    const [row] = await list('user:42')
    expect(row?.key).toMatch(/^user:~/)
    expect(await list(String(row?.key))).toEqual([row])
    await own.close()
  })

  test.each(['.', '..', '', '%2e', 'a/b?c'])('%j is put, got and deleted by key', async (key) => {
    const path = `/api/cache/general/item?key=${encodeURIComponent(key)}`
    const put = await fetch(`${service.url}${path}&ttl=1m`, { method: 'PUT', body: 'x' })
    expect([put.status, await put.json()]).toMatchObject([201, { stored: true, key }])
    const got = await fetch(service.url + path)
    expect([got.status, await got.text()]).toEqual([200, 'x'])
    expect((await fetch(service.url + path, { method: 'HEAD' })).headers.get('etag')).toBe(put.headers.get('etag'))
    const deleted = await fetch(service.url + path, { method: 'DELETE' })
    expect(await deleted.json()).toEqual({ deleted: true, cache: 'general', key })
    expect((await fetch(service.url + path)).status).toBe(404)
  })

  test('a request that names no key, or two, or something else besides, is refused by name', async () => {
    for (const method of ['GET', 'HEAD', 'PUT', 'DELETE']) {
      for (const query of ['', '?key=a&key=b', '?key=a&nonsense=1']) {
        const answer = await ask(service.port, { method, path: `/api/cache/general/item${query}` })
        expect([method, query, answer.status]).toEqual([method, query, 400])
      }
    }
    expect((await ask(service.port, { path: `${item('a')}?ttl=1` })).json()).toMatchObject({
      errors: [{ field: 'ttl', message: 'is not known here' }],
    })
  })

  test('If-Match holds for reading, too', async () => {
    const { etag } = (await put('read', 'x')).headers
    for (const method of ['GET', 'HEAD']) {
      for (const [match, status] of [
        [String(etag), 200],
        ['*', 200],
        ['"other"', 412],
        [`W/${String(etag)}`, 412],
      ] as const) {
        const answer = await ask(service.port, { method, path: item('read'), headers: { 'if-match': match } })
        expect([method, match, answer.status]).toEqual([method, match, status])
      }
    }
  })
})
