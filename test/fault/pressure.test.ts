import { describe, expect, test } from 'vitest'
import { ControlGroup, isHarsh, play, type Scenario, scenarioOf, unpressured } from '../support/pressure-scenario.ts'

const isNight = process.env.MUNINN_NIGHT === '1'
/** ms in all, and of one scenario: `npm test` has a slice. */
const CAMPAIGN = Number(process.env.MUNINN_PRESSURE_MS ?? (isNight ? 30 * 60_000 : 15_000))
const EACH = isNight ? 10_000 : 2_500
/** The first scenario; the others count on from it. */
const SEED = Number(process.env.MUNINN_SEED ?? (isNight ? Date.now() % 1_000_000 : 20_261_123))

/** As many scenarios as there is time for, from the first seed on; of a slice, only those that bring pressure soon. */
function campaign(groups: boolean): Scenario[] {
  const scenarios: Scenario[] = []
  for (let seed = SEED; scenarios.length < CAMPAIGN / EACH; seed++) {
    const scenario = scenarioOf(seed, EACH, groups)
    if (isNight || isHarsh(scenario)) scenarios.push(scenario)
  }
  return scenarios
}

describe('a process that runs short of memory', () => {
  test(
    'does not die of its cache, whatever is added, at whatever rate, and whatever the rest of it takes',
    async () => {
      const groups = ControlGroup.canBeMade
      const scenarios = campaign(groups)
      process.stdout.write(
        `pressure: ${scenarios.length} scenarios from seed ${SEED} (MUNINN_SEED)${groups ? '' : '; no control group can be made here'}\n`,
      )
      let underPressure = 0
      const slowdowns: number[] = []
      for (const scenario of scenarios) {
        const { seed } = scenario
        const { died, errors, report } = await play(scenario)
        expect(died, `seed ${seed}: ${JSON.stringify(scenario)}\n${errors.slice(-2_000)}`).toBeNull()
        expect(report, `seed ${seed}`).toMatchObject({ imbalances: 0 })
        // What was given up for the process is told.
        if ((report?.causes.pressure ?? 0) > 0) expect(report?.changes, `seed ${seed}`).toBeGreaterThan(0)
        if ((report?.changes ?? 0) > 0) underPressure++
        const twin = report !== null && report.changes > 0 && isNight ? unpressured(scenario, report) : null
        const rival = twin === null ? null : (await play(twin)).report
        if (report !== null && rival !== null) slowdowns.push(rival.addsPerSecond / report.addsPerSecond)
        if (process.env.MUNINN_PRESSURE_REPORT !== undefined)
          process.stdout.write(`${JSON.stringify({ ...scenario, ...report })}\n`)
      }
      process.stdout.write(`pressure: ${underPressure} of ${scenarios.length} came under pressure; none died\n`)
      slowdowns.sort((a, b) => a - b)
      const [median, worst] = [slowdowns[slowdowns.length >> 1], slowdowns.at(-1)]
      if (worst !== undefined)
        process.stdout.write(
          `pressure: adds a second without it, over those with it: median ${median?.toFixed(2)}, worst ${worst.toFixed(2)}, of ${slowdowns.length}\n`,
        )
    },
    3 * CAMPAIGN + 60_000,
  )
})
