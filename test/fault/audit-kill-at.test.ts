import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import type { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { schemaVersion } from '../../src/persist/migrations.ts'
import { AuditFolder } from '../support/audit-file.ts'
import { autopsy, lastTold, startVictim, verify } from '../support/autopsy.ts'
import { chance } from '../support/chance.ts'

const KILLS = process.env.MUNINN_NIGHT === '1' ? 50 : 6
const SOON = { timeout: 60_000, interval: 5 }
const OPENER = fileURLToPath(new URL('../support/opener.mjs', import.meta.url))
const VERSION_1 = readFileSync(new URL('../fixtures/audit-v1.sql', import.meta.url), 'utf8')

type Opener = ChildProcessByStdio<null, Readable, null>

/** Starts it, and resolves when it is about to open the file, or has. */
async function opener(path: string, what: 'once' | 'checkpoints', word: 'opening' | 'ready' = 'opening') {
  const child: Opener = spawn(process.execPath, [OPENER, path, what], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => {
    child.kill('SIGKILL')
  })
  for await (const words of child.stdout.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
    if (String(words).includes(word)) break
  }
  // Read on, so that it closes.
  child.stdout.resume()
  return child
}

/** A log of version 1 that takes some time to migrate. */
function oldLog(files: AuditFolder, path: string): void {
  const database = files.connect(path)
  database.pragma('journal_mode = WAL')
  database.exec(VERSION_1)
  database.exec(`
    with recursive n (i) as (select 1 union all select i + 1 from n where i < 100000)
    insert into evictions (run_id, seq, at, cache, key, cause, policy, size, hits, stored_at, age, idle, cost)
    select 1, 1000000 + i, 1.7e12 + i, 'c', 'key:' || i, 'items', 'lru', 10, 0, 1.7e12, 5, 5, 0 from n;
    with recursive n (i) as (select 0 union all select i + 1 from n where i < 199)
    insert into batches (run_id, first_seq, last_seq, row_count) select 1, 1000001 + 500 * i, 1000500 + 500 * i, 500 from n;`)
  database.close()
}

describe('kill -9', () => {
  test(`while an old log is migrated leaves the old one or the new one, ${KILLS} times`, async () => {
    using files = new AuditFolder()
    const old = files.path('old.db')
    oldLog(files, old)
    copyFileSync(old, files.path())
    const begun = performance.now()
    await once(await opener(files.path(), 'once'), 'exit')
    const migrated = performance.now() - begun
    const rows = `select (select count(*) from evictions) as evictions, (select count(*) from batches) as batches,
      (select count(*) from events) as events`
    const expected = files.rows(rows, old)
    const random = chance(1)
    const versions = new Set<number>()
    for (let kill = 0; kill < KILLS; kill++) {
      const path = files.path(`${kill}.db`)
      copyFileSync(old, path)
      const child = await opener(path, 'once')
      await delay(random(migrated))
      child.kill('SIGKILL')
      if (child.exitCode === null) await once(child, 'exit')
      const database = files.connect(path)
      expect(database.pragma('integrity_check', { simple: true })).toBe('ok')
      const version = Number(database.pragma('user_version', { simple: true }))
      versions.add(version)
      const tables = database.prepare("select count(*) from sqlite_schema where name = 'rollups'").pluck().get()
      expect({ version, tables }).toEqual(version === 1 ? { version, tables: 0 } : { version, tables: 1 })
      database.close()
      expect(files.rows(rows, path)).toEqual(expected)
      // The next process brings it to its end.
      await once(await opener(path, 'once'), 'exit')
      expect(files.rows('pragma user_version', path)).toEqual([{ user_version: schemaVersion() }])
      expect(files.rows(rows, path)).toEqual(expected)
    }
    expect(versions.has(1)).toBe(true)
  })

  test(`during checkpoints leaves all that was acknowledged, ${KILLS} times`, async () => {
    using files = new AuditFolder()
    const random = chance(2)
    for (let kill = 0; kill < KILLS; kill++) {
      const told = files.path(`told-${kill}`)
      // Several lives a file.
      const path = files.path(`${Math.floor(kill / 10)}.db`)
      const victim = startVictim({ path, told })
      await victim.written
      const checkpointer = await opener(path, 'checkpoints', 'ready')
      await delay(random(150))
      checkpointer.kill('SIGKILL')
      victim.process.kill('SIGKILL')
      await Promise.all([victim.ended, once(checkpointer, 'exit')])
      expect(autopsy(files, path, told).breaches, `kill ${kill}`).toEqual([])
    }
  })
})

describe('power loss', () => {
  // What it leaves of a WAL that is not synced: some first part, and after it anything. What a checkpoint has copied was
  // synced before, so these files are of a process that did not come to one.
  test(`that takes the end of the WAL leaves a whole log up to there, ${KILLS * 5} times`, async () => {
    using files = new AuditFolder()
    const random = chance(3)
    const told = files.path('told')
    // Some ten commits.
    const victim = startVictim({ path: files.path(), told, load: 'calm', audit: { flushInterval: 50 } })
    await victim.written
    await vi.waitFor(() => expect(lastTold(told).acknowledgedSeq).toBeGreaterThan(1_500), SOON)
    victim.process.kill('SIGKILL')
    await victim.ended
    const wal = readFileSync(`${files.path()}-wal`)
    const ends = new Set<number>()
    for (let loss = 0; loss < KILLS * 5; loss++) {
      const path = files.path(`${loss}.db`)
      copyFileSync(files.path(), path)
      const left = Buffer.from(wal)
      const from = random(wal.length)
      if (random(2) === 0) left.fill(random(256), from, from + 512 * (1 + random(16)))
      writeFileSync(`${path}-wal`, random(2) === 0 ? left.subarray(0, from) : left)
      const found = autopsy(files, path, told)
      expect(found.breaches.filter((breach) => !breach.includes('was acknowledged'))).toEqual([])
      ends.add(found.lastSeq)
      if (found.lastSeq > 0) expect((await verify(path, {})).faults).toEqual([])
    }
    expect(ends.size).toBeGreaterThan(2)
  })
})
