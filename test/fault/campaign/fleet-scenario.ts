import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { AuditFolder } from '../../support/audit-file.ts'
import type { chance } from '../../support/chance.ts'
import { asking } from '../../support/history-log.ts'
import type { Outcome } from './scenario.ts'

const MEMBER = fileURLToPath(new URL('fleet-member.mjs', import.meta.url))
const PROCESSES = 4
const THREADS = 4
const ENDINGS = ['close', 'killed', 'exit'] as const

/** What a manager says of its log after it closed. */
interface Fact {
  readonly run: string
  readonly kept: number
  readonly writtenEvents: number
  readonly lostEvents: number
}

interface End {
  readonly ending: (typeof ENDINGS)[number]
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly facts: readonly Fact[]
  readonly words: string
}

/** Four processes, one of them with four worker threads, that keep one log; some are killed, and others lock the file. */
export class FleetScenario {
  readonly faults: readonly string[]
  readonly #random: ReturnType<typeof chance>
  readonly #endings: readonly (typeof ENDINGS)[number][]

  constructor(random: ReturnType<typeof chance>) {
    this.#random = random
    this.#endings = Array.from({ length: PROCESSES }, (_, n) =>
      n === 0 ? 'close' : (ENDINGS[random(ENDINGS.length)] as (typeof ENDINGS)[number]),
    )
    this.faults = this.#endings.map((ending) => `process ${ending}`)
  }

  async play(): Promise<Outcome> {
    using files = new AuditFolder()
    const running = this.#endings.map((ending, n) => this.#start(files.path(), ending, n === 0 ? THREADS : 0))
    const done = new Map<string, number>()
    for (const fault of this.faults) done.set(fault, (done.get(fault) ?? 0) + 1)
    done.set('worker threads at once', THREADS)
    for (let locks = this.#random(4); locks > 0; locks--) {
      await sleep(this.#random(200))
      const other = files.connect()
      try {
        other.exec('begin immediate')
        done.set('file locked', (done.get('file locked') ?? 0) + 1)
        await sleep(this.#random(300))
      } catch {
        // One of them has it.
      } finally {
        other.close()
      }
    }
    const ends = await Promise.all(running)
    for (const end of ends) this.#assertEnded(end)
    const facts = ends.flatMap((end) => end.facts)
    await this.#assertRecorded(files, facts)
    return { faults: this.faults, done }
  }

  async #start(path: string, ending: (typeof ENDINGS)[number], threads: number): Promise<End> {
    const parameters = JSON.stringify({ path, ending, threads, seed: this.#random(2 ** 31) })
    const child = spawn(process.execPath, [MEMBER, parameters], {
      stdio: ['ignore', 'pipe', 'pipe'],
      // For one that hangs: on a machine with much else to do they take minutes.
      timeout: 600_000,
      killSignal: 'SIGABRT',
    })
    let out = ''
    let words = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      words += text
    })
    const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
    const facts = out.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Fact]))
    return { ending, code, signal, facts, words }
  }

  /** It came to its end by itself, or as it was told to, and said nothing on the way. */
  #assertEnded({ ending, code, signal, facts, words }: End): void {
    assert.deepEqual(
      { code, signal, words },
      { code: ending === 'killed' ? null : 0, signal: ending === 'killed' ? 'SIGKILL' : null, words: '' },
    )
    for (const { kept, writtenEvents, lostEvents } of facts) assert.equal(writtenEvents + lostEvents, kept)
    if (ending === 'close') assert.ok(facts.length > 0)
  }

  async #assertRecorded(files: AuditFolder, facts: readonly Fact[]): Promise<void> {
    const { intact, runs } = await asking(files, async (history) => ({
      intact: (await history.verify()).intact,
      runs: (await history.runs({ limit: 50 })).items,
    }))
    assert.equal(intact, true, 'the chains of all runs are whole')
    for (const { run, lostEvents } of facts) {
      const found = runs.find((row) => row.run === run)
      assert.deepEqual([found?.state, found?.lostEvents], ['closed', lostEvents])
    }
    const spans = files.rows<{ run: number; first: number; last: number }>(
      `select run_id as run, first_seq as first, last_seq as last from batches
       union all select run_id, first_seq, last_seq from gaps where reason <> 'crash' order by 1, 2`,
    )
    const covered = new Map<number, number>()
    for (const { run, first, last } of spans) {
      assert.equal(first, (covered.get(run) ?? 0) + 1, `what is in the file of run ${run} is contiguous`)
      covered.set(run, last)
    }
  }
}
