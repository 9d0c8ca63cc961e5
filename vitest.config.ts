import { readdirSync } from 'node:fs'
import { defineConfig } from 'vitest/config'

/** Run by scripts of their own (`npm run smoke`, `npm run bench`), or no tests at all. */
const notOfNpmTest = ['bench', 'fixtures', 'mutation', 'smoke', 'support']

/** The full campaigns of `npm run test:night` take this many times longer than the slices of `npm test`. */
const patience = process.env.MUNINN_NIGHT === '1' ? 100 : 1

/** Longest time of one test in ms, by kind: a test that hangs must fail, a slow machine must not fail it. */
const timeouts: Record<string, number> = { unit: 10_000 }

/** The kind of a test is its folder: every folder of `test/` is a project, so none can be left out. */
const kinds = readdirSync(new URL('test', import.meta.url), { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && !notOfNpmTest.includes(entry.name))
  .map((entry) => entry.name)

export default defineConfig({
  test: {
    pool: 'forks',
    retry: 0,
    allowOnly: false,
    passWithNoTests: false,
    projects: kinds.map((kind) => ({
      extends: true,
      test: {
        name: kind,
        include: [`test/${kind}/**/*.{test,spec}.ts`],
        // One Chromium for all of them.
        globalSetup: kind === 'browser' ? ['test/browser/chromium.ts'] : [],
        testTimeout: (timeouts[kind] ?? 120_000) * patience,
        hookTimeout: 60_000 * patience,
      },
    })),
  },
})
