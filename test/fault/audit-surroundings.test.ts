import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, rmSync } from 'node:fs'
import { describe, expect, test, vi } from 'vitest'
import { AuditFolder } from '../support/audit-file.ts'
import { autopsy, lastTold, startVictim, type Victim } from '../support/autopsy.ts'

const SOON = { timeout: 30_000, interval: 20 }
/** An outage of a second makes a gap, and an unhurried moment of the machine does not. */
const AUDIT = { flushInterval: 20, maxPending: '3MB' } as const

/** How often each message stands in the victim's log. */
function said({ words }: Victim): { degraded: number; again: number } {
  const lines = words().split('\n')
  return {
    degraded: lines.filter((line) => line.includes('degraded; the cache goes on')).length,
    again: lines.filter((line) => line.includes('written again')).length,
  }
}

/** The cache goes on without its log until events are lost; then the cause goes away, and the log goes on, too. */
async function outage(victim: Victim, told: string, words: string, end: () => void): Promise<void> {
  await vi.waitFor(() => expect(victim.words()).toContain(words), SOON)
  await vi.waitFor(() => expect(lastTold(told).lostEvents).toBeGreaterThan(1_000), SOON)
  const { acknowledgedSeq } = lastTold(told)
  end()
  await vi.waitFor(() => expect(lastTold(told).acknowledgedSeq).toBeGreaterThan(acknowledgedSeq), SOON)
  // Not always once: where room is short, closing the file makes some, for a moment.
  await vi.waitFor(() => expect(said(victim).again).toBe(said(victim).degraded), SOON)
  process.kill(lastTold(told).pid, 'SIGTERM')
  expect(await victim.ended).toEqual([7, null])
}

function expectGaps(files: AuditFolder, path = files.path()): void {
  const { lostEvents } = lastTold(files.path('told'))
  expect(autopsy(files, path, files.path('told')).breaches).toEqual([])
  const gaps = files.rows<{ lost: number }>("select lost, reason from gaps where reason <> 'crash'", path)
  expect(gaps).not.toEqual([])
  expect(gaps.reduce((sum, { lost }) => sum + lost, 0)).toBe(lostEvents)
  expect(files.rows('select lost_events as lost from runs order by id desc limit 1', path)).toEqual([
    { lost: lostEvents },
  ])
}

describe('a process whose log can not be written for a while', () => {
  test('as its files may not grow any more: goes on, and says what it lost', async () => {
    using files = new AuditFolder()
    const told = files.path('told')
    const within = ['sh', '-c', 'ulimit -S -f 4096 && exec "$0" "$@"']
    const victim = startVictim({ path: files.path(), told, audit: AUDIT, within })
    await outage(victim, told, 'disk', () =>
      execFileSync('prlimit', ['--pid', String(lastTold(told).pid), '--fsize=unlimited']),
    )
    expectGaps(files)
  })

  test('as the file is read-only: goes on, and says what it lost', async () => {
    using files = new AuditFolder()
    const folder = files.path('folder')
    const path = `${folder}/muninn.db`
    mkdirSync(folder)
    const first = files.open({ path })
    await first.close()
    const connection = files.connect(path)
    connection.exec('vacuum')
    connection.close()
    chmodSync(path, 0o444)
    chmodSync(folder, 0o555)
    // The mode of a file is no obstacle to root, but to one without any of root's capabilities.
    const within = process.getuid?.() === 0 ? ['setpriv', '--bounding-set=-all', '--inh-caps=-all'] : []
    const victim = startVictim({ path, told: files.path('told'), audit: AUDIT, within })
    await outage(victim, files.path('told'), 'it is read-only', () => {
      chmodSync(folder, 0o755)
      chmodSync(path, 0o644)
    })
    expectGaps(files, path)
  })

  test('as another process has it for itself: goes on, and says what it lost', async () => {
    using files = new AuditFolder()
    const other = files.connect()
    other.pragma('locking_mode = exclusive')
    other.pragma('journal_mode = wal')
    other.exec('begin exclusive; create table t (a); drop table t; commit')
    const victim = startVictim({ path: files.path(), told: files.path('told'), audit: AUDIT })
    await outage(victim, files.path('told'), 'locked', () => other.close())
    expectGaps(files)
  })

  test('as its folder is deleted: begins a new file', async () => {
    using files = new AuditFolder()
    const folder = files.path('folder')
    const told = files.path('told')
    const victim = startVictim({ path: `${folder}/muninn.db`, told, audit: AUDIT })
    await victim.written
    rmSync(folder, { recursive: true })
    const { acknowledgedSeq } = lastTold(told)
    await vi.waitFor(() => expect(lastTold(told).acknowledgedSeq).toBeGreaterThan(acknowledgedSeq + 5_000), SOON)
    process.kill(lastTold(told).pid, 'SIGTERM')
    expect(await victim.ended).toEqual([7, null])
    expect(autopsy(files, `${folder}/muninn.db`, told).breaches).toEqual([])
    expect(files.rows('select reason from gaps', `${folder}/muninn.db`)).toEqual([{ reason: 'elsewhere' }])
  })
})

/** A disk of its own needs a namespace of its own, which not every system lets have. */
const disks = spawnSync('unshare', ['-rm', 'mount', '-t', 'tmpfs', 'none', '/mnt']).status === 0 ? ['a full disk'] : []

describe.each(disks)('%s', () => {
  test('is a degradation, until there is room', async () => {
    using files = new AuditFolder()
    const disk = files.path('disk')
    const told = files.path('told')
    mkdirSync(disk)
    const script = `disk=$0
      mount -t tmpfs -o size=16m none "$disk"
      dd if=/dev/zero of="$disk/ballast" bs=1M count=13 status=none
      "$@"
      code=$?
      cp "$disk"/muninn.db* "$disk/.."
      exit $code`
    const within = ['unshare', '-rm', 'sh', '-c', script, disk]
    const victim = startVictim({ path: `${disk}/muninn.db`, told, audit: AUDIT, within })
    await outage(victim, told, 'the disk is full', () => rmSync(`/proc/${lastTold(told).pid}/root${disk}/ballast`))
    expectGaps(files)
  })
})
