import {
  closeSync,
  copyFileSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { describe, expect, test, vi } from 'vitest'
import type { AuditLog } from '../../src/persist/audit-log.ts'
import { AuditFolder } from '../support/audit-file.ts'
import { chance } from '../support/chance.ts'
import { Run } from '../support/events.ts'
import { asking } from '../support/history-log.ts'

const SOON = { timeout: 15_000, interval: 10 }
const VERSION_1 = readFileSync(new URL('../fixtures/audit-v1.sql', import.meta.url), 'utf8')
const SEEDS = process.env.MUNINN_NIGHT === '1' ? 100 : 8

/** A log of one closed run with many rows, all of it in the database file itself. */
async function someLog(files: AuditFolder, evictions = 2_000): Promise<void> {
  const log = files.open()
  const run = new Run('first')
  log.record(run.started())
  for (let i = 0; i < evictions; i++) log.record(run.event('evicted', { key: `key:${i}` }))
  log.record(run.event('stopped'))
  await log.close()
}

/** Writes another run, and answers with the log's last state. */
async function anotherRun(files: AuditFolder, path = files.path()): Promise<ReturnType<AuditLog['state']>> {
  const log = files.open({ path })
  const run = new Run('second')
  log.record(run.started())
  log.record(run.event('evicted'))
  log.record(run.event('stopped'))
  await log.close()
  return log.state()
}

function overwrite(path: string, at: number, bytes: Buffer): void {
  const file = openSync(path, 'r+')
  writeSync(file, bytes, 0, bytes.length, at)
  closeSync(file)
}

/** A log whose first bytes are lost: no database any more, but one can see what it was. */
async function headlessLog(files: AuditFolder, mark = 'garbage'): Promise<void> {
  await someLog(files, 10)
  overwrite(files.path(), 0, Buffer.from(mark))
}

function noise(random: (n: number) => number, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => random(256)))
}

function setAsideIn(files: AuditFolder): string[] {
  return readdirSync(files.folder).filter((name) => /^muninn\.db\.corrupt-\d{8}T\d{6}Z(-\d+)?$/.test(name))
}

