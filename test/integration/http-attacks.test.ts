import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { describe, expect, test } from 'vitest'
import { parseTokens } from '../../src/serve/http/tokens.ts'
import { ask, closedAfterEach, JSON_TYPE } from './http-support.ts'

const { closing, service } = closedAfterEach()

/** A connection of which every byte is the attacker's; resolves with all that came back when it ends. */
function raw(port: number, ...parts: readonly string[]): { socket: Socket; answer: Promise<string> } {
  const socket = connect(port, '127.0.0.1')
  closing.push(() => socket.destroy())
  let text = ''
  socket.on('data', (chunk) => {
    text += chunk.toString()
  })
  const answer = new Promise<string>((resolve) => {
    socket.on('error', () => resolve(text))
    socket.on('close', () => resolve(text))
  })
  for (const part of parts) socket.write(part)
  return { socket, answer }
}

describe('what a browser is told', () => {
  test('every answer, refusals and errors too, has the rules', async () => {
    const { port } = await service({ token: 'a:read:secret-of-a-reader' })
    const asked = [
      { path: '/api/cache/memory' },
      { path: '/nothing' },
      { path: '/metrics' },
      { path: '/api/docs' },
      { path: '/api/cache/memory', headers: { host: 'evil.example' } },
      { path: '/api/cache/memory', headers: { authorization: 'Bearer wrong' } },
      { path: '/api/cache/memory/settings', method: 'POST', headers: JSON_TYPE, body: '{' },
      { path: '/api/cache/memory', method: 'PUT' },
      { path: '/api/cache/%zz/items' },
    ]
    for (const one of asked) {
      const { headers } = await ask(port, one)
      expect([one, headers]).toMatchObject([
        one,
        {
          'x-content-type-options': 'nosniff',
          'x-frame-options': 'DENY',
          'referrer-policy': 'no-referrer',
          'cross-origin-resource-policy': 'same-origin',
          'cross-origin-opener-policy': 'same-origin',
          'cache-control': 'no-store',
        },
      ])
      const policy = String(headers['content-security-policy'])
      expect(policy).toContain("default-src 'none'")
      expect(policy).toContain("frame-ancestors 'none'")
      expect(policy).not.toMatch(/unsafe|\*|https?:/)
      expect(headers['x-powered-by']).toBeUndefined()
      expect(headers.server).toBeUndefined()
    }
  })

  test('HTML that somebody stored is handed out as a file, in a sandbox, whatever it claims to be', async () => {
    const { port } = await service()
    const evil = '<script>fetch("/api/cache/memory/reset",{method:"POST"})</script>'
    for (const type of [
      'text/html',
      'image/svg+xml',
      'application/xhtml+xml',
      'text/javascript',
      'text/html;charset=utf-7',
    ]) {
      const path = '/api/cache/general/items/evil'
      await ask(port, { method: 'PUT', path, headers: { 'content-type': type }, body: evil })
      const { headers } = await ask(port, { path, headers: { 'sec-fetch-dest': 'document' } })
      expect(headers).toMatchObject({
        'content-disposition': 'attachment',
        'content-security-policy': "sandbox; default-src 'none'",
        'x-content-type-options': 'nosniff',
        'cross-origin-resource-policy': 'same-origin',
      })
    }
  })

  test('what somebody stored is in no page and in no header as they wrote it', async () => {
    const { port } = await service()
    const nasty = '<img src=x onerror=alert(1)>\r\nSet-Cookie: a=b'
    const path = `/api/cache/${encodeURIComponent(nasty)}/items/${encodeURIComponent(nasty)}`
    for (const asked of [{ path }, { path, method: 'PUT', body: 'x' }, { path: `/${encodeURIComponent(nasty)}` }]) {
      const { headers } = await ask(port, asked)
      expect(headers['set-cookie']).toBeUndefined()
      expect(headers['content-type']).toMatch(/^application\/(problem\+)?json/)
    }
  })
})

