import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import type { Worker } from 'node:worker_threads'
import { describe, expect, test, vi } from 'vitest'
import type { AuditLog } from '../../src/persist/audit-log.ts'
import { spawnWriter } from '../../src/persist/delivery.ts'
import { openHistory } from '../../src/query/history.ts'
import { AuditFolder } from '../support/audit-file.ts'
import { Run } from '../support/events.ts'

const SOON = { timeout: 15_000, interval: 10 }

async function until(log: AuditLog, status: 'ok' | 'degraded'): Promise<void> {
  await vi.waitFor(() => expect(log.state().status).toBe(status), SOON)
}

function levelsSaid(files: AuditFolder): string[] {
  return files.said.map(({ level }) => level)
}

describe('a broken audit log is a degradation', () => {
  test('where the path can not be written, until it can', async () => {
    using files = new AuditFolder()
    const folder = files.path('folder')
    writeFileSync(folder, 'in the way')
    const log = files.open({ path: `${folder}/muninn.db` })
    const run = new Run('one')
    log.record(run.started())
    await until(log, 'degraded')
    expect(log.state().problem).toContain(folder)
    for (let i = 0; i < 100; i++) log.record(run.event('evicted'))
    expect(log.state().pendingEvents).toBe(101)
    rmSync(folder)
    await until(log, 'ok')
    log.record(run.event('stopped'))
    await log.close()
    expect(log.state()).toMatchObject({ writtenEvents: 102, lostEvents: 0 })
    expect(files.rows('select count(*) as n from evictions', `${folder}/muninn.db`)).toEqual([{ n: 100 }])
    expect(levelsSaid(files)).toEqual(['warn', 'info'])
  })

  test('where the database is newer than the code, and nothing in it is touched', async () => {
    using files = new AuditFolder()
    const first = files.open()
    first.record(new Run('older').started())
    await first.close()
    const database = files.connect()
    database.pragma('user_version = 9999')
    database.pragma('journal_mode = DELETE')
    database.close()
    const before = readFileSync(files.path())
    const log = files.open()
    expect(log.state().problem).toContain('newer than this Muninn')
    log.record(new Run('one').started())
    await log.close()
    expect(log.state()).toMatchObject({ status: 'closed', lostEvents: 1, writtenEvents: 0 })
    expect(readFileSync(files.path()).equals(before)).toBe(true)
    expect(existsSync(`${files.path()}-wal`)).toBe(false)
    const history = openHistory(files.path())
    await expect(history.runs()).rejects.toThrow(/schema has version 9999, newer/)
    await history.close()
  })

  test('where a newer Muninn migrates it meanwhile: this one writes nothing more to it', async () => {
    using files = new AuditFolder()
    const log = files.open()
    const run = new Run('one')
    log.record(run.started())
    await log.flush()
    const newer = files.connect()
    const version = newer.pragma('user_version', { simple: true })
    newer.pragma('user_version = 9999')
    log.record(run.event('evicted'))
    await until(log, 'degraded')
    expect(log.state().problem).toContain('newer than this Muninn')
    expect(files.rows('select last_seq from runs')).toEqual([{ last_seq: 1 }])
    newer.pragma(`user_version = ${version}`)
    newer.close()
    await until(log, 'ok')
    await log.close()
    expect(files.rows('select last_seq from runs')).toEqual([{ last_seq: 2 }])
  })

  test("where the database is another application's", async () => {
    using files = new AuditFolder()
    const database = files.connect()
    database.exec('create table invoices (id integer)')
    database.close()
    const log = files.open()
    log.record(new Run('one').started())
    await log.close()
    expect(log.state().problem).toContain('another application')
    expect(files.rows('select name from sqlite_schema')).toEqual([{ name: 'invoices' }])
  })

  test('where another took its run for dead: the mark goes with its next batch', async () => {
    using files = new AuditFolder()
    const log = files.open()
    const run = new Run('one')
    log.record(run.started())
    await log.flush()
    const other = files.connect()
    other.exec("update runs set host = 'another container', last_at = 1000")
    const successor = files.open()
    successor.record(new Run('two').started())
    await successor.close()
    const marks = "select run_id, first_seq, reason from gaps where reason = 'crash'"
    expect(files.rows(marks)).toEqual([{ run_id: 1, first_seq: 2, reason: 'crash' }])
    other.exec(`update runs set host = '${hostname()}' where id = 1`)
    other.close()
    const history = openHistory(files.path())
    expect((await history.runs({ run: 'one' })).items).toMatchObject([{ state: 'crashed' }])
    log.record(run.event('evicted'))
    await log.flush()
    expect((await history.runs({ run: 'one' })).items).toMatchObject([{ state: 'running' }])
    expect(files.rows(marks)).toEqual([])
    await log.close()
    await history.close()
  })

  test('where the writer dies: another takes over, and nothing is lost or written twice', async () => {
    using files = new AuditFolder()
    const workers: Worker[] = []
    const log = files.open({
      spawn: (data) => {
        const worker = spawnWriter(data)
        workers.push(worker)
        return worker
      },
    })
    const run = new Run('one')
    log.record(run.started())
    await log.flush()
    for (let i = 0; i < 5_000; i++) log.record(run.event('evicted'))
    await workers[0]?.terminate()
    await until(log, 'ok')
    await log.flush()
    await workers.at(-1)?.terminate()
    for (let i = 0; i < 100; i++) log.record(run.event('evicted'))
    // Without waiting for the backoff, nor for the news of the death.
    await log.close()
    expect(log.state()).toMatchObject({ writtenEvents: 5_101, lostEvents: 0, pendingEvents: 0 })
    expect(files.rows('select evicted_items as n, lost_events as lost from runs')).toEqual([{ n: 5_100, lost: 0 }])
    expect(files.rows('select count(*) as n from evictions')).toEqual([{ n: 5_100 }])
    expect(files.rows('select * from gaps')).toEqual([])
  })

  test('where no thread can be started', async () => {
    using files = new AuditFolder()
    const log = files.open({
      spawn: () => {
        throw new Error('no more threads')
      },
    })
    log.record(new Run('one').started())
    await until(log, 'degraded')
    expect(log.state().problem).toContain('no more threads')
    await log.close()
    expect(log.state()).toMatchObject({ status: 'closed', lostEvents: 1, pendingEvents: 0 })
  })

  test('where another process keeps the file locked for longer than it waits', async () => {
    using files = new AuditFolder()
    const log = files.open()
    const run = new Run('one')
    log.record(run.started())
    await log.flush()
    const other = files.connect()
    other.exec('begin immediate')
    log.record(run.event('evicted'))
    await until(log, 'degraded')
    expect(log.state().problem).toContain('locked')
    other.exec('rollback')
    other.close()
    await until(log, 'ok')
    await log.close()
    expect(files.rows('select count(*) as n from evictions')).toEqual([{ n: 1 }])
  })

  test('where the file is deleted while it runs: the next file says what is not in it', async () => {
    using files = new AuditFolder()
    const log = files.open()
    const run = new Run('one')
    log.record(run.started())
    log.record(run.event('evicted'))
    await log.flush()
    for (const suffix of ['', '-wal', '-shm']) rmSync(files.path() + suffix, { force: true })
    run.at = 5_000
    log.record(run.event('evicted'))
    await log.close()
    expect(files.rows('select run from runs')).toEqual([{ run: 'one' }])
    expect(files.rows('select seq from evictions')).toEqual([{ seq: 3 }])
    expect(files.rows('select first_seq, last_seq, lost, reason from gaps')).toEqual([
      { first_seq: 1, last_seq: 2, lost: null, reason: 'elsewhere' },
    ])
  })

  test('where rows are refused by the database: they become a gap, and the rest goes on', async () => {
    using files = new AuditFolder()
    const log = files.open()
    const run = new Run('one')
    log.record(run.started())
    await log.flush()
    log.record(run.event('evicted', { size: 1.5 }))
    await log.flush()
    log.record(run.event('evicted'))
    await log.close()
    expect(log.state()).toMatchObject({ writtenEvents: 2, lostEvents: 1 })
    expect(files.rows('select seq from evictions')).toEqual([{ seq: 3 }])
    expect(files.rows('select first_seq, last_seq, lost, reason from gaps')).toEqual([
      { first_seq: 2, last_seq: 2, lost: 1, reason: 'unwritable' },
    ])
  })
})