describe('a damaged file is set aside, whole, and a new one begun', () => {
  test.each([
    ['has lost its header', (path: string) => overwrite(path, 0, Buffer.alloc(100))],
    ['is cut off', (path: string) => truncateSync(path, 20_000)],
    ['has lost its schema', (path: string) => overwrite(path, 100, Buffer.alloc(3_900, 0x5a))],
  ])('where it %s', async (_, damage) => {
    using files = new AuditFolder()
    await someLog(files)
    damage(files.path())
    const before = readFileSync(files.path())
    const state = await anotherRun(files)
    const [aside] = setAsideIn(files)
    expect(state).toMatchObject({
      setAside: files.path(aside),
      problem: null,
      writtenEvents: 3,
      lostEvents: 0,
    })
    expect(readFileSync(files.path(aside)).equals(before)).toBe(true)
    expect(files.rows('select run, stop_reason from runs')).toEqual([{ run: 'second', stop_reason: 'close' }])
    expect(files.said.filter(({ level }) => level === 'error')).toMatchObject([
      { fields: { setAside: files.path(aside) }, message: expect.stringContaining('kept under another name') },
    ])
    // Nobody needs what the processes agreed with.
    expect(existsSync(files.path('muninn.db.setting-aside'))).toBe(false)
  })

  test.each(Array.from({ length: SEEDS }, (_, seed) => seed))(
    'or goes on being written where its damage is not in the way (seed %i)',
    async (seed) => {
      using files = new AuditFolder()
      await someLog(files)
      const random = chance(seed)
      const pages = statSync(files.path()).size / 4_096
      for (let i = 0; i < 1 + random(4); i++) {
        overwrite(files.path(), random(pages) * 4_096 + random(2_048), noise(random, 1 + random(2_048)))
      }
      const before = statSync(files.path()).size
      const state = await anotherRun(files)
      expect(state).toMatchObject({ status: 'closed', problem: null, writtenEvents: 3, lostEvents: 0 })
      const [aside] = setAsideIn(files)
      expect(state.setAside).toBe(aside === undefined ? null : files.path(aside))
      // It may have been written to before the damage was met.
      if (aside !== undefined) expect(statSync(files.path(aside)).size).toBeGreaterThanOrEqual(before)
    },
  )

  test.each(Array.from({ length: SEEDS }, (_, seed) => seed))('also in the middle of a run (seed %i)', async (seed) => {
    using files = new AuditFolder()
    const random = chance(1_000 + seed)
    const log = files.open()
    const run = new Run('one')
    log.record(run.started())
    for (let i = 0; i < 5_000; i++) {
      if (i % 1_000 === 999) {
        await log.flush()
        const pages = statSync(files.path()).size / 4_096
        const page = random(4) === 0 ? 0 : random(pages)
        overwrite(files.path(), page * 4_096, noise(random, 4_096))
      }
      log.record(run.event('evicted', { key: `key:${i}` }))
    }
    await log.flush()
    await vi.waitFor(() => expect(log.state().status).toBe('ok'), SOON)
    log.record(run.event('stopped'))
    await log.close()
    expect(log.state()).toMatchObject({ problem: null, pendingEvents: 0, lostEvents: 0, writtenEvents: 5_002 })
    // Whatever the damage hit, the next run has a file to write to.
    expect(await anotherRun(files)).toMatchObject({ problem: null, lostEvents: 0, writtenEvents: 3 })
  })

  test('where only what is indexed later is damaged', async () => {
    using files = new AuditFolder()
    await someLog(files, 5_000)
    const database = files.connect()
    database.exec('delete from key_index; update segments set sealed = 0, last_seq = 5000')
    const page = database
      .prepare(
        "select pageno from dbstat where name = 'evictions' and pagetype = 'leaf' order by path limit 1 offset 20",
      )
      .pluck()
      .get() as number
    database.pragma('wal_checkpoint(truncate)')
    database.close()
    overwrite(files.path(), (page - 1) * 4_096, Buffer.alloc(4_096, 0x5a))
    const log = files.open()
    const run = new Run('second')
    log.record(run.started())
    for (let i = 0; i < 20; i++) {
      log.record(run.event('evicted'))
      await log.flush()
    }
    await log.close()
    expect(log.state()).toMatchObject({ setAside: expect.stringContaining('.corrupt-'), lostEvents: 0, problem: null })
  })

  test('with its WAL, which may hold what the file has lost', async () => {
    using files = new AuditFolder()
    await headlessLog(files)
    writeFileSync(`${files.path()}-wal`, 'rubbish'.repeat(1_000))
    const { setAside } = await anotherRun(files)
    expect(readFileSync(`${setAside}-wal`, 'utf8')).toBe('rubbish'.repeat(1_000))
  })

  test('a second time, beside the first', async () => {
    using files = new AuditFolder()
    for (const mark of ['garbage', 'rubbish']) {
      await headlessLog(files, mark)
      await anotherRun(files)
      for (const suffix of ['', '-wal', '-shm']) rmSync(files.path() + suffix, { force: true })
    }
    const kept = setAsideIn(files).map((name) => readFileSync(files.path(name), 'latin1').slice(0, 7))
    expect(kept.sort()).toEqual(['garbage', 'rubbish'])
  })

  test('where a symbolic link leads to it, beside the file itself', async () => {
    using files = new AuditFolder()
    await headlessLog(files)
    renameSync(files.path(), files.path('real.db'))
    symlinkSync(files.path('real.db'), files.path())
    const { setAside } = await anotherRun(files)
    expect(setAside).toContain(files.path('real.db.corrupt-'))
    expect(files.rows('select run from runs', files.path('real.db'))).toEqual([{ run: 'second' }])
  })

  test('where its tables are not those of its version', async () => {
    using files = new AuditFolder()
    const half = files.connect()
    half.exec(VERSION_1)
    half.exec('create table rollups (count integer)')
    half.close()
    const state = await anotherRun(files)
    expect(state.setAside).not.toBeNull()
    expect(files.said).toContainEqual({
      level: 'error',
      fields: expect.objectContaining({
        problem: expect.stringContaining('version 1, and rollups.count is there already'),
      }),
      message: expect.any(String),
    })
    expect(files.rows('select run from runs order by id', state.setAside ?? '')).not.toEqual([])
  })

  test('where a table is dropped while it runs', async () => {
    using files = new AuditFolder()
    const log = files.open()
    const run = new Run('one')
    log.record(run.started())
    log.record(run.event('evicted'))
    await log.flush()
    const other = files.connect()
    other.exec('drop table evictions')
    other.close()
    log.record(run.event('evicted'))
    await log.flush()
    await vi.waitFor(() => expect(log.state()).toMatchObject({ status: 'ok', pendingEvents: 0 }), SOON)
    await log.close()
    expect(log.state().setAside).not.toBeNull()
    expect(files.rows('select first_seq, last_seq, reason from gaps')).toEqual([
      { first_seq: 1, last_seq: 2, reason: 'elsewhere' },
    ])
  })
})

