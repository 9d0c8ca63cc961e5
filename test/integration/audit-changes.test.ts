import { afterEach, describe, expect, test } from 'vitest'
import { traceIdOf } from '../../src/serve/http/trace-parent.ts'
import { AuditFolder } from '../support/audit-file.ts'
import { asking, logOf } from '../support/history-log.ts'
import { muninn } from './cli-support.ts'
import { ask, JSON_TYPE, testService } from './http-support.ts'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const TRACE_PARENT = `00-${TRACE}-00f067aa0ba902b7-01`

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

async function serviceOf(files: AuditFolder, token?: string) {
  const service = await testService({
    ...(token === undefined ? {} : { token }),
    memory: { audit: { path: files.path(), level: 'all', flushInterval: 1 }, policy: 'lru' },
  })
  closing.push(() => service.close())
  return service
}

describe('who did it, over HTTP', () => {
  test("is the token's name, and the trace is that of traceparent, for every kind of call", async () => {
    using files = new AuditFolder()
    const service = await serviceOf(files, 'ops:admin:secret-of-the-ops,ci:admin:secret-of-the-ci')
    const headers = { authorization: 'Bearer secret-of-the-ops', traceparent: TRACE_PARENT }
    const calls = [
      { method: 'PUT', path: '/api/cache/fresh/items/user:1', body: 'one', headers },
      { method: 'PUT', path: '/api/cache/fresh/items/user:1', body: 'two', headers },
      { method: 'DELETE', path: '/api/cache/fresh/items/user:1', headers },
      {
        method: 'POST',
        path: '/api/cache/memory/evict',
        body: '{"cache":"fresh"}',
        headers: { ...headers, ...JSON_TYPE },
      },
      { method: 'POST', path: '/api/cache/memory/reset', headers },
      {
        method: 'POST',
        path: '/api/cache/memory/settings',
        body: '{"maxCacheSize":50,"evictionPolicy":"lfu"}',
        headers: { ...headers, ...JSON_TYPE },
      },
    ]
    for (const call of calls) expect((await ask(service.port, call)).status, call.path).toBeLessThan(300)
    await service.memory.history?.runs()
    const rows = [
      ...files.rows<{ type: string; data: string }>('select type, data from key_events'),
      ...files.rows<{ type: string; data: string }>(
        `select type, data from events where json_extract(data, '$.actor') is not null`,
      ),
    ]
    expect(rows.map(({ type }) => type).sort()).toEqual(
      ['added', 'configured', 'configured', 'configured', 'cycle-started', 'removed', 'stats-reset', 'updated'].sort(),
    )
    for (const { type, data } of rows) {
      expect(JSON.parse(data), type).toMatchObject({ actor: 'http:ops', traceId: TRACE })
    }
    const explained = (await ask(service.port, { path: '/api/audit/explain?key=user:1', headers })).json()
    expect(explained.summary).toContainEqual(expect.stringContaining(`by "http:ops" (trace ${TRACE})`))
  })

  test('is "http" where no token is needed, and without traceparent there is no trace', async () => {
    using files = new AuditFolder()
    const service = await serviceOf(files)
    await ask(service.port, { method: 'POST', path: '/api/cache/memory/reset', headers: { traceparent: 'nonsense' } })
    const { items } = (await ask(service.port, { path: '/api/audit/changes?actor=http' })).json()
    expect(items).toMatchObject([{ type: 'stats-reset', actor: 'http', traceId: null, text: 'statistics reset' }])
  })

  test.each([
    [TRACE_PARENT, TRACE],
    [`01-${TRACE}-00f067aa0ba902b7-01-more`, TRACE],
    [`00-${TRACE}-00f067aa0ba902b7-01-more`, null],
    [`ff-${TRACE}-00f067aa0ba902b7-01`, null],
    [`00-${TRACE.toUpperCase()}-00f067aa0ba902b7-01`, null],
    [`00-${'0'.repeat(32)}-00f067aa0ba902b7-01`, null],
    [`00-${TRACE}-${'0'.repeat(16)}-01`, null],
    [undefined, null],
    ['', null],
  ])('traceparent %s', (header, traceId) => {
    expect(traceIdOf(header)).toBe(traceId)
  })
})

describe('changes', () => {
  test('say who changed settings, evicted by hand and purged, and when, newest first', async () => {
    using files = new AuditFolder()
    await logOf(files, (log, run) => {
      log.record(
        run.event('configured', {
          from: {
            maxItems: 100,
            caches: { tenant: { maxItems: 50, maxMemory: Number.POSITIVE_INFINITY, ttl: 60_000 } },
          },
          to: { maxItems: 200, caches: { tenant: { maxItems: 50, maxMemory: 1024, ttl: Number.POSITIVE_INFINITY } } },
          reason: 'limits',
          actor: 'deploy',
          traceId: 't-1',
        }),
      )
      log.record(run.event('cycle-started', { trigger: 'threshold' }))
      log.record(run.event('cycle-completed', { trigger: 'threshold' }))
      log.record(run.event('cycle-started', { cycle: 'by-hand', trigger: 'forced', actor: 'admin', cache: 'tenant' }))
      log.record(run.event('cycle-completed', { cycle: 'by-hand', trigger: 'forced', count: 12, bytes: 2048 }))
      log.record(run.event('cleared', { cache: 'tenant', actor: 'http:ops', count: 3, bytes: 300 }))
    })
    const all = await asking(files, (history) => history.changes())
    expect(all.items.map(({ actor, text }) => [actor, text])).toEqual([
      ['http:ops', 'cache "tenant" cleared: 3 entries, 300 bytes'],
      ['admin', 'evict() of cache "tenant": 12 entries, 2 KB'],
      ['deploy', 'maxItems 100 -> 200, caches.tenant.maxMemory none -> 1 KB, caches.tenant.ttl 1 m -> none'],
    ])
    expect(all.items[2]).toMatchObject({ type: 'configured', traceId: 't-1', cache: null })
    const of = async (question: object) =>
      (await asking(files, (history) => history.changes(question))).items.map(({ actor }) => actor)
    expect(await of({ actor: 'admin' })).toEqual(['admin'])
    expect(await of({ cache: 'tenant' })).toEqual(['http:ops', 'admin', 'deploy'])
    expect(await of({ cache: 'other' })).toEqual([])
    expect(await of({ limit: 1 })).toEqual(['http:ops'])

    const { out } = await muninn(['changes', '--db', files.path()])
    expect(out).toMatch(/WHO +WHAT/)
    expect(out).toContain('deploy')
    const json = JSON.parse((await muninn(['changes', '--actor', 'admin', '--json', '--db', files.path()])).out)
    expect(json).toMatchObject({ items: [{ actor: 'admin', type: 'cycle-started' }], next: null, incomplete: null })
  })
})
