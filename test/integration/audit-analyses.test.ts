import { describe, expect, test } from 'vitest'
import type { Started } from '../../src/event/catalogue.ts'
import { runHeader } from '../../src/persist/batch.ts'
import { Outbox } from '../../src/persist/outbox.ts'
import { Writer } from '../../src/persist/writer.ts'
import type { History, Page, Question, TimeWindow } from '../../src/query/history.ts'
import { AuditFolder, auditSettings } from '../support/audit-file.ts'
import { WrittenRun } from '../support/audit-run.ts'
import { chance } from '../support/chance.ts'
import { Run } from '../support/events.ts'
import { asking } from '../support/history-log.ts'
import { type Recorded, recordedManager, START } from '../support/recorded-manager.ts'
import { muninn } from './cli-support.ts'

const MINUTE = 60_000
const window = (from: number, to: number): TimeWindow => ({ since: START + from * MINUTE, until: START + to * MINUTE })

/** A read-through of 60 steps a minute with a check at each minute's end. */
function work({ memory, pass }: Recorded, minutes: number, keys: number, size: number, prefix = 'user'): void {
  const random = chance(3)
  const cache = memory.cache('tenant')
  for (let step = 1; step <= minutes * 60; step++) {
    pass(999)
    const key = `${prefix}:${random(keys)}`
    if (cache.get(key) === undefined) cache.set(key, step, { size })
    if (step % 60 === 0) {
      memory.check()
      pass(60)
    }
  }
}

describe('timeline', () => {
  test('has all that was told, point by point', async () => {
    using files = new AuditFolder()
    const { events } = await recordedManager(files, { maxItems: 50 }, (recorded) => work(recorded, 30, 80, 100))
    const timeline = await asking(files, (history) => history.timeline())
    expect(timeline).toMatchObject({ every: MINUTE, next: null, incomplete: null })
    expect(timeline.items).toHaveLength(31)
    for (const { from, to, evicted, evictedByCause, evictedBytes, hits, misses, hitRate } of timeline.items) {
      const within = events.filter(({ at }) => at >= from && at < to)
      const of = (type: string) => within.filter((event) => event.type === type)
      expect(evicted).toBe(of('evicted').length)
      expect(evictedByCause).toEqual(evicted === 0 ? {} : { items: evicted })
      expect(evictedBytes).toBe(evicted * 100)
      expect([hits, misses]).toEqual([of('accessed').length, of('missed').length])
      expect(hitRate).toBe(hits + misses === 0 ? null : hits / (hits + misses))
    }
    expect(timeline.items[0]).toMatchObject({ starts: 1, crashes: 0 })
    expect(timeline.items[10]).toMatchObject({ items: 50, bytes: 5_000 })
  })

  test('in wider points has the same sums, within what was asked for', async () => {
    using files = new AuditFolder()
    await recordedManager(files, { maxItems: 50 }, (recorded) => work(recorded, 30, 80, 100))
    await asking(files, async (history) => {
      const fine = await history.timeline()
      const wide = await history.timeline({ every: 10 * MINUTE })
      expect(wide.items.map(({ from }) => from)).toEqual([0, 10, 20, 30].map((at) => START + at * MINUTE))
      const sum = (items: typeof fine.items) => items.reduce((all, { evicted }) => all + evicted, 0)
      expect(sum(wide.items)).toBe(sum(fine.items))
      expect(wide.items[1]?.evicted).toBe(sum(fine.items.slice(10, 20)))
      const part = await history.timeline(window(5, 8))
      expect(part.items).toEqual(fine.items.slice(5, 8))
      expect((await history.timeline({ cache: 'nobody', ...window(5, 8) })).items[0]).toMatchObject({
        evicted: 0,
        hits: 0,
        bytes: null,
      })
      await expect(history.timeline({ every: 10 })).rejects.toThrow(/every/)
    })
  })

  test('of a log without runs is empty', async () => {
    using files = new AuditFolder()
    await recordedManager(files, {}, () => {})
    const timeline = await asking(files, (history) =>
      history.timeline({ since: START + MINUTE, until: START + 2 * MINUTE }),
    )
    expect(timeline.items).toMatchObject([{ evicted: 0, starts: 0, bytes: null, hitRate: null }])
  })
})

