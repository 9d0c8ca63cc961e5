import { writeFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { openHistory } from '../../src/query/history.ts'
import { AuditFolder } from '../support/audit-file.ts'
import { autopsy, type Findings, startVictim } from '../support/autopsy.ts'
import { chance } from '../support/chance.ts'

/** Half of the kills with a writer that keeps up, half with one that does not. */
const KILLS = process.env.MUNINN_NIGHT === '1' ? 100 : 10
/** Deaths that one file has to survive. */
const LIVES = 10
/** Latest moment of a kill, in ms from the start of the run or the first row. */
const LATEST = 300

/** Where the campaign's figures go, for `docs/durability.md`. */
const REPORT = process.env.MUNINN_KILL_REPORT

/** Another process that keeps the log locked most of the time. */
function slowDown(files: AuditFolder, path: string, random: (n: number) => number): () => void {
  const other = files.connect(path)
  let timer: NodeJS.Timeout | undefined
  const lock = () => {
    other.exec('begin immediate')
    timer = setTimeout(unlock, 20 + random(80))
  }
  const unlock = () => {
    other.exec('rollback')
    timer = setTimeout(lock, 1 + random(5))
  }
  timer = setTimeout(lock, 0)
  return () => {
    clearTimeout(timer)
    other.close()
  }
}

async function kill(files: AuditFolder, path: string, number: number, slow: boolean): Promise<Findings> {
  const random = chance(number * 2 + (slow ? 1 : 0))
  const told = files.path(`told-${number}`)
  const victim = startVictim({
    path,
    told,
    load: slow ? 'flood' : 'steady',
    audit: { flushInterval: 20, maxPending: slow ? '256KB' : '16MB' },
  })
  // One in five while it opens the file, the others while it writes.
  await (random(5) === 0 ? victim.begun : victim.written)
  const release = slow ? slowDown(files, path, random) : () => {}
  await delay(random(LATEST))
  victim.process.kill('SIGKILL')
  expect(await victim.ended).toEqual([null, 'SIGKILL'])
  release()
  return autopsy(files, path, told)
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0
}

describe.each([
  ['keeps up', false],
  ['does not keep up', true],
] as const)('kill -9 of a process whose writer %s', (words, slow) => {
  test(`leaves a sound file with all that was acknowledged, ${KILLS} times`, async () => {
    const all: Findings[] = []
    for (let life = 0; life < KILLS; life += LIVES) {
      using files = new AuditFolder()
      const path = files.path()
      for (let number = life; number < Math.min(KILLS, life + LIVES); number++) {
        const found = await kill(files, path, number, slow)
        expect(found.breaches, `kill ${number}`).toEqual([])
        all.push(found)
      }
      const history = openHistory(path)
      try {
        const runs = await history.runs({ limit: 100 })
        for (const run of runs.items) expect(run).toMatchObject({ state: 'crashed', stoppedAt: null })
        // The last one has no successor that could have marked it.
        expect(files.rows("select count(*) as n from gaps where reason = 'crash'", path)).toEqual([
          { n: runs.items.length - 1 },
        ])
      } finally {
        await history.close()
      }
    }
    expect(all.some(({ lastSeq }) => lastSeq > 0)).toBe(true)
    if (REPORT !== undefined) {
      const missing = all.map((found) => found.missing)
      const missingFor = all.map((found) => found.missingFor).filter((ms) => !Number.isNaN(ms))
      const figures = {
        writer: words,
        kills: all.length,
        told: all.reduce((sum, found) => sum + found.told, 0),
        acknowledgedLost: 0,
        missing: { median: median(missing), most: Math.max(...missing) },
        missingFor: { median: median(missingFor), most: Math.max(...missingFor) },
      }
      writeFileSync(REPORT, `${JSON.stringify(figures)}\n`, { flag: 'a' })
    }
  })
})

describe('a process under load that ends', () => {
  test.each([
    ['heap out of memory', 'memory', ['--max-old-space-size=48'], null, 'SIGABRT'],
    ['an abort', 'abort', [], null, 'SIGABRT'],
  ] as const)('by %s leaves all that was acknowledged', async (_, ending, execArgv, code, signal) => {
    using files = new AuditFolder()
    const victim = startVictim({ path: files.path(), told: files.path('told'), ending, execArgv })
    expect(await victim.ended).toEqual([code, signal])
    const found = autopsy(files, files.path(), files.path('told'))
    expect(found.breaches).toEqual([])
    expect(found.lastSeq).toBeGreaterThan(0)
    // Its successor is well, and says what became of it.
    const next = startVictim({ path: files.path(), told: files.path('next'), ending: 'exit' })
    expect(await next.ended).toEqual([0, null])
    expect(autopsy(files, files.path(), files.path('next'))).toMatchObject({ breaches: [], missing: 0 })
    expect(files.rows('select first_seq, lost, reason from gaps')).toEqual([
      { first_seq: found.lastSeq + 1, lost: null, reason: 'crash' },
    ])
  })

  test.each([
    ['an exception that nobody catches', 'throw', 1],
    ['a rejection that nobody handles', 'reject', 1],
    ['process.exit in the handler of a signal', 'signal', 7],
    ['process.exit', 'exit', 0],
  ] as const)('by %s has all of it on disk', async (_, ending, code) => {
    using files = new AuditFolder()
    const victim = startVictim({ path: files.path(), told: files.path('told'), ending })
    expect(await victim.ended).toEqual([code, null])
    expect(autopsy(files, files.path(), files.path('told'))).toMatchObject({ breaches: [], missing: 0 })
    expect(files.rows('select stop_reason, exit_code, lost_events as lost from runs')).toEqual([
      { stop_reason: 'exit', exit_code: code, lost: 0 },
    ])
  })
})
