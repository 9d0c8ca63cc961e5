import { randomInt } from 'node:crypto'
import { afterEach, expect, test, vi } from 'vitest'
import { avalanche } from '../../src/fold/hash.ts'
import { chance } from '../support/chance.ts'
import { collectUncaught } from '../support/uncaught.ts'
import { CallsScenario } from './campaign/calls-scenario.ts'
import { CrowdScenario } from './campaign/crowd-scenario.ts'
import { FleetScenario } from './campaign/fleet-scenario.ts'
import { LogScenario } from './campaign/log-scenario.ts'
import { described, type Outcome, Tally } from './campaign/scenario.ts'

/*
 * Several faults at once, drawn at random from a seed, against the real parts. `MUNINN_FAULT=<seed>` plays one scenario
 * alone, `MUNINN_FAULTS=<count>` and `MUNINN_FAULTS_FROM=<seed>` so many from there; a failure says its seed. docs/faults.md tells of each fault.
 */

const isNight = process.env.MUNINN_NIGHT === '1'
const ONE = process.env.MUNINN_FAULT
/** The night begins elsewhere each time, unless it is told where. */
const FROM = Number(ONE ?? process.env.MUNINN_FAULTS_FROM ?? (isNight ? randomInt(2 ** 31) : 1))
const COUNT = ONE !== undefined ? 1 : Number(process.env.MUNINN_FAULTS ?? (isNight ? 10_000 : 250))
/** Scenarios after which a night's tally is printed, since one may be cut short. */
const PRINTED = 500
const CROWD = isNight ? 1_000_000 : 100_000

const realTurn = (
  (later) => () =>
    new Promise((resolve) => later(resolve))
)(setImmediate)

afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

/** In virtual time, thousands of them; each of the other kinds a fixed share of the seeds. */
async function play(seed: number): Promise<Outcome> {
  const random = chance(avalanche(seed))
  if (seed % 1_000 === 50) return new CrowdScenario(random, CROWD).play()
  if (seed % 250 === 100) return new FleetScenario(random).play()
  if (seed % 25 === 0) {
    using log = new LogScenario(seed, random)
    return await log.play()
  }
  vi.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'setImmediate', 'clearImmediate'],
  })
  return await new CallsScenario(seed, random).play(realTurn)
}

test(`${COUNT} scenarios of faults from seed ${FROM}: limits, books and the fold law hold, and nothing is lost in silence`, async () => {
  const uncaught = collectUncaught()
  const tally = new Tally()
  const breaches: string[] = []
  const threads = (): number =>
    process.getActiveResourcesInfo().filter((kind) => /Worker|MessagePort/.test(kind)).length
  const before = threads()
  for (let seed = FROM; seed < FROM + COUNT; seed++) {
    try {
      tally.add(await play(seed))
    } catch (error) {
      breaches.push(`MUNINN_FAULT=${seed}: ${described(error)}`)
    }
    vi.useRealTimers()
    vi.restoreAllMocks()
    await realTurn()
    for (const error of uncaught.splice(0)) breaches.push(`MUNINN_FAULT=${seed}: nobody caught ${described(error)}`)
    if (seed % 100 === 0 && threads() > before)
      breaches.push(`MUNINN_FAULT=${seed}: ${threads() - before} threads left`)
    if (isNight && ((seed + 1 - FROM) % PRINTED === 0 || seed + 1 === FROM + COUNT))
      process.stdout.write(`${tally.text(FROM)}\n${breaches.length} breaches\n${breaches.join('\n')}\n`)
  }
  expect(breaches).toEqual([])
})
