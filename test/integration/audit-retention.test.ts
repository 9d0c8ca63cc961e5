import { statSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { openForReading } from '../../src/persist/reader.ts'
import { evictions } from '../../src/query/evictions.ts'
import { warnings } from '../../src/query/warnings.ts'
import { timeInWords } from '../../src/query/words.ts'
import { AuditFolder } from '../support/audit-file.ts'
import { WrittenRun } from '../support/audit-run.ts'
import { Run } from '../support/events.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const MB = 1024 ** 2

/** Evictions of different keys, and time going by between them. */
function evict(run: WrittenRun, count: number, over: number): void {
  const rowsABatch = over > HOUR ? 20 : 512
  for (let i = 0; i < count; i++) {
    run.passTo(run.at + over / count)
    run.tell('evicted', { key: `${i % 7}:${run.seq}`, size: 3 })
    if (i % rowsABatch === 0) run.write()
    if (i % (2 * rowsABatch) === 0) run.keepUp()
  }
  run.write()
  run.keepUp()
}

function countOf(files: AuditFolder, table: string): number {
  return files.rows<{ n: number }>(`select count(*) as n from ${table}`)[0]?.n ?? 0
}

describe('retention', () => {
  test('by a run whose clock is ahead takes no rows of others', () => {
    using files = new AuditFolder()
    using other = new WrittenRun('other', { path: files.path() }, Date.now() - HOUR)
    other.tell('evicted', { key: 'of the other' })
    other.stop()
    const retention = { maxAge: '2d' }
    using ahead = new WrittenRun('ahead', { path: files.path(), retention }, Date.now() + 1_000 * DAY)
    ahead.tell('evicted', { key: 'of its own' })
    ahead.write()
    ahead.passTo(ahead.at + 10 * DAY)
    ahead.tell('evicted', { key: 'later' })
    ahead.write()
    ahead.keepUp()
    expect(files.rows('select key from evictions order by run_id, seq')).toEqual([
      { key: 'of the other' },
      { key: 'of its own' },
      { key: 'later' },
    ])
    expect(files.rows('select * from horizons')).toEqual([])
  })

  test('takes rows about single entries when they are too old, and keeps what explains and counts them', () => {
    using files = new AuditFolder()
    using run = new WrittenRun('one', { path: files.path(), retention: { maxAge: '2d' } })
    run.tell('configured')
    run.tell('warned')
    evict(run, 3_000, 10 * DAY)
    const oldest = files.rows<{ at: number }>('select min(at) as at from evictions')[0]?.at ?? 0
    // A segment goes as a whole, when its newest row is too old.
    expect(run.at - oldest).toBeGreaterThan(2 * DAY - HOUR)
    expect(run.at - oldest).toBeLessThan(2 * DAY + 2 * HOUR)
    expect(countOf(files, 'key_index k left join segments s on s.id = k.segment where s.id is null')).toBe(0)
    expect(files.rows(`select count(*) as n from events where type in ('started', 'configured', 'warned')`)).toEqual([
      { n: 3 },
    ])
    expect(files.rows('select sum(count) as n, sum(bytes) as bytes from rollups')).toEqual([{ n: 3_000, bytes: 9_000 }])
    expect(files.rows('select evicted_items as n from runs')).toEqual([{ n: 3_000 }])
    const [horizon] = files.rows<{ kind: string; at: number; seq: number }>('select kind, at, seq from horizons')
    expect(horizon?.kind).toBe('departures')
    expect(files.rows('select min(seq) as seq from evictions')).toEqual([{ seq: (horizon?.seq ?? 0) + 1 }])
    expect(horizon?.at).toBeLessThan(oldest)
    const database = openForReading(files.path(), 1_000)
    const since = (horizon?.at ?? 0) + 1
    const said = `before ${timeInWords(horizon?.at ?? 0)}: no record (retention)`
    expect(evictions(database, { secretId: null }).incomplete).toContain(said)
    expect(evictions(database, { secretId: null, since }).incomplete ?? '').not.toContain('retention')
    expect(warnings(database, {}).incomplete ?? '').not.toContain('retention')
    database.close()
  })

  test('keeps the file below its limit while a cache thrashes, and what happened before', () => {
    using files = new AuditFolder()
    using run = new WrittenRun('one', { path: files.path(), retention: { maxSize: '4MB' }, sampleAbove: 1e9 })
    run.tell('configured')
    run.tell('warned')
    let most = 0
    for (let round = 0; round < 20; round++) {
      evict(run, 5_000, 1_000)
      most = Math.max(most, statSync(files.path()).size)
    }
    expect(most).toBeLessThanOrEqual(4 * MB)
    expect(most).toBeGreaterThan(3 * MB)
    const kept = countOf(files, 'evictions')
    expect(kept).toBeGreaterThan(10_000)
    expect(files.rows('select max(seq) as seq from evictions')).toEqual([{ seq: run.seq }])
    expect(files.rows('select sum(count) as n from rollups')).toEqual([{ n: 100_000 }])
    expect(files.rows('select type from events order by seq')).toEqual([
      { type: 'started' },
      { type: 'configured' },
      { type: 'warned' },
    ])
    expect(files.rows('pragma integrity_check')).toEqual([{ integrity_check: 'ok' }])
  })

  test('is kept by the writer’s thread while it writes', async () => {
    using files = new AuditFolder()
    const log = files.open({ retention: { maxSize: '2MB' }, sampleAbove: Number.POSITIVE_INFINITY })
    const run = new Run('one')
    log.record(run.started())
    for (let i = 0; i < 60_000; i++) log.record(run.event('evicted', { key: `k${i}`, size: 3 }))
    log.record(run.event('stopped'))
    await log.close()
    expect(log.state()).toMatchObject({ lostEvents: 0, problem: null })
    expect(statSync(files.path()).size).toBeLessThanOrEqual(2 * MB)
    expect(countOf(files, 'evictions')).toBeGreaterThan(4_000)
    expect(files.rows('select sum(count) as n from rollups')).toEqual([{ n: 60_000 }])
    expect(files.said).toEqual([])
  })

  test('makes a file smaller where the limit is lowered', () => {
    using files = new AuditFolder()
    using large = new WrittenRun('large', { path: files.path(), retention: { maxSize: '32MB' }, sampleAbove: 1e9 })
    evict(large, 60_000, 1_000)
    large.stop()
    large.writer.close()
    expect(statSync(files.path()).size).toBeGreaterThan(8 * MB)
    using small = new WrittenRun('small', { path: files.path(), retention: { maxSize: '2MB' } }, large.at)
    small.write()
    small.keepUp()
    small.writer.close()
    expect(statSync(files.path()).size).toBeLessThanOrEqual(2 * MB)
    expect(files.rows('select run from runs order by id')).toEqual([{ run: 'large' }, { run: 'small' }])
  })

  test.each([
    ['samples', 'checked', 4_000],
    ['cycles', 'cycle-continued', 8_000],
  ] as const)('gives %s their own share, whose oldest go, and nothing else', (kind, type, count) => {
    using files = new AuditFolder()
    using run = new WrittenRun('one', { path: files.path(), retention: { maxSize: '2MB' } })
    run.tell('configured')
    run.tell('cycle-started')
    if (kind === 'cycles') run.tell('checked')
    evict(run, 100, 1_000)
    for (let i = 0; i < count; i++) {
      run.passTo(run.at + 30_000)
      run.tell(type)
      if (i % 500 === 0) run.keepUp()
    }
    run.write()
    run.keepUp()
    const share = kind === 'samples' ? 1 / 8 : 1 / 16
    const [size] = files.rows<{ bytes: number; n: number }>(
      `select bytes, row_count as n from sizes where kind = '${kind}'`,
    )
    expect(size?.bytes).toBeLessThanOrEqual(2 * MB * share)
    expect(size?.bytes).toBeGreaterThan(MB * share)
    expect(countOf(files, `events where type = '${type}'`)).toBeLessThanOrEqual(size?.n ?? 0)
    expect(countOf(files, 'evictions')).toBe(100)
    expect(countOf(files, `events where type in ('started', 'configured')`)).toBe(2)
    expect(countOf(files, `horizons where kind = '${kind}'`)).toBe(1)
    expect(countOf(files, 'horizons')).toBe(1)
  })

  test('merges counts by the minute into counts by the hour when they are old, and drops them when they are very old', () => {
    using files = new AuditFolder()
    using run = new WrittenRun('one', { path: files.path(), retention: { maxAge: '1d' } })
    for (let hour = 0; hour < 60; hour++) {
      for (let i = 0; i < 12; i++) {
        run.passTo(run.at + HOUR / 12)
        run.tell('evicted', { key: `p${i % 3}:x`, size: 2 ** i, age: 3 ** i })
        run.tell('expired', { cache: 'mimir' })
        run.tell('checked', { bytes: i, caches: [] })
      }
    }
    run.write()
    const sums = `select type, prefix, sum(count) as n, sum(bytes) as bytes, sum(age) as age from rollups
      group by type, prefix order by type, prefix`
    const spread = 'select measure, bucket, sum(count) as n from histograms group by measure, bucket'
    const before = [files.rows(sums), files.rows(spread)]
    run.keepUp()
    expect([files.rows(sums), files.rows(spread)]).toEqual(before)
    for (const table of ['rollups', 'histograms', 'usage']) {
      const [old, young] = files.rows<{ span: number; n: number; last: number }>(
        `select span, count(*) as n, max(from_at) as last from ${table} group by span order by span desc`,
      )
      expect(old).toMatchObject({ span: HOUR })
      expect(young).toMatchObject({ span: 60_000 })
      expect(run.at - (old?.last ?? 0)).toBeGreaterThan(DAY)
      expect(run.at - (old?.last ?? 0)).toBeLessThanOrEqual(DAY + 2 * HOUR)
    }
    expect(files.rows(`select distinct bytes, most_bytes from usage where span = ${HOUR} and from_at > 0`)).toEqual([
      // The last check of each hour, and the most of it.
      { bytes: 10, most_bytes: 11 },
    ])
    run.passTo(run.at + 11 * DAY)
    run.tell('checked')
    run.write()
    run.keepUp()
    expect(files.rows(`select min(from_at) as at from rollups`)[0]).toEqual({ at: 36 * HOUR })
  })

  test('keeps a recording of nothing but reads below its limit', () => {
    using files = new AuditFolder()
    using run = new WrittenRun('one', { path: files.path(), level: 'all', retention: { maxSize: '1MB' } })
    for (let i = 0; i < 200_000; i++) {
      run.tell('accessed', { key: `k${(i * 7919) % 10_007}`, age: i * 31 })
      if (i % 5_000 === 0) run.keepUp()
    }
    run.write()
    run.keepUp()
    expect(statSync(files.path()).size).toBeLessThanOrEqual(1.1 * MB)
    expect(files.rows<{ last: number }>('select max(last_seq) as last from blocks')[0]?.last).toBe(run.seq)
    expect(countOf(files, 'blocks')).toBeGreaterThan(20)
    expect(countOf(files, `horizons where kind = 'departures'`)).toBe(1)
  })

  test('counts the traffic of many caches among what may take a quarter', () => {
    using files = new AuditFolder()
    using run = new WrittenRun('one', { path: files.path(), retention: { maxSize: '4MB' } })
    const caches = Array.from({ length: 50 }, (_, i) => ({
      cache: `cache ${i}`,
      items: 1,
      bytes: 1,
      hits: 1,
      misses: 0,
      bytesAdded: 0,
      writers: [],
      curve: null,
    }))
    for (let minute = 0; minute < 600; minute++) {
      run.passTo(run.at + 60_000)
      run.tell('checked', { caches })
      run.tell('evicted')
      run.write()
      run.keepUp()
    }
    // Two hours by the minute stay in any case.
    expect(countOf(files, 'usage')).toBeLessThan(10_500)
    expect(files.rows('select sum(count) as n from rollups')).toEqual([{ n: 600 }])
    expect(countOf(files, 'evictions')).toBe(600)
  })

  test('takes starts and settings last, whatever else of their kind there is', () => {
    using files = new AuditFolder()
    using run = new WrittenRun('one', { path: files.path(), retention: { maxSize: '2MB' } })
    for (let i = 0; i < 4_000; i++) {
      if (i % 400 === 0) run.tell('configured')
      run.tell('warned')
      if (i % 100 === 0) run.keepUp()
    }
    run.write()
    run.keepUp()
    expect(countOf(files, `horizons where kind = 'general'`)).toBe(1)
    expect(countOf(files, `events where type in ('started', 'configured')`)).toBe(11)
  })

  test('forgets a run when all of it is too old, its settings last', () => {
    using files = new AuditFolder()
    const retention = { maxAge: '1d' }
    using old = new WrittenRun('old', { path: files.path(), level: 'changes', retention })
    old.tell('configured')
    old.tell('added', { key: 'stays' })
    evict(old, 100, HOUR)
    old.stop()
    using next = new WrittenRun('next', { path: files.path(), retention }, old.at + 11 * DAY)
    next.write()
    next.keepUp()
    expect(files.rows('select run from runs order by id')).toEqual([{ run: 'old' }, { run: 'next' }])
    expect(countOf(files, 'evictions')).toBe(0)
    expect(countOf(files, 'carried')).toBe(0)
    expect(countOf(files, `events where type = 'configured'`)).toBe(1)
    next.passTo(next.at + 2 * DAY)
    next.tell('checked')
    next.write()
    next.keepUp()
    expect(files.rows('select run from runs order by id')).toEqual([{ run: 'next' }])
    for (const table of ['evictions', 'segments', 'key_index', 'gaps', 'horizons', 'rollups']) {
      expect([table, countOf(files, table)]).toEqual([table, 0])
    }
    expect(files.rows('pragma foreign_key_check')).toEqual([])
  })
})
