import type { EventEmitter } from 'node:events'
import { setTimeout as timer } from 'node:timers/promises'
import { onTestFinished } from 'vitest'

/** Collects what would end the process from now on, until the test ends. */
export function collectUncaught(): unknown[] {
  const emitter: EventEmitter = process
  const events = ['uncaughtException', 'unhandledRejection']
  const caught: unknown[] = []
  const collect = (error: unknown): void => void caught.push(error)
  // The test runner's own listeners would fail the run before the test could say why.
  const own = events.map((event) => [event, emitter.listeners(event)] as const)
  for (const event of events) {
    emitter.removeAllListeners(event)
    emitter.on(event, collect)
  }
  const restore = (): void => {
    for (const [event, listeners] of own) {
      emitter.removeListener(event, collect)
      for (const listener of listeners) emitter.on(event, listener as (error: unknown) => void)
    }
  }
  onTestFinished(restore)
  return caught
}

/** Likewise; call what it returns for the list, after timers have run. */
export function watchUncaught(): () => Promise<unknown[]> {
  const caught = collectUncaught()
  return async () => {
    // What RxJS rethrows comes from a timer of 1 ms: timers of one duration fire in the order in which they were set.
    await timer(1)
    return caught
  }
}
