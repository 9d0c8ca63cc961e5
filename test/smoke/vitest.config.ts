import { defineConfig } from 'vitest/config'

/** `npm run smoke`: packs, installs (better-sqlite3 compiles for minutes where no binary is to be had) and looks. */
export default defineConfig({
  test: {
    root: new URL('../..', import.meta.url).pathname,
    include: ['test/smoke/**/*.test.ts'],
    pool: 'forks',
    retry: 0,
    allowOnly: false,
    passWithNoTests: false,
    testTimeout: 120_000,
    hookTimeout: 20 * 60_000,
  },
})
