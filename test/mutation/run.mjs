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

const killed = ({ Killed = 0, Timeout = 0 }) => Killed + Timeout
const all = ({ Killed = 0, Timeout = 0, Survived = 0, NoCoverage = 0 }) => Killed + Timeout + Survived + NoCoverage
const share = (counts) => (100 * killed(counts)) / all(counts)

/** By file, how many mutants came to which end. */
const files = {}
for (const name of names) {
  process.env.MUNINN_MUTATION_GROUP = name
  const { mutate } = groups[name]
  const stryker = new Stryker({
    mutate,
    incrementalFile: `mutation/${name}.json`,
    htmlReporter: { fileName: `mutation/${name}.html` },
  })
  for (const { fileName, status } of await stryker.runMutationTest()) {
    const counts = (files[relative('.', fileName)] ??= {})
    counts[status] = (counts[status] ?? 0) + 1
  }
}

const sum = {}
for (const counts of Object.values(files))
  for (const [status, count] of Object.entries(counts)) sum[status] = (sum[status] ?? 0) + count

const rows = Object.entries({ ...files, 'all together': sum }).map(([file, counts]) => ({
  file,
  mutants: all(counts),
  'killed %': Math.round(10 * share(counts)) / 10,
  'of them by time': counts.Timeout ?? 0,
  survived: all(counts) - killed(counts),
}))
console.table(rows)
const below = Object.entries(files).filter(([, counts]) => share(counts) < LEAST_OF_FILE)
for (const [file] of below) console.error(`${file} is below ${LEAST_OF_FILE} %`)
if (share(sum) < LEAST) console.error(`all together are below ${LEAST} %`)
process.exitCode = below.length > 0 || share(sum) < LEAST ? 1 : 0
