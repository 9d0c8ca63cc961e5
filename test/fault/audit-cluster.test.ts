import { closeSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs'
import { describe, expect, test, vi } from 'vitest'
import { openHistory } from '../../src/query/history.ts'
import { AuditFolder } from '../support/audit-file.ts'
import { autopsy, lastTold, startVictim, type Victim } from '../support/autopsy.ts'
import { Run } from '../support/events.ts'

const isNight = process.env.MUNINN_NIGHT === '1'
const SOON = { timeout: isNight ? 600_000 : 60_000, interval: 50 }
const WORKERS = 4
/** `seq` that each worker's log has to reach. */
const ENOUGH = isNight ? 50_000 : 10_000

interface Member {
  readonly victim: Victim
  readonly told: string
}

function cluster(files: AuditFolder): Member[] {
  return Array.from({ length: WORKERS }, (_, number) => {
    const told = files.path(`told-${number}`)
    return { victim: startVictim({ path: files.path(), told, load: 'calm' }), told }
  })
}

async function untilEnough(members: readonly Member[]): Promise<void> {
  await Promise.all(members.map(({ victim }) => victim.written))
  await vi.waitFor(() => {
    for (const { told } of members) expect(lastTold(told).acknowledgedSeq).toBeGreaterThan(ENOUGH)
  }, SOON)
}

async function close(members: readonly Member[]): Promise<void> {
  for (const { victim } of members) victim.process.kill('SIGINT')
  for (const { victim } of members) expect(await victim.ended).toEqual([0, null])
}

describe('four processes that write to one file', () => {
  test("lose nothing, get in nobody's way, and are read meanwhile", async () => {
    using files = new AuditFolder()
    const members = cluster(files)
    const written = untilEnough(members)
    await Promise.all(members.map(({ victim }) => victim.written))
    const history = openHistory(files.path())
    let isEnough = false
    const watched = written.finally(() => {
      isEnough = true
    })
    let questions = 0
    while (!isEnough) {
      const [runs, evictions] = await Promise.all([history.runs(), history.evictions({ limit: 50 })])
      expect(runs.items.map(({ state }) => state)).toEqual(Array(WORKERS).fill('running'))
      expect(evictions.incomplete).toBeNull()
      questions++
    }
    await watched
    await close(members)
    expect(questions).toBeGreaterThan(5)
    for (const { victim, told } of members) {
      expect(autopsy(files, files.path(), told)).toMatchObject({ breaches: [], missing: 0 })
      expect(victim.words()).not.toContain('degraded')
    }
    expect((await history.runs()).items.map(({ state, lostEvents }) => ({ state, lostEvents }))).toEqual(
      Array(WORKERS).fill({ state: 'closed', lostEvents: 0 }),
    )
    await history.close()
  })

  test('lose nothing that is on disk when one of them is killed, and the others nothing at all', async () => {
    using files = new AuditFolder()
    const members = cluster(files)
    await untilEnough(members)
    const [killed, ...others] = members as [Member, ...Member[]]
    killed.victim.process.kill('SIGKILL')
    await killed.victim.ended
    const { acknowledgedSeq } = lastTold(others[0]?.told ?? '')
    await vi.waitFor(
      () => expect(lastTold(others[0]?.told ?? '').acknowledgedSeq).toBeGreaterThan(acknowledgedSeq),
      SOON,
    )
    await close(others)
    expect(autopsy(files, files.path(), killed.told).breaches).toEqual([])
    for (const { told } of others)
      expect(autopsy(files, files.path(), told)).toMatchObject({ breaches: [], missing: 0 })
  })

  test('set a damaged file aside once, and agree on the new one', async () => {
    using files = new AuditFolder()
    const log = files.open()
    log.record(new Run('first').started())
    await log.close()
    const file = openSync(files.path(), 'r+')
    writeSync(file, 'garbage')
    closeSync(file)
    const damaged = readFileSync(files.path(), 'latin1')
    const members = cluster(files)
    await untilEnough(members)
    await close(members)
    const aside = readdirSync(files.folder).filter((name) => name.includes('.corrupt-'))
    expect(aside.map((name) => readFileSync(files.path(name), 'latin1'))).toEqual([damaged])
    for (const { told } of members)
      expect(autopsy(files, files.path(), told)).toMatchObject({ breaches: [], missing: 0 })
    expect(members.filter(({ victim }) => victim.words().includes('kept under another name'))).toHaveLength(1)
  })
})
