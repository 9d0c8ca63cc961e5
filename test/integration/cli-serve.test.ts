import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import Database from 'better-sqlite3'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { muninn, serve } from './cli-support.ts'
import { ask } from './http-support.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'muninn-cli-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('a start that is refused', () => {
  const wrong: readonly [string, string][] = [
    ['CACHE_MAX_ITEMS', 'many'],
    ['CACHE_MEMORY_PERCENT', '0'],
    ['CACHE_EVICTION_POLICY', 'fifo'],
    ['CACHE_TENANT_MAX_ITEMS', '-1'],
    ['CACHE_MEMORY_THRESHOLD', '0.95'],
    ['MUNINN_MAX_MEMORY', '12 parsecs'],
    ['MUNINN_CHECK_INTERVAL', ''],
    ['MUNINN_AUDIT_LEVEL', 'some'],
    ['MUNINN_AUDIT_MAX_AGE', 'soon'],
    ['MUNINN_DB', ''],
    ['MUNINN_HOST', ''],
    ['MUNINN_PORT', '80800'],
    ['MUNINN_LOG_LEVEL', 'loud'],
    ['MUNINN_REQUIRE_AUDIT', 'yes'],
    ['MUNINN_ALLOWED_HOSTS', 'a b'],
  ]
  test('for each wrong variable: one line with its name and value, exit code 2, and no file', async () => {
    const runs = await Promise.all(
      wrong.map(([name, value]) => muninn(['serve', '--port', '0'], { [name]: value }, folder)),
    )
    runs.forEach((run, index) => {
      const [name, value] = wrong[index] ?? ['', '']
      expect([name, run.code, run.out]).toEqual([name, 2, ''])
      expect(run.err).toMatch(new RegExp(`^muninn: ${name}=.*not allowed: .+\\n$`))
      expect(run.err).toContain(JSON.stringify(value))
    })
    expect(existsSync(join(folder, 'data'))).toBe(false)
  })

  test('a wrong token list is named, its secrets are not', async () => {
    for (const value of [
      'ops:root:s3cret-s3cret-s3cret',
      'ops:admin:s3cret-s3cret-s3cret,ops:read:s4cret-s4cret-s4cret',
      's3cret-s3cret-s3cret,s4cret-s4cret-s4cret',
      ' s3cret-s3cret-s3cret ',
      'a:read:',
    ]) {
      const run = await muninn(['serve'], { MUNINN_TOKEN: value }, folder)
      expect([value, run.code]).toEqual([value, 2])
      expect(run.err).toMatch(/^muninn: MUNINN_TOKEN=/)
      expect(run.err).not.toMatch(/s[34]cret/)
    }
  })

  test('beyond loopback without a token', async () => {
    const run = await muninn(['serve', '--host', '0.0.0.0', '--port', '0'], {}, folder)
    expect(run).toMatchObject({ code: 2, out: '' })
    expect(run.err).toMatch(/^muninn: 0\.0\.0\.0 .*MUNINN_TOKEN.*\n$/)
  })

  test('a port in use: one line, and no trace in the log of whoever has it', async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    const address = taken.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const run = await muninn(['serve', '--port', String(port)], {}, folder)
    expect(run.code).not.toBe(0)
    expect(run.err).toBe(
      `muninn: port ${port} on 127.0.0.1 is in use: choose another with --port or MUNINN_PORT, or stop what listens there\n`,
    )
    expect(existsSync(join(folder, 'data'))).toBe(false)
    taken.close()
  })

  describe('because of its audit log: one line that says why, and exit code 3', () => {
    const refused = async (path: string, why: string, flags: readonly string[] = []) => {
      const run = await muninn(['serve', '--port', '0', ...flags], { MUNINN_DB: path }, folder)
      expect(run).toMatchObject({
        code: 3,
        out: '',
        err: expect.stringMatching(/^muninn: can't write the audit log: .+\n$/),
      })
      expect(run.err).toContain(`${path}: ${why}`)
    }

    test('of a demonstration that would live through a past that nobody remembers', async () => {
      await refused('/proc/none/muninn.db', 'its folder does not exist', ['--demo', '--db', '/proc/none/muninn.db'])
    })

    test.each([
      ['for itself', 'pragma locking_mode = exclusive; begin exclusive; create table own (id); commit'],
      ['against writers', 'begin immediate'],
    ])('one that another process keeps locked %s', async (_, lock) => {
      const db = join(mkdtempSync(join(folder, 'locked-')), 'muninn.db')
      const service = await serve(['--db', db])
      await service.end('SIGTERM')
      const other = new Database(db)
      other.exec(lock)
      await refused(db, 'another process keeps it locked')
      other.close()
    })
  })

  describe('not because of an audit log that can never be written: it serves, says so, and leaves what is there as it was', () => {
    test.each([
      ['a folder', '.', 'it is a folder'],
      ['a device', '/dev/null', 'it is no file but a device'],
      ['a path that leads through a file', 'notes.txt/muninn.db', 'a part of its path is a file, not a folder'],
      ['a path that nobody can make', '/proc/none/muninn.db', 'its folder does not exist'],
      ['a text', 'notes.txt', 'it is not an SQLite database'],
      ['a text that is called as a database', 'notes.db', 'it is not an SQLite database'],
      ["another application's database", 'invoices.db', 'it is a database of another application'],
      ["a newer version's", 'newer.db', 'its schema has version 9999'],
    ])('%s', async (_, name, why) => {
      const place = mkdtempSync(join(folder, 'place-'))
      for (const text of ['notes.txt', 'notes.db']) writeFileSync(join(place, text), 'milk, bread, cheese')
      for (const [file, sql] of [
        ['invoices.db', 'create table invoices (id)'],
        ['newer.db', `pragma application_id = ${0x4d756e69}; create table later (id); pragma user_version = 9999`],
      ] as const) {
        new Database(join(place, file)).exec(sql).close()
      }
      const before = readdirSync(place)
      const db = resolve(place, name)
      const service = await serve(['--db', db], name === '.' ? { MUNINN_REQUIRE_AUDIT: 'true' } : {})
      expect((await ask(service.port, { path: '/healthz' })).json()).toMatchObject({
        status: 'degraded',
        audit: { problem: expect.stringContaining(`${db}: ${why}`) },
      })
      expect((await ask(service.port, { path: '/readyz' })).status).toBe(name === '.' ? 503 : 200)
      await ask(service.port, { method: 'PUT', path: '/api/cache/general/items/k', body: 'v' })
      expect(String((await ask(service.port, { path: '/api/cache/general/items/k' })).body)).toBe('v')
      expect(await service.end('SIGTERM')).toEqual({ code: 0, signal: null })
      expect(readdirSync(place)).toEqual(before)
      expect(readFileSync(join(place, 'notes.db'), 'utf8')).toBe('milk, bread, cheese')
    })
  })

  test('not by a disk that is full: it serves, and says that nothing is recorded', async () => {
    const within = ['sh', '-c', 'ulimit -S -f 4; exec "$0" "$@"']
    const service = await serve(['--db', join(folder, 'full.db')], {}, within)
    expect((await ask(service.port, { path: '/readyz' })).json()).toMatchObject({
      status: 'degraded',
      audit: { problem: expect.stringContaining('the disk') },
    })
    expect(await service.end('SIGTERM')).toEqual({ code: 0, signal: null })
  })

  test('nor by a log of ours that is damaged: that is set aside', async () => {
    const db = join(mkdtempSync(join(folder, 'damaged-')), 'muninn.db')
    await (await serve(['--db', db])).end('SIGTERM')
    writeFileSync(db, Buffer.concat([Buffer.from('garbage'), readFileSync(db).subarray(7)]))
    const service = await serve(['--db', db])
    expect((await ask(service.port, { path: '/readyz' })).json()).toMatchObject({
      status: 'ok',
      audit: { set_aside: expect.stringContaining(`${db}.corrupt-`) },
    })
    await service.end('SIGTERM')
  })

  test('wrong flags', async () => {
    const flags = [
      ['--port', 'x'],
      ['--max-items', '0'],
      ['--policy', 'fifo'],
      ['--max-memory', 'much'],
      ['--db', ''],
      ['--bogus'],
      ['extra'],
    ]
    for (const flag of flags) {
      const run = await muninn(['serve', '--port', '0', ...flag], {}, folder)
      expect([flag, run.code, run.out]).toEqual([flag, 2, ''])
      expect(run.err).not.toBe('')
    }
  })
})

