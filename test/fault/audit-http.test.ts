import { closeSync, mkdirSync, openSync, rmdirSync, writeSync } from 'node:fs'
import { describe, expect, test, vi } from 'vitest'
import { ask, testService } from '../integration/http-support.ts'
import { AuditFolder } from '../support/audit-file.ts'
import { Run } from '../support/events.ts'

const SOON = { timeout: 15_000, interval: 20 }

describe('a service whose log is in trouble', () => {
  test('is ready and degraded, says what is lost, and that it is over', async () => {
    using files = new AuditFolder()
    mkdirSync(files.path())
    const audit = { path: files.path(), flushInterval: 5, maxPending: '20KB' } as const
    const service = await testService({ memory: { maxItems: 1, audit } })
    const health = async () => (await ask(service.port, { path: '/readyz' })).json()
    for (let i = 0; i < 1_000; i++) service.memory.cache('general').set(`key:${i}`, i)
    await vi.waitFor(async () => expect(await health()).toMatchObject({ status: 'degraded' }), SOON)
    expect(await ask(service.port, { path: '/readyz' })).toMatchObject({ status: 200 })
    expect(await ask(service.port, { path: '/livez' })).toMatchObject({ status: 200 })
    const { audit: told } = (await health()) as { audit: { problem: string; lost_events: number } }
    expect(told.problem).not.toBeNull()
    expect(told.lost_events).toBeGreaterThan(500)
    expect((await ask(service.port, { path: '/api/cache/memory' })).json()).toMatchObject({
      audit: { status: 'degraded', problem: told.problem, lost_events: told.lost_events, set_aside: null },
    })
    rmdirSync(files.path())
    await vi.waitFor(async () => expect(await health()).toMatchObject({ status: 'ok', audit: { problem: null } }), SOON)
    const { incomplete } = (await ask(service.port, { path: '/api/audit/evictions' })).json()
    expect(incomplete).toContain(`${told.lost_events} events between`)
    await service.close()
  })

  test('says where it set a damaged file aside', async () => {
    using files = new AuditFolder()
    const log = files.open()
    log.record(new Run('first').started())
    await log.close()
    const file = openSync(files.path(), 'r+')
    writeSync(file, 'garbage')
    closeSync(file)
    const service = await testService({ memory: { audit: files.path() } })
    await vi.waitFor(
      async () =>
        expect((await ask(service.port, { path: '/readyz' })).json()).toMatchObject({
          status: 'ok',
          audit: { set_aside: expect.stringContaining('muninn.db.corrupt-') },
        }),
      SOON,
    )
    await service.close()
  })
})
