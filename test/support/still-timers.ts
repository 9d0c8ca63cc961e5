import { afterAll, beforeAll, vi } from 'vitest'

/** In the file that calls it no timer goes off by itself; `Date`, promises and ticks are the real ones. */
export function stillTimers(): void {
  beforeAll(() => {
    vi.useFakeTimers({
      toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'setImmediate', 'clearImmediate'],
    })
  })
  afterAll(() => {
    vi.useRealTimers()
  })
}
