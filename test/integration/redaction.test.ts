import { readFileSync, writeFileSync } from 'node:fs'
import { pino } from 'pino'
import { afterEach, describe, expect, test } from 'vitest'
import { Redaction, type RedactionScope } from '../../src/base/redaction.ts'
import { EVENT_TYPES, type MuninnEvent } from '../../src/event/catalogue.ts'
import { MemoryManager, type MemoryManagerOptions } from '../../src/muninn.ts'
import { openHistory } from '../../src/query/history.ts'
import { AuditFolder } from '../support/audit-file.ts'
import { Run } from '../support/events.ts'
import { muninn } from './cli-support.ts'
import { ask, testService } from './http-support.ts'

const SECRET = 'correct horse battery staple'
const KEY = 'user:MARKER-KEY-4711'
const VALUE = 'MARKER-VALUE-4712'
const TAG = 'MARKER-TAG-4713'

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

/** All that makes a row, a log line or a listing with a key in it. */
function work(memory: MemoryManager): void {
  const cache = memory.cache('tenant')
  memory.on('updated', ({ key }) => {
    throw new Error(`a subscriber that says ${key}`)
  })
  cache.set(KEY, VALUE, { tags: [TAG] })
  cache.set(KEY, VALUE)
  cache.get(KEY)
  for (let i = 0; i < 8; i++) cache.set(`${KEY}-${i}`, { VALUE }, { size: 200_000 })
  cache.get(KEY)
  cache.delete(`${KEY}-7`)
  cache.set(KEY, VALUE, { size: 5_000_000 })
  cache.set(`${KEY}-kept`, VALUE, { tags: [TAG] })
  memory.check()
}

/** A manager that has worked. */
function busy(files: AuditFolder, options: MemoryManagerOptions): MemoryManager {
  const audit = { path: files.path(), level: 'all', flushInterval: 1 } as const
  const memory = new MemoryManager({ audit, policy: 'lru', maxItems: 3, maxMemory: '1MB', ...options })
  closing.push(() => memory.close())
  work(memory)
  return memory
}

function onDisk(files: AuditFolder): string {
  return ['', '-wal'].map((end) => readFileSync(files.path(`muninn.db${end}`)).toString('latin1')).join('')
}

