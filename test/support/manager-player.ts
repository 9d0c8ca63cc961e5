import { vi } from 'vitest'
import { MuninnError } from '../../src/base/errors.ts'
import type { MemoryManagerOptions } from '../../src/base/options.ts'
import type { Cache } from '../../src/command/cache.ts'
import { MemoryManager } from '../../src/command/memory-manager.ts'
import { stateOf } from './fold-law.ts'
import {
  cacheOptionsOf,
  contentOf,
  evictOptionsOf,
  type Given,
  givenOf,
  HandClock,
  isBox,
  limitOptionsOf,
  optionsOf,
} from './manager-calls.ts'
import type { Command, Config } from './manager-commands.ts'

/** Turns of the event loop in which a cycle must have come to its end: a slice of 128 each. */
const MOST_TURNS = 12

/** What a call answered or threw, and what it stored. */
export interface Played {
  readonly answer: unknown
  /** Code of the error, or `null`. */
  readonly thrown: string | null
  readonly given: Given | null
}

/** Plays generated commands on a real manager, whose clock it holds. Wants fake timers. */
export class Player {
  readonly memory: MemoryManager
  readonly config: Config
  readonly clock: HandClock
  /** The caches as callers hold them, dropped ones included. */
  readonly facades = new Map<string, Cache>()
  private values = 0

  /** @param surroundings what the manager is given besides, or instead of what the configuration says. */
  constructor(config: Config, surroundings: (clock: HandClock) => MemoryManagerOptions = () => ({})) {
    this.config = config
    this.clock = new HandClock(config.startsAt)
    this.memory = new MemoryManager({ ...optionsOf(config, this.clock), ...surroundings(this.clock) })
    for (const name of Object.keys(config.caches)) this.facades.set(name, this.memory.cache(name))
  }

  play(command: Command): Played {
    const config = { ...this.config, policy: this.memory.settings.policy }
    const given =
      'store' in command && 'key' in command ? givenOf(command.store, command.key, ++this.values, config) : null
    try {
      return { answer: this.call(command, given), thrown: null, given }
    } catch (error) {
      if (!(error instanceof MuninnError)) throw error
      return { answer: undefined, thrown: error.code, given }
    }
  }

  private call(command: Command, given: Given | null): unknown {
    const { memory } = this
    const { scale } = this.config
    const cache = 'cache' in command && command.cache !== undefined ? this.facades.get(command.cache) : undefined
    switch (command.do) {
      case 'get':
      case 'peek':
      case 'has':
      case 'delete':
        return cache?.[command.do](command.key)
      case 'set':
        return cache?.set(command.key, given?.value, given?.options)
      case 'getOrInsert':
        return cache?.getOrInsert(command.key, () => given?.value, given?.options)
      case 'change':
        return this.change(command)
      case 'clear':
        return cache?.clear()
      case 'drop':
        return memory.drop(command.cache)
      case 'make':
        this.facades.set(
          command.cache,
          memory.cache(command.cache, command.options && cacheOptionsOf(command.options, scale)),
        )
        return undefined
      case 'evict':
        this.turnClock(command.after ?? 0)
        return memory.evict(evictOptionsOf(command, scale))
      case 'calm':
      case 'check':
        return memory.check()
      case 'reset':
        return memory.resetStats()
      case 'limits':
        return memory.setLimits(limitOptionsOf(command.limits, scale))
      case 'policy':
        return memory.setPolicy(command.policy, command.threshold)
      case 'clock':
        return this.turnClock(command.by)
      case 'wait':
        this.turnClock(command.ms)
        vi.advanceTimersByTime(command.ms)
        return undefined
      case 'idle':
        for (let turn = 0; turn < MOST_TURNS && stateOf(memory).cycle !== null; turn++) vi.advanceTimersByTime(1)
        return undefined
      case 'near':
        return this.playNear(command)
      case 'fill':
        for (let i = 0; i < this.mostOf(command) && !this.isFilled(command); i++) {
          this.play({ do: 'set', cache: command.cache, key: `f${i}`, store: command.store })
        }
        return command.until === 'idle' ? this.play({ do: 'idle' }).answer : undefined
      default:
        return undefined
    }
  }

  mostOf({ count }: Extract<Command, { do: 'fill' }>): number {
    return Math.min(count, this.config.mostFilled)
  }

  isFilled({ until }: Extract<Command, { do: 'fill' }>): boolean {
    return until !== 'end' && stateOf(this.memory).cycle !== null
  }

  /** Steps the clock, and has the manager read it: what it didn't see didn't happen. */
  private turnClock(by: number): void {
    const { clock, memory } = this
    const before = clock.time
    clock.time += by
    memory.stats()
    if (Number.isNaN(clock.time)) clock.time = before
  }

  /** Changes a value that is stored, which the cache is not told. */
  private change({ cache, key, to }: Extract<Command, { do: 'change' }>): void {
    const value = this.facades.get(cache)?.peek(key)
    if (isBox(value)) value[0] = contentOf(to, ++this.values, this.config) as string | Uint8Array
  }

  /** To the millisecond at which the entry is past its time, or the one before or after. */
  private playNear({ cache, key, by, call }: Extract<Command, { do: 'near' }>): unknown {
    const expiresAt = this.facades.get(cache)?.info(key)?.expiresAt ?? Number.POSITIVE_INFINITY
    if (expiresAt < 1e14) this.turnClock(Math.max(0, expiresAt + by - this.clock.time))
    return this.play({ do: call, cache, key }).answer
  }
}
