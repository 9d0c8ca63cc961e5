import { afterEach, describe, expect, test } from 'vitest'
import { MemoryManager } from '../../src/muninn.ts'
import { AuditFolder } from '../support/audit-file.ts'
import { asking, logOf } from '../support/history-log.ts'
import { recordedManager } from '../support/recorded-manager.ts'
import { muninn } from './cli-support.ts'
import { ask, testService } from './http-support.ts'

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

describe('state', () => {
  test('has the sizes of values that were changed after they were stored, as they were sized again by then', async () => {
    using files = new AuditFolder()
    const seqs: number[] = []
    const held: number[] = []
    const { runId } = await recordedManager(
      files,
      { remeasure: 10, audit: { path: '', level: 'changes' } },
      ({ memory, events }) => {
        const cache = memory.cache<number[]>('tenant')
        const value = [1]
        const note = () => {
          seqs.push(events.at(-1)?.seq ?? 0)
          held.push(cache.bytes)
        }
        cache.set('changed', value)
        cache.set('same', [1])
        note()
        for (const length of [500, 2_000]) {
          value.push(...Array.from({ length }, (_, i) => i))
          memory.check()
          note()
        }
        cache.set('changed', [2])
        note()
      },
    )
    expect(new Set(held).size).toBe(3)
    await asking(files, async (history) => {
      for (const [i, seq] of seqs.entries()) {
        const { runs, items } = await history.state({ run: runId, seq })
        expect(runs).toMatchObject([{ caches: [{ items: 2, bytes: held[i] }] }])
        expect(items.reduce((sum, { size }) => sum + size, 0)).toBe(held[i])
      }
    })
  })

  test('is what was there at a time or after a seq, on the command line and over HTTP', async () => {
    using files = new AuditFolder()
    const service = await testService({ memory: { audit: { path: files.path(), level: 'changes', flushInterval: 1 } } })
    closing.push(() => service.close())
    const cache = service.memory.cache('tenant')
    cache.set('user:1', 'one', { ttl: 60_000, actor: 'job', tags: ['t'], size: 10 })
    cache.set('user:2', 'two', { size: 20 })
    const between = await service.memory.history?.export({ types: ['added'] })
    const seqs: number[] = []
    for await (const { seq } of between ?? []) seqs.push(seq)
    cache.delete('user:1')

    const run = service.memory.runId
    const over = async (at: string | number, more = '') =>
      (await ask(service.port, { path: `/api/audit/state?at=${at}${more}` })).json()
    expect(await over('now')).toMatchObject({
      no: null,
      runs: [{ run, caches: [{ cache: 'tenant', items: 1, bytes: 20 }] }],
      items: [{ key: 'user:2', size: 20, expiresAt: null, isExpired: false }],
      next: null,
      incomplete: null,
    })
    const then = await over(seqs[1] as number)
    expect(then).toMatchObject({
      at: null,
      items: [{ key: 'user:2' }, { key: 'user:1', actor: 'job', tags: ['t'], expiresAt: expect.stringMatching(/Z$/) }],
    })
    const first = await over(seqs[1] as number, '&limit=1')
    expect(first).toMatchObject({ items: [{ key: 'user:2' }], next: expect.any(String) })
    expect(await over(seqs[1] as number, `&limit=1&cursor=${first.next}`)).toMatchObject({
      items: [{ key: 'user:1' }],
      next: null,
    })
    expect((await over('now', '&cache=general')).items).toEqual([])
    expect((await ask(service.port, { path: '/api/audit/state?at=yesterday' })).status).toBe(400)
    expect((await ask(service.port, { path: '/api/audit/state' })).status).toBe(400)

    const table = await muninn(['state', '--at', String(seqs[1]), '--db', files.path()])
    expect(table.code).toBe(0)
    expect(table.out).toMatch(/STORED +CACHE +KEY +SIZE +EXPIRES +BY/)
    expect(table.out).toContain('tenant 2 (30 B)')
    const json = await muninn(['state', '--at', String(seqs[1]), '--json', '--db', files.path()])
    expect(JSON.parse(json.out).items).toHaveLength(2)
    expect((await muninn(['state', '--db', files.path()])).code).toBe(2)
    expect((await muninn(['state', '--at', 'yesterday', '--db', files.path()])).code).toBe(2)
  })

  test('at level departures is a clear no, with what to set', async () => {
    using files = new AuditFolder()
    await logOf(files, (log, run) => log.record(run.event('evicted')))
    const { code, out } = await muninn(['state', '--at', '2', '--db', files.path()])
    expect(code).toBe(1)
    expect(out.replace(/\s+/g, ' ')).toContain(
      'its level "departures" keeps no stores: set audit.level (MUNINN_AUDIT_LEVEL) to changes or all',
    )
    const json = await muninn(['state', '--at', '2', '--json', '--db', files.path()])
    expect([json.code, JSON.parse(json.out)]).toMatchObject([
      1,
      { items: [], no: expect.stringContaining('departures') },
    ])
  })

  test('where nobody was there, or it is not said which run is meant, the answer is no', async () => {
    using files = new AuditFolder()
    for (const id of ['one', 'two']) await logOf(files, () => {}, { level: 'changes', id })
    const no = async (question: { at: number } | { seq: number; run?: string }) =>
      (await asking(files, (history) => history.state(question))).no
    expect(await no({ at: 0 })).toMatch(/no run was there at 1970/)
    expect(await no({ seq: 1 })).toMatch(/each of the 2 runs .* say which with run \(--run\)/)
    expect(await no({ seq: 1, run: 'three' })).toBe('there is no run three')
    expect(await no({ seq: 9, run: 'two' })).toBe('run two: its last seq is 2')
    expect(await no({ seq: 1, run: 'two' })).toBeNull()
    for (const wrong of [{}, { at: 1, seq: 1 }, { at: Number.NaN }, { seq: 0 }, { seq: 1.5 }]) {
      await expect(
        asking(files, (history) => history.state(wrong)),
        JSON.stringify(wrong),
      ).rejects.toThrow(/at|seq/)
    }
  })

  test('says what gaps may have kept from it', async () => {
    using files = new AuditFolder()
    await logOf(files, (log, run) => log.record(run.event('added')), { level: 'changes' })
    const database = files.connect()
    database.exec(`insert into gaps (run_id, first_seq, last_seq, from_at, to_at, lost, reason)
      select id, 3, 9, last_at - 1, last_at - 1, 7, 'overflow' from runs`)
    database.close()
    const answer = await asking(files, (history) => history.state({ seq: 3 }))
    expect(answer.items).toMatchObject([{ key: 'k' }])
    expect(answer.incomplete).toMatch(/7 events .* are missing/)
  })

  test('shows hashed keys as the log has them', async () => {
    using files = new AuditFolder()
    const memory = new MemoryManager({
      audit: { path: files.path(), level: 'changes' },
      redactKeys: true,
      redactSecret: 'correct horse battery staple',
    })
    closing.push(() => memory.close())
    memory.cache('tenant').set('user:secret', 1)
    const answer = await memory.history?.state({ at: Date.now() + 1000 })
    expect(answer?.items).toMatchObject([{ key: expect.stringMatching(/^user:~/) }])
  })
})
