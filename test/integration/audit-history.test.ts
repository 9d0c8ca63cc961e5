import { describe, expect, test } from 'vitest'
import { EVICTION_ORDERS, type EvictionRecord, type Page, type Question } from '../../src/query/answers.ts'
import { openHistory } from '../../src/query/history.ts'
import { AuditFolder } from '../support/audit-file.ts'
import { Run, SETTINGS } from '../support/events.ts'
import { asking, logOf } from '../support/history-log.ts'

describe('history', () => {
  test('gives evictions back with all that the event carried, and the miss that regretted it', async () => {
    using files = new AuditFolder()
    await logOf(files, (log, run) => {
      log.record(run.event('evicted', { ttlLeft: 77, cycle: 'c', storedBy: 'me', score: Number.POSITIVE_INFINITY }))
      const regret = run.seq
      run.at = 1_500
      log.record(run.event('missed', { regret, firstRegret: true }))
      log.record(run.event('evicted', { key: 'other', trigger: null, runnerUp: null, runnerUpScore: null }))
    })
    const page = await asking(files, (history) => history.evictions())
    expect(page).toMatchObject({ next: null, incomplete: null })
    expect(page.items.map(({ key }) => key)).toEqual(['other', 'k'])
    expect(page.items[0]).toMatchObject({
      ttlLeft: null,
      trigger: null,
      runnerUp: null,
      runnerUpScore: null,
      missedAt: null,
    })
    expect(page.items[1]).toEqual({
      run: 'one',
      seq: 2,
      at: 1_000,
      cache: 'tenant',
      key: 'k',
      cause: 'items',
      policy: 'lru',
      size: 100,
      hits: 2,
      storedAt: 1_000,
      storedBy: 'me',
      age: 5_000,
      idle: 400,
      ttlLeft: 77,
      cost: 0,
      score: Number.POSITIVE_INFINITY,
      runnerUp: 'next',
      runnerUpScore: 8,
      trigger: { cache: 'mimir', key: 'newcomer', size: 2_048 },
      cycle: 'c',
      mode: null,
      modeSince: null,
      missedAt: 1_500,
    })
  })

  test('filters evictions by each field, and all of them together', async () => {
    using files = new AuditFolder()
    await logOf(files, (log, run) => {
      for (let i = 0; i < 40; i++) {
        run.at = 1_000 + i
        const cache = i % 2 === 0 ? 'tenant' : 'mimir'
        log.record(
          run.event('evicted', {
            cache,
            key: `${i % 4 < 2 ? 'user' : '100%'}:${i}`,
            cause: i % 5 === 0 ? 'heap' : 'items',
            policy: i < 10 ? 'lfu' : 'lru',
            cycle: i === 3 ? 'cycle-3' : null,
          }),
        )
      }
    })
    await logOf(files, (log, run) => log.record(run.event('evicted', { key: 'user:7' })), { id: 'two' })
    await asking(files, async (history) => {
      const count = async (question: Parameters<typeof history.evictions>[0]) =>
        (await history.evictions(question)).items.length
      expect(await count({})).toBe(41)
      expect(await count({ run: 'one' })).toBe(40)
      expect(await count({ cache: 'mimir' })).toBe(20)
      expect(await count({ key: '100%:7' })).toBe(1)
      expect(await count({ prefix: '100%' })).toBe(20)
      expect(await count({ prefix: 'USER' })).toBe(0)
      expect(await count({ cause: 'heap' })).toBe(8)
      expect(await count({ run: 'one', since: 1_010, until: 1_020 })).toBe(10)
      expect(await count({ run: 'one', cache: 'tenant', prefix: 'user', cause: 'heap', since: 1_010 })).toBe(1)
      expect(await count({ run: 'nobody' })).toBe(0)
      expect(await count({ policy: 'lfu' })).toBe(10)
      expect(await count({ cycle: 'cycle-3', policy: 'lfu' })).toBe(1)
      expect(await count({ cycle: 'cycle-4' })).toBe(0)
    })
  })

  test('orders evictions by each of their figures, over all pages, both ways round', async () => {
    using files = new AuditFolder()
    await logOf(files, (log, run) => {
      for (let i = 0; i < 60; i++) {
        run.at = 1_000 + Math.floor(i / 2)
        const figures = { size: (i * 37) % 11, age: (i * 13) % 7, hits: i % 3, idle: (i * 29) % 17 }
        log.record(run.event('evicted', { key: `k${i % 5}`, cache: i % 2 === 0 ? 'tenant' : 'mimir', ...figures }))
      }
    })
    await asking(files, async (history) => {
      for (const order of EVICTION_ORDERS) {
        for (const reverse of [false, true]) {
          for (const filter of [{}, { cache: 'mimir', since: 1_004 }, { key: 'k3' }, { prefix: 'k' }]) {
            const asked = { order, reverse, ...filter }
            const rows: EvictionRecord[] = []
            for (let cursor: string | null = ''; cursor !== null; ) {
              const page: Page<EvictionRecord> = await history.evictions({
                ...asked,
                limit: 7,
                ...(cursor === '' ? {} : { cursor }),
              })
              rows.push(...page.items)
              cursor = page.next
            }
            const place = (row: EvictionRecord) => (order === 'time' ? row.at : row[order])
            const all = (await history.evictions(filter)).items
            const sorted = all.toSorted((a, b) => (place(b) - place(a) || b.seq - a.seq) * (reverse ? -1 : 1))
            expect([asked, rows.map(({ seq }) => seq)]).toEqual([asked, sorted.map(({ seq }) => seq)])
          }
        }
      }
      const { next } = await history.evictions({ order: 'size', limit: 7 })
      await expect(history.evictions({ order: 'age', cursor: next ?? '' })).rejects.toThrow('cursor')
      await expect(history.evictions({ order: 'size', reverse: true, cursor: next ?? '' })).rejects.toThrow('cursor')
    })
  })

  test('pages through every question newest first, each row once, also while rows come in', async () => {
    using files = new AuditFolder()
    const log = files.open()
    const run = new Run('one')
    log.record(run.started())
    const more = (rounds: number) => {
      for (let i = 0; i < rounds; i++) {
        // Three rounds share each millisecond: a position is more than a time.
        run.at = 1_000 + Math.floor(i / 3)
        log.record(run.event('evicted'))
        log.record(run.event('warned'))
        log.record(run.event('checked'))
        log.record(run.event('peaked', { peakedAt: run.at }))
        log.record(run.event('cycle-started', { cycle: `c${run.seq}` }))
      }
      run.at = 10_000
      return log.flush()
    }
    await more(10)
    await asking(files, async (history) => {
      for (const name of ['evictions', 'warnings', 'samples', 'peaks', 'cycles'] as const) {
        const seen: number[] = []
        let cursor: string | null = null
        do {
          const question: Question = cursor === null ? { limit: 3, until: 9_000 } : { limit: 3, until: 9_000, cursor }
          const page: { items: readonly { seq: number }[]; next: string | null } = await history[name](question)
          seen.push(...page.items.map(({ seq }) => seq))
          cursor = page.next
          if (name === 'evictions') {
            log.record(run.event('evicted'))
            await log.flush()
          }
        } while (cursor !== null)
        expect(seen).toHaveLength(10)
        expect(seen).toEqual([...seen].sort((a, b) => b - a))
      }
    })
    await log.close()
  })

  test('has the settings of each run as they were, with Infinity', async () => {
    using files = new AuditFolder()
    await logOf(files, () => {})
    await logOf(files, () => {}, { id: 'two', level: 'all' })
    const page = await asking(files, (history) => history.runs())
    expect(page.items.map(({ run, state, level }) => [run, state, level])).toEqual([
      ['two', 'closed', 'all'],
      ['one', 'closed', 'departures'],
    ])
    expect(page.items[0]?.settings).toEqual(SETTINGS)
    const first = await asking(files, (history) => history.runs({ limit: 1 }))
    expect(first.items).toHaveLength(1)
    const second = await asking(files, (history) => history.runs({ limit: 1, cursor: first.next ?? '' }))
    expect(second).toMatchObject({ items: [{ run: 'one' }], next: null })
  })

  test('joins a cycle with its end, and leaves that open where there is none', async () => {
    using files = new AuditFolder()
    await logOf(files, (log, run) => {
      log.record(run.event('cycle-started', { cycle: 'a' }))
      log.record(run.event('cycle-continued', { cycle: 'a' }))
      run.at = 1_200
      log.record(run.event('cycle-completed', { cycle: 'a' }))
      log.record(run.event('cycle-started', { cycle: 'b', cache: 'tenant', trigger: 'forced' }))
    })
    const { items } = await asking(files, (history) => history.cycles())
    expect(items).toMatchObject([
      {
        cycle: 'b',
        cache: 'tenant',
        trigger: 'forced',
        completedAt: null,
        count: null,
        usageAfter: null,
        usageBefore: 0.9,
      },
      { cycle: 'a', cache: null, startedAt: 1_000, completedAt: 1_200, count: 10, bytes: 100_000, usageAfter: 0.8 },
    ])
  })

  test('gives warnings, samples and peaks back as they were', async () => {
    using files = new AuditFolder()
    await logOf(files, (log, run) => {
      log.record(run.event('warned'))
      log.record(run.event('checked'))
      log.record(run.event('peaked'))
    })
    await asking(files, async (history) => {
      const writers = [{ cache: 'tenant', prefix: 'user', bytes: 800_000, error: 0 }]
      expect((await history.warnings()).items).toEqual([
        expect.objectContaining({
          run: 'one',
          seq: 2,
          level: 'warning',
          since: { at: 0, bytesAdded: 850_000, caches: [{ cache: 'tenant', bytes: 850_000 }], writers },
        }),
      ])
      expect((await history.samples()).items).toMatchObject([
        { seq: 3, items: 60, caches: [{ cache: 'tenant', hits: 5 }] },
      ])
      expect((await history.peaks()).items).toEqual([
        {
          run: 'one',
          seq: 4,
          metric: 'bytes',
          value: 700_000,
          at: 1_500,
          held: {
            caches: [{ cache: 'tenant', items: 70, bytes: 700_000 }],
            prefixes: [{ cache: 'tenant', prefix: 'user', items: 70, bytes: 700_000 }],
            counted: 70,
            items: 70,
          },
        },
      ])
    })
  })

  test('of a peak that did not say what held it, the nearest check does', async () => {
    using files = new AuditFolder()
    await logOf(files, (log, run) => {
      log.record(run.event('checked'))
      log.record(run.event('peaked'))
    })
    const database = files.connect()
    database.exec(`update events set data = json_remove(data, '$.held') where type = 'peaked'`)
    database.close()
    const { items } = await asking(files, (history) => history.peaks())
    expect(items[0]?.held).toEqual({
      caches: [{ cache: 'tenant', items: 60, bytes: 500_000 }],
      prefixes: [],
      counted: 0,
      items: 60,
    })
  })

  test('rejects what is not a question, naming the field', async () => {
    using files = new AuditFolder()
    await logOf(files, (log, run) => log.record(run.event('evicted')))
    await asking(files, async (history) => {
      const bad: [unknown, RegExp][] = [
        [{ limit: 0 }, /limit: 0 is not a number of rows/],
        [{ limit: 10_001 }, /from 1 to 10000/],
        [{ limit: 1.5 }, /limit/],
        [{ cursor: 'nonsense' }, /cursor/],
        [{ cause: 'boredom' }, /cause: "boredom" is none of memory, heap/],
        [{ since: Number.NaN }, /since/],
        [{ until: 'yesterday' }, /until/],
        [{ run: 7 }, /run/],
        [{ colour: 'red' }, /colour: is not asked by evictions/],
        ['all', /question/],
      ]
      for (const [question, message] of bad) {
        await expect(history.evictions(question as object)).rejects.toThrow(message)
        await expect(history.evictions(question as object)).rejects.toMatchObject({ code: 'ERR_MUNINN_OPTION' })
      }
      await expect(history.explain(7 as unknown as string)).rejects.toThrow(/key: 7 is not a string/)
      const { next } = await history.evictions({ limit: 1 }).then(() => history.runs({ limit: 1 }))
      expect(next).toBeNull()
    })
  })

  test('says what is wrong with a file that it cannot read', async () => {
    using files = new AuditFolder()
    await asking(files, async (history) => {
      await expect(history.runs()).rejects.toMatchObject({
        name: 'HistoryError',
        code: 'ERR_MUNINN_HISTORY',
        message: `${files.path()}: there is no such file`,
      })
      // It is not held against the next question.
      await logOf(files, () => {})
      expect((await history.runs()).items).toHaveLength(1)
    })
    files.connect(files.path('other.db')).exec('create table t (a)').close()
    const other = openHistory(files.path('other.db'))
    await expect(other.runs()).rejects.toThrow(/another application/)
    await other.close()
  })

  test('rejects at once when its signal aborts, and answers others', async () => {
    using files = new AuditFolder()
    await logOf(files, (log, run) => log.record(run.event('evicted')))
    await asking(files, async (history) => {
      const reason = new Error('enough')
      await expect(history.evictions({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
      const controller = new AbortController()
      const asked = history.evictions({ signal: controller.signal })
      controller.abort(reason)
      await expect(asked).rejects.toBe(reason)
      expect((await history.evictions()).items).toHaveLength(1)
    })
  })

  test('rejects questions after close(), and those that close() overtakes', async () => {
    using files = new AuditFolder()
    await logOf(files, () => {})
    const history = openHistory(files.path())
    const overtaken = expect(history.runs()).rejects.toMatchObject({ code: 'ERR_MUNINN_CLOSED' })
    await history.close()
    await overtaken
    await expect(history.runs()).rejects.toMatchObject({ code: 'ERR_MUNINN_CLOSED' })
    await history.close()
  })

  test('sees what a running cache has just done, where it is told how to flush', async () => {
    using files = new AuditFolder()
    const log = files.open()
    const history = openHistory(files.path(), { flush: () => log.flush() })
    const run = new Run('one')
    log.record(run.started())
    for (let i = 1; i <= 3; i++) {
      log.record(run.event('evicted'))
      expect((await history.evictions()).items).toHaveLength(i)
    }
    expect((await history.runs()).items).toMatchObject([{ state: 'running', lastSeq: 4 }])
    await history.close()
    await log.close()
  })
})
