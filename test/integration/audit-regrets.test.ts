import { describe, expect, test } from 'vitest'
import type { Evicted, MuninnEvent } from '../../src/event/catalogue.ts'
import { REGRET_ORDERS } from '../../src/query/analyses.ts'
import type { RegretAnswer } from '../../src/query/history.ts'
import { AuditFolder } from '../support/audit-file.ts'
import { chance } from '../support/chance.ts'
import { asking } from '../support/history-log.ts'
import { recordedManager } from '../support/recorded-manager.ts'

interface Counted {
  evicted: number
  regretted: number
  bytes: number
  cost: number
  delay: number
  delays: number[]
}

/** Counted by hand: each miss of a key that was last seen leaving by eviction, at most `remembered` evictions ago. */
function counted(events: readonly MuninnEvent[], remembered: number): Map<string, Counted> {
  const groups = new Map<string, Counted>()
  const left = new Map<string, { event: Evicted; number: number }>()
  let evictions = 0
  const groupOf = (cache: string, key: string) => {
    const name = `${cache} ${key.split(/[:/]/)[0]}`
    const group = groups.get(name) ?? { evicted: 0, regretted: 0, bytes: 0, cost: 0, delay: 0, delays: [] }
    groups.set(name, group)
    return group
  }
  for (const event of events) {
    if (!('key' in event)) continue
    const id = `${event.cache} ${event.key}`
    if (event.type === 'evicted') {
      left.set(id, { event, number: ++evictions })
      groupOf(event.cache, event.key).evicted++
    } else if (event.type === 'expired' || event.type === 'removed') {
      left.delete(id)
    } else if (event.type === 'missed') {
      const before = left.get(id)
      left.delete(id)
      if (before === undefined || evictions - before.number >= remembered) continue
      const group = groupOf(event.cache, event.key)
      group.regretted++
      group.bytes += before.event.size
      group.cost += before.event.cost
      group.delay += event.at - before.event.at
      group.delays.push(event.at - before.event.at)
    }
  }
  return groups
}

/** A read-through of keys of several prefixes in two caches, some with a TTL, some deleted: `spread` keys of each. */
async function trace(files: AuditFolder, spread: number, steps: number) {
  const random = chance(7)
  return recordedManager(files, { maxItems: 400, caches: { tenant: { maxItems: 150 } } }, ({ memory, pass }) => {
    const caches = [memory.cache('tenant'), memory.cache('page')]
    for (let step = 0; step < steps; step++) {
      pass(1 + random(200))
      const cache = caches[random(2)]
      const key = `${['user', 'job', 'x'][random(3)]}:${Math.min(random(spread), random(spread))}`
      if (random(50) === 0) cache?.delete(key)
      else if (cache?.get(key) === undefined) {
        cache?.set(key, step, { size: 10 + (step % 90), cost: step % 7, ...(step % 11 === 0 ? { ttl: 500 } : {}) })
      }
    }
  })
}

function compare(answer: RegretAnswer, groups: Map<string, Counted>): void {
  const regretted = [...groups].filter(([, group]) => group.regretted > 0)
  expect(answer.items.map(({ cache, prefix }) => `${cache} ${prefix}`).sort()).toEqual(
    regretted.map(([name]) => name).sort(),
  )
  for (const { cache, prefix, delay, ...figures } of answer.items) {
    const { delays: _, delay: sum, ...group } = groups.get(`${cache} ${prefix}`) as Counted
    expect(figures).toEqual(group)
    expect(delay).toBeCloseTo(sum / group.regretted, 6)
  }
  const all = [...groups.values()]
  expect(answer.total.regretted).toBe(all.reduce((sum, group) => sum + group.regretted, 0))
  expect(answer.total.evicted).toBe(all.reduce((sum, group) => sum + group.evicted, 0))
  for (const { atMost, count } of answer.delays) {
    const within = all.flatMap(({ delays }) => delays).filter((delay) => delay < atMost && delay >= atMost / 2)
    if (atMost > 0) expect([atMost, count]).toEqual([atMost, within.length])
  }
}

