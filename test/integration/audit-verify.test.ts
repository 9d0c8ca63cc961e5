import { copyFileSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Database } from '../../src/persist/driver.ts'
import { Horizons } from '../../src/persist/horizons.ts'
import { retireLinks } from '../../src/persist/retired-links.ts'
import type { Verification, VerifyQuestion } from '../../src/query/answers.ts'
import { AuditFolder } from '../support/audit-file.ts'
import { Run } from '../support/events.ts'
import { asking } from '../support/history-log.ts'
import { muninn } from './cli-support.ts'

const template = new AuditFolder()
afterAll(() => template[Symbol.dispose]())

/** Two runs of five batches each, with all kinds of rows. */
beforeAll(() => write(template))

function writtenLog(files: AuditFolder): void {
  copyFileSync(template.path(), files.path())
}

async function write(files: AuditFolder): Promise<void> {
  for (const id of ['one', 'two']) {
    const log = files.open()
    const run = new Run(id)
    log.record(run.started())
    for (let batch = 0; batch < 4; batch++) {
      for (let i = 0; i < 6; i++) log.record(run.event('evicted', { key: `user:${i}`, size: run.seq }))
      log.record(run.event('expired', { key: 'session:1' }))
      log.record(run.event('checked'))
      log.record(run.event('cycle-started'))
      log.record(run.event('missed', { key: 'user:0', regret: run.seq - 8, firstRegret: true }))
      await log.flush()
    }
    log.record(run.event('stopped'))
    await log.close()
  }
}

function connected(files: AuditFolder): Disposable & { readonly open: Database } {
  const open = files.connect()
  open.pragma('foreign_keys = off')
  return { open, [Symbol.dispose]: () => open.close() }
}

function tamper(files: AuditFolder, sql: string): void {
  using database = connected(files)
  database.open.exec(sql)
}

function verify(files: AuditFolder, question: VerifyQuestion = {}): Promise<Verification> {
  return asking(files, (history) => history.verify(question))
}

/** As if retention had been at work; its seal is none. */
const FORGED_HORIZON = (kind: string) => `insert into horizons values (1, '${kind}', 41, 1, zeroblob(32), zeroblob(32))`

/** Batches of run `one` cover 1–11, 12–21, 22–31, 32–41, and 42 (`stopped`). */
const SECOND = 'run_id = 1 and first_seq = 12'

