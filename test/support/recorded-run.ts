import type { PolicyName } from '../../src/base/settings.ts'
import { apply } from '../../src/fold/apply.ts'
import type { CacheState } from '../../src/fold/cache-state.ts'
import { State } from '../../src/fold/state.ts'
import { Run, SETTINGS } from './events.ts'

/** What can be said of an entry that is added or updated. */
export interface EntryFields {
  readonly size?: number
  readonly expiresAt?: number
}

/** Folds events made by hand into a state of one or two caches: what a part of the fold is tested through. */
export class RecordedRun {
  readonly state: State
  private readonly run = new Run('run')

  constructor(policy: PolicyName, at = 0, caches: readonly string[] = ['a']) {
    this.run.at = at
    const unlimited = {
      maxItems: Number.POSITIVE_INFINITY,
      maxMemory: Number.POSITIVE_INFINITY,
      ttl: Number.POSITIVE_INFINITY,
    }
    const settings = {
      ...SETTINGS,
      ...unlimited,
      policy,
      caches: Object.fromEntries(caches.map((name) => [name, unlimited])),
    }
    const started = { seed: 1, settings, at }
    this.state = new State(started)
    apply(this.state, this.run.started({ settings, seed: 1 }))
  }

  get at(): number {
    return this.run.at
  }

  cache(name = 'a'): CacheState {
    return this.state.caches.get(name) as CacheState
  }

  /** The key of a handle; `null` of none. */
  keyOf(h: number): string | null {
    return h < 0 ? null : (this.state.columns.keys[h] as string)
  }

  handleOf(key: string, cache = 'a'): number {
    return this.cache(cache).index.find(key, this.state.hasher.hash(key))
  }

  passTo(at: number): void {
    this.run.at = at
  }

  /** Stores an entry, new or not. */
  store(key: string, fields: EntryFields = {}, cache = 'a'): void {
    const said = { cache, key, size: fields.size ?? 1, expiresAt: fields.expiresAt ?? Number.POSITIVE_INFINITY }
    apply(this.state, this.handleOf(key, cache) < 0 ? this.run.event('added', said) : this.run.event('updated', said))
  }

  hit(key: string, cache = 'a'): void {
    apply(this.state, this.run.event('accessed', { cache, key }))
  }

  miss(key: string, regret: number | null = null, cache = 'a'): void {
    apply(this.state, this.run.event('missed', { cache, key, regret }))
  }

  remove(key: string, cache = 'a'): void {
    apply(this.state, this.run.event('removed', { cache, key }))
  }

  /** Only time passes: the fold moves its wheels on. */
  check(): void {
    apply(this.state, this.run.event('checked', { caches: [] }))
  }

  changePolicy(policy: PolicyName): void {
    apply(this.state, this.run.event('configured', { from: {}, to: { policy }, reason: 'policy' }))
  }
}