describe('what there is no room for', () => {
  test('is a gap with its range and count, between batches that stay contiguous, and the totals stay exact', async () => {
    using files = new AuditFolder()
    mkdirSync(files.path())
    const log = files.open({ maxPending: 20_000 })
    const run = new Run('one')
    log.record(run.started())
    for (let i = 0; i < 1_000; i++) log.record(run.event('evicted', { size: 2 }))
    const { lostEvents, pendingEvents } = log.state()
    expect(lostEvents).toBeGreaterThan(800)
    expect(lostEvents + pendingEvents).toBe(1_001)
    await until(log, 'degraded')
    rmSync(files.path(), { recursive: true })
    await until(log, 'ok')
    log.record(run.event('evicted', { size: 2 }))
    log.record(run.event('stopped'))
    await log.close()
    expect(log.state()).toMatchObject({ lostEvents, writtenEvents: 1_003 - lostEvents })
    expect(files.rows('select evicted_items as n, evicted_bytes as bytes, lost_events as lost from runs')).toEqual([
      { n: 1_001, bytes: 2_002, lost: lostEvents },
    ])
    const spans = files.rows<{ first_seq: number; last_seq: number }>(
      'select first_seq, last_seq from batches union all select first_seq, last_seq from gaps order by 1',
    )
    let covered = 0
    for (const span of spans) {
      expect(span.first_seq).toBe(covered + 1)
      covered = span.last_seq
    }
    expect(covered).toBe(run.seq)
    const history = openHistory(files.path())
    expect((await history.evictions()).incomplete).toContain(`${lostEvents} events between`)
    expect((await history.runs()).items).toMatchObject([{ lostEvents }])
    await history.close()
  })

  test('is what a synchronous burst of a hundred thousand events does not run into', async () => {
    using files = new AuditFolder()
    const log = files.open()
    const run = new Run('one')
    log.record(run.started())
    for (let i = 0; i < 100_000; i++) log.record(run.event('evicted'))
    await log.close()
    expect(log.state()).toMatchObject({ lostEvents: 0, writtenEvents: 100_001 })
  })
})