describe('a verification', () => {
  test('finds a log untouched, and says how far it goes', async () => {
    using files = new AuditFolder()
    writtenLog(files)
    const seen: [number, number][] = []
    const found = await verify(files, { onProgress: (rows, of) => seen.push([rows, of]) })
    expect(found).toMatchObject({ intact: true, rows: 84, incomplete: null })
    expect(
      found.runs.map(({ run, state, batches, lastSeq, fault }) => ({ run, state, batches, lastSeq, fault })),
    ).toEqual([
      { run: 'one', state: 'intact', batches: 5, lastSeq: 42, fault: null },
      { run: 'two', state: 'intact', batches: 5, lastSeq: 42, fault: null },
    ])
    expect(found.anchor.points).toHaveLength(2)
    expect(seen).toEqual([[84, 84]])
    expect(await verify(files, { anchor: found.anchor })).toMatchObject({ intact: true })
    expect(await verify(files, { run: 'two' })).toMatchObject({ intact: true, rows: 42 })
    expect(await verify(files, { run: 'three' })).toMatchObject({ intact: false, runs: [] })
  })

  test('does not mind the regret that is noted later with an eviction', async () => {
    using files = new AuditFolder()
    writtenLog(files)
    tamper(files, 'update evictions set missed_at = 7')
    expect(await verify(files)).toMatchObject({ intact: true })
  })

  test.each([
    ['a field', 'update evictions set size = size + 1 where run_id = 1 and seq = 14', 'changed', 12, 21, 14],
    ['a key', "update evictions set key = 'user:7' where run_id = 1 and seq = 14", 'changed', 12, 21, 14],
    ['null for a text', 'update evictions set runner_up = null where run_id = 1 and seq = 13', 'changed', 12, 21, 13],
    ['an expiry', `update key_events set data = '{}' where run_id = 1 and seq = 18`, 'changed', 12, 21, 18],
    ['a general event', `update events set data = '{}' where run_id = 1 and seq = 19`, 'changed', 12, 21, 19],
    ['a row deleted', 'delete from evictions where run_id = 1 and seq = 14', 'missing', 12, 21, 15],
    ['the last row of its kind deleted', 'delete from events where run_id = 1 and seq = 29', 'missing', 22, 31, null],
    ['a row that moved', 'update evictions set seq = 40 where run_id = 1 and seq = 24', 'missing', 22, 31, 25],
    ['a batch deleted, its rows not', `delete from batches where ${SECOND}`, 'missing', 12, 21, null],
    [
      'a batch deleted with its rows',
      `delete from batches where ${SECOND};
       delete from evictions where run_id = 1 and seq between 12 and 21;
       delete from key_events where run_id = 1 and seq between 12 and 21;
       delete from events where run_id = 1 and seq between 12 and 21`,
      'missing',
      12,
      21,
      null,
    ],
    [
      'two batches swapped',
      `update batches set first_seq = -first_seq, last_seq = -last_seq where run_id = 1 and first_seq in (12, 22);
       update batches set first_seq = 22, last_seq = 31 where first_seq = -12;
       update batches set first_seq = 12, last_seq = 21 where first_seq = -22`,
      'reordered',
      12,
      21,
      null,
    ],
    [
      'the rows of two batches swapped',
      `update evictions set seq = -seq where run_id = 1 and seq between 12 and 31;
       update evictions set seq = -seq + 10 where run_id = 1 and seq between -21 and -12;
       update evictions set seq = -seq - 10 where run_id = 1 and seq between -31 and -22`,
      'changed',
      12,
      21,
      12,
    ],
    ['a hash', `update batches set hash = zeroblob(32) where ${SECOND}`, 'changed', 12, 21, null],
    ['a hash taken away', `update batches set hash = null where ${SECOND}`, 'changed', 12, 21, null],
    ['the number of rows', `update batches set row_count = row_count + 1 where ${SECOND}`, 'changed', 12, 21, null],
    ['the run', `update runs set host = 'elsewhere' where id = 1`, 'changed', 1, 11, null],
    ['an end made up', `update runs set stop_reason = 'exit', exit_code = 9 where id = 1`, 'changed', 42, 42, null],
    [
      'an end taken away',
      'update runs set stopped_at = null, stop_reason = null where id = 1',
      'changed',
      42,
      42,
      null,
    ],
    [
      'rows deleted under a horizon made up',
      `${FORGED_HORIZON('departures')};
       delete from evictions where run_id = 1 and seq = 14`,
      'missing',
      12,
      21,
      15,
    ],
    [
      'events deleted under a horizon made up',
      `${FORGED_HORIZON('cycles')};
       delete from events where run_id = 1 and seq = 20`,
      'missing',
      12,
      21,
      19,
    ],
    ['a horizon made up', FORGED_HORIZON('general'), 'changed', 1, 41, 41],
    [
      'a batch called retired',
      `update batches set kind = 'retired' where ${SECOND};
       delete from evictions where run_id = 1 and seq between 12 and 21;
       delete from key_events where run_id = 1 and seq between 12 and 21`,
      'changed',
      12,
      21,
      null,
    ],
    [
      'a batch called retired under a horizon made up',
      `${FORGED_HORIZON('departures')};
       update batches set kind = 'retired', departures_hash = x'' where ${SECOND};
       delete from evictions where run_id = 1 and seq between 12 and 21;
       delete from key_events where run_id = 1 and seq between 12 and 21`,
      'changed',
      12,
      21,
      null,
    ],
    ['a sampling made up', 'insert into samplings values (1, 12, 1, 0.5)', 'added', 12, 21, 12],
    ['a sampling made up behind', 'insert into samplings values (1, 50, 1, 0.5)', 'added', 50, 50, 50],
    [
      'an entry carried that never was',
      "insert into carried values (1, 'tenant', 'user:1', 3, 1, 'added', '{}', zeroblob(32))",
      'changed',
      3,
      3,
      3,
    ],
    ['a row added behind', "insert into events values (1, 99, 1, 'warned', null, '{}')", 'added', 99, 99, 99],
    [
      'the end cut off',
      `delete from batches where run_id = 1 and first_seq = 42; delete from events where run_id = 1 and seq = 42`,
      'missing',
      42,
      42,
      null,
    ],
  ] as const)('finds %s changed', async (_, sql, kind, first, last, seq) => {
    using files = new AuditFolder()
    writtenLog(files)
    tamper(files, sql)
    const found = await verify(files)
    expect(found.intact).toBe(false)
    expect(found.runs.map(({ state }) => state)).toEqual(['broken', 'intact'])
    expect(found.runs[0]?.fault).toMatchObject({ kind, first, last, seq })
  })

  test.each([
    ['its count', 'update gaps set lost = 1'],
    ['its reason', `update gaps set reason = 'exit'`],
    ['its range', 'update gaps set last_seq = last_seq - 1'],
  ])('finds a gap changed: %s', async (_, sql) => {
    using files = new AuditFolder()
    const run = new Run('one')
    const log = files.open({ maxPending: 4_000 })
    log.record(run.started())
    for (let i = 0; i < 500; i++) log.record(run.event('evicted', { key: 'k'.repeat(100) }))
    await log.flush()
    log.record(run.event('stopped'))
    await log.close()
    expect(files.rows('select reason from gaps')[0]).toEqual({ reason: 'overflow' })
    expect(await verify(files)).toMatchObject({ intact: true })
    tamper(files, sql)
    expect(await verify(files)).toMatchObject({ intact: false })
  })

  test('needs an anchor to find that the end was cut off, and the run’s row with it', async () => {
    using files = new AuditFolder()
    writtenLog(files)
    const { anchor } = await verify(files)
    tamper(
      files,
      `delete from batches where run_id = 1 and first_seq >= 32;
       delete from evictions where run_id = 1 and seq >= 32;
       delete from key_events where run_id = 1 and seq >= 32;
       delete from events where run_id = 1 and seq >= 32;
       update runs set last_seq = 31, stopped_at = null, stop_reason = null where id = 1`,
    )
    expect(await verify(files)).toMatchObject({ intact: true })
    const found = await verify(files, { anchor })
    expect(found.runs[0]?.fault).toMatchObject({ kind: 'missing', first: 32, last: 42 })
    expect(found.runs[1]?.fault).toBeNull()
  })

  test('needs an anchor to find that a run is gone', async () => {
    using files = new AuditFolder()
    writtenLog(files)
    const { anchor } = await verify(files)
    const tables = ['batches', 'gaps', 'evictions', 'key_events', 'events']
    tamper(
      files,
      `${tables.map((table) => `delete from ${table} where run_id = 2;`).join('')}delete from runs where id = 2`,
    )
    expect(await verify(files)).toMatchObject({ intact: true })
    const found = await verify(files, { anchor })
    expect(found).toMatchObject({
      intact: false,
      runs: [
        { run: 'one', fault: null },
        { run: 'two', state: 'broken' },
      ],
    })
  })

  test('goes on where retention has taken batches, and still finds what is left changed', async () => {
    using files = new AuditFolder()
    writtenLog(files)
    const { anchor } = await verify(files)
    using database = connected(files)
    database.open.exec(
      'delete from evictions where run_id = 1 and seq <= 31; delete from key_events where run_id = 1 and seq <= 31',
    )
    new Horizons(database.open).raise(1, 'departures', 31, 1)
    for (const last of [11, 31]) retireLinks(database.open, 1, last)
    expect(await verify(files, { anchor })).toMatchObject({
      intact: true,
      runs: [
        { run: 'one', retiredTo: 31, batches: 3, rows: 18 },
        { run: 'two', retiredTo: null },
      ],
    })
    database.open.exec(`update events set data = '{}' where run_id = 1 and seq = 20`)
    expect((await verify(files)).runs[0]?.fault).toMatchObject({ kind: 'changed', first: 1, last: 31, seq: 20 })
  })

  test('goes on where retention has taken one kind of events', async () => {
    using files = new AuditFolder()
    writtenLog(files)
    tamper(files, `delete from events where run_id = 1 and type = 'cycle-started' and seq <= 20`)
    {
      using database = connected(files)
      new Horizons(database.open).raise(1, 'cycles', 20, 1)
    }
    expect(await verify(files)).toMatchObject({ intact: true })
    tamper(files, `update events set data = '{}' where run_id = 1 and type = 'checked' and seq = 19`)
    expect((await verify(files)).runs[0]?.fault).toMatchObject({ seq: 19 })
  })

  test('on the command line ends with 1 where the log was changed, names the row, and compares with an anchor', async () => {
    using files = new AuditFolder()
    writtenLog(files)
    const db = ['--db', files.path()]
    const anchor = files.path('anchor.json')
    const untouched = await muninn(['verify', ...db, '--write-anchor', anchor])
    expect(untouched.code).toBe(0)
    expect(untouched.out).toContain('Untouched: 84 rows')
    expect(JSON.parse(readFileSync(anchor, 'utf8')).points).toHaveLength(2)
    expect((await muninn(['verify', ...db, '--anchor', anchor])).code).toBe(0)
    expect((await muninn(['verify', ...db, '--anchor', files.path()])).code).toBe(2)
    tamper(files, 'update evictions set size = 1 where run_id = 2 and seq = 14')
    const changed = await muninn(['verify', ...db, '--write-anchor', files.path('never.json')])
    expect(changed.code).toBe(1)
    expect(changed.out).toContain('two: seq 12 to 21: at seq 14: evictions: this row was changed')
    expect(() => readFileSync(files.path('never.json'))).toThrow()
    const json = JSON.parse((await muninn(['verify', ...db, '--json'])).out)
    expect(json).toMatchObject({ intact: false, next: null, items: [{ state: 'intact' }, { fault: { seq: 14 } }] })
  })
})
