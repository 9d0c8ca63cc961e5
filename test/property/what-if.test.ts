import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { POLICIES } from '../../src/base/settings.ts'
import type { Evicted } from '../../src/event/catalogue.ts'
import { RecordedRun } from '../../src/replay/recorded-run.ts'
import { startedOf } from '../support/fold-law.ts'
import { commandsOf, configOf } from '../support/manager-commands.ts'
import { ManagerWorld } from '../support/manager-world.ts'

const RUNS = process.env.MUNINN_NIGHT === '1' ? 20 : 1

beforeAll(() => {
  vi.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'setImmediate', 'clearImmediate'],
  })
})
afterAll(() => {
  vi.useRealTimers()
})

describe.each(POLICIES)('a recorded run under %s', (policy) => {
  const runs = configOf(policy).chain((config) =>
    fc.record({ config: fc.constant(config), commands: commandsOf(config.sizing, 150) }),
  )

  test('evicts the same entries for the same reasons when it is done again', async () => {
    await fc.assert(
      fc.asyncProperty(runs, async ({ config, commands }) => {
        const world = new ManagerWorld(config)
        for (const command of commands) world.run(command)
        const again = new RecordedRun(startedOf(world.memory), {})
        const evicted: Evicted[] = []
        again.memory.on('evicted', (event) => evicted.push(event))
        for (const event of world.events) again.repeat(event)
        const told = world.events.filter((event) => event.type === 'evicted')
        expect(evicted.map(identity)).toEqual(told.map(identity))
        await again.close()
        world.end()
      }),
      { seed: POLICIES.indexOf(policy) + 31, numRuns: 25 * RUNS },
    )
  })
})

/** All but numbers of events, as scores of lru are: what was only told, or expired sooner or later, need not come to the same. */
function identity({ seq: _, trigger, score, runnerUpScore, ...event }: Evicted) {
  const scores = event.policy === 'lru' ? {} : { score, runnerUpScore }
  return { ...event, ...scores, trigger: trigger === null ? null : { ...trigger } }
}