test('flags win over variables, and what is in force is shown and logged', async () => {
  const db = join(folder, 'flags', 'audit.db')
  const env = {
    CACHE_MAX_ITEMS: '10',
    CACHE_TENANT_MAX_ITEMS: '7',
    CACHE_SESSIONS_MAX_ITEMS: '3',
    CACHE_EVICTION_POLICY: 'lfu',
    MUNINN_PORT: '1',
    MUNINN_MAX_MEMORY: '1MB',
  }
  const service = await serve(['--max-items', '20', '--policy', 'lru', '--max-memory', '64MB', '--db', db], env)
  expect(service.announced).toMatchObject({
    db,
    limits: { maxMemoryBytes: 64 * 1024 ** 2, maxCacheSize: 20, policy: 'lru' },
  })
  const settings = (await ask(service.port, { path: '/api/cache/memory/settings' })).json()
  expect(settings).toMatchObject({
    maxCacheSize: 20,
    maxTenantCacheSize: 7,
    maxMimirCacheSize: 500,
    evictionPolicy: 'lru',
  })
  for (let index = 0; index < 5; index++)
    await ask(service.port, { method: 'PUT', path: `/api/cache/sessions/items/${index}`, body: 'x' })
  const rows = (await ask(service.port, { path: '/api/cache/sessions/items' })).json().items
  expect(rows).toHaveLength(3)
  expect(await service.logged('memory manager initialized')).toMatchObject({
    max: 64 * 1024 ** 2,
    cache_size: 20,
    tenant_size: 7,
    mimir_size: 500,
  })
  expect(await service.logged('listening')).toMatchObject({ url: service.announced.url, db })
  expect(await service.end('SIGTERM')).toEqual({ code: 0, signal: null })
  expect(existsSync(db)).toBe(true)
})

