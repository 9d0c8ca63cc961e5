// Mutation testing, group by group: `npm run mutation [group…]`. What is changed in a group is asked of the tests nearest to it
// alone, so that what lives costs a second, not a minute; what these tests kill, all tests together kill, too.
import { readdirSync, readFileSync } from 'node:fs'
import { posix, relative } from 'node:path'
import process from 'node:process'
import { Stryker } from '@stryker-mutator/core'

/** Killed at least, of all together and of each file, in percent. */
const LEAST = 85
const LEAST_OF_FILE = 75

const groups = JSON.parse(readFileSync(new URL('groups.json', import.meta.url), 'utf8'))
const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(groups)

const patterns = Object.values(groups).flatMap(({ mutate }) => mutate)
for (const folder of ['src/decide', 'src/fold']) {
  for (const name of readdirSync(folder, { recursive: true })) {
    const file = posix.join(folder, name)
    const isCovered = patterns.some((one) => one === file || one === `${posix.dirname(file)}/*.ts`)
    if (file.endsWith('.ts') && !isCovered) throw new Error(`${file} is in no group of test/mutation/groups.json`)
  }
}

/** By file, how many mutants came to which end. */
const files = new Map()
for (const name of names) {
  process.env.MUNINN_MUTATION_GROUP = name
  const stryker = new Stryker({
    mutate: groups[name].mutate,
    incrementalFile: `mutation/${name}.json`,
    htmlReporter: { fileName: `mutation/${name}.html` },
  })
  for (const { fileName, status } of await stryker.runMutationTest()) {
    const file = relative('.', fileName)
    const { [status]: before = 0, ...others } = files.get(file) ?? {}
    files.set(file, { ...others, [status]: before + 1 })
  }
}

/** What became of the mutants of some files; one that cannot run is none. */
function rowOf(file, ends) {
  const sumOf = (status) => ends.reduce((sum, { [status]: count = 0 }) => sum + count, 0)
  const byTime = sumOf('Timeout')
  const killed = sumOf('Killed') + byTime
  const lived = sumOf('Survived') + sumOf('NoCoverage')
  const percent = Math.round((1_000 * killed) / (killed + lived)) / 10
  return { file, mutants: killed + lived, 'killed %': percent, 'of them by time': byTime, lived }
}

const rows = [...files].map(([file, ends]) => rowOf(file, [ends]))
const whole = rowOf('all together', [...files.values()])
console.table([...rows, whole])
const below = rows.filter((row) => row['killed %'] < LEAST_OF_FILE)
for (const { file } of below) console.error(`${file} is below ${LEAST_OF_FILE} %`)
if (whole['killed %'] < LEAST) console.error(`all together are below ${LEAST} %`)
process.exitCode = below.length > 0 || whole['killed %'] < LEAST ? 1 : 0
