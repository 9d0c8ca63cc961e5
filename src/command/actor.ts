import { AsyncLocalStorage } from 'node:async_hooks'

/** Who does something to the cache, and in which trace. */
export interface Actor {
  readonly actor: string
  readonly traceId?: string
}

/** As events carry it. */
export interface Attribution {
  readonly actor: string | null
  readonly traceId: string | null
}

const NOBODY: Attribution = { actor: null, traceId: null }

/** Who acts now. The AsyncLocalStorage is made on first use: on Node 20 the first one slows every promise of the process. */
export class Actors {
  private storage: AsyncLocalStorage<Attribution> | null = null

  run<T>(actor: Actor, fn: () => T): T {
    this.storage ??= new AsyncLocalStorage()
    return this.storage.run({ actor: actor.actor, traceId: actor.traceId ?? null }, fn)
  }

  /** The call's own `actor` wins over that of the surrounding `withActor`. */
  attribution(own: string | undefined): Attribution {
    const around = this.storage === null ? NOBODY : (this.storage.getStore() ?? NOBODY)
    return own === undefined ? around : { actor: own, traceId: around.traceId }
  }
}