test('a token that could be guessed is warned of by its name', async () => {
  const tokens = 'dash:read:s3cret,ops:admin:a-secret-of-some-length'
  const service = await serve(['--db', join(folder, 'weak.db')], { MUNINN_TOKEN: tokens })
  const warned = await service.logged(
    'this token is shorter than 16 characters, and could be guessed: make one with openssl rand -base64 24',
  )
  expect(warned).toMatchObject({ level: 40, token: 'dash' })
  expect(JSON.stringify(warned)).not.toContain('s3cret')
  await service.end('SIGTERM')
})

test('a variable whose name is mistyped is warned of once, and its value not shown', async () => {
  const service = await serve(['--db', join(folder, 'mistyped.db')], { MUNINN_TOKENS: 'a-secret-of-somebody' })
  const line = await service.logged('nobody reads the variable MUNINN_TOKENS: is it meant to be MUNINN_TOKEN?')
  expect(line).toMatchObject({ level: 40, variable: 'MUNINN_TOKENS', nearest: 'MUNINN_TOKEN' })
  expect(JSON.stringify(line)).not.toContain('a-secret')
  await service.end('SIGTERM')
})

/** A connection that speaks for itself, and whose answers are heard. */
function speaker(port: number) {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  let answer = ''
  const heard = (text: string) =>
    new Promise<string>((resolve) => {
      const look = () => answer.includes(text) && resolve(answer)
      socket.on('data', look)
      look()
    })
  socket.on('data', (chunk) => {
    answer += chunk.toString()
  })
  return { socket, heard, write: (text: string) => socket.write(text) }
}

const SLOW_PUT =
  'PUT /api/cache/general/items/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n'

