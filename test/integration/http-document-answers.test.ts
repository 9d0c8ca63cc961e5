import { Value } from 'typebox/value'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ApiDocument } from '../../src/serve/http/document.ts'
import { AuditFolder } from '../support/audit-file.ts'
import { Run } from '../support/events.ts'
import { ask, JSON_TYPE, type TestService, testService } from './http-support.ts'

const START = Date.UTC(2026, 0, 2, 3, 0, 0)

/** A run before this one that ended without a word, with one of everything that an answer about it tells. */
async function crashedRun(files: AuditFolder): Promise<void> {
  const log = files.open()
  const run = new Run('crashed')
  run.at = START
  log.record(run.started({ host: 'elsewhere' }))
  for (const type of ['warned', 'configured', 'cycle-started', 'peaked', 'evicted', 'checked'] as const) {
    run.at += 60_000
    const own = type === 'evicted' ? { storedAt: run.at - 1_000, mode: 'lfu-1', modeSince: run.at - 500 } : {}
    log.record(run.event(type, own))
  }
  await log.close()
}

const files = new AuditFolder()
let service: TestService
let document: ApiDocument
beforeAll(async () => {
  await crashedRun(files)
  service = await testService({
    memory: {
      audit: { path: files.path(), level: 'changes' },
      policy: 'lru',
      maxItems: 1000,
      seed: 1,
      maxMemory: '1MB',
    },
  })
  const { memory } = service
  const tenants = memory.cache<string>('tenant')
  for (let i = 0; i < 700; i++) tenants.set(`acme:${i}`, 'x'.repeat(1500), { ttl: i % 7 === 0 ? 60_000 : Infinity })
  for (let i = 0; i < 50; i++) tenants.get(`acme:${i}`)
  tenants.set('acme:large', 'x'.repeat(2 ** 21))
  memory.check()
  const change = (path: string, body: object) =>
    ask(service.port, { method: 'POST', path, headers: JSON_TYPE, body: JSON.stringify(body) })
  await change('/api/cache/memory/settings', { maxCacheSize: 300, evictionPolicy: 'hybrid' })
  await change('/api/cache/memory/evict', { target: 0.2 })
  tenants.clear()
  memory.cache('general').set('k', JSON.stringify({ a: 1 }))
  document = (await ask(service.port, { path: '/openapi.json' })).json() as unknown as ApiDocument
})
afterAll(async () => {
  await service.close()
  files[Symbol.dispose]()
})

type Schema = Record<string, unknown>

/** The same, where no field may be there that isn't described. */
function strict(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(strict)
  if (typeof schema !== 'object' || schema === null) return schema
  const inner = Object.fromEntries(Object.entries(schema).map(([name, value]) => [name, strict(value)]))
  return 'properties' in inner && !('additionalProperties' in inner) ? { ...inner, additionalProperties: false } : inner
}

/** Every place of a schema that allows anything. */
function* vague(schema: unknown, path: string): Generator<string> {
  if (typeof schema !== 'object' || schema === null) return
  const known = schema as Schema
  const says = ['type', 'anyOf', 'enum', 'const', '$ref', 'oneOf'].some((word) => word in known)
  if (!says) yield path
  for (const [name, inner] of Object.entries((known.properties ?? {}) as Schema)) yield* vague(inner, `${path}.${name}`)
  if (known.type === 'array') yield* vague(known.items ?? {}, `${path}[]`)
  for (const one of (known.anyOf ?? []) as Schema[]) yield* vague(one, path)
}

/** Every place of an answer where a time of these years stands as a number; an anchor is for the next `verify`, not to be read. */
function* epochs(value: unknown, path: string): Generator<string> {
  if (typeof value === 'number' && value >= Date.UTC(2025) && value < Date.UTC(2100)) yield path
  if (typeof value !== 'object' || value === null) return
  for (const [name, inner] of Object.entries(value)) if (name !== 'anchor') yield* epochs(inner, `${path}.${name}`)
}

/** Of every reading endpoint that there is: what is asked, such that the answer shows what it can. */
const QUERIES: Readonly<Record<string, readonly string[]>> = {
  '/api/audit/evictions': ['', '?cause=cache-items&limit=3', '?run=crashed'],
  '/api/audit/explain': ['?key=acme:3', '?key=acme:690', '?key=nobody', '?key=acme:large', '?key=k'],
  '/api/audit/crash': ['', '?run=crashed&window=1h', '?run=nobody'],
  '/api/audit/compare': ['?before=-3h..-2h&after=-1h..now'],
  '/api/audit/state': ['?at=now', '?at=now&limit=2&cache=tenant', '?at=-30d'],
  '/api/audit/timeline': ['?since=-1h', '?every=1h&since=-1h'],
  '/api/audit/top': ['', '?of=key&by=regrets'],
  '/api/audit/regrets': ['', '?limit=1'],
  '/api/cache/{cache}/items': ['', '?order=policy&limit=1'],
}