test('timeline of a cache that is not known says so, and which are', async () => {
  using files = new AuditFolder()
  await recordedManager(files, { maxItems: 50, caches: { idle: {} } }, (recorded) => work(recorded, 2, 80, 100))
  const { incomplete } = await asking(files, (history) => history.timeline({ cache: 'tenent' }))
  expect(incomplete).toBe('no cache "tenent" is known here; known: "idle", "tenant"')
  const idle = await asking(files, (history) => history.timeline({ cache: 'idle' }))
  expect(idle.incomplete).toBeNull()
  const { out, code } = await muninn(['timeline', '--cache', 'tenent', '--db', files.path()])
  expect(out).toBe(
    `no counts with cache tenent in ${files.path()}\n\nIncomplete: no cache "tenent" is known here; known: "idle", "tenant"\n`,
  )
  expect(code).toBe(0)
})

describe('top', () => {
  test('ranks prefixes and keys by what is asked for', async () => {
    using files = new AuditFolder()
    const { events } = await recordedManager(files, { maxItems: 20 }, (recorded) => {
      work(recorded, 5, 40, 100)
      work(recorded, 5, 100, 900, 'job')
    })
    const evicted = events.filter((event) => event.type === 'evicted')
    await asking(files, async (history) => {
      const prefixes = await history.top()
      expect(prefixes.items.map(({ name, evicted: count }) => [name, count])).toEqual(
        ['job', 'user']
          .map((prefix) => [prefix, evicted.filter(({ key }) => key.startsWith(prefix)).length] as const)
          .sort(([, a], [, b]) => b - a),
      )
      const bytes = await history.top({ of: 'key', by: 'bytes', limit: 1 })
      const sums = new Map<string, number>()
      for (const { key, size } of evicted) sums.set(key, (sums.get(key) ?? 0) + size)
      expect(bytes.items[0]?.bytes).toBe(Math.max(...sums.values()))
      expect(bytes.next).not.toBeNull()
      const regretted = await history.top({ of: 'key', by: 'regrets', limit: 10_000 })
      const total = (await history.regrets()).total.regretted
      expect(regretted.items.reduce((sum, row) => sum + (row.regretted ?? 0), 0)).toBe(total)
      await expect(history.top({ of: 'value' as 'key' })).rejects.toThrow(/of: "value" is none of key, prefix/)
    })
  })
})

/** Evicts keys of a prefix, and misses each of them again. */
function regret(run: WrittenRun, prefix: string, count: number): void {
  for (let i = 0; i < count; i++) {
    const { seq } = run.tell('evicted', { key: `${prefix}:${i % 2}`, size: 10 })
    run.tell('missed', { key: `${prefix}:${i % 2}`, regret: seq, firstRegret: true })
  }
}

describe('a ranking, page by page', () => {
  test.each([
    ['top prefixes', (history, page) => history.top(page)],
    ['top prefixes by regrets', (history, page) => history.top({ ...page, by: 'regrets' })],
    ['regrets', (history, page) => history.regrets(page)],
    ['top keys', (history, page) => history.top({ ...page, of: 'key' })],
  ] as [string, (history: History, page: Question) => Promise<Page<{ name?: string; prefix?: string }>>][])(
    '%s: is what the log had at the first, whatever it gains meanwhile',
    async (_, ask) => {
      using files = new AuditFolder()
      using run = new WrittenRun('one', { path: files.path(), sampleAbove: Number.POSITIVE_INFINITY }, START)
      for (const [prefix, count] of [
        ['a', 10],
        ['b', 8],
        ['c', 6],
        ['d', 4],
      ] as const)
        regret(run, prefix, count)
      run.write()
      await asking(files, async (history) => {
        const before = (await ask(history, {})).items
        const paged = []
        let cursor: string | null = null
        do {
          const page: Page<{ name?: string; prefix?: string }> = await ask(history, {
            limit: 1,
            ...(cursor === null ? {} : { cursor }),
          })
          paged.push(...page.items)
          cursor = page.next
          run.passTo(run.at + MINUTE)
          for (const prefix of ['d', 'e']) regret(run, prefix, 20)
          run.write()
        } while (cursor !== null)
        expect(paged).toEqual(before)
      })
    },
  )

  test('shows no prefix twice, even where the last minute goes on', async () => {
    using files = new AuditFolder()
    using run = new WrittenRun('one', { path: files.path() }, START)
    for (const [prefix, count] of [
      ['a', 10],
      ['b', 8],
      ['c', 6],
    ] as const)
      regret(run, prefix, count)
    run.write()
    await asking(files, async (history) => {
      const first = await history.top({ limit: 1 })
      regret(run, 'c', 40)
      regret(run, 'd', 40)
      run.write()
      const second = await history.top({ limit: 10, cursor: first.next ?? '' })
      expect([...first.items, ...second.items].map(({ name }) => name)).toEqual(['a', 'b'])
    })
  })
})

