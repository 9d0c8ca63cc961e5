import { describe, expect, test } from 'vitest'
import { placeOfKey } from '../../src/base/key-share.ts'
import { openForReading } from '../../src/persist/reader.ts'
import { Sampling } from '../../src/persist/sampling.ts'
import { evictions } from '../../src/query/evictions.ts'
import { explain } from '../../src/query/explain.ts'
import { AuditFolder } from '../support/audit-file.ts'
import { WrittenRun } from '../support/audit-run.ts'

const SECOND = 1_000
const MINUTE = 60 * SECOND

/** Departures at a rate a second, for so many ms. */
function depart(run: WrittenRun, rate: number, time: number): void {
  for (let i = 0; i < (rate * time) / SECOND; i++) {
    run.passTo(run.at + SECOND / rate)
    run.tell(i % 5 === 0 ? 'expired' : 'evicted', { key: `k${run.seq % 1_000}`, size: 10 })
    if (i % rate === 0) run.write()
  }
  run.write()
}

describe('sampling', () => {
  test.each([
    [1, 999, 1],
    [1, 1_100, 1 / 2],
    [1, 4_000, 1 / 4],
    [1, 100_000, 1 / 128],
    [1 / 2, 1_500, 1 / 2],
    [1 / 2, 5_000, 1 / 8],
    [1 / 8, 900, 1 / 4],
    [1 / 2, 400, 1],
  ])('from share %d at %d departures a second goes to %d, in a little over a minute', (share, rate, wanted) => {
    const sampling = new Sampling(1_000, share)
    for (let at = 0; at <= MINUTE; at += SECOND) {
      expect(sampling.share).toBe(share)
      sampling.count(at + 5, rate)
    }
    sampling.count(MINUTE + 10 * SECOND, 0)
    expect(sampling.share).toBe(wanted)
  })

  test('lets a burst of less than a minute pass, and goes back to all keys when nothing happens', () => {
    const sampling = new Sampling(1_000, 1)
    for (let at = 0; at < 10 * MINUTE; at += SECOND) sampling.count(at, at % MINUTE < 50 * SECOND ? 5_000 : 10)
    expect(sampling.share).toBe(1)
    const small = new Sampling(1_000, 2 ** -20)
    small.count(0, 1)
    small.count(24 * 60 * MINUTE, 1)
    expect(small.share).toBe(1)
  })

  test('keeps the rows of a share of the keys, whole, counts everything, and says so', () => {
    using files = new AuditFolder()
    using run = new WrittenRun('one', { path: files.path(), sampleAbove: 20 })
    depart(run, 100, 3 * MINUTE)
    const told = run.seq - 1
    const share = run.writer.share
    expect(share).toBe(1 / 8)
    const thrashed = run.at
    depart(run, 1, 10 * MINUTE)
    expect(run.writer.share).toBe(1)
    run.stop()

    const samplings = files.rows<{ seq: number; at: number; share: number }>('select seq, at, share from samplings')
    expect(samplings.map(({ share }) => share)).toEqual([1 / 8, 1 / 4, 1 / 2, 1])
    const [begun, doubled] = samplings
    expect(begun?.at).toBeGreaterThanOrEqual(MINUTE)
    expect(begun?.at).toBeLessThan(MINUTE + 25 * SECOND)
    expect(doubled?.at).toBeGreaterThan(thrashed)
    const kept = files.rows<{ key: string; seq: number }>(
      'select key, seq from evictions union all select key, seq from key_events order by seq',
    )
    const seqs = new Set(kept.map(({ seq }) => seq))
    for (const event of run.events) {
      if (!('key' in event)) continue
      const shareThen = samplings.findLast(({ seq }) => seq <= event.seq)?.share ?? 1
      expect(seqs.has(event.seq)).toBe(placeOfKey(event.key) < shareThen)
    }
    expect(files.rows('select sum(count) as n, sum(bytes) as bytes from rollups')).toEqual([
      { n: told + 600, bytes: (told + 600) * 10 },
    ])
    expect(files.rows('select sum(row_count) as n from batches')).toEqual([{ n: kept.length + 2 }])

    const database = openForReading(files.path(), 1_000)
    const keptKey = kept.find(({ seq, key }) => seq > (begun?.seq ?? 0) && placeOfKey(key) < 1 / 8)?.key ?? ''
    const lostKey = Array.from({ length: 1_000 }, (_, i) => `k${i}`).find((key) => placeOfKey(key) > 1 / 2) ?? ''
    const said = /rows were kept of 1 key in 8 or more only \(sampling: too many departures; counts are exact\)/
    const asked = { secretId: null }
    expect(evictions(database, asked).incomplete).toMatch(said)
    expect(evictions(database, { ...asked, since: run.at - 100 }).incomplete).toBeNull()
    expect(evictions(database, { ...asked, until: begun?.at ?? 0 }).incomplete).toBeNull()
    expect(evictions(database, { ...asked, keys: [keptKey] }).incomplete).toBeNull()
    expect(evictions(database, { ...asked, keys: [lostKey] }).incomplete).toMatch(/not always kept \(sampling/)
    expect(explain(database, { ...asked, key: lostKey, keys: [lostKey] }).incomplete).toMatch(/not always kept/)
    database.close()
  })

  test.each(['changes', 'all'] as const)('never happens at level %s', (level) => {
    using files = new AuditFolder()
    using run = new WrittenRun('one', { path: files.path(), level, sampleAbove: 1 })
    depart(run, 20, 3 * MINUTE)
    expect(run.writer.share).toBe(1)
    expect(files.rows('select count(*) as n from samplings')).toEqual([{ n: 0 }])
  })

  test('is logged once per change, and shown in the state', async () => {
    using files = new AuditFolder()
    const log = files.open({ sampleAbove: 100 })
    const run = new WrittenRun('told', { path: files.path('unused.db') })
    depart(run, 800, 1.4 * MINUTE)
    for (const event of run.events) log.record(event)
    await log.close()
    expect(log.state().sampledShare).toBe(1 / 8)
    expect(files.said.map(({ level, message }) => [level, message])).toEqual([
      ['warn', 'audit log: more than 100 departures a second: rows are kept of 1 key in 8; counts stay exact'],
    ])
  })
})