test('SIGTERM: /readyz says 503 to new connections while what was asked is answered, then it ends with 0', async () => {
  const db = join(folder, 'term.db')
  const service = await serve(['--db', db])
  const slow = speaker(service.port)
  slow.write(SLOW_PUT)
  await slow.heard('100 Continue')
  // Nobody waits for who only listens.
  const listening = speaker(service.port)
  listening.write('GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n')
  await listening.heard('200 OK')
  const ended = service.end('SIGTERM')
  await service.logged('stopping')
  for (let round = 0; round < 3; round++) {
    const ready = await ask(service.port, { path: '/readyz' })
    expect([ready.status, ready.json(), ready.headers.connection]).toEqual([503, { status: 'draining' }, 'close'])
    expect((await ask(service.port, { path: '/livez' })).status).toBe(200)
  }
  expect((await ask(service.port, { path: '/api/events' })).status).toBe(503)
  slow.write('done')
  const answer = await slow.heard('"stored":true')
  expect(answer).toMatch(/HTTP\/1\.1 201 /)
  expect(answer.toLowerCase()).toContain('connection: close')
  expect(await ended).toEqual({ code: 0, signal: null })
  const { items } = JSON.parse((await muninn(['runs', '--json', '--db', db])).out) as { items: { state: string }[] }
  expect(items.map(({ state }) => state)).toEqual(['closed'])
})

test('SIGTERM does not wait for a connection on which nothing has been asked', async () => {
  const service = await serve(['--db', join(folder, 'unused.db')])
  const unused = connect(service.port, '127.0.0.1')
  await once(unused, 'connect')
  // It was accepted before this one.
  await ask(service.port, { path: '/livez' })
  expect(await service.end('SIGTERM')).toEqual({ code: 0, signal: null })
  const time = async (message: string) => Number(((await service.logged(message)) as { time: number }).time)
  // 3 s are what it grants to who is being answered.
  expect((await time('stopped')) - (await time('stopping'))).toBeLessThan(3000)
  unused.destroy()
})

test('SIGINT with a connection that never ends takes less than five seconds', async () => {
  const service = await serve(['--db', join(folder, 'int.db')])
  const slow = speaker(service.port)
  slow.write(SLOW_PUT)
  await slow.heard('100 Continue')
  const begun = performance.now()
  expect(await service.end('SIGINT')).toEqual({ code: 0, signal: null })
  expect(performance.now() - begun).toBeLessThan(5000)
})

test('--demo: a past to look at and a page to look with, and nothing left behind', async () => {
  const serving = await serve(['--demo', '--max-items', '4000'])
  const { db, limits } = serving.announced
  expect(limits).toMatchObject({ policy: 'lru', maxCacheSize: 4000 })
  expect((await ask(serving.port, { path: '/' })).headers['content-type']).toContain('text/html')
  const runs = (await ask(serving.port, { path: '/api/audit/runs' })).json().items as { state: string }[]
  // Four deploys, a crash between the second and the third, and the run that is there.
  expect(runs.map((run) => run.state)).toEqual(['running', 'closed', 'closed', 'crashed', 'closed', 'closed'])
  expect(await serving.end('SIGTERM')).toEqual({ code: 0, signal: null })
  expect(existsSync(db)).toBe(false)
})

describe('muninn health', () => {
  test('0 and the status word while it is well, 1 where nothing answers, 2 for a wrong port', async () => {
    const service = await serve(['--db', join(folder, 'health.db')])
    const port = String(service.port)
    expect(await muninn(['health', '--port', port])).toEqual({ code: 0, out: 'ok\n', err: '' })
    expect(await muninn(['health', '--ready'], { MUNINN_PORT: port, MUNINN_HOST: '0.0.0.0' })).toMatchObject({
      code: 0,
    })
    const asJson = await muninn(['health', '--json', '--port', port])
    expect(JSON.parse(asJson.out)).toMatchObject({ status: 'ok', run_id: service.announced.run })
    await service.end('SIGTERM')
    const gone = await muninn(['health', '--port', port])
    expect(gone).toMatchObject({ code: 1, out: '' })
    expect(gone.err).toMatch(new RegExp(`^muninn: 127\\.0\\.0\\.1, port ${port}: .+\\n$`))
    expect(await muninn(['health', '--port', '70000'])).toMatchObject({ code: 2, out: '' })
  })

  test('1 where something else answers', async () => {
    const other = createServer((socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi')).listen(
      0,
      '127.0.0.1',
    )
    await once(other, 'listening')
    const address = other.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const run = await muninn(['health', '--port', String(port)])
    expect(run).toMatchObject({ code: 1, out: '' })
    expect(run.err).toMatch(/^muninn: .*not as a Muninn service.*\n$/)
    other.close()
  })
})
