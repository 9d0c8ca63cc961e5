import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, describe, expect, it } from 'vitest'

/*
 * A cache filled to 64 MB with values of one shape moves its process's heap and external memory by 64 MB, to within 10 %:
 * every shape of the corpus at night, a few by day.
 */

const BUDGET = 64 * 1024 ** 2
const SCRIPT = fileURLToPath(new URL('../support/filled-budgets.mjs', import.meta.url))
const SLICE = ['one integer', 'a user of an API', 'a string of 10 kB', 'a Buffer of 2 kB']
/** Their own estimates are off by more than that, on one Node or another (docs/memory.md). */
const ESTIMATED_BADLY = new Set(['spread', 'strings, pushed', 'fields by symbol', 'a bound function', 'a Map of Sets'])
const isNight = process.env['MUNINN_NIGHT'] !== undefined

interface Filled {
  readonly name: string
  readonly grown: number
  readonly bytes: number
}

async function filled(audit: string, names: readonly string[]): Promise<Filled[]> {
  const args = ['--expose-gc', SCRIPT, String(BUDGET), audit, ...names]
  const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: 2 ** 24 })
  return JSON.parse(stdout)
}

const folder = mkdtempSync(join(tmpdir(), 'muninn-budget-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe.each([
  ['without an audit log', '-', isNight ? [] : SLICE],
  ['with one', join(folder, 'muninn.db'), isNight ? SLICE : SLICE.slice(1, 2)],
])('a budget of 64 MB, %s', (_, audit, names) => {
  it('is what the process grows by', { timeout: 3_600_000 }, async () => {
    for (const { name, grown, bytes } of await filled(audit, names)) {
      expect(bytes, name).toBeGreaterThan(0.97 * BUDGET)
      if (ESTIMATED_BADLY.has(name)) continue
      expect(grown / BUDGET, name).toBeGreaterThan(0.9)
      expect(grown / BUDGET, name).toBeLessThan(1.1)
    }
  })
})
