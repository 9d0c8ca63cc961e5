import { AsyncLocalStorage } from 'node:async_hooks'
import { OptionError } from '../base/errors.ts'
import { shown } from '../base/units.ts'

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
  /** Who acts in the synchronous call that is running; `null`: the storage knows. */
  private acting: Attribution | null = null

  /** @throws {OptionError} unless it is `{ actor, traceId? }`, both text. */
  run<T>(actor: Actor, fn: () => T): T {
    const by = checked(actor)
    this.storage ??= new AsyncLocalStorage()
    const around = this.acting
    this.acting = null
    try {
      return this.storage.run(by, fn)
    } finally {
      this.acting = around
    }
  }

  /** As `run`, until `fn` returns and no further: needs no storage, and so slows nothing. */
  runSync<T>(actor: Actor, fn: () => T): T {
    const around = this.acting
    this.acting = checked(actor)
    try {
      return fn()
    } finally {
      this.acting = around
    }
  }

  /**
   * The call's own `actor` wins over that of the surrounding `withActor`.
   *
   * @throws {OptionError} unless it is text, where given.
   */
  attribution(own: string | undefined): Attribution {
    return own === undefined && this.acting === null && this.storage === null ? NOBODY : this.attributed(own)
  }

  private attributed(own: string | undefined): Attribution {
    if (own !== undefined && typeof own !== 'string') throw new OptionError('actor', `${shown(own)} is not a string`)
    const around = this.acting ?? this.storage?.getStore() ?? NOBODY
    return own === undefined ? around : { actor: own, traceId: around.traceId }
  }
}

function checked(actor: Actor): Attribution {
  if (typeof actor?.actor !== 'string' || !['string', 'undefined'].includes(typeof actor.traceId)) {
    throw new OptionError('actor', 'is not { actor: string, traceId?: string }')
  }
  return { actor: actor.actor, traceId: actor.traceId ?? null }
}