describe.each([true, 'all'] as const)('redactKeys: %j', (redactKeys) => {
  const scope: RedactionScope = redactKeys === 'all' ? 'all' : 'prefix'

  test('leaves no key and no value in the file, its WAL, the log and what HTTP answers, and prefixes only where they stay', async () => {
    using files = new AuditFolder()
    const lines: string[] = []
    const logger = pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) })
    const audit = { path: files.path(), level: 'all', flushInterval: 1 } as const
    const service = await testService({
      memory: { audit, logger, policy: 'lru', maxItems: 3, maxMemory: '1MB', redactKeys, redactSecret: SECRET },
    })
    closing.push(() => service.close())
    const heard: MuninnEvent[] = []
    service.memory.events$.subscribe((event) => heard.push(event))
    work(service.memory)
    const answers: string[] = []
    for (const path of [
      '/api/cache/tenant/items',
      '/api/cache/status',
      '/api/cache/memory',
      '/api/audit/evictions',
      '/api/audit/warnings',
      '/api/audit/runs',
      '/api/cache/memory/history',
    ]) {
      const { status, body } = await ask(service.port, { path })
      expect(status, path).toBe(200)
      answers.push(body.toString())
    }
    await service.memory.history?.runs()
    const left = { file: onDisk(files), log: lines.join(''), http: answers.join('') }
    for (const [where, text] of Object.entries(left)) {
      expect(text.length, where).toBeGreaterThan(500)
      expect(text, where).not.toContain('MARKER')
      if (where !== 'log') expect(text, where).toContain(new Redaction({ scope, secret: SECRET }).key(KEY))
    }
    // `user` would be found in other words: the whole prefix as the log would have it.
    expect(left.file.includes('user:~')).toBe(redactKeys === true)
    expect(left.file.includes('"prefix":"user"')).toBe(redactKeys === true)
    expect(left.log).not.toContain(SECRET)
    expect(left.file).not.toContain(SECRET)
    // In the process the streams keep plain keys.
    expect(heard.some((event) => event.type === 'evicted' && event.key === KEY)).toBe(true)
  })

  test('a known key is explained where the secret is: by the manager, over HTTP, by whoever opens the file, on the command line', async () => {
    using files = new AuditFolder()
    const memory = busy(files, { redactKeys, redactSecret: SECRET })
    const hash = new Redaction({ scope, secret: SECRET }).key(KEY)
    const told = await memory.history?.explain(KEY)
    expect(told).toMatchObject({ key: KEY, cache: 'tenant', verdict: 'rejected', incomplete: null })
    expect(told?.life.map(({ type }) => type)).toContain('evicted')
    expect((await memory.history?.evictions({ key: KEY }))?.items).toMatchObject([{ key: hash }])
    expect((await memory.history?.evictions({ prefix: 'user:' }))?.items.length).toBeGreaterThan(3)
    // What the log shows may be asked for, too.
    expect(await memory.history?.explain(hash)).toMatchObject({ verdict: 'rejected' })
    await memory.close()

    const secretFile = files.path('secret')
    writeFileSync(secretFile, `${SECRET}\n`)
    const history = openHistory(files.path(), { redactSecretFile: secretFile })
    closing.push(() => history.close())
    expect(await history.explain(KEY)).toMatchObject({ verdict: 'rejected', incomplete: null })
    const args = ['explain', KEY, '--json', '--db', files.path()]
    for (const [more, env] of [
      [['--secret-file', secretFile], {}],
      [[], { MUNINN_REDACT_SECRET: SECRET }],
      [[], { MUNINN_REDACT_SECRET_FILE: secretFile }],
    ] as const) {
      const { code, out } = await muninn([...args, ...more], env)
      expect([code, JSON.parse(out)]).toMatchObject([0, { verdict: 'rejected', incomplete: null }])
    }
  })

  test('without the secret, or with another, the answer says that it can not tell', async () => {
    using files = new AuditFolder()
    const memory = busy(files, { redactKeys, redactSecret: SECRET })
    await memory.close()
    const args = ['explain', KEY, '--json', '--db', files.path()]
    const none = JSON.parse((await muninn(args)).out)
    expect(none).toMatchObject({ verdict: 'no record' })
    expect(none.incomplete).toMatch(
      /keys of 1 run are hashed, and no secret was given.*--secret-file.*MUNINN_REDACT_SECRET/,
    )
    expect(none.summary.join(' ')).toContain('It may have it all the same')
    const other = JSON.parse((await muninn(args, { MUNINN_REDACT_SECRET: 'another secret of some length' })).out)
    expect(other).toMatchObject({ verdict: 'no record' })
    expect(other.incomplete).toMatch(/keys of 1 run are hashed with another secret than the one given/)
    const { code, err } = await muninn(args, { MUNINN_REDACT_SECRET: 'short' })
    expect([code, err]).toEqual([2, expect.stringMatching(/MUNINN_REDACT_SECRET.*at least 16/)])
  })
})

test('of keys with a prefix rule of the user nothing stays but what the rule says', async () => {
  using files = new AuditFolder()
  const memory = busy(files, {
    prefix: (key) => `group-${key.length}`,
    redactKeys: true,
    redactSecret: SECRET,
  })
  const told = await memory.history?.evictions()
  for (const { key } of told?.items ?? []) expect(key).toMatch(/^~[\w-]{22}$/)
  expect(await memory.history?.explain(KEY)).toMatchObject({ verdict: 'rejected' })
  const samples = await memory.history?.samples()
  expect(samples?.items[0]?.caches[0]?.writers.map(({ prefix }) => prefix)).toContain(`group-${KEY.length}`)
  expect((await memory.history?.evictions({ prefix: 'user:' }))?.incomplete).toMatch(/hashed whole/)
  expect(onDisk(files)).not.toContain('user:')
})

