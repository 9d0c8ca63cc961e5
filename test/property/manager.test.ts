import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { POLICIES } from '../../src/base/settings.ts'
import { assertFolds, drain, stateOf } from '../support/fold-law.ts'
import { commandsOf, configOf } from '../support/manager-commands.ts'
import { ManagerWorld } from '../support/manager-world.ts'
import { stillTimers } from '../support/still-timers.ts'

// The properties are asynchronous so that each run's close() comes to its end: else all managers stay in memory.
const RUNS = process.env.MUNINN_NIGHT === '1' ? 20 : 1

stillTimers()

describe.each(POLICIES)('a manager under %s', (policy) => {
  const runs = configOf(policy).chain((config) =>
    fc.record({
      config: fc.constant(config),
      commands: commandsOf(config.sizing, 80),
      /** When, after the last command, everything is drained, and how. */
      later: fc.constantFrom(0, 30, 5_000, 1e13),
      ofEachCache: fc.boolean(),
      under: fc.constantFrom(...POLICIES),
    }),
  )

  it('does what the reference model does, and is the fold of its events', async () => {
    await fc.assert(
      fc.asyncProperty(runs, async ({ config, commands, later, ofEachCache, under }) => {
        const world = new ManagerWorld(config)
        for (const command of commands) world.run(command)
        world.run({ do: 'policy', policy: under })
        world.end()
        const folded = assertFolds(world.memory, world.events)
        const at = folded.at + later
        expect(drain(stateOf(world.memory), at, ofEachCache)).toEqual(drain(folded, at, ofEachCache))
      }),
      { seed: POLICIES.indexOf(policy) + 1, numRuns: 80 * RUNS },
    )
  })
})
