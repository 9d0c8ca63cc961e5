import { Worker } from 'node:worker_threads'
import { describe, expect, test, vi } from 'vitest'
import { spawnWriter } from '../../src/persist/delivery.ts'
import { AuditFolder } from '../support/audit-file.ts'
import { Run } from '../support/events.ts'
import { runScript } from '../support/script.ts'

/** A writer's thread that takes everything and never answers, as one in a file system that hangs. */
const HANGING = `require('node:worker_threads').parentPort.on('message', () => {})`

describe('the host, while its log can not be written', () => {
  test('is told that the writer does not answer, and then that it does', async () => {
    using files = new AuditFolder()
    const hanging = new Worker(HANGING, { eval: true })
    const workers = [hanging]
    const log = files.open({ spawn: (data) => workers.pop() ?? spawnWriter(data) })
    log.record(new Run('one').started())
    // Not awaited: it would wait for the writer.
    void log.flush()
    expect(log.state()).toMatchObject({ status: 'ok', pendingEvents: 1 })
    const now = performance.now()
    const later = vi.spyOn(performance, 'now').mockReturnValue(now + 11_000)
    expect(log.state()).toMatchObject({ status: 'degraded', problem: expect.stringContaining('does not answer') })
    later.mockRestore()
    expect(log.state().status).toBe('degraded')
    await hanging.terminate()
    await vi.waitFor(() => expect(log.state()).toMatchObject({ status: 'ok', acknowledgedSeq: 1 }))
    await log.close()
  })

  test('never waits for a lock that another process holds', async () => {
    using files = new AuditFolder()
    const other = files.connect()
    other.exec('begin immediate')
    const log = files.open({ maxPending: 1024 ** 2 })
    const run = new Run('one')
    log.record(run.started())
    let longest = 0
    for (let i = 0; i < 100_000; i++) {
      const event = run.event('evicted')
      const begun = performance.now()
      log.record(event)
      longest = Math.max(longest, performance.now() - begun)
    }
    const begun = performance.now()
    expect(log.state().lostEvents).toBeGreaterThan(50_000)
    longest = Math.max(longest, performance.now() - begun)
    // The lock is never given up; a pause of this machine is shorter than the two seconds that the writer waits for it.
    expect(longest).toBeLessThan(500)
    other.close()
    await log.close()
  })

  test('holds no more bytes than may wait, whatever the keys are like', async () => {
    const { code, out, err } = await runScript(
      `
      import { Worker } from 'node:worker_threads'
      import { AuditLog } from ${JSON.stringify(new URL('../../dist/persist/audit-log.js', import.meta.url).href)}
      const silent = { debug() {}, info() {}, warn() {}, error() {} }
      const spawn = () => new Worker(${JSON.stringify(HANGING)}, { eval: true })
      const maxPending = 8 * 1024 ** 2
      const retention = { maxAge: Infinity, maxSize: Infinity }
      const settings = { path: '/dev/null/muninn.db', level: 'departures', flushInterval: 5, maxPending, retention, sampleAbove: Infinity, redaction: null }
      const log = AuditLog.open(settings, silent, { spawn })
      const held = () => {
        gc()
        const { heapUsed, external } = process.memoryUsage()
        return heapUsed + external
      }
      let seq = 0
      const record = (type, fields) => log.record({ seq: ++seq, at: seq, type, ...fields })
      record('started', { runId: 'one', version: '0', seed: 1, settings: { caches: {} }, host: 'h', pid: 1, node: 'n', mayUse: {} })
      const before = held()
      const most = []
      for (const length of [1, 40, 2_000, 2_000_000]) {
        for (let i = 0; i < 40_000_000 / (length + 200); i++) {
          record('expired', { cache: 'c', key: String(i).padStart(length, length % 3 ? 'k' : 'ü'), age: 1, hits: 0, size: 10, idle: 0 })
        }
        most.push(((held() - before) / maxPending))
      }
      console.log(JSON.stringify({ most, ...log.state() }))
      process.reallyExit(0)
      `,
      ['--expose-gc'],
    )
    expect({ code, err }).toEqual({ code: 0, err: '' })
    const { most, lostEvents } = JSON.parse(out) as { most: number[]; lostEvents: number }
    expect(lostEvents).toBeGreaterThan(100_000)
    for (const share of most) expect(share).toBeLessThan(2)
  })
})
