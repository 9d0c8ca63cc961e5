import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { openHistory } from '../../src/query/history.ts'
import { AuditFolder } from '../support/audit-file.ts'
import { Run } from '../support/events.ts'

const VERSION_1 = readFileSync(new URL('../fixtures/audit-v1.sql', import.meta.url), 'utf8')

function oldLog(files: AuditFolder): void {
  const database = files.connect()
  database.pragma('journal_mode = WAL')
  database.exec(VERSION_1)
  database.close()
}

/** A run after those of the file, well within their retention. */
function later(): Run {
  const run = new Run('new')
  run.at = 1_700_100_000_000
  return run
}

async function answersOf(files: AuditFolder) {
  const history = openHistory(files.path())
  const then = { until: 1_700_050_000_000 }
  try {
    const [evictions, ofKey, explained, runs, cycles, warnings, samples] = await Promise.all([
      history.evictions(then),
      history.evictions({ ...then, key: 'a:1' }),
      history.explain('a:1'),
      history.runs(then),
      history.cycles(then),
      history.warnings(then),
      history.samples(then),
    ])
    return { evictions, ofKey, explained, runs, cycles, warnings, samples }
  } finally {
    await history.close()
  }
}

describe('a log of schema version 1', () => {
  test('answers as it is, without being touched', async () => {
    using files = new AuditFolder()
    oldLog(files)
    const { evictions, ofKey, explained } = await answersOf(files)
    expect(evictions.items).toHaveLength(14)
    expect(ofKey.items.map(({ run, seq, missedAt }) => [run, seq, missedAt])).toEqual([
      ['killed', 2, 1_700_000_060_040],
      ['closed', 3, 1_700_000_000_050],
    ])
    expect(explained.verdict).toBe('evicted')
    expect(files.rows('pragma user_version')).toEqual([{ user_version: 1 }])
  })

  test('is migrated by the first run that writes to it, and keeps every row and answer', async () => {
    using files = new AuditFolder()
    oldLog(files)
    const tables = ['runs', 'evictions', 'key_events', 'events'].map((table) => `select * from ${table}`)
    const before = tables.map((sql) => files.rows(sql))
    const answers = await answersOf(files)
    const log = files.open()
    const run = later()
    log.record(run.started())
    await log.flush()
    expect(files.rows('pragma user_version')).toEqual([{ user_version: 2 }])
    const after = tables.map((sql) => files.rows(`${sql} where ${sql.endsWith('runs') ? 'id' : 'run_id'} <= 2`))
    // Every column that was there is as it was; there are more of them.
    expect(after).toMatchObject(before)
    expect(after.map((rows) => rows.length)).toEqual(before.map((rows) => rows.length))
    expect(await answersOf(files)).toEqual(answers)
    await log.close()
    expect(files.rows('pragma integrity_check')).toEqual([{ integrity_check: 'ok' }])
    expect(files.rows('pragma foreign_key_check')).toEqual([])
  })

  test('gets segments that end where batches do and cover every row once', async () => {
    using files = new AuditFolder()
    oldLog(files)
    const log = files.open()
    log.record(later().started())
    await log.close()
    const segments = 'from segments s where s.run_id = e.run_id and e.seq between s.first_seq and s.last_seq'
    for (const table of ['evictions', 'key_events']) {
      expect(files.rows(`select count(*) as n from ${table} e where (select count(*) ${segments}) <> 1`)).toEqual([
        { n: 0 },
      ])
    }
    expect(
      files.rows(`select count(*) as n from segments s
        where not exists (select 1 from batches b where b.run_id = s.run_id and b.last_seq = s.last_seq)`),
    ).toEqual([{ n: 0 }])
    expect(files.rows('select kind, row_count as n from sizes order by kind')).toEqual([
      { kind: 'cycles', n: 0 },
      { kind: 'general', n: 6 },
      { kind: 'rollups', n: 0 },
      { kind: 'samples', n: 2 },
    ])
  })
})
