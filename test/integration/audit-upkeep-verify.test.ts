import { describe, expect, test } from 'vitest'
import { openForReading } from '../../src/persist/reader.ts'
import type { RunVerification } from '../../src/query/answers.ts'
import { type VerifyPosition, verify } from '../../src/query/verify.ts'
import { AuditFolder } from '../support/audit-file.ts'
import { WrittenRun } from '../support/audit-run.ts'

const MINUTE = 60_000

function verified(files: AuditFolder): RunVerification[] {
  const database = openForReading(files.path(), 1_000)
  const runs: RunVerification[] = []
  let position: VerifyPosition | null = null
  do {
    const portion = verify(database, { run: null, anchor: [], position })
    runs.push(...portion.runs)
    position = portion.position
  } while (position !== null)
  database.close()
  return runs
}

/** Hits, stores and evictions, and now and then what happens to the whole. */
function live(run: WrittenRun, count: number): void {
  for (let i = 0; i < count; i++) {
    run.passTo(run.at + MINUTE)
    run.tell('added', { key: `k${i % 50}` })
    for (let hit = 0; hit < 5; hit++) run.tell('accessed', { key: `k${i % 50}` })
    run.tell('evicted', { key: `k${(i + 25) % 50}` })
    if (i % 10 === 0) run.tell('cycle-started')
    if (i % 30 === 0) run.tell('checked')
    if (i % 5 === 0) run.write()
  }
  run.write()
}

describe('upkeep', () => {
  test('leaves a chain that verifies, in the middle of it, too', () => {
    using files = new AuditFolder()
    using run = new WrittenRun('one', { path: files.path(), level: 'all', retention: { maxAge: '4h' } })
    live(run, 1_500)
    let steps = 0
    while (run.writer.upkeep()) {
      if (++steps % 7 === 0) expect(verified(files)).toMatchObject([{ run: 'one', state: 'intact', fault: null }])
    }
    expect(steps).toBeGreaterThan(40)
    const [one] = verified(files)
    expect(one).toMatchObject({ state: 'intact', fault: null, lastSeq: run.seq })
    expect(one?.retiredTo).toBeGreaterThan(run.seq / 2)
    live(run, 20)
    expect(verified(files)).toMatchObject([{ state: 'intact', lastSeq: run.seq }])
  })

  test('keeps recordings under the chain: a changed or missing block shows', () => {
    using files = new AuditFolder()
    {
      using run = new WrittenRun('one', { path: files.path(), level: 'all' })
      live(run, 20)
      run.stop()
    }
    expect(verified(files)).toMatchObject([{ state: 'intact' }])
    const database = files.connect()
    const [block] = files.rows<{ first_seq: number }>(
      'select first_seq from blocks order by first_seq limit 1 offset 2',
    )
    database.exec('create table copy as select * from blocks')
    for (const [change, kind] of [
      ['update blocks set data = (select data from copy limit 1)', 'changed'],
      ['update blocks set to_at = to_at + 1', 'changed'],
      ['delete from blocks', 'missing'],
    ] as const) {
      database.exec(`${change} where first_seq = ${block?.first_seq}`)
      expect(verified(files)).toMatchObject([{ state: 'broken', fault: { kind, first: block?.first_seq } }])
      database.exec('delete from blocks; insert into blocks select * from copy')
    }
    expect(verified(files)).toMatchObject([{ state: 'intact' }])
    database.close()
  })
})
