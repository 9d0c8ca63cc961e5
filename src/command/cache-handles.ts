import { NO_LIMITS } from '../base/options.ts'
import { CacheState } from '../fold/cache-state.ts'
import { Cache } from './cache.ts'
import type { Engine } from './engine.ts'

/** The handles that users hold: one of each cache. */
export class CacheHandles {
  private readonly engine: Engine
  private readonly held = new Map<string, Cache<never>>()

  constructor(engine: Engine) {
    this.engine = engine
  }

  /** That of a cache that is there. */
  of(name: string): Cache<never> {
    const held = this.held.get(name)
    if (held !== undefined) return held
    const made = new Cache<never>(this.engine, this.engine.state.caches.get(name) as CacheState)
    this.held.set(name, made)
    return made
  }

  /** That of a cache of a manager that is closed, known or not: it misses, and stores nothing. */
  ofClosed(name: string): Cache<never> {
    return this.held.get(name) ?? this.detached(name)
  }

  /** The cache is there no more: whoever has its handle finds it empty. */
  drop(name: string): void {
    this.held.get(name)?.detach(this.emptyState(name))
    this.held.delete(name)
  }

  detachAll(): void {
    for (const [name, handle] of this.held) handle.detach(this.emptyState(name))
  }

  private detached(name: string): Cache<never> {
    const empty = this.emptyState(name)
    const cache = new Cache<never>(this.engine, empty)
    cache.detach(empty)
    return cache
  }

  /** A cache state with nothing in it, that nobody folds into. */
  private emptyState(name: string): CacheState {
    const { state } = this.engine
    return new CacheState(name, 0, NO_LIMITS, state.columns, state.policy, 0)
  }
}
