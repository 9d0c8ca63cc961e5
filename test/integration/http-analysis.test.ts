import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { AuditFolder } from '../support/audit-file.ts'
import { ask, type TestService, testService } from './http-support.ts'

const files = new AuditFolder()
let service: TestService
beforeAll(async () => {
  service = await testService({ memory: { audit: files.path(), seed: 1 } })
  const tenants = service.memory.cache('tenant')
  for (let i = 0; i < 60; i++) tenants.set(`user:${i}`, i, { cost: 2 })
  service.memory.evict({ target: 0 })
  for (let i = 0; i < 20; i++) tenants.get(`user:${i}`)
  service.memory.check()
})
afterAll(async () => {
  await service.close()
  files[Symbol.dispose]()
})

const get = async (path: string) => {
  const answer = await ask(service.port, { path })
  return { status: answer.status, body: answer.json() }
}

describe('what follows from the audit log, over HTTP', () => {
  test('regrets, top and timeline are lists', async () => {
    expect((await get('/api/audit/regrets')).body).toMatchObject({
      items: [{ cache: 'tenant', prefix: 'user', evicted: 60, regretted: 20, cost: 40 }],
      total: { regretted: 20 },
      delays: expect.any(Array),
      next: null,
      incomplete: null,
    })
    expect((await get('/api/audit/regrets?prefix=job')).body.items).toEqual([])
    expect((await get('/api/audit/top?of=key&by=regrets&limit=5')).body).toMatchObject({
      items: expect.arrayContaining([expect.objectContaining({ cache: 'tenant', evicted: 1, regretted: 1 })]),
      next: expect.any(String),
    })
    const { body } = await get('/api/audit/timeline?every=1h&since=-1h')
    expect(body).toMatchObject({ every: 3_600_000, next: null })
    const points = body.items as { from: string; evicted: number }[]
    expect(points.reduce((sum, { evicted }) => sum + evicted, 0)).toBe(60)
    expect(points[0]?.from).toMatch(/Z$/)
  })

  test('compare takes two windows', async () => {
    const windows = (before: string, after: string) =>
      get(`/api/audit/compare?before=${encodeURIComponent(before)}&after=${encodeURIComponent(after)}`)
    expect((await windows('-1h..now', '-1h..now')).body).toMatchObject({ items: [], next: null })
    const { body } = await windows('-3h..-2h', '-1h..now')
    expect(body).toMatchObject({ before: { since: expect.stringMatching(/Z$/) } })
    expect(body.items).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ what: 'evictions', cache: 'tenant', name: 'forced', before: 0 }),
      ]),
    )
    expect((await windows('-1h..-2h', '-1h..now')).status).toBe(400)
    expect((await get('/api/audit/compare?before=-2h..-1h')).status).toBe(400)
  })

  test('doctor and crash are documents', async () => {
    expect((await get('/api/audit/doctor')).body).toMatchObject({
      items: [],
      looked: expect.arrayContaining([expect.stringContaining('evictions by limits')]),
      since: expect.stringMatching(/Z$/),
    })
    expect((await get('/api/audit/crash?window=5m')).body).toMatchObject({
      run: null,
      verdict: 'no crash',
      items: [],
      next: null,
    })
    const { body } = await get(`/api/audit/crash?run=${service.memory.runId}`)
    expect(body).toMatchObject({ run: { state: 'running' }, verdict: 'no crash' })
  })

  test('evictions by policy and cycle; explain says how much room was needed', async () => {
    const { policy } = service.memory.settings
    const { body } = await get(`/api/audit/evictions?policy=${policy}&limit=1`)
    const [first] = body.items as { cycle: string }[]
    expect(((await get(`/api/audit/evictions?cycle=${first?.cycle}`)).body.items as unknown[]).length).toBe(60)
    expect((await get('/api/audit/evictions?policy=fifo')).status).toBe(400)
    expect((await get('/api/audit/explain?key=user:3')).body).toMatchObject({ verdict: 'evicted', roomNeeded: null })
  })

  test('what is no question is refused, naming the field', async () => {
    for (const path of [
      'regrets?colour=red',
      'top?of=value',
      'timeline?every=soon',
      'timeline?every=1s',
      'crash?window=x',
      'doctor?since=x',
    ]) {
      const { status, body } = await get(`/api/audit/${path}`)
      expect([path, status, body.title]).toEqual([path, 400, expect.any(String)])
    }
  })
})
