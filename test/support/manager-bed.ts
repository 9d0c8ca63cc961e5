import { expect, onTestFinished } from 'vitest'
import type { Logger } from '../../src/base/logger.ts'
import type { Surroundings } from '../../src/command/memory-manager.ts'
import {
  type EventOf,
  type EventType,
  MemoryManager,
  type MemoryManagerOptions,
  type MuninnEvent,
} from '../../src/muninn.ts'

/** Time that passes only when the test says so. */
class VirtualClock {
  time = 1_000_000

  now(): number {
    return this.time
  }
}

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly fields: Record<string, unknown>
  readonly message: string
}

/** A manager in virtual time, with all that it told and logged; closed when the test ends. */
export class Bed {
  readonly clock = new VirtualClock()
  readonly memory: MemoryManager
  /** Everything told since the manager was made, or since `forget`. */
  readonly events: MuninnEvent[] = []
  readonly logged: LogLine[] = []

  constructor(options: MemoryManagerOptions, surroundings?: Surroundings) {
    const logger = Object.fromEntries(
      (['debug', 'info', 'warn', 'error'] as const).map((level) => [
        level,
        (fields: Record<string, unknown>, message: string) => this.logged.push({ level, fields, message }),
      ]),
    ) as unknown as Logger
    this.memory = new MemoryManager(
      { clock: this.clock, seed: 1, checkInterval: 0, policy: 'lru', logger, ...options },
      surroundings,
    )
    this.memory.events$.subscribe((event) => this.events.push(event))
  }

  of<T extends EventType>(type: T): EventOf<T>[] {
    return this.events.filter((event): event is EventOf<T> => event.type === type)
  }

  /** The events but those of levels and peaks, which accompany the others. */
  get told(): MuninnEvent[] {
    return this.events.filter(({ type }) => type !== 'warned' && type !== 'peaked')
  }

  get types(): string[] {
    return this.told.map(({ type }) => type)
  }

  /** Keys of one cache, oldest first. */
  keys(cache = 'c'): string[] {
    return [...this.memory.cache(cache).keys()]
  }

  /** Keys that were evicted, in order. */
  get evictedKeys(): string[] {
    return this.of('evicted').map(({ key }) => key)
  }

  forget(): void {
    this.events.length = 0
  }

  /** All that a caller can see of the manager, apart from figures of the process. */
  seen(): unknown {
    const { memory } = this
    const contents = memory.cacheNames().map((name) => {
      const cache = memory.cache(name)
      const entries = [...cache.entries()].map(([key, value]) => ({ key, value, info: cache.info(key) }))
      return { name, size: cache.size, bytes: cache.bytes, entries }
    })
    const stats = { ...memory.stats(), process: null }
    return { contents, stats, settings: structuredClone(memory.settings), told: this.events.length }
  }

  /** Asserts that what `act` does changes nothing that a caller can see. */
  expectUnchanged(act: () => void): void {
    const before = this.seen()
    act()
    expect(this.seen()).toEqual(before)
  }
}

export function bed(options: MemoryManagerOptions = {}, surroundings?: Surroundings): Bed {
  const made = new Bed(options, surroundings)
  onTestFinished(() => made.memory.close())
  return made
}

/** A manager that only bytes limit: no threshold cycles, no item limit, every size as the calls state it. */
export function tightBed(maxMemory: number, options: MemoryManagerOptions = {}): Bed {
  return bed({ maxMemory, maxItems: Number.POSITIVE_INFINITY, evictionThreshold: 1, ...options })
}

/** What `act` throws; the test fails where it doesn't. */
export function thrownBy(act: () => unknown): Error & { code?: string } {
  try {
    act()
  } catch (error) {
    expect(error).toBeInstanceOf(Error)
    return error as Error
  }
  return expect.fail('nothing was thrown')
}
