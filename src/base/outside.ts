import { AsyncResource } from 'node:async_hooks'

/**
 * Runs what a timer brings outside of whatever call happened to start the timer: Node would take it for a part of that
 * call, and so would `withActor`, and an observer's own AsyncLocalStorage.
 */
export class Outside {
  private readonly resource = new AsyncResource('muninn')

  run(fn: () => void): void {
    this.resource.runInAsyncScope(fn)
  }
}
