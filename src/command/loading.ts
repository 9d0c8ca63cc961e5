import { errorName } from '../base/error-name.ts'
import { LoadTimeoutError, OptionError } from '../base/errors.ts'
import { type DurationText, parseDuration, shown } from '../base/units.ts'
import type { Cache } from './cache.ts'
import type { Engine } from './engine.ts'
import { checkFunction, checkKey, checkSetOptions, type SetOptions } from './entry-options.ts'

/** Fetches a value; `signal` aborts when nobody waits for it any more, or its time is up. */
export type Loader<V> = (key: string, context: { readonly signal: AbortSignal }) => V | Promise<V>

/** Options of `getOrLoad`; those of `set` hold for what is stored. */
export interface LoadOptions extends SetOptions {
  /** Rejects this waiter alone; the others and the load go on. */
  signal?: AbortSignal
  /**
   * ms or text; rejects with `LoadTimeoutError`. Of the call that starts the load: it rejects all waiters and frees the key.
   * Of one that joins a load: it rejects that waiter alone.
   */
  timeout?: DurationText
  /** How long a loader's error answers further calls for its key; ms or text. Default: not at all. */
  errorTtl?: DurationText
}

/** Errors remembered at most, for `errorTtl`; they are in no budget. */
const MOST_FAILURES = 1000
/** Longest delay that a Node timer takes, in ms. */
const LONGEST_DELAY = 2 ** 31 - 1

/** One load and those who wait for it. */
interface Flight<V> {
  readonly result: Promise<V>
  readonly abort: AbortController
  waiters: number
  /** The key was set, deleted or cleared since it began. */
  outdated: boolean
}

interface Failure {
  readonly error: unknown
  readonly until: number
}

/** Read-through with single-flight: of many calls for a key that is missing, one loads, and all get what it brings. */
export class Loading<V> {
  private readonly cache: Cache<V>
  private readonly engine: Engine
  private readonly flights = new Map<string, Flight<V>>()
  private readonly failures = new Map<string, Failure>()
  /** Of timeouts that somebody waits for: as long, the process stays, since it would else end without their answer. */
  private readonly timers = new Set<NodeJS.Timeout>()

  constructor(cache: Cache<V>, engine: Engine) {
    this.cache = cache
    this.engine = engine
  }

  async getOrLoad(key: string, loader: Loader<V>, options: LoadOptions): Promise<V> {
    checkKey(key)
    checkFunction(loader, 'loader')
    checkSetOptions(options)
    checkSignal(options.signal)
    const timeout =
      options.timeout === undefined ? Number.POSITIVE_INFINITY : parseDuration(options.timeout, 'timeout', 1)
    const errorTtl = options.errorTtl === undefined ? 0 : parseDuration(options.errorTtl, 'errorTtl')
    options.signal?.throwIfAborted()
    const held = this.cache.get(key)
    if (held !== undefined) return held
    const failure = this.failures.get(key)
    if (failure !== undefined) {
      if (failure.until > this.engine.clock.refresh()) throw failure.error
      this.failures.delete(key)
    }
    // A cache that is closed or dropped shares no loads, and stores none; what the call says of its waiting holds.
    const joined = this.cache.isAttached ? this.flights.get(key) : undefined
    const flight = joined ?? this.start(key, loader, options, timeout, errorTtl)
    return this.wait(key, flight, options.signal, joined === undefined ? Number.POSITIVE_INFINITY : timeout)
  }

  /** Whether there is anything that a change of a key could outdate. */
  get isBusy(): boolean {
    return this.flights.size !== 0 || this.failures.size !== 0
  }

  /** A load of this key that is on its way must not store, and nobody new joins it. */
  outdate(key: string): void {
    if (this.failures.size !== 0) this.failures.delete(key)
    if (this.flights.size === 0) return
    const flight = this.flights.get(key)
    if (flight === undefined) return
    flight.outdated = true
    this.flights.delete(key)
  }

  outdateAll(): void {
    this.failures.clear()
    for (const key of [...this.flights.keys()]) this.outdate(key)
  }

  /** The cache is closed or dropped: what is still waited for here is no reason for the process to stay. */
  release(): void {
    for (const timer of this.timers) timer.unref()
  }

  private after(timeout: number, end: () => void): NodeJS.Timeout | undefined {
    if (timeout > LONGEST_DELAY) return undefined
    const timer = setTimeout(end, timeout)
    this.timers.add(timer)
    return timer
  }

  private stop(timer: NodeJS.Timeout | undefined): void {
    if (timer === undefined) return
    clearTimeout(timer)
    this.timers.delete(timer)
  }

