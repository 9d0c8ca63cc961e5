import { writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { MemoryManager } from '../../src/command/memory-manager.ts'
import { AuditFolder } from '../support/audit-file.ts'
import { zipf } from '../support/workloads.ts'
import { muninn } from './cli-support.ts'
import { ask, testService } from './http-support.ts'

const files = new AuditFolder()
const ALL = files.path('all.db')
const DEPARTURES = files.path('departures.db')
let evicted = 0

/** The same load into a log of each level. */
async function record(path: string, level: 'all' | 'departures'): Promise<number> {
  let now = Date.now() - 60_000
  const memory = new MemoryManager({
    policy: 'lru',
    maxItems: 300,
    maxMemory: 2 ** 40,
    maxHeap: 2 ** 40,
    checkInterval: 0,
    seed: 1,
    clock: { now: () => ++now },
    audit: { path, level },
  })
  const cache = memory.cache('c')
  const { next } = zipf(3_000, 0.8, 3)
  for (let i = 0; i < 20_000; i++) {
    const key = `k${next()}`
    if (cache.get(key) === undefined) cache.set(key, 1, { size: 10 })
  }
  const { evictedItems } = memory.stats()
  await memory.close()
  return evictedItems
}

beforeAll(async () => {
  evicted = await record(ALL, 'all')
  await record(DEPARTURES, 'departures')
})
afterAll(() => files[Symbol.dispose]())

const json = async (...args: string[]) => {
  const { code, out, err } = await muninn([...args, '--json'])
  expect(err).toBe('')
  expect(code).toBe(0)
  return JSON.parse(out) as { items: Record<string, unknown>[]; next: null; incomplete: string | null }
}

describe('muninn whatif', () => {
  test('is exact over a recording of everything, and the same settings give the same evictions', async () => {
    const { items } = await json('whatif', '--db', ALL, '--policy', 'lru,lfu', '--max-items', '300,600')
    expect(items.map(({ kind }) => kind)).toEqual(['recorded', 'exact', 'exact', 'exact', 'exact'])
    const [was, same, more] = items
    expect(was).toMatchObject({ requests: 20_000, evictions: evicted, error: 0 })
    expect(same).toMatchObject({ policy: 'lru', max_items: 300, evictions: evicted, hits: was?.hits, error: 0 })
    expect(more?.hit_ratio as number).toBeGreaterThan(was?.hit_ratio as number)
  })

  test('is an estimate over the default level, for lru alone, and says its error', async () => {
    const exact = (await json('whatif', '--db', ALL, '--max-items', '600,100')).items.slice(1)
    const { items } = await json('whatif', '--db', DEPARTURES, '--max-items', '600,100')
    for (const [i, { kind, hit_ratio: ratio, error }] of items.entries()) {
      expect(kind).toBe('estimate')
      expect(Math.abs((ratio as number) - (exact[i]?.hit_ratio as number))).toBeLessThanOrEqual(error as number)
    }
    const other = await muninn(['whatif', '--db', DEPARTURES, '--policy', 'lfu'])
    expect(other.code).toBe(3)
    expect(other.err).toContain('record it at level all')
  })

  test('takes a trace, and wants something to be other', async () => {
    const trace = files.path('t.txt')
    writeFileSync(trace, 'a\nb\na\nc\na\n')
    expect((await json('whatif', trace, '--max-items', '2')).items).toMatchObject([{ kind: 'exact', hits: 2 }])
    expect((await muninn(['whatif', '--db', ALL])).code).toBe(2)
    expect((await muninn(['whatif', trace, '--policy', 'lru'])).code).toBe(2)
    expect((await muninn(['whatif', '--db', ALL, '--policy', 'arc'])).code).toBe(2)
    expect((await muninn(['whatif', '--db', files.path('none.db'), '--policy', 'lru'])).code).toBe(3)
  })
})

describe('muninn curve', () => {
  test('of a trace and of a recording is exact, of the default level as the last check told it', async () => {
    const trace = files.path('u.txt')
    writeFileSync(trace, 'a\nb\na\nb\n')
    expect((await json('curve', trace)).items).toEqual([
      {
        cache: null,
        requests: 4,
        error: 0,
        by_items: [
          [1, 0],
          [2, 0.5],
          [3, 0.5],
        ],
        by_bytes: [
          [1, 0],
          [2, 0.5],
          [3, 0.5],
        ],
      },
    ])
    const [exact] = (await json('curve', '--db', ALL)).items
    expect(exact).toMatchObject({ cache: 'c', requests: 20_000, error: 0 })
    const [told] = (await json('curve', '--db', DEPARTURES, '--cache', 'c')).items
    expect(told?.requests).toBe(20_000)
    expect((await muninn(['curve', '--db', DEPARTURES, '--cache', 'no'])).code).toBe(3)
    expect((await muninn(['curve', '--db', ALL])).out).toContain('20,000 requests, under LRU, exact')
  })
})

test('of more than eight caches is said which have no curve, and nothing that would need them', async () => {
  const path = files.path('twelve.db')
  const memory = new MemoryManager({ policy: 'lru', maxItems: 600, checkInterval: 0, seed: 1, audit: path })
  const { next } = zipf(500, 0.8, 3)
  for (let i = 0; i < 24_000; i++) memory.cache(`c${i % 12}`).getOrInsert(`k${next()}`, () => 1)
  expect(memory.advise()).toEqual([])
  await memory.close()
  const lacking = '4 caches beyond the eighth kept no curve: "c8", "c9", "c10", "c11"'
  expect(await json('curve', '--db', path)).toMatchObject({ items: { length: 8 }, incomplete: lacking })
  expect((await muninn(['curve', '--db', path])).out.replaceAll(/\s+/g, ' ')).toContain(`Incomplete: ${lacking}`)
  expect(await json('curve', '--db', path, '--cache', 'c7')).toMatchObject({ items: { length: 1 }, incomplete: null })
  expect((await muninn(['curve', '--db', path, '--cache', 'c8'])).err).toContain(lacking)
  const estimate = await muninn(['whatif', '--db', path, '--max-items', '900'])
  expect(estimate.code).toBe(3)
  expect(estimate.err).toContain(lacking)
  const { out } = await muninn(['doctor', '--db', path])
  expect(out).toContain('8 miss-ratio curves of 12 caches (so nothing is said of memory)')
})

test('GET /api/analysis/curve has the live curves', async () => {
  const service = await testService({ memory: { seed: 1 } })
  const cache = service.memory.cache('tenant')
  for (const key of ['a', 'b', 'a']) if (cache.get(key) === undefined) cache.set(key, 1, { size: 5 })
  const get = async (path: string) => {
    const answer = await ask(service.port, { path })
    return { status: answer.status, body: answer.json() }
  }
  const { body } = await get('/api/analysis/curve?cache=tenant')
  expect(body).toMatchObject({
    items: [{ cache: 'tenant', requests: 3, error: 0, held_items: 2, held_bytes: 10, max_items: 500 }],
    next: null,
    incomplete: null,
  })
  expect((await get('/api/analysis/curve?cache=no')).status).toBe(404)
  await service.close()
})
