import { setTimeout as delay } from 'node:timers/promises'
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

  private constructor({ seed, memory, past }: DemoOptions) {
    this.clock = new DemoClock(Date.now() - past)
    this.workload = new Workload(seed)
    this.options = { ...memory, seed, clock: this.clock }
    this.memory = this.open()
  }

  /** With a past in its audit log: days with exports, deploys and what an operator did about them. */
  static async begin(options: DemoOptions): Promise<Demo> {
    const demo = new Demo(options)
    await demo.live(options.past)
    demo.clock.goLive()
    return demo
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

  private async live(past: number): Promise<void> {
    const steps = Math.floor(past / STEP)
    for (let step = 0; step < steps; step++) {
      if (this.workload.deploys) await this.redeploy()
      this.step()
      this.operate(step, steps)
      this.clock.pass(STEP)
      // The writer is another thread: what waits for it is bounded, and beyond it would be lost.
      if (step % 200 === 0) while ((this.memory.stats().audit?.pendingEvents ?? 0) > 4000) await delay(5)
    }
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