test('a prefix that ends within what is hashed can not be asked for, and the answer says so', async () => {
  using files = new AuditFolder()
  const memory = busy(files, { redactKeys: true, redactSecret: SECRET })
  expect(await memory.history?.evictions({ prefix: 'user:MARK' })).toMatchObject({
    items: [],
    incomplete: expect.stringMatching(/from their first : or \/ on/),
  })
})

test('a listing can not be asked for keys letter by letter', async () => {
  const service = await testService({ memory: { redactKeys: true, redactSecret: SECRET } })
  closing.push(() => service.close())
  service.memory.cache('tenant').set(KEY, VALUE)
  const of = async (prefix: string) =>
    (await ask(service.port, { path: `/api/cache/tenant/items?prefix=${prefix}` })).json().items
  expect(await of('user:')).toHaveLength(1)
  expect(await of('user:M')).toHaveLength(0)
})

test('keys of earlier runs stay readable, and the log says so at the start', async () => {
  using files = new AuditFolder()
  await busy(files, {}).close()
  const memory = busy(files, { redactKeys: true, redactSecret: SECRET, logger: files.logger })
  await memory.close()
  expect(files.said.filter(({ message }) => message.includes('stay readable'))).toMatchObject([
    { level: 'warn', fields: { runs: 1 } },
  ])
})

test('runs say how their keys are hashed', async () => {
  using files = new AuditFolder()
  for (const redactKeys of [false, true, 'all'] as const) {
    const memory = busy(files, redactKeys === false ? {} : { redactKeys, redactSecret: SECRET })
    await memory.close()
  }
  const history = openHistory(files.path(), { redactSecret: SECRET })
  closing.push(() => history.close())
  expect((await history.runs()).items.map(({ redaction }) => redaction)).toEqual(['all', 'prefix', null])
  // One key, in three spellings.
  expect((await history.evictions({ key: KEY })).items.map(({ run }) => run)).toHaveLength(3)
  expect(new Set((await history.explain(KEY)).life.map(({ run }) => run)).size).toBe(3)
})

/** A field with a key that is added to the catalogue, and not to what is hashed, is found here. */
test.each(EVENT_TYPES)('no row of %s holds a key', async (type) => {
  using files = new AuditFolder()
  const log = files.open({ level: 'all', redaction: { scope: 'all', secret: SECRET } })
  const run = new Run('one')
  log.record(run.started())
  const event = run.event(type, type === 'started' ? {} : marked(run.event(type)))
  if (type !== 'started') log.record(event as MuninnEvent)
  await log.flush()
  expect(files.rows('select count(*) as n from runs')).toEqual([{ n: 1 }])
  expect(onDisk(files)).not.toContain('MARKER')
  await log.close()
})

/** The event's fields, with markers wherever the catalogue says that a key or prefix stands. */
function marked(event: MuninnEvent): object {
  const { seq: _, at: __, type: ___, ...fields } = event as MuninnEvent & Record<string, unknown>
  return deepMarked(fields) as object
}

const KEYED = /^(key|prefix|runnerUp)$/

function deepMarked(value: unknown, name = ''): unknown {
  if (typeof value === 'string' && KEYED.test(name)) return `MARKER:${value}`
  if (Array.isArray(value)) {
    return value
      .map((one) => deepMarked(one, name))
      .concat(name === 'writers' ? [{ cache: 'c', prefix: 'MARKER', bytes: 1, error: 0 }] : [])
  }
  if (typeof value !== 'object' || value === null) return name === 'tags' ? ['MARKER:tag'] : value
  return Object.fromEntries(Object.entries(value).map(([field, inner]) => [field, deepMarked(inner, field)]))
}
