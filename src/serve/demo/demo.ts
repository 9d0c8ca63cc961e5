import { fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { HistoryError } from '../../base/errors.ts'
import type { MemoryManagerOptions } from '../../base/options.ts'
import { MemoryManager } from '../../muninn.ts'
import { STEP, Workload } from './workload.ts'

/** How much of the past is there when the demonstration begins, in ms. */
export const PAST = 24 * 60_000

export interface DemoOptions {
  readonly seed: number
  readonly memory: MemoryManagerOptions
  /** How much of the past to make, in ms. */
  readonly past: number
}

/** The share of the past at which the process is killed: at noon of a day, between two deploys. */
const CRASH_AT = 0.375
/** Steps until it is there again. */
const DOWN = 4000 / STEP

/** What the past is made from, in whichever process. */
interface Beginning {
  readonly seed: number
  readonly memory: MemoryManagerOptions
  /** When the past begins, in epoch ms. */
  readonly begun: number
  /** How long it is. */
  readonly steps: number
}

/** A past, and the step before which its process is killed. */
export interface Crash {
  readonly beginning: Beginning
  readonly until: number
}

/** From the sources and from `dist/` the same way. */
const CRASHING = fileURLToPath(new URL('../../../dist/serve/demo/crashing.js', import.meta.url))

/** A run crashes with its process alone: that of this part of the past is one of its own. */
async function liveAndCrash(crash: Crash): Promise<void> {
  const child = fork(CRASHING, {
    execArgv: [],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  child.send(crash)
  await once(child, 'exit')
}

/** Time that can be ahead of itself: the past is lived through quickly, then it runs with the machine's. */
class DemoClock {
  private at: number | null

  constructor(from: number) {
    this.at = from
  }

  readonly now = (): number => this.at ?? Date.now()

  pass(ms: number): void {
    if (this.at !== null) this.at += ms
  }

  goLive(): void {
    this.at = null
  }
}

/** The demonstration's caches and who uses them; what serves them is the caller's. */
export class Demo {
  memory: MemoryManager
  private readonly workload: Workload
  private readonly options: MemoryManagerOptions
  private readonly clock: DemoClock
  private timer: NodeJS.Timeout | null = null
  private paused = true

  private constructor({ seed, memory, begun }: Beginning, step: number) {
    this.clock = new DemoClock(begun + step * STEP)
    this.workload = new Workload(seed, step)
    this.options = { ...memory, seed, clock: this.clock }
    this.memory = this.open()
  }

  /** With a past in its audit log: days with exports, deploys, a crash, and what an operator did about them. */
  static async begin({ seed, memory, past }: DemoOptions): Promise<Demo> {
    const beginning: Beginning = { seed, memory, begun: Date.now() - past, steps: Math.floor(past / STEP) }
    const crash = Math.floor(beginning.steps * CRASH_AT)
    await liveAndCrash({ beginning, until: crash })
    const demo = new Demo(beginning, crash + DOWN)
    await demo.live(beginning, crash + DOWN, beginning.steps)
    demo.clock.goLive()
    return demo
  }

  /** The past up to a crash, in the process that is about to die of it. */
  static async beginToCrash({ beginning, until }: Crash): Promise<void> {
    const demo = new Demo(beginning, 0)
    await demo.live(beginning, 0, until)
    await demo.memory.flush()
  }

  /** One step of the workload, at the time that it is. */
  step(): void {
    this.workload.run(this.memory)
  }

  /** Steps in real time; `restart` is called where a new version is deployed, and has to call `redeploy`. */
  play(restart: () => Promise<void>): void {
    this.paused = false
    const turn = async () => {
      if (this.workload.deploys) await restart()
      this.step()
      if (!this.paused) this.timer = setTimeout(turn, STEP)
    }
    this.timer = setTimeout(turn, STEP)
  }

  pause(): void {
    this.paused = true
    if (this.timer !== null) clearTimeout(this.timer)
    this.timer = null
  }

  /** The old version ends, and a new one begins with empty caches. */
  async redeploy(): Promise<void> {
    await this.memory.close()
    this.memory = this.open()
  }

  private open(): MemoryManager {
    const memory = new MemoryManager(this.options)
    for (const name of ['general', 'tenant', 'mimir']) memory.cache(name)
    return memory
  }

  /** @throws {HistoryError} where the audit log can't be written: there would be no past. */
  private async live({ steps }: Beginning, from: number, until: number): Promise<void> {
    await this.memory.flush()
    const problem = this.memory.stats().audit?.problem ?? null
    if (problem !== null) throw new HistoryError(`can't write the audit log: ${problem}`)
    for (let step = from; step < until; step++) {
      if (this.workload.deploys) await this.redeploy()
      this.step()
      this.operate(step, steps)
      this.clock.pass(STEP)
      // The writer is another thread: what waits for it is bounded, and beyond it would be lost.
      if (step % 200 === 0) while (this.isLogBehind()) await delay(5)
    }
  }

  private isLogBehind(): boolean {
    const { audit } = this.memory.stats()
    return audit !== null && audit.problem === null && audit.pendingEvents > 4000
  }

  /** What an operator did about it, at the same times in every demonstration. */
  private operate(step: number, steps: number): void {
    const actor = 'kari'
    if (step === Math.floor(steps * 0.31)) this.memory.evict({ target: 0.5, actor })
    if (step === Math.floor(steps * 0.55)) this.memory.setLimits({ caches: { tenant: { maxItems: 400 } }, actor })
    if (step === Math.floor(steps * 0.64)) this.memory.setLimits({ caches: { tenant: { maxItems: 500 } }, actor })
    if (step === Math.floor(steps * 0.83)) this.memory.cache('mimir').clear({ actor })
  }
}