function answersOf(path: string, method: string, status = 200) {
  return document.paths[path]?.[method]?.responses[status]?.content ?? {}
}

describe('answers are what the published description says, with no field that it lacks', () => {
  test('every endpoint that reads', async () => {
    const listed = new Set<string>()
    for (const [path, methods] of Object.entries(document.paths)) {
      if (methods.get === undefined || path === '/api/events') continue
      const schema = answersOf(path, 'get')['application/json']?.schema
      if (schema === undefined) continue
      for (const query of QUERIES[path] ?? ['']) {
        const asked = path.replace('{cache}', 'general').replace('{key}', 'k') + query
        const answer = await ask(service.port, { path: asked })
        expect([asked, answer.status]).toEqual([asked, 200])
        const body = answer.json()
        expect([asked, [...Value.Errors(strict(schema) as object, body)]]).toEqual([asked, []])
        // In `explain`, the fields of the events themselves had times of their own making.
        expect([...epochs(body, asked)]).toEqual([])
        if (Array.isArray(body.items) && body.items.length > 0) listed.add(path)
      }
    }
    // Rows were really there to be compared.
    const rows = ['cycles', 'changes', 'evictions', 'explain', 'peaks', 'regrets', 'runs', 'state', 'timeline', 'top']
    for (const name of [...rows, 'verify', 'warnings', 'compare']) expect([...listed]).toContain(`/api/audit/${name}`)
    expect([...listed]).toContain('/api/cache/{cache}/items')
  })

  test('an export, whose times are text as well', async () => {
    const { body } = await ask(service.port, { path: '/api/audit/export' })
    const told = String(body)
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string })
    expect(new Set(told.map(({ type }) => type))).toContain('evicted')
    expect(told.flatMap((event) => [...epochs(event, event.type)])).toEqual([])
  })

  test('every endpoint that changes', async () => {
    const done: [method: string, path: string, body?: object][] = [
      ['post', '/api/cache/memory/evict', { target: 0 }],
      ['post', '/api/cache/memory/reset'],
      ['post', '/api/cache/memory/settings/preview', { maxCacheSize: 1, evictionPolicy: 'size' }],
      ['post', '/api/cache/memory/settings', { maxCacheSize: null }],
      ['put', '/api/cache/{cache}/items/{key}', { a: 1 }],
      ['delete', '/api/cache/{cache}/items/{key}'],
      ['put', '/api/cache/{cache}/item', { a: 1 }],
      ['delete', '/api/cache/{cache}/item'],
      [
        'post',
        '/api/cache/{cache}/bulk',
        {
          operations: [
            { op: 'put', key: 'b', text: 'x' },
            { op: 'get', key: 'b' },
          ],
        },
      ],
    ]
    const all = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).flatMap((method) => (/get|head/.test(method) ? [] : `${method} ${path}`)),
    )
    expect(done.map(([method, path]) => `${method} ${path}`).sort()).toEqual(all.sort())
    for (const [method, path, body] of done) {
      const answer = await ask(service.port, {
        method: method.toUpperCase(),
        path: path
          .replace('{cache}', 'general')
          .replace('{key}', 'k')
          .replace(/\/item$/, '/item?key=k'),
        ...(body === undefined ? {} : { headers: JSON_TYPE, body: JSON.stringify(body) }),
      })
      const schema = answersOf(path, method, answer.status)['application/json']?.schema
      expect([path, answer.status, schema]).toEqual([path, method === 'put' ? 201 : 200, expect.anything()])
      expect([path, [...Value.Errors(strict(schema) as object, answer.json())]]).toEqual([path, []])
    }
  })

  test('the description says what everything is, but for the fields of an event', () => {
    const places = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).flatMap(([method, { responses, parameters = [] }]) => [
        ...parameters.flatMap(({ name, schema }) => [...vague(schema, `${method} ${path} ${name}`)]),
        ...Object.values(responses).flatMap(({ content = {} }) =>
          Object.values(content).flatMap(({ schema }) => [...vague(schema, `${method} ${path}`)]),
        ),
      ]),
    )
    expect(places).toEqual([])
  })
})