describe('tokens', () => {
  test('are kept as hashes of one length, so that comparing them takes the same time for all', () => {
    const tokens = parseTokens('a:read:sixteen-letters-,b:admin:a-much-longer-secret')
    expect(tokens.map(({ hash }) => hash.length)).toEqual([32, 32])
    expect(JSON.stringify(tokens)).not.toContain('a-much-longer-secret')
  })

  test('and secrets are never logged, wherever they are sent', async () => {
    const lines: string[] = []
    const secret = 'S3cretOfTheService'
    const redactSecret = 'S3cretOfTheService, of keys'
    const made = await service({
      host: '0.0.0.0',
      token: `ops:admin:${secret}`,
      log: (line) => lines.push(line),
      memory: { redactKeys: true, redactSecret },
    })
    const { port } = made
    made.memory.on('added', () => {
      throw new Error('a subscriber that fails')
    })
    const good = { authorization: `Bearer ${secret}` }
    const asked = [
      { path: '/api/cache/general/items/k', method: 'PUT', headers: good, body: 'x' },
      { path: `/api/cache/memory?token=${secret}`, headers: good },
      { path: '/api/cache/memory', headers: { authorization: `Basic ${secret}` } },
      { path: '/api/cache/memory', headers: { authorization: `Bearer ${secret}x` } },
      { path: `/${secret}/%`, headers: good },
      { path: '/api/audit/explain?key=k', headers: good },
      { path: '/api/cache/memory/settings', method: 'POST', headers: { ...good, ...JSON_TYPE }, body: `{"${secret}` },
    ]
    const answers = await Promise.all(asked.map((one) => ask(port, one)))
    await raw(port, `GET / HTTP/1.1\r\nAuthorization: Bearer ${secret}\r\nnonsense\r\n\r\n`).answer
    await made.close()
    expect(lines.join('')).not.toContain('S3cret')
    const bodies = answers.filter(({ status }) => status === 401).map(({ body }) => body.toString())
    expect(bodies).toHaveLength(2)
    expect(bodies.join('')).not.toContain('S3cret')
  })
})

describe('too much of it', () => {
  test('settings, evictions and resets: sixty a minute and caller, then 429 and when to come again', async () => {
    const { port, memory } = await service({ token: 'one:admin:the-first-of-two,two:admin:the-second-of-two' })
    const reset = (token: string) =>
      ask(port, { method: 'POST', path: '/api/cache/memory/reset', headers: { authorization: `Bearer ${token}` } })
    const answers = await Promise.all(Array.from({ length: 70 }, () => reset('the-first-of-two')))
    const statuses = answers.map(({ status }) => status)
    expect(statuses.filter((status) => status === 200)).toHaveLength(60)
    const refused = answers.find(({ status }) => status === 429)
    expect(refused?.headers['retry-after']).toMatch(/^\d+$/)
    expect(refused?.json()).toMatchObject({ type: 'urn:muninn:problem:too-many-requests', status: 429 })
    // Another caller may, reading may, and what was refused did nothing.
    expect((await reset('the-second-of-two')).status).toBe(200)
    expect((await ask(port, { path: '/api/cache/memory' })).status).toBe(200)
    expect(memory.stats().lastReset).not.toBeNull()
  })

  test('items may be changed as fast as a program can', async () => {
    const { port } = await service()
    const answers = await Promise.all(
      Array.from({ length: 300 }, (_, index) =>
        ask(port, { method: 'PUT', path: `/api/cache/general/items/${index}`, body: 'x' }),
      ),
    )
    expect(answers.every(({ status }) => status === 201)).toBe(true)
    expect(answers[0]?.headers['x-ratelimit-limit']).toBe('100000')
  })

  test('names of caches in URLs make a bounded number of caches', async () => {
    const { port, memory } = await service({ memory: { maxCaches: 5 } })
    const statuses: number[] = []
    for (let index = 0; index < 8; index++)
      statuses.push((await ask(port, { method: 'PUT', path: `/api/cache/c${index}/items/k`, body: 'x' })).status)
    expect(statuses).toEqual([201, 201, 409, 409, 409, 409, 409, 409])
    expect(memory.cacheNames()).toHaveLength(5)
  })
})

