import type { CacheSettings, Settings } from '../../src/base/settings.ts'
import type { EventType } from '../../src/event/catalogue.ts'
import { apply } from '../../src/fold/apply.ts'
import type { CacheState } from '../../src/fold/cache-state.ts'
import { State } from '../../src/fold/state.ts'
import { type Fields, Run, SETTINGS } from './events.ts'

const NO_LIMIT = Number.POSITIVE_INFINITY
const UNLIMITED: CacheSettings = { maxItems: NO_LIMIT, maxMemory: NO_LIMIT, ttl: NO_LIMIT }

/** A state that is told events made by hand: what decisions are tested on. */
export class MadeState {
  readonly state: State
  readonly run = new Run('run')

  /** @param settings of all; without a word nothing limits items, and the caches have no limits of their own. */
  constructor(settings: Partial<Settings> = {}, caches: readonly string[] = ['c']) {
    const named = Object.fromEntries(caches.map((name) => [name, UNLIMITED]))
    const all = { ...SETTINGS, maxItems: NO_LIMIT, caches: named, ...settings }
    this.state = new State({ seed: 1, at: this.run.at, settings: all })
    apply(this.state, this.run.started({ settings: all }))
  }

  tell<T extends EventType>(type: T, fields: Partial<Fields[T]> = {}): void {
    apply(this.state, this.run.event(type, fields))
  }

  add(key: string, size: number, fields: Partial<Fields['added']> = {}): void {
    this.tell('added', { cache: 'c', key, size, prefix: null, ...fields })
  }

  cache(name = 'c'): CacheState {
    return this.state.caches.get(name) as CacheState
  }

  handleOf(key: string, cache = 'c'): number {
    return this.cache(cache).index.find(key, this.state.hasher.hash(key))
  }
}