/** The file as it is on disk in the middle of its first transaction, which the journal beside it would undo. */
function halfMade(files: AuditFolder): void {
  const maker = files.connect(files.path('maker.db'))
  maker.pragma('cache_size = 1')
  maker.exec('begin; create table half (made)')
  const insert = maker.prepare('insert into half values (?)')
  for (let i = 0; i < 1_000; i++) insert.run('x'.repeat(500))
  copyFileSync(files.path('maker.db'), files.path())
  copyFileSync(files.path('maker.db-journal'), `${files.path()}-journal`)
  maker.exec('rollback')
  maker.close()
}

// Readers can't undo it, and the writer looks as a reader first: neither ever came into such a file again.
describe('a file whose maker was killed in the middle', () => {
  test('is undone and written by the next run', async () => {
    using files = new AuditFolder()
    halfMade(files)
    expect(await anotherRun(files)).toMatchObject({ setAside: null, problem: null, writtenEvents: 3, lostEvents: 0 })
    expect(files.rows('select run from runs')).toEqual([{ run: 'second' }])
  })

  test('holds nothing to be asked for, and says so', async () => {
    using files = new AuditFolder()
    halfMade(files)
    await expect(asking(files, (history) => history.runs())).rejects.toThrow('nothing has been written to it yet')
  })
})

describe("a file that may be somebody else's stays where it is", () => {
  test.each([
    ['notes.txt', 'not a database '.repeat(100)],
    ['notes.db', 'not a database '.repeat(100)],
    ['zeros.sqlite', '\0'.repeat(50_000)],
  ])('as one that is no database, whatever its name: %s', async (name, content) => {
    using files = new AuditFolder()
    writeFileSync(files.path(name), content)
    const state = await anotherRun(files, files.path(name))
    expect(state).toMatchObject({ setAside: null, lostEvents: 3, problem: expect.stringContaining('left untouched') })
    expect(readFileSync(files.path(name), 'utf8')).toBe(content)
    expect(readdirSync(files.folder)).toEqual([name])
  })

  test("as another application's database, damaged", async () => {
    using files = new AuditFolder()
    const other = files.connect()
    other.exec('create table invoices (id integer)')
    other.close()
    overwrite(files.path(), 100, Buffer.alloc(2_000, 0x5a))
    const before = readFileSync(files.path())
    const state = await anotherRun(files)
    expect(state).toMatchObject({ setAside: null, lostEvents: 3, problem: expect.stringContaining('left untouched') })
    expect(readFileSync(files.path()).equals(before)).toBe(true)
  })

  test("as a newer version's, damaged", async () => {
    using files = new AuditFolder()
    await someLog(files)
    const newer = files.connect()
    newer.pragma('user_version = 9999')
    newer.close()
    overwrite(files.path(), 100, Buffer.alloc(2_000, 0x5a))
    expect(await anotherRun(files)).toMatchObject({ setAside: null, lostEvents: 3 })
    expect(setAsideIn(files)).toEqual([])
  })
})

