import { defineConfig } from 'vitest/config'

/** `npm run mutation`: the tests of what decides and folds, on the sources alone, as fast as they can fail. */
export default defineConfig({
  test: {
    root: new URL('../..', import.meta.url).pathname,
    include: [
      'test/unit/{decide,fold,levels,manager,pressure}*.test.ts',
      'test/property/{key-index,manager,orders,timer-wheel}.test.ts',
    ],
    setupFiles: ['test/mutation/quick-properties.ts'],
    isolate: false,
    testTimeout: 60_000,
  },
})
