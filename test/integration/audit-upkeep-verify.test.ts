import { readFileSync, writeFileSync } from 'node:fs'
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

  test('keeps samplings under the chain, also where the rows have gone', () => {
    using files = new AuditFolder()
    {
      using run = new WrittenRun('one', { path: files.path(), sampleAbove: 1, retention: { maxAge: '4h' } })
      for (let i = 0; i < 2_000; i++) {
        run.passTo(run.at + 100)
        run.tell('evicted', { key: `k${i}` })
        if (i % 50 === 0) run.write()
      }
      for (const hours of [3, 4, 5, 6]) {
        run.passTo(1_000 + hours * 60 * MINUTE)
        run.tell('evicted', { key: `k${hours}` })
        run.write()
        run.keepUp()
      }
    }
    expect(verified(files)).toMatchObject([{ state: 'intact' }])
    const [first, ...more] = files.rows<{ seq: number }>('select seq from samplings order by seq')
    const retiredTo = verified(files)[0]?.retiredTo ?? 0
    expect(retiredTo).toBeGreaterThan(first?.seq ?? 0)
    expect(more.at(-1)?.seq).toBeGreaterThan(retiredTo)
    const original = readFileSync(files.path())
    for (const seq of [first?.seq, more.at(-1)?.seq]) {
      for (const change of [
        `update samplings set share = share / 2 where seq = ${seq}`,
        `delete from samplings where seq = ${seq}`,
      ]) {
        const database = files.connect()
        database.exec(change)
        database.close()
        const [one] = verified(files)
        expect([change, one]).toMatchObject([change, { state: 'broken', fault: { kind: 'changed' } }])
        expect(one?.fault?.first).toBeLessThanOrEqual(seq ?? 0)
        expect(one?.fault?.last).toBeGreaterThanOrEqual(seq ?? 0)
        writeFileSync(files.path(), original)
      }
    }
  })

  test('seals what it took and what it carries on: whatever of it is changed shows', () => {
    using files = new AuditFolder()
    {
      using run = new WrittenRun('one', { path: files.path(), level: 'changes', retention: { maxAge: '4h' } })
      live(run, 1_500)
      run.keepUp()
    }
    expect(verified(files)).toMatchObject([{ state: 'intact' }])
    const [carried] = files.rows<{ seq: number }>('select seq from carried order by seq')
    const [horizon] = files.rows<{ seq: number }>(`select seq from horizons where kind = 'departures'`)
    const original = readFileSync(files.path())
    for (const [change, fault] of [
      ["update horizons set seq = seq + 1 where kind = 'departures'", { table: 'batches' }],
      ["update horizons set at = at - 1 where kind = 'departures'", { table: 'batches' }],
      ["delete from horizons where kind = 'departures'", { table: 'batches' }],
      [`update carried set data = '{}' where seq = ${carried?.seq}`, { table: 'carried', seq: carried?.seq }],
      [`delete from carried where seq = ${carried?.seq}`, { table: 'carried', last: horizon?.seq }],
      ["update batches set row_count = row_count + 1 where kind = 'retired'", { table: 'batches', first: 1 }],
    ] as const) {
      const database = files.connect()
      database.exec(change)
      database.close()
      expect([change, verified(files)]).toMatchObject([change, [{ state: 'broken', fault }]])
      writeFileSync(files.path(), original)
    }
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