describe('regrets', () => {
  test('equal a count by hand, by cache and prefix', async () => {
    using files = new AuditFolder()
    const { events } = await trace(files, 180, 12_000)
    const answer = await asking(files, (history) => history.regrets())
    expect(answer.total.regretted).toBeGreaterThan(500)
    expect(answer.remembered).toBe(512)
    compare(answer, counted(events, 512))
  })

  test('beyond the bound know the last evictions alone, and say so', async () => {
    using files = new AuditFolder()
    const { events } = await trace(files, 3_000, 12_000)
    const answer = await asking(files, (history) => history.regrets())
    compare(answer, counted(events, 512))
    const all = [...counted(events, Number.POSITIVE_INFINITY).values()]
    expect(answer.total.regretted).toBeLessThan(all.reduce((total, group) => total + group.regretted, 0))
    expect(answer.incomplete).toContain('remembers its last 512 evictions')
  })

  test('by cache, prefix and page, most regretted first', async () => {
    using files = new AuditFolder()
    const { runId } = await trace(files, 180, 4_000)
    await asking(files, async (history) => {
      const all = await history.regrets()
      expect(all.items.map(({ regretted }) => regretted)).toEqual(
        all.items.map(({ regretted }) => regretted).sort((a, b) => b - a),
      )
      const tenant = await history.regrets({ cache: 'tenant' })
      expect(tenant.items).toEqual(all.items.filter(({ cache }) => cache === 'tenant'))
      const users = await history.regrets({ prefix: 'user', run: runId })
      expect(users.items).toEqual(all.items.filter(({ prefix }) => prefix === 'user'))
      const first = await history.regrets({ limit: 2 })
      const second = await history.regrets({ limit: 100, cursor: first.next ?? '' })
      expect([...first.items, ...second.items]).toEqual(all.items)
      expect(second.next).toBeNull()
      expect((await history.regrets({ run: 'nobody' })).items).toEqual([])
      for (const order of REGRET_ORDERS) {
        const place = (row: RegretAnswer['items'][number]) =>
          order === 'share' ? row.regretted / row.evicted : (row[order] ?? 0)
        const { items } = await history.regrets({ order })
        const sorted = all.items.toSorted((a, b) => place(b) - place(a))
        expect([order, items.map(place)]).toEqual([order, sorted.map(place)])
        expect((await history.regrets({ order, reverse: true })).items.map(place)).toEqual(sorted.map(place).reverse())
      }
    })
  })

  test('of a loaded value cost the milliseconds of its loader, unless the caller says what it costs', async () => {
    using files = new AuditFolder()
    await recordedManager(files, { maxItems: 1 }, async ({ memory, pass }) => {
      const cache = memory.cache('page')
      const load = (ms: number) => () => {
        pass(ms)
        return 1
      }
      await cache.getOrLoad('a:1', load(250))
      await cache.getOrLoad('b:1', load(30), { cost: 7 })
      await cache.getOrLoad('a:1', load(1))
      await cache.getOrLoad('b:1', load(1))
    })
    const { total, items } = await asking(files, (history) => history.regrets())
    expect(total).toMatchObject({ regretted: 2, cost: 257 })
    expect(items.map(({ prefix, cost, delay }) => [prefix, cost, delay]).sort()).toEqual([
      ['a', 250, 0],
      ['b', 7, 0],
    ])
  })

  test('of evictions that sampling left without a row are counted, and their bytes and delays said to be unknown', async () => {
    using files = new AuditFolder()
    // Each key comes back some 950 evictions, 24 s, after it went.
    const options = {
      maxItems: 4_000,
      caches: { a: { maxItems: 1_050 } },
      audit: { path: files.path(), sampleAbove: 10 },
    }
    await recordedManager(files, options, ({ memory, pass }) => {
      const cache = memory.cache('a')
      for (let n = 0; n < 12_000; n++) {
        pass(25)
        const key = `u:${n % 2_000}`
        if (cache.get(key) === undefined) cache.set(key, n, { size: 100, cost: 5 })
      }
    })
    const answer = await asking(files, (history) => history.regrets())
    const { regretted, bytes, delay } = answer.total
    expect(regretted).toBeGreaterThan(5_000)
    expect(bytes).toBeLessThan(regretted * 100)
    expect(answer.incomplete).toMatch(/bytes and cost count only the \d+ % of these evictions whose rows were kept/)
    expect(delay).toBeGreaterThan(23_000)
    expect(delay).toBeLessThan(27_000)
  })
})