describe('a file that goes away while it runs', () => {
  async function running(files: AuditFolder): Promise<{ log: AuditLog; run: Run }> {
    const log = files.open()
    const run = new Run('one')
    log.record(run.started())
    log.record(run.event('evicted'))
    await log.flush()
    return { log, run }
  }

  test('as its WAL alone: nothing is lost', async () => {
    using files = new AuditFolder()
    const { log, run } = await running(files)
    rmSync(`${files.path()}-wal`)
    log.record(run.event('evicted'))
    await log.flush()
    // A reader in another process sees both now.
    expect(files.rows('select seq from evictions')).toEqual([{ seq: 2 }, { seq: 3 }])
    log.record(run.event('evicted'))
    await log.close()
    expect(files.rows('select seq from evictions')).toEqual([{ seq: 2 }, { seq: 3 }, { seq: 4 }])
    expect(log.state()).toMatchObject({ lostEvents: 0, setAside: null })
  })

  test('replaced by another log: both have their part', async () => {
    using files = new AuditFolder()
    await anotherRun(files, files.path('other.db'))
    const { log, run } = await running(files)
    for (const suffix of ['', '-wal', '-shm']) renameSync(files.path() + suffix, files.path('moved.db') + suffix)
    renameSync(files.path('other.db'), files.path())
    log.record(run.event('evicted'))
    await log.close()
    expect(files.rows('select run from runs order by id')).toEqual([{ run: 'second' }, { run: 'one' }])
    expect(files.rows('select seq from evictions', files.path('moved.db'))).toEqual([{ seq: 2 }])
    expect(files.rows("select first_seq, last_seq from gaps where reason = 'elsewhere'")).toEqual([
      { first_seq: 1, last_seq: 2 },
    ])
  })

  test('moved away and back: what went elsewhere meanwhile is a gap, and the chain holds', async () => {
    using files = new AuditFolder()
    const { log, run } = await running(files)
    const move = (from: string, to: string) => {
      for (const suffix of ['', '-wal', '-shm']) renameSync(files.path(from) + suffix, files.path(to) + suffix)
    }
    move('muninn.db', 'away.db')
    log.record(run.event('evicted'))
    await log.flush()
    move('muninn.db', 'meanwhile.db')
    move('away.db', 'muninn.db')
    log.record(run.event('evicted'))
    await log.close()
    expect(files.rows('select seq from evictions')).toEqual([{ seq: 2 }, { seq: 4 }])
    expect(files.rows('select first_seq, last_seq, lost, reason from gaps')).toEqual([
      { first_seq: 3, last_seq: 3, lost: null, reason: 'elsewhere' },
    ])
    expect(await asking(files, (history) => history.verify())).toMatchObject({ intact: true })
    expect((await asking(files, (history) => history.evictions())).incomplete).toContain('another file')
  })

  test("replaced by another application's: that is left alone, until it is gone", async () => {
    using files = new AuditFolder()
    const foreign = files.connect(files.path('foreign.db'))
    foreign.exec('create table invoices (id integer)')
    foreign.close()
    const { log, run } = await running(files)
    for (const suffix of ['', '-wal', '-shm']) renameSync(files.path() + suffix, files.path('moved.db') + suffix)
    renameSync(files.path('foreign.db'), files.path())
    log.record(run.event('evicted'))
    await vi.waitFor(() => expect(log.state().status).toBe('degraded'), SOON)
    expect(log.state().problem).toContain('another application')
    expect(files.rows('select name from sqlite_schema')).toEqual([{ name: 'invoices' }])
    rmSync(files.path())
    for (const suffix of ['', '-wal', '-shm']) renameSync(files.path('moved.db') + suffix, files.path() + suffix)
    await vi.waitFor(() => expect(log.state().status).toBe('ok'), SOON)
    await log.close()
    expect(files.rows('select seq from evictions')).toEqual([{ seq: 2 }, { seq: 3 }])
    expect(files.rows('select * from gaps')).toEqual([])
    expect(files.said.map(({ level }) => level)).toEqual(['warn', 'info'])
  })

  test('cut to nothing: what follows is there', async () => {
    using files = new AuditFolder()
    await someLog(files)
    const { log, run } = await running(files)
    truncateSync(files.path())
    for (let i = 0; i < 3; i++) {
      log.record(run.event('evicted', { key: `late:${i}` }))
      await log.flush()
    }
    await vi.waitFor(() => expect(log.state()).toMatchObject({ status: 'ok', pendingEvents: 0 }), SOON)
    log.record(run.event('stopped'))
    await log.close()
    expect(await anotherRun(files)).toMatchObject({ problem: null, lostEvents: 0 })
    expect(files.rows("select run from runs where run = 'second'")).toEqual([{ run: 'second' }])
  })
})
