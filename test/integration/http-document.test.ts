import { Validator } from '@seriousme/openapi-schema-validator'
import { Value } from 'typebox/value'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ApiDocument } from '../../src/serve/http/document.ts'
import { ask, type TestService, testService } from './http-support.ts'

let service: TestService
let document: ApiDocument
beforeAll(async () => {
  service = await testService()
  service.memory.cache<unknown>('general').set('k', { a: 1 })
  document = (await ask(service.port, { path: '/openapi.json' })).json() as unknown as ApiDocument
})
afterAll(() => service.close())

type Content = Record<string, { schema?: Record<string, unknown> }>

function operations() {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  )
}

interface Example {
  readonly schema: object
  readonly example: unknown
}

/** Every example in the document, however deep: of a schema, or of a body. */
function* examplesIn(value: unknown): Generator<Example> {
  if (typeof value !== 'object' || value === null) return
  const { examples, example, schema = value } = value as { examples?: unknown; example?: unknown; schema?: object }
  if (example !== undefined) yield { schema, example }
  if (Array.isArray(examples)) for (const one of examples) yield { schema, example: one }
  else
    for (const one of Object.values((examples ?? {}) as Record<string, { value: unknown }>))
      yield { schema, example: one.value }
  for (const [name, inner] of Object.entries(value)) if (!name.startsWith('example')) yield* examplesIn(inner)
}

describe('/openapi.json', () => {
  test('is OpenAPI 3.1, by a validator that knows it', async () => {
    const result = await new Validator().validate(JSON.parse(JSON.stringify(document)))
    expect(result).toEqual({ valid: true })
    expect(document.openapi).toBe('3.1.0')
  })

  test('has every endpoint, each with a name, a summary, schemas for what goes in and out, and problems', () => {
    const listed = operations().map(({ method, path }) => `${method.toUpperCase()} ${path}`)
    expect(listed).toEqual(
      expect.arrayContaining([
        'GET /api/cache/memory',
        'POST /api/cache/memory/evict',
        'POST /api/cache/memory/reset',
        'GET /api/cache/status',
        'GET /api/cache/memory/history',
        'GET /api/cache/memory/settings',
        'POST /api/cache/memory/settings',
        'GET /api/cache/{cache}/items',
        'GET /api/cache/{cache}/items/{key}',
        'HEAD /api/cache/{cache}/items/{key}',
        'PUT /api/cache/{cache}/items/{key}',
        'DELETE /api/cache/{cache}/items/{key}',
        'POST /api/cache/{cache}/bulk',
        'GET /api/audit/evictions',
        'GET /api/audit/explain',
        'GET /api/audit/runs',
        'GET /livez',
        'GET /readyz',
        'GET /healthz',
        'GET /openapi.json',
      ]),
    )
    const names = new Set<string>()
    for (const { method, path, operation } of operations()) {
      const what = `${method} ${path}`
      expect([what, operation.summary]).toEqual([what, expect.stringMatching(/\w/)])
      expect([what, operation.tags]).toEqual([what, [expect.any(String)]])
      expect([what, names.has(String(operation.operationId))]).toEqual([what, false])
      names.add(String(operation.operationId))
      expect([what, operation.responses.default?.content]).toEqual([
        what,
        { 'application/problem+json': expect.anything() },
      ])
      for (const { name, schema } of operation.parameters ?? [])
        expect([what, name, Object.keys(schema)]).not.toEqual([what, name, []])
      const placeholders = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
      expect([what, (operation.parameters ?? []).filter((one) => one.in === 'path').map((one) => one.name)]).toEqual([
        what,
        placeholders,
      ])
      if (method !== 'get' || path.startsWith('/openapi')) continue
      for (const { schema } of Object.values((operation.responses['200']?.content ?? {}) as Content))
        expect([what, Object.keys(schema ?? {})]).not.toEqual([what, []])
    }
  })

  test('its routes are those that there are, and no other', async () => {
    for (const { method, path, operation } of operations()) {
      if (method !== 'get' || path === '/api/events') continue
      const asked = path.replace('{cache}', 'general').replace('{key}', 'k')
      const answer = await ask(service.port, { path: asked })
      expect([asked, [200, 400, 404].includes(answer.status)]).toEqual([asked, true])
      // Answers are what their schemas say: nothing but this makes them so.
      const schema = operation.responses['200']?.content?.['application/json']?.schema
      if (answer.status !== 200 || schema === undefined) continue
      expect([asked, [...Value.Errors(schema, answer.json())]]).toEqual([asked, []])
    }
  })

  test('examples are what their schemas allow, and every body has one', () => {
    const all = [...examplesIn(document.paths)]
    expect(all.length).toBeGreaterThan(50)
    for (const { schema, example } of all) expect([example, Value.Check(schema, example)]).toEqual([example, true])
    for (const { path, operation } of operations()) {
      const body = operation.requestBody
      if (body !== undefined) expect([path, [...examplesIn(body)].length]).not.toEqual([path, 0])
    }
  })

  test('an example request does what the document says', async () => {
    const [{ example } = {}] = examplesIn(document.paths['/api/cache/{cache}/bulk']?.post?.requestBody)
    const answer = await ask(service.port, {
      method: 'POST',
      path: '/api/cache/general/bulk',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(example),
    })
    expect(answer.json()).toMatchObject({ results: [{ stored: true }, { found: true }, { deleted: false }] })
  })
})

test('the page to read has every endpoint, and asks for nothing from elsewhere', async () => {
  const { headers, body } = await ask(service.port, { path: '/api/docs' })
  expect(headers['content-type']).toBe('text/html; charset=utf-8')
  const page = body.toString()
  for (const { path } of operations()) expect(page).toContain(path)
  expect(page).not.toMatch(/<script|<style|\sstyle=|\son\w+=|https?:\/\/(?!json-schema)/)
  const [, style] = /<link rel="stylesheet" href="([^"]+)"/.exec(page) ?? []
  const sheet = await ask(service.port, { path: String(style) })
  expect(sheet).toMatchObject({ status: 200, headers: { 'content-type': 'text/css; charset=utf-8' } })
  expect(sheet.body.toString()).not.toMatch(/url\(|@import/)
})
