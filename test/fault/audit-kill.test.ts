import { writeFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test, vi } from 'vitest'
import type { AuditOptions } from '../../src/base/audit-options.ts'
import type { Anchor } from '../../src/query/answers.ts'
import { openHistory } from '../../src/query/history.ts'
import { AuditFolder } from '../support/audit-file.ts'
import { autopsy, type Findings, lastTold, startVictim, verify } from '../support/autopsy.ts'
import { chance } from '../support/chance.ts'

const TIMES = process.env.MUNINN_NIGHT === '1' ? 10 : 1
/** Deaths that one file has to survive. */
const LIVES = 10
/** Latest moment of a kill, in ms from the start of the run or the first row. */
const LATEST = 300

const FULL = { timeout: 60_000, interval: 20 }

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

interface Writing {
  /** How the campaign's writer does. */
  readonly words: string
  readonly kills: number
  readonly load: 'steady' | 'flood'
  readonly isSlow?: boolean
  /** `seq` that the first run comes to before it is killed. */
  readonly fill?: number
  readonly audit: Omit<AuditOptions, 'path'>
}

const WRITINGS: readonly Writing[] = [
  { words: 'keeps up', kills: 8 * TIMES, load: 'steady', audit: { flushInterval: 20 } },
  { words: 'does not keep up', kills: 6 * TIMES, load: 'flood', isSlow: true, audit: { maxPending: '256KB' } },
  {
    words: 'takes old rows away',
    kills: 6 * TIMES,
    load: 'flood',
    fill: 25_000,
    audit: { retention: { maxSize: '1MB' } },
  },
]

async function kill(files: AuditFolder, number: number, { load, isSlow, fill = 0, audit }: Writing): Promise<Findings> {
  const random = chance(number * 3 + (load === 'flood' ? 1 : 0) + (isSlow ? 1 : 0))
  const path = files.path()
  const told = files.path(`told-${number}`)
  const victim = startVictim({ path, told, load, audit })
  // One in five while it opens the file, the others while it writes.
  await (random(5) === 0 ? victim.begun : victim.written)
  if (number % LIVES === 0) {
    await vi.waitFor(() => expect(lastTold(told).acknowledgedSeq).toBeGreaterThanOrEqual(fill), FULL)
  }
  const release = isSlow ? slowDown(files, path, random) : () => {}
  await delay(random(LATEST))
  victim.process.kill('SIGKILL')
  expect(await victim.ended).toEqual([null, 'SIGKILL'])
  release()
  return autopsy(files, path, told)
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0
}

describe.each(WRITINGS)('kill -9 of a process whose writer $words', (writing) => {
  const { words, kills, audit } = writing

  test(`leaves a sound file with all that was acknowledged, ${kills} times`, async () => {
    const all: Findings[] = []
    for (let life = 0; life < kills; life += LIVES) {
      using files = new AuditFolder()
      const path = files.path()
      let anchor: Anchor | undefined
      for (let number = life; number < Math.min(kills, life + LIVES); number++) {
        const found = await kill(files, number, writing)
        expect(found.breaches, `kill ${number}`).toEqual([])
        all.push(found)
        if (found.lastSeq === 0) continue
        // The last link that any run had is still there.
        const { faults, ...next } = await verify(path, anchor === undefined ? {} : { anchor })
        expect(faults, `kill ${number}`).toEqual([])
        anchor = next.anchor
      }
      if (audit.retention !== undefined) {
        expect(files.rows("select count(*) > 0 as some from batches where kind = 'retired'")).toEqual([{ some: 1 }])
      }
      const history = openHistory(path)
      try {
        const runs = await history.runs({ limit: 100 })
        for (const run of runs.items) expect(run).toMatchObject({ state: 'crashed', stoppedAt: null })
        // The last one has no successor that could have marked it.
        expect(files.rows("select count(*) as n from gaps where reason = 'crash'")).toEqual([
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
