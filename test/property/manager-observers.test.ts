import assert from 'node:assert/strict'
import fc from 'fast-check'
import { map } from 'rxjs'
import { describe, expect, it, vi } from 'vitest'
import { POLICIES } from '../../src/base/settings.ts'
import { MemoryManager } from '../../src/command/memory-manager.ts'
import { EVENT_TYPES, type MuninnEvent } from '../../src/event/catalogue.ts'
import { assertFolds, drain, pictureOf, startedOf, stateOf } from '../support/fold-law.ts'
import { Ledger } from '../support/ledger.ts'
import { callsOf, commandsOf, configOf } from '../support/manager-commands.ts'
import { Player } from '../support/manager-player.ts'
import { assertWithinLimits } from '../support/manager-world.ts'
import { stillTimers } from '../support/still-timers.ts'

const RUNS = process.env.MUNINN_NIGHT === '1' ? 20 : 1

stillTimers()

function fail(): never {
  throw new Error('an observer that throws')
}

/** Watches with every way there is, and throws each time. */
function watchBadly({ memory }: Player): void {
  memory.events$.subscribe(fail)
  memory.select('added', 'evicted').pipe(map(fail)).subscribe()
  memory.evictions$.pipe(map(({ key }) => key)).subscribe({ next: fail, error: fail, complete: fail })
  for (const type of EVENT_TYPES) memory.on(type, fail)
}

const policy = fc.constantFrom(...POLICIES)
const runs = policy.chain(configOf).chain((config) =>
  fc.record({
    config: fc.constant(config),
    commands: commandsOf(config.sizing, 50),
    reactions: fc.array(callsOf(config.sizing), { maxLength: 40, size: 'max' }),
    every: fc.integer({ min: 1, max: 7 }),
    tick: fc.constantFrom(0, 0, 1, 300),
  }),
)

describe('observers', () => {
  it('change nothing, whether they throw or there are none', async () => {
    await fc.assert(
      fc.asyncProperty(runs, async ({ config, commands }) => {
        // One after the other, the first one's timers cleared: each one's waiting would let the other's fire.
        const alone = new Player(config)
        const answers = commands.map((command) => structuredClone(alone.play(command)))
        vi.clearAllTimers()
        const watched = new Player(config)
        const told: number[] = []
        watchBadly(watched)
        watched.memory.events$.subscribe(({ seq }) => told.push(seq))
        watchBadly(watched)
        const first = stateOf(watched.memory).seq
        for (const [n, command] of commands.entries()) assert.deepEqual(watched.play(command), answers[n])
        assert.deepEqual(pictureOf(stateOf(watched.memory)), pictureOf(stateOf(alone.memory)))
        assert.deepEqual(
          told,
          Array.from({ length: stateOf(watched.memory).seq - first }, (_, i) => first + 1 + i),
        )
        expect(watched.memory.stats().observerErrors).toBeGreaterThanOrEqual(4 * told.length)
        for (const { memory } of [alone, watched]) void memory.close()
      }),
      { seed: 2, numRuns: 60 * RUNS },
    )
  })

  it('may call the cache back: others are told everything, once and in order, and all laws hold', async () => {
    await fc.assert(
      fc.asyncProperty(runs, async ({ config, commands, reactions, every, tick }) => {
        const player = new Player(config)
        player.clock.tick = tick
        const { memory } = player
        const told: MuninnEvent[] = []
        const pending = [...reactions]
        let seen = 0
        memory.events$.subscribe(() => {
          const reaction = seen++ % every === 0 ? pending.shift() : undefined
          if (reaction !== undefined) player.play(reaction)
        })
        memory.events$.subscribe((event) => told.push(event))
        const ledger = new Ledger(startedOf(memory).at)
        let entered = 0
        for (const command of commands) {
          player.play(command)
          for (; entered < told.length; entered++) ledger.enter(told[entered] as MuninnEvent)
          assertWithinLimits(memory)
          ledger.balance(memory)
        }
        void memory.close()
        const folded = assertFolds(memory, told)
        expect(drain(stateOf(memory), folded.at, false)).toEqual(drain(folded, folded.at, false))
        expect(memory.stats().observerErrors).toBe(0)
      }),
      { seed: 3, numRuns: 100 * RUNS },
    )
  })

  it('never see time go back, even where one of them reads a later clock in the middle of a call', () => {
    const clock = { time: 0, now: () => clock.time }
    const memory = new MemoryManager({
      maxMemory: 1_000,
      evictionThreshold: 1,
      policy: 'lru',
      checkInterval: 0,
      clock,
      seed: 1,
    })
    const cache = memory.cache('c')
    const times: number[] = []
    memory.events$.subscribe(({ at }) => times.push(at))
    cache.set('stays', 1, { size: 400 })
    cache.set('expires', 1, { size: 10, ttl: 31_000 })
    cache.set('big', 1, { size: 420 })
    cache.delete('big')
    // The warning level has been left for long enough: the call that ends next says so.
    const stop = memory.on('missed', () => {
      stop()
      clock.time += 500
      cache.get('stays')
    })
    clock.time += 31_000
    cache.get('expires')
    expect(times).toEqual([...times].sort((a, b) => a - b))
    void memory.close()
  })
})
