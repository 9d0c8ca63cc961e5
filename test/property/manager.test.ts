import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { POLICIES } from '../../src/base/settings.ts'
import { assertFolds, drain, stateOf } from '../support/fold-law.ts'
import { commandsOf, configOf } from '../support/manager-commands.ts'
import { ManagerWorld } from '../support/manager-world.ts'

const tally: Record<string, number> = {}
afterAll(() => { console.log(tally) })
const RUNS = Number(process.env.RUNS ?? 1)

beforeAll(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'setImmediate', 'clearImmediate'] })
})
afterAll(() => {
  vi.useRealTimers()
})

describe.each(POLICIES)('a manager under %s', (policy) => {
  const runs = configOf(policy).chain((config) =>
    fc.record({
      config: fc.constant(config),
      commands: commandsOf(config.sizing, 80),
      later: fc.constantFrom(0, 30, 5_000, 1e13),
      ofEachCache: fc.boolean(),
    }),
  )

  it('does what the reference model does, and is the fold of its events', () => {
    fc.assert(
      fc.property(runs, ({ config, commands, later, ofEachCache }) => {
        const world = new ManagerWorld(config)
        for (const command of commands) world.run(command); for (const e of world.events) { const k = e.type + ('cause' in e ? ' ' + e.cause : '') + ('trigger' in e && typeof e.trigger === 'string' ? ' ' + e.trigger : '') + ('reason' in e ? ' ' + e.reason : '') + ('level' in e ? ' ' + e.level : ''); tally[k] = (tally[k] ?? 0) + 1 }
        world.end()
        const folded = assertFolds(world.memory, world.events)
        const at = folded.at + later
        expect(drain(stateOf(world.memory), at, ofEachCache)).toEqual(drain(folded, at, ofEachCache))
      }),
      { seed: Number(process.env.SEED ?? 1), numRuns: Math.round(150 * RUNS), endOnFailure: process.env.QUICK === '1' },
    )
  })
})
