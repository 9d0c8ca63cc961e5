import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'
import { ControlGroup } from '../support/pressure-scenario.ts'

const MIB = 1024 ** 2
const PACKAGE = fileURLToPath(new URL('../../dist/muninn.js', import.meta.url))

/** A program that says what it may use, changes its group's limit, and says what is told of that. */
const PROGRAM = `
  import { writeFileSync } from 'node:fs'
  import { MemoryManager } from ${JSON.stringify(PACKAGE)}
  const [limitFile, lower] = process.argv.slice(1)
  const memory = new MemoryManager({ maxMemory: '25%' })
  const before = memory.stats()
  const told = []
  memory.on('budget-changed', (e) => told.push(e))
  writeFileSync(limitFile, lower)
  memory.check()
  console.log(JSON.stringify({ before: before.mayUse, budget: before.maxMemoryBytes, after: memory.stats().mayUse, told }))
`

describe.runIf(ControlGroup.canBeMade)('in a real control group', () => {
  test('what the process may use is the group’s limit, also of an outer one, and follows it', () => {
    const outer = new ControlGroup(`muninn-outer-${process.pid}`)
    const inner = new ControlGroup(`muninn-outer-${process.pid}/inner`)
    onTestFinished(() => {
      inner.remove()
      outer.remove()
    })
    outer.limit(300 * MIB)
    const [command = '', ...args] = inner.entering([
      process.execPath,
      '--input-type=module',
      '-e',
      PROGRAM,
      outer.limitFile,
      `${200 * MIB}`,
    ])
    const { stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', env: { ...process.env, NODE_OPTIONS: '' } })
    expect(stderr).toBe('')
    expect(JSON.parse(stdout)).toMatchObject({
      before: { bytes: 300 * MIB, source: expect.stringMatching(/^cgroup v[12] memory\./) },
      budget: 75 * MIB,
      after: { bytes: 200 * MIB },
      told: [{ reason: 'allowance', to: { maxMemory: 50 * MIB } }],
    })
  })

  test('no limit is none', () => {
    const group = new ControlGroup(`muninn-none-${process.pid}`)
    onTestFinished(() => group.remove())
    writeFileSync(group.limitFile, group.none)
    const [command = '', ...args] = group.entering([
      process.execPath,
      '--input-type=module',
      '-e',
      `import { MemoryManager } from ${JSON.stringify(PACKAGE)}; console.log(new MemoryManager().stats().mayUse.source)`,
    ])
    const { stdout } = spawnSync(command, args, { encoding: 'utf8', env: { ...process.env, NODE_OPTIONS: '' } })
    expect(stdout.trim()).toBe('machine RAM')
  })
})
