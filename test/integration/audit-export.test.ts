import { afterEach, describe, expect, test } from 'vitest'
import { openHistory } from '../../src/query/history.ts'
import { AuditFolder } from '../support/audit-file.ts'
import { asking, logOf } from '../support/history-log.ts'
import { muninn } from './cli-support.ts'
import { ask, testService } from './http-support.ts'

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

async function all<T>(from: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = []
  for await (const item of from) items.push(item)
  return items
}

/** Two runs with all kinds of rows, more of them than one portion takes. */
async function twoRuns(files: AuditFolder): Promise<void> {
  for (const id of ['one', 'two']) {
    await logOf(
      files,
      (log, run) => {
        run.at += id === 'two' ? 1_000_000 : 0
        for (let i = 0; i < 700; i++) {
          run.at += 10
          log.record(run.event('added', { key: `k${i}` }))
          log.record(run.event('evicted', { key: `k${i}` }))
          log.record(run.event('missed', { key: `k${i}` }))
          log.record(run.event('warned'))
        }
      },
      { level: 'all', id },
    )
  }
}

describe('export', () => {
  test('tells every event of all runs in the order of seq, over portions', async () => {
    using files = new AuditFolder()
    await twoRuns(files)
    const told = await asking(files, (history) => all(history.export()))
    expect(told.map(({ run, seq }) => [run, seq])).toEqual(
      ['one', 'two'].flatMap((run) => Array.from({ length: 2802 }, (_, i) => [run, i + 1])),
    )
    expect(told.slice(0, 4).map(({ type }) => type)).toEqual(['started', 'added', 'evicted', 'missed'])
    expect(told[2]).toMatchObject({ cache: 'tenant', key: 'k0', cause: 'items', trigger: { key: 'newcomer' } })
    expect(told[1]).toMatchObject({ cache: 'tenant', key: 'k0', size: 100 })
  })

  test('keeps to a run, to times and to types', async () => {
    using files = new AuditFolder()
    await twoRuns(files)
    const every = await asking(files, (history) => all(history.export()))
    const times = every.map(({ at }) => at)
    const since = times[700] as number
    const until = times[3500] as number
    for (const question of [
      { run: 'two' },
      { since },
      { until },
      { since, until },
      { since, until, types: ['evicted'] },
      { types: ['added', 'stopped'], run: 'one' },
      { run: 'none' },
    ]) {
      const told = await asking(files, (history) => all(history.export(question)))
      const expected = every.filter(
        ({ run, at, type }) =>
          (question.run === undefined || run === question.run) &&
          at >= (question.since ?? 0) &&
          at < (question.until ?? Number.POSITIVE_INFINITY) &&
          (question.types === undefined || question.types.includes(type)),
      )
      expect(told, JSON.stringify(question)).toEqual(expected)
    }
  })

  test('a gap stands where events are missing', async () => {
    using files = new AuditFolder()
    await logOf(files, (log, run) => {
      log.record(run.event('evicted'))
    })
    const database = files.connect()
    database.exec(`insert into gaps (run_id, first_seq, last_seq, from_at, to_at, lost, reason)
      select id, last_seq + 1, last_seq + 9, last_at, last_at, 9, 'overflow' from runs`)
    database.close()
    const told = await asking(files, (history) => all(history.export()))
    expect(told.at(-1)).toMatchObject({ type: 'gap', seq: 4, first: 4, last: 12, lost: 9, reason: 'overflow' })
    const history = openHistory(files.path())
    closing.push(() => history.close())
    const exported = history.export()
    await all(exported)
    expect(exported.incomplete).toMatch(/9 events .* are missing/)
  })

  test('ends where its reader stops, and with its signal', async () => {
    using files = new AuditFolder()
    await twoRuns(files)
    const history = openHistory(files.path())
    closing.push(() => history.close())
    for await (const event of history.export()) if (event.seq === 5) break
    const abort = new AbortController()
    await expect(async () => {
      for await (const event of history.export({ signal: abort.signal })) if (event.seq === 5) abort.abort()
    }).rejects.toThrow(/abort/)
    // The thread is free for the next.
    expect((await history.runs()).items).toHaveLength(2)
  })

  test('refuses what is no type and no format', async () => {
    using files = new AuditFolder()
    const history = openHistory(files.path())
    closing.push(() => history.close())
    expect(() => history.export({ types: ['gone'] })).toThrow(/none of added,.*gap/)
    expect(() => history.export({ types: [] })).toThrow(/list of types/)
    expect(() => history.exportText('xml' as 'csv')).toThrow(/none of jsonl, csv/)
    await expect(all(history.export())).rejects.toThrow(/no such file/)
  })

  test('is JSON lines, CSV or one document on the command line', async () => {
    using files = new AuditFolder()
    await twoRuns(files)
    const lines = await muninn(['export', '--db', files.path()])
    expect([lines.code, lines.err]).toEqual([0, ''])
    const events = lines.out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(events).toHaveLength(5604)
    expect(events[2]).toMatchObject({ type: 'evicted', key: 'k0', at: expect.stringMatching(/T.*Z$/) })
    const document = await muninn(['export', '--db', files.path(), '--json', '--type', 'evicted,stopped'])
    const { items, next, incomplete } = JSON.parse(document.out)
    expect([items.length, next, incomplete]).toEqual([1402, null, null])
    const csv = await muninn(['export', '--db', files.path(), '--format', 'csv', '--run', 'one'])
    const rows = csv.out.trimEnd().split('\r\n')
    expect(rows[0]).toBe('run,seq,at,type,cache,key,cause,size,age,hits,actor,traceId,data')
    expect(rows).toHaveLength(2803)
    expect(rows[3]).toMatch(/^one,3,\d{4}-.*Z,evicted,tenant,k0,items,100,5000,2,,,"\{""policy"":""lru""/)
    expect((await muninn(['export', '--type', 'gone', '--db', files.path()])).code).toBe(2)
    expect((await muninn(['export', '--db', files.path('none.db')])).code).toBe(3)
  })

  test('hostile keys are text in CSV, and no formula', async () => {
    using files = new AuditFolder()
    const keys = ['=cmd()', '+1', '-1', '@x', 'a,b', 'say "hi"', 'two\nlines', '__proto__']
    await logOf(files, (log, run) => {
      for (const key of keys) log.record(run.event('expired', { key }))
    })
    const [text] = await asking(files, (history) => all(history.exportText('csv', { types: ['expired'] })))
    for (const cell of [`'=cmd()`, `'+1`, `'-1`, `'@x`, '"a,b"', '"say ""hi"""', '"two\nlines"', '__proto__']) {
      expect(text).toContain(`,tenant,${cell},`)
    }
  })

  test('streams over HTTP, and says what is wrong before it begins', async () => {
    using files = new AuditFolder()
    const service = await testService({ memory: { audit: files.path(), maxItems: 10, policy: 'lru' } })
    closing.push(() => service.close())
    const cache = service.memory.cache('tenant')
    for (let i = 0; i < 3000; i++) cache.set(`k${i}`, i)
    const answer = await ask(service.port, { path: '/api/audit/export?type=evicted' })
    expect(answer.headers['content-type']).toContain('application/x-ndjson')
    expect(answer.body.toString().trimEnd().split('\n')).toHaveLength(2990)
    const csv = await ask(service.port, { path: '/api/audit/export?format=csv&since=-1h' })
    expect(csv.headers['content-type']).toContain('text/csv')
    expect(csv.body.toString()).toMatch(/^run,seq,at/)
    for (const query of ['type=gone', 'format=xml', 'since=yesterday', 'limit=5']) {
      expect((await ask(service.port, { path: `/api/audit/export?${query}` })).status, query).toBe(400)
    }
  })
})