describe('senders that take their time', () => {
  const patience = { headers: 200, request: 400, check: 50 }

  test('headers that never end are cut off, and so is a body', async () => {
    const { port, memory } = await service({ patience })
    const headers = raw(port, 'GET /livez HTTP/1.1\r\nHost: localhost\r\n')
    const body = raw(
      port,
      'PUT /api/cache/general/items/slow HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nx',
    )
    const drip = setInterval(() => {
      headers.socket.write('X-A: b\r\n')
      body.socket.write('x')
    }, 20)
    const [first, second] = await Promise.all([headers.answer, body.answer])
    clearInterval(drip)
    for (const answer of [first, second]) expect(answer === '' || answer.startsWith('HTTP/1.1 408')).toBe(true)
    expect(memory.cache('general').has('slow')).toBe(false)
  })

  test('what is no HTTP, too long or too slow is told so in a problem document, and cut off even if it stays', async () => {
    const { port } = await service({ patience })
    const sent: readonly [number, string][] = [
      [400, 'what is this\r\n\r\n'],
      [400, 'GET / HTTP/1.1\r\nHost: localhost\r\nno colon\r\n\r\n'],
      [400, '\x16\x03\x01\x02\x00\x01\x00'],
      [431, `GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: ${'x'.repeat(300_000)}\r\n\r\n`],
      [408, 'GET / HTTP/1.1\r\nHost: localhost\r\nX-Never: ends\r\n'],
    ]
    for (const [status, text] of sent) {
      // It never hangs up by itself.
      const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
      closing.push(() => socket.destroy())
      socket.on('error', () => {})
      let heard = ''
      socket.on('data', (chunk) => {
        heard += chunk.toString()
      })
      socket.write(text)
      await once(socket, 'end')
      const [head = '', body = ''] = heard.split('\r\n\r\n')
      expect(head).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
      expect(head).toContain('Content-Type: application/problem+json')
      expect(head).toContain('Connection: close')
      expect(JSON.parse(body)).toMatchObject({ type: 'about:blank', status })
      // Whoever goes on sending finds nobody.
      const drip = setInterval(() => socket.write('x'), 20)
      await new Promise((resolve) => socket.on('close', resolve))
      clearInterval(drip)
    }
  })

  test('others are answered meanwhile', async () => {
    const { port } = await service({ patience: { ...patience, headers: 5_000, request: 5_000 } })
    for (let index = 0; index < 300; index++) raw(port, 'GET /livez HTTP/1.1\r\nHost: loc')
    expect((await ask(port, { path: '/livez' })).status).toBe(200)
  })
})

describe('paths and requests that are two things at once', () => {
  test('no path leads to a file', async () => {
    const { port } = await service()
    const paths = [
      '/../../../../etc/passwd',
      '/..%2f..%2f..%2fetc%2fpasswd',
      '/%2e%2e/%2e%2e/package.json',
      '/assets/../../../package.json',
      '/assets/..%5c..%5cpackage.json',
      '/....//....//package.json',
      '/api/docs/../../package.json',
      '/%00/package.json',
      '//package.json',
      '/.git/config',
      '/node_modules/fastify/package.json',
    ]
    for (const path of paths) {
      const { answer } = raw(port, `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`)
      const text = await answer
      expect([path, text.split('\r\n')[0]]).toEqual([path, expect.stringMatching(/^HTTP\/1\.1 40[04] /)])
      expect(text).not.toMatch(/root:|"dependencies"|\[core\]/)
    }
  })

  test('a key that looks like a path is a key', async () => {
    const { port, memory } = await service()
    await ask(port, { method: 'PUT', path: '/api/cache/general/items/..%2F..%2Fmemory%2Freset', body: 'x' })
    expect([...memory.cache('general').keys()]).toEqual(['../../memory/reset'])
  })

  test('smuggled requests are refused', async () => {
    const { port, memory } = await service()
    const bodies = [
      'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      'Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!',
      'Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n',
      'Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n',
    ]
    for (const body of bodies) {
      const inner = 'DELETE /api/cache/general/items/k HTTP/1.1\r\nHost: localhost\r\n\r\n'
      memory.cache('general').set('k', 1)
      const { answer } = raw(port, `POST /api/cache/memory/settings HTTP/1.1\r\nHost: localhost\r\n${body}${inner}`)
      expect([body, await answer]).toEqual([body, expect.stringMatching(/^HTTP\/1\.1 400 /)])
      expect(memory.cache('general').has('k')).toBe(true)
    }
  })

  test('prototype names in bodies, queries and keys are names like others, or refused', async () => {
    const { port } = await service()
    const bodies = [
      ['{"__proto__":{"admin":true}}', '__proto__'],
      ['{"cache":[{"x":{"__proto__":1}}]}', 'cache.0.x.__proto__'],
      ['{"constructor":{"prototype":{"admin":true}}}', 'constructor.prototype'],
    ] as const
    for (const [body, field] of bodies) {
      const refused = await ask(port, { method: 'POST', path: '/api/cache/memory/evict', headers: JSON_TYPE, body })
      expect(refused.status).toBe(400)
      expect(refused.json()).toMatchObject({ detail: expect.stringContaining(`${field}: `), errors: [{ field }] })
    }
    expect((await ask(port, { path: '/api/cache/general/items?__proto__=x' })).status).toBe(400)
    expect(({} as Record<string, unknown>).admin).toBeUndefined()
  })
})
