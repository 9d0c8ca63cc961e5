import { readFileSync } from 'node:fs'
import { defineConfig } from 'vitest/config'

interface Group {
  readonly tests: readonly string[]
}

const groups: Record<string, Group> = JSON.parse(readFileSync(new URL('groups.json', import.meta.url), 'utf8'))
const { tests } = groups[process.env.MUNINN_MUTATION_GROUP ?? ''] ?? {
  tests: Object.values(groups).flatMap((group) => group.tests),
}

/** `npm run mutation`: the tests of one group, on the sources alone, as fast as they can fail. */
export default defineConfig({
  test: {
    root: new URL('../..', import.meta.url).pathname,
    include: tests.map((name) => `test/${name}.test.ts`),
    setupFiles: ['test/mutation/quick-properties.ts'],
    isolate: false,
    testTimeout: 60_000,
  },
})