test('departures without a row have no regrets that anybody knows of', async () => {
  using files = new AuditFolder()
  const run = new Run('one')
  const started = run.started() as Started
  const writer = new Writer(files.path(), runHeader(started, auditSettings()), 100)
  const outbox = new Outbox()
  outbox.add(started)
  outbox.add(run.event('evicted', { key: 'user:1', size: 10 }))
  const kept = outbox.cut()
  outbox.drop(run.event('evicted', { key: 'user:2', size: 10 }))
  for (const batch of [kept, outbox.cutGap('overflow')]) if (batch !== null) writer.write(batch)
  writer.close()
  const unknown = { regretted: null, regrettedBytes: null, regrettedCost: null }
  const { items } = await asking(files, (history) => history.top())
  expect(items).toMatchObject([
    { name: '*', evicted: 1, ...unknown },
    { name: 'user', evicted: 1, regretted: 0 },
  ])
  const text = (await muninn(['top', '--db', files.path()])).out
  expect(text).toMatch(/\*\s+1\s+10 B\s+-\s+-\n/)
})

describe('compare', () => {
  test('of identical windows finds no difference, nor of windows that did the same', async () => {
    using files = new AuditFolder()
    await recordedManager(files, { maxItems: 50 }, (recorded) => work(recorded, 10, 80, 100))
    await asking(files, async (history) => {
      const same = await history.compare(window(2, 7), window(2, 7))
      expect(same).toMatchObject({ before: window(2, 7), items: [], next: null, incomplete: null })
      const idle = await history.compare(window(100, 101), window(200, 210))
      expect(idle.items).toEqual([])
    })
  })

  test('names what a change of sizes and keys did: causes, bytes, prefixes, hit rate, ages', async () => {
    using files = new AuditFolder()
    await recordedManager(files, { maxMemory: 10_000, maxItems: 1000, evictionThreshold: 1 }, (recorded) => {
      work(recorded, 10, 80, 100)
      work(recorded, 10, 80, 400, 'v2')
    })
    const { items } = await asking(files, (history) => history.compare(window(0, 10), window(10, 20)))
    const found = (what: string, name = '') => items.find((item) => item.what === what && item.name === name)
    expect(found('evictions', 'memory')).toMatchObject({ cache: 'tenant', before: 0, unit: 'per minute' })
    expect(found('evicted entries', 'v2')?.after).toBeGreaterThan(10)
    expect(found('hit rate')?.before).toBeGreaterThan(found('hit rate')?.after ?? 1)
    expect(found('size evicted')).toMatchObject({ before: null })
    expect(found('age at eviction', 'median')?.after).toBeGreaterThan(0)
    expect(found('regrets')?.after).toBeGreaterThan(1)
    // What is the same is not there.
    expect(found('rejections')).toBeUndefined()
  })

  test('by the minute, so that windows of different length compare', async () => {
    using files = new AuditFolder()
    await recordedManager(files, { maxItems: 50 }, ({ memory, pass }) => {
      // A loop that doesn't fit: each minute is as the one before.
      for (let step = 0; step < 20 * 60; step++) {
        pass(1_000)
        const key = `user:${step % 60}`
        if (memory.cache('tenant').get(key) === undefined) memory.cache('tenant').set(key, step, { size: 100 })
        if (step % 60 === 30) memory.check()
      }
    })
    const { items } = await asking(files, (history) => history.compare(window(2, 4), window(4, 16)))
    expect(items.filter(({ what }) => what === 'evictions' || what === 'requests')).toEqual([])
  })

  test('takes two windows, the earlier end first', async () => {
    using files = new AuditFolder()
    await recordedManager(files, {}, () => {})
    await asking(files, async (history) => {
      await expect(history.compare(window(2, 1), window(1, 2))).rejects.toThrow(/before/)
      await expect(history.compare(window(1, 2), {} as TimeWindow)).rejects.toThrow(/after/)
    })
  })
})
