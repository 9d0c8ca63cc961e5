import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { EVENT_TYPES } from '../../src/event/catalogue.ts'
import { openForReading } from '../../src/persist/reader.ts'
import { openHistory } from '../../src/query/history.ts'
import { recording } from '../../src/query/recording.ts'
import { AuditFolder } from '../support/audit-file.ts'
import { Run } from '../support/events.ts'

describe('an audit log', () => {
  test('has everything that was recorded on disk when close() resolves', async () => {
    using files = new AuditFolder()
    const log = files.open()
    const run = new Run('one')
    log.record(run.started())
    for (let i = 0; i < 2_000; i++) log.record(run.event('evicted', { key: `k${i}`, size: 3 }))
    log.record(run.event('warned'))
    log.record(run.event('stopped'))
    const last = run.seq
    await log.close()
    expect(log.state()).toMatchObject({
      status: 'closed',
      problem: null,
      writtenEvents: 2_003,
      pendingEvents: 0,
      lostEvents: 0,
      acknowledgedSeq: last,
    })
    expect(files.rows('select count(*) as n, sum(size) as size from evictions')).toEqual([{ n: 2_000, size: 6_000 }])
    expect(files.rows('select run, stop_reason, evicted_items, evicted_bytes, warnings, last_seq from runs')).toEqual([
      { run: 'one', stop_reason: 'close', evicted_items: 2_000, evicted_bytes: 6_000, warnings: 1, last_seq: last },
    ])
    expect(files.said).toEqual([])
    await log.close()
  })

  test('covers every seq by batches, also those that the level does not keep', async () => {
    using files = new AuditFolder()
    const log = files.open()
    const run = new Run('one')
    log.record(run.started())
    for (let i = 0; i < 3_000; i++) {
      const event = run.event(i % 3 === 0 ? 'expired' : 'accessed')
      if (log.types.includes(event.type)) log.record(event)
    }
    log.record(run.event('stopped'))
    await log.close()
    const batches = files.rows<{ first_seq: number; last_seq: number; row_count: number }>('select * from batches')
    expect(batches.length).toBeGreaterThan(1)
    let covered = 0
    for (const batch of batches) {
      expect(batch.first_seq).toBe(covered + 1)
      covered = batch.last_seq
    }
    expect(covered).toBe(run.seq)
    expect(batches.reduce((sum, batch) => sum + batch.row_count, 0)).toBe(1_002)
  })

  test.each(['departures', 'changes', 'all'] as const)(
    'at level %s keeps each of its types of event',
    async (level) => {
      using files = new AuditFolder()
      const log = files.open({ level })
      const run = new Run('one')
      log.record(run.started())
      for (const type of EVENT_TYPES) {
        if (type !== 'started' && type !== 'stopped' && log.types.includes(type)) log.record(run.event(type))
      }
      log.record(run.event('stopped'))
      await log.close()
      const database = openForReading(files.path(), 1_000)
      const kept = [...recording(database, 1)]
      database.close()
      expect(kept.map(({ type }) => type).sort()).toEqual([...log.types].sort())
      expect(log.types.includes('added')).toBe(level !== 'departures')
      expect(log.types.includes('accessed')).toBe(level === 'all')
      expect(log.types.includes('missed')).toBe(level === 'all')
    },
  )

  test('has peaks and totals of earlier runs when it is opened again', async () => {
    using files = new AuditFolder()
    for (const [index, value] of [700_000, 500_000].entries()) {
      const log = files.open()
      const run = new Run(`run ${index}`)
      log.record(run.started())
      log.record(run.event('peaked', { value, peakedAt: 1_500 + index }))
      log.record(run.event('peaked', { metric: 'items', value: 40 + index }))
      log.record(run.event('cycle-started', { bytes: 1, items: 1 }))
      log.record(run.event('evicted', { size: 25 }))
      log.record(run.event('evicted', { size: 5 }))
      log.record(run.event('warned', { bytes: 1 }))
      log.record(run.event('warned', { level: 'recovered', bytes: 1 }))
      log.record(run.event('stopped'))
      await log.close()
    }
    const log = files.open()
    expect(log.earlier).toEqual({
      runs: 2,
      peakMemoryBytes: 700_000,
      peakMemoryAt: 1_500,
      peakItems: 41,
      evictionCount: 2,
      evictedItems: 4,
      evictedBytes: 60,
      memoryWarnings: 2,
    })
    await log.close()
  })

  test('marks the eviction that a miss regrets, once', async () => {
    using files = new AuditFolder()
    const log = files.open()
    const run = new Run('one')
    log.record(run.started())
    log.record(run.event('evicted'))
    const regret = run.seq
    await log.flush()
    run.at = 2_000
    log.record(run.event('missed', { regret, firstRegret: true }))
    run.at = 3_000
    log.record(run.event('missed', { regret }))
    await log.close()
    expect(files.rows('select seq, missed_at from evictions')).toEqual([{ seq: regret, missed_at: 2_000 }])
  })

  test('shares one file with another log that writes at the same time', async () => {
    using files = new AuditFolder()
    const logs = ['a', 'b'].map((id) => ({ log: files.open(), run: new Run(id) }))
    for (const { log, run } of logs) log.record(run.started())
    for (let i = 0; i < 3_000; i++) {
      for (const { log, run } of logs) log.record(run.event('evicted', { key: `${run.id}${i}` }))
    }
    await Promise.all(logs.map(({ log }) => log.close()))
    expect(files.rows('select run, evicted_items as n from runs order by run')).toEqual([
      { run: 'a', n: 3_000 },
      { run: 'b', n: 3_000 },
    ])
    expect(files.rows('select count(*) as n from evictions')).toEqual([{ n: 6_000 }])
    expect(files.said).toEqual([])
  })

  test('keeps hostile keys and numbers apart and whole', async () => {
    using files = new AuditFolder()
    const keys = [
      '',
      '__proto__',
      'a\u0000b',
      "'; drop table runs; --",
      '\ud800',
      '\udfff',
      '💾'.repeat(100),
      'x'.repeat(65_536),
    ]
    const log = files.open()
    const run = new Run('one')
    log.record(run.started())
    for (const key of keys) log.record(run.event('evicted', { key, cost: 1e300, score: Number.NEGATIVE_INFINITY }))
    await log.close()
    const history = openHistory(files.path())
    for (const key of keys) {
      const found = await history.evictions({ key })
      // Half a character has no UTF-8: it is kept as its replacement, and found by itself all the same, with its like.
      expect(found.items).toHaveLength(key.isWellFormed() ? 1 : 2)
      expect(found.items[0]?.key).toBe(key.toWellFormed())
      expect((await history.explain(key)).verdict).toBe('evicted')
    }
    await history.close()
  })

  test('leaves a file that any SQLite can read, with the schema version of its newest migration', async () => {
    using files = new AuditFolder()
    const log = files.open()
    log.record(new Run('one').started())
    await log.close()
    expect(files.rows('pragma user_version')).toEqual([{ user_version: 2 }])
    expect(files.rows('pragma auto_vacuum')).toEqual([{ auto_vacuum: 2 }])
    expect(files.rows('pragma integrity_check')).toEqual([{ integrity_check: 'ok' }])
    expect(files.rows('pragma foreign_key_check')).toEqual([])
    expect(readFileSync(files.path()).subarray(0, 15).toString()).toBe('SQLite format 3')
  })
})