  private start(key: string, loader: Loader<V>, options: LoadOptions, timeout: number, errorTtl: number): Flight<V> {
    const abort = new AbortController()
    const begun = this.engine.clock.refresh()
    const { promise, resolve, reject } = deferred<V>()
    const flight: Flight<V> = { result: promise, abort, waiters: 0, outdated: false }
    // Every waiter has a handler of its own; one that has gone must not leave an unhandled rejection behind.
    promise.catch(() => {})
    if (this.cache.isAttached) this.flights.set(key, flight)
    let over = false
    const end = (settle: () => void): void => {
      if (over) return
      over = true
      this.stop(timer)
      settle()
      if (this.flights.get(key) === flight) this.flights.delete(key)
    }
    const fail = (error: unknown): void =>
      end(() => {
        this.recordFailure(key, begun, error)
        if (errorTtl > 0 && !flight.outdated && this.cache.isAttached) this.remember(key, error, errorTtl)
        this.engine.publisher.flush()
        reject(error)
      })
    const timer = this.after(timeout, () => {
      fail(new LoadTimeoutError(this.cache.name, timeout))
      abort.abort(new LoadTimeoutError(this.cache.name, timeout))
    })
    // Nobody waits any more: what is left of its time is no reason for the process to stay.
    abort.signal.addEventListener('abort', () => timer?.unref(), { once: true })
    run(loader, key, abort.signal).then(
      (value) =>
        end(() => {
          const duration = this.engine.clock.refresh() - begun
          // Told together with the store: an observer of `loaded` that changes the key comes after it.
          this.record({ type: 'loaded', cache: this.cache.name, key, duration })
          // What a miss costs is to load it again, unless the caller knows better.
          this.store(key, value, options.cost === undefined ? { ...options, cost: duration } : options, flight)
          this.engine.publisher.flush()
          resolve(value)
        }),
      fail,
    )
    return flight
  }

  /** @param timeout of a waiter that joined a load: it rejects that one alone. */
  private wait(key: string, flight: Flight<V>, signal: AbortSignal | undefined, timeout: number): Promise<V> {
    flight.waiters++
    if (signal === undefined && timeout > LONGEST_DELAY) return flight.result
    return new Promise<V>((resolve, reject) => {
      const leave = (reason: unknown): void => {
        stay()
        reject(reason)
        if (--flight.waiters > 0) return
        // Nobody is left: the key is free for the next, and what the loader may still bring is not stored.
        this.outdateFlight(key, flight)
        flight.abort.abort(reason)
      }
      const aborted = (): void => leave(signal?.reason)
      const timer = this.after(timeout, () => leave(new LoadTimeoutError(this.cache.name, timeout)))
      const stay = (): void => {
        this.stop(timer)
        signal?.removeEventListener('abort', aborted)
      }
      signal?.addEventListener('abort', aborted, { once: true })
      if (signal?.aborted === true) aborted()
      flight.result.then(
        (value) => {
          stay()
          resolve(value)
        },
        (error: unknown) => {
          stay()
          reject(error)
        },
      )
    })
  }

  private outdateFlight(key: string, flight: Flight<V>): void {
    flight.outdated = true
    if (this.flights.get(key) === flight) this.flights.delete(key)
  }

  /** A value that can't be stored, for whatever reason, is still what the waiters get. */
  private store(key: string, value: V, options: LoadOptions, flight: Flight<V>): void {
    if (value === undefined || flight.outdated) return
    try {
      this.cache.store(key, value, options, flight)
    } catch (error) {
      this.engine.logger.warn(
        { err: error, cache: this.cache.name },
        'a loaded value could not be stored; its waiters get it all the same',
      )
    }
  }

  private recordFailure(key: string, begun: number, error: unknown): void {
    this.record({
      type: 'load-failed',
      cache: this.cache.name,
      key,
      duration: this.engine.clock.refresh() - begun,
      error: errorName(error),
    })
  }

  private record(
    event:
      | { type: 'loaded'; cache: string; key: string; duration: number }
      | { type: 'load-failed'; cache: string; key: string; duration: number; error: string },
  ): void {
    if (!this.cache.isAttached) return
    const { recorder, clock } = this.engine
    recorder.record({ seq: recorder.nextSeq, at: clock.read(), ...event })
  }

  private remember(key: string, error: unknown, errorTtl: number): void {
    if (this.failures.size >= MOST_FAILURES) this.failures.delete(this.failures.keys().next().value as string)
    this.failures.set(key, { error, until: this.engine.clock.refresh() + errorTtl })
  }
}

function checkSignal(signal: unknown): void {
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw new OptionError('signal', `${shown(signal)} is not an AbortSignal`)
}

/** A loader that throws at once rejects, too. */
async function run<V>(loader: Loader<V>, key: string, signal: AbortSignal): Promise<V> {
  return loader(key, { signal })
}

function deferred<V>(): { promise: Promise<V>; resolve: (value: V) => void; reject: (error: unknown) => void } {
  let resolve: (value: V) => void = () => {}
  let reject: (error: unknown) => void = () => {}
  const promise = new Promise<V>((resolved, rejected) => {
    resolve = resolved
    reject = rejected
  })
  return { promise, resolve, reject }
}
