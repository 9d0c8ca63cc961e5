import { randomInt } from 'node:crypto'
import { hostname } from 'node:os'
import { nanoid } from 'nanoid'
import type { Observable } from 'rxjs'
import { map } from 'rxjs/internal/operators/map'
import { type Advice, adviceFor } from '../base/advice.ts'
import { OperationClock } from '../base/clock.ts'
import { ClosedError, OptionError, TooManyCachesError } from '../base/errors.ts'
import { safeLogger } from '../base/logger.ts'
import { type MemoryAllowance, readAllowance } from '../base/memory/allowance.ts'
import { type ProcessMemory, SystemMemory } from '../base/memory/process-memory.ts'
import { checkNames } from '../base/option-names.ts'
import {
  type CacheOptions,
  cacheName,
  type MemoryManagerOptions,
  resolveCache,
  resolveOptions,
} from '../base/options.ts'
import { guardedRule } from '../base/prefix.ts'
import { Redaction } from '../base/redaction.ts'
import type { PolicyName, Settings, SettingsChange } from '../base/settings.ts'
import { type ByteText, shown } from '../base/units.ts'
import { VERSION } from '../base/version.ts'
import {
  type Curve,
  EVENT_TYPES,
  type EventOf,
  type EventType,
  type MuninnEvent,
  type Started,
} from '../event/catalogue.ts'
import { State } from '../fold/state.ts'
import { eventStream } from '../observe/event-stream.ts'
import { logEvents, logOvercommitted, logStart } from '../observe/log.ts'
import { Publisher } from '../observe/publisher.ts'
import { quietErrors } from '../observe/quiet-errors.ts'
import type { AuditState } from '../persist/audit.ts'
import { AuditLog } from '../persist/audit-log.ts'
import type { History } from '../query/answers.ts'
import { type Actor, Actors, type Attribution } from './actor.ts'
import { type AddVerdict, judgeAdd } from './add-verdict.ts'
import { BudgetKeeper } from './budget-keeper.ts'
import type { Cache } from './cache.ts'
import { CacheHandles } from './cache-handles.ts'
import { Engine } from './engine.ts'
import { type CycleSummary, Evictor } from './evictor.ts'
import { Housekeeping } from './housekeeping.ts'
import { Recorder } from './recorder.ts'
import { Remeasuring } from './remeasuring.ts'
import { type Held, Repetition } from './repetition.ts'
import { type LimitOptions, type LimitsChange, limitsChange, policyChange } from './settings-change.ts'
import { ShadowCaches } from './shadow-caches.ts'
import { statsOf } from './statistics.ts'
import type { Stats } from './stats.ts'

/** What a manager asks of the world about memory; another one for tests. */
export interface Surroundings {
  readonly readAllowance: () => MemoryAllowance
  readonly memory: (allowance: MemoryAllowance) => ProcessMemory
}

const SURROUNDINGS: Surroundings = { readAllowance, memory: (allowance) => new SystemMemory(allowance) }

/** What `evict` takes. */
export interface EvictOptions {
  /** The only cache that gives entries up. */
  cache?: string
  /** How far: a share (0–1, or `'50%'`) of the budget (of the cache's own, where it has one), or bytes (`'64MB'`). */
  target?: ByteText
  actor?: string
}

/**
 * Named caches under one memory budget. Every call is decided, becomes an event, is folded into the state and told to
 * whoever listens; an audit log, where asked for, remembers what left and why.
 */
export class MemoryManager {
  /** Attached by the package's entry: makes `history` from the path of an audit log. */
  static historyOf:
    | ((
        path: string,
        options: { flush: () => Promise<void>; missing: () => string | null; redactSecret?: string },
      ) => History)
    | null = null

  /** The run's id; with an event's `seq` it identifies the event. */
  readonly runId: string
  /** All events, in the order of `seq`. */
  readonly events$: Observable<MuninnEvent>
  readonly evictions$: Observable<EventOf<'evicted'>>
  readonly warnings$: Observable<EventOf<'warned'>>
  /** The statistics, after each check. */
  readonly stats$: Observable<Stats>
  /** @internal How keys are hashed where they leave the process; `null`: they aren't. */
  readonly redaction: Redaction | null

  private readonly engine: Engine
  private readonly started: Started
  private readonly audit: AuditLog | null
  private readonly handles: CacheHandles
  private historyReader: History | null = null
  private closing: Promise<void> | null = null

  /**
   * @throws {OptionError} naming the option that is wrong; nothing has been allocated.
   * @throws {MissingDependencyError} where an audit log is asked for and better-sqlite3 isn't installed.
   */
  constructor(options: MemoryManagerOptions = {}, surroundings: Surroundings = SURROUNDINGS) {
    const mayUse = surroundings.readAllowance()
    const resolved = resolveOptions(options, mayUse)
    const { settings } = resolved
    this.redaction = resolved.redaction === null ? null : new Redaction(resolved.redaction)
    const spoken = safeLogger(resolved.logger)
    const logger = this.redaction === null ? spoken : quietErrors(spoken)
    const clock = new OperationClock(resolved.clock)
    this.runId = nanoid()
    this.started = {
      seq: 1,
      at: clock.refresh(),
      type: 'started',
      runId: this.runId,
      version: VERSION,
      seed: resolved.seed ?? randomInt(2 ** 32),
      settings,
      host: hostname(),
      pid: process.pid,
      node: process.version,
      mayUse: {
        bytes: mayUse.bytes,
        source: mayUse.source,
        sources: mayUse.sources,
        heapLimit: mayUse.heapLimit,
        heapSource: mayUse.heapSource,
        heapSources: mayUse.heapSources,
      },
    }
    const { prefix } = resolved
    // Its errors were told when the key was stored.
    const prefixOf = prefix === null ? null : guardedRule(prefix, () => {})
    this.audit = resolved.audit === null ? null : AuditLog.open(resolved.audit, logger, { prefixOf })
    const publisher = new Publisher(logger)
    const recorder = new Recorder(new State(this.started), publisher)
    if (resolved.shadow.length > 0)
      recorder.shadows = new ShadowCaches(resolved.shadow, recorder.state, (own) => new MemoryManager(own))
    const evictor = new Evictor(recorder, clock)
    const housekeeping = new Housekeeping(recorder, evictor, clock, logger, prefix !== null)
    const budgets = new BudgetKeeper({
      recorder,
      evictor,
      housekeeping,
      clock,
      allowance: mayUse,
      readAllowance: surroundings.readAllowance,
      stated: resolved.stated,
      memory: resolved.pressure ? surroundings.memory(mayUse) : null,
    })
    const remeasuring = new Remeasuring(recorder, evictor, resolved.sizing, resolved.remeasure)
    housekeeping.remeasure = (now) => remeasuring.check(now)
    const actors = new Actors()
    this.engine = new Engine({
      recorder,
      clock,
      evictor,
      housekeeping,
      budgets,
      actors,
      logger,
      sizing: resolved.sizing,
      clone: resolved.clone,
      remeasuring,
      prefix: prefix === null ? null : guardedRule(prefix, (error) => publisher.failed(error)),
    })
    this.handles = new CacheHandles(this.engine)
    this.events$ = eventStream(publisher, EVENT_TYPES)
    this.evictions$ = eventStream(publisher, ['evicted'])
    this.warnings$ = eventStream(publisher, ['warned'])
    this.stats$ = eventStream(publisher, ['checked']).pipe(map(() => this.stats()))
    if (this.audit !== null) this.listenForAudit(this.audit)
    if (resolved.logger !== false) logEvents(publisher, logger, this.redaction)
    recorder.record(this.started)
    publisher.flush()
    logStart(logger, settings, this.started, resolved.overcommitted)
    housekeeping.start()
    budgets.start()
    publisher.flush()
  }

  /** What holds now: limits, thresholds, policy, all resolved; a copy. */
  get settings(): Settings {
    const { settings } = this.engine.state
    return {
      ...settings,
      caches: Object.fromEntries(Object.entries(settings.caches).map(([name, own]) => [name, { ...own }])),
    }
  }

  /** Path of the audit log, or `null`. */
  get auditPath(): string | null {
    return this.audit?.state().path ?? null
  }

  /** The audit log's queries; `null` without an audit log. */
  get history(): History | null {
    if (this.audit === null) return null
    const { audit } = this
    const secret = this.redaction?.secret
    const options = {
      flush: () => audit.flush(),
      missing: () => unwritten(audit.state()),
      ...(secret === undefined ? {} : { redactSecret: secret }),
    }
    this.historyReader ??= MemoryManager.historyOf?.(audit.state().path, options) ?? null
    return this.historyReader
  }

  /**
   * The named cache, made on first use; `options` change its limits and TTL where given.
   *
   * @throws {OptionError} for a bad name or option.
   * @throws {TooManyCachesError} beyond `maxCaches`.
   */
  cache<V = unknown>(name: string, options?: CacheOptions): Cache<V> {
    cacheName(name)
    if (this.engine.state.stopped) return this.handles.ofClosed(name) as Cache<unknown> as Cache<V>
    const { state } = this.engine
    const present = state.caches.get(name)
    if (present === undefined) {
      const { budgets } = this.engine
      const settings = resolveCache(options ?? {}, `caches.${name}`, budgets.allowance)
      if (state.caches.size >= state.settings.maxCaches) throw new TooManyCachesError(name, state.settings.maxCaches)
      this.configure({ caches: { [name]: null } }, { caches: { [name]: settings } }, 'cache-created')
      budgets.newCache(name, options ?? {})
      // Before anybody is told: an observer may drop it, or close the manager.
      const made = this.handles.of(name)
      this.engine.publisher.flush()
      return made as Cache<unknown> as Cache<V>
    }
    const handle = this.handles.of(name)
    if (options !== undefined) this.setLimits({ caches: { [name]: options } })
    return handle as Cache<unknown> as Cache<V>
  }

  /** Names of the caches there are. */
  cacheNames(): string[] {
    return [...this.engine.state.caches.keys()]
  }

  /** Clears a cache and forgets it; returns whether it was there. Calls on it then miss, and store nothing. */
  drop(name: string): boolean {
    this.demandOpen('drop()')
    const present = this.engine.state.caches.get(name)
    if (present === undefined) return false
    const { clock, housekeeping, actors } = this.engine
    const at = clock.refresh()
    this.handles.of(name).empty(at, actors.attribution(undefined))
    this.configure({ caches: { [name]: { ...present.settings } } }, { caches: { [name]: null } }, 'cache-dropped')
    this.handles.drop(name)
    housekeeping.settle(at)
    return true
  }

  /** What the limits say of an add of so many bytes; changes nothing, and admission may still refuse it. */
  canAdd(name: string, size: number): AddVerdict {
    this.demandOpen('canAdd()')
    return judgeAdd(this.engine.state, cacheName(name), size, this.engine.clock.refresh())
  }

  /**
   * Gives entries up now, down to a target, and returns what that did. Without a target: to the lower of the eviction
   * target and 90 % of present usage. It runs to the end in this call: some 0.5 s per million entries.
   */
  evict(options: EvictOptions = {}): CycleSummary {
    this.demandOpen('evict()')
    checkOptions(options, ['cache', 'target', 'actor'])
    const { evictor, actors, housekeeping } = this.engine
    const summary = evictor.runWhole(
      evictor.forcedGoal(options.cache, options.target),
      actors.attribution(options.actor),
    )
    housekeeping.settle(this.engine.clock.read())
    return summary
  }

  /** One check now, as the periodic one: frees what expired, samples, judges the level, audits the books. */
  check(): void {
    this.demandOpen('check()')
    this.engine.housekeeping.check()
  }

  stats(): Stats {
    const { state, publisher, housekeeping, clock, budgets, recorder } = this.engine
    return statsOf({
      shadows: recorder.shadows?.stats() ?? [],
      state,
      started: this.started,
      allowance: budgets.allowance,
      audit: this.audit,
      observerErrors: publisher.errors,
      imbalances: housekeeping.imbalances,
      now: clock.refresh(),
    })
  }

  /**
   * What other settings would have brought since the statistics were last reset (curves: since the start), by what the caches know
   * of themselves: their miss-ratio curves, the candidates of option `shadow`, the ages of what was evicted. None before some
   * thousand requests.
   */
  advise(): Advice[] {
    const {
      caches,
      shadows,
      maxCacheSize: maxItems,
      maxMemoryBytes: maxMemory,
      evictionPolicy: policy,
      evictionAge,
    } = this.stats()
    return adviceFor({
      policy,
      maxItems,
      maxMemory,
      caches: caches.map((cache) => ({
        ...cache,
        evicted: cache.evictedItems,
        expired: cache.expiredItems,
        medianAge: evictionAge.median,
        curve: this.engine.state.caches.get(cache.name)?.curve?.told ?? null,
      })),
      shadows: shadows.map((shadow) => ({ ...shadow, maxMemory: shadow.maxMemoryBytes })),
    })
  }

  /**
   * What other sizes of a cache would have hit so far, under LRU: its miss-ratio curve, kept on a sample while it runs. `null`:
   * nothing was asked for yet, there is no such cache, or it is beyond the eighth.
   */
  curve(name: string): Curve | null {
    return this.engine.state.caches.get(cacheName(name))?.curve?.told ?? null
  }

  /** Statistics and peaks start anew from the present; contents and absolute counts (`totals`) stay. */
  resetStats(options: { actor?: string } = {}): void {
    this.demandOpen('resetStats()')
    checkOptions(options, ['actor'])
    const { recorder, clock, actors, publisher } = this.engine
    const { actor, traceId } = actors.attribution(options.actor)
    recorder.record({ seq: recorder.nextSeq, at: clock.refresh(), type: 'stats-reset', actor, traceId })
    publisher.flush()
  }

  /**
   * Changes limits at run time; what then exceeds one is evicted in this call (some 0.5 s per million entries).
   *
   * @throws {OptionError} for a bad value; nothing has changed.
   */
  setLimits(limits: LimitOptions): void {
    this.demandOpen('setLimits()')
    const { state, clock, evictor, actors, housekeeping, logger, budgets } = this.engine
    const by = actors.attribution(limits?.actor)
    const { from, to, stated, overcommitted } = this.changeTo(limits)
    if (Object.keys(to).length === 0) return
    budgets.stated = stated
    evictor.completeBackground(clock.refresh())
    this.configure(from, to, 'limits', by)
    evictor.holdLimits(by)
    housekeeping.settle(clock.read())
    // At the end: a logger may call the cache, or close it.
    if (overcommitted) logOvercommitted(logger, state.settings, this.started)
  }

  /**
   * @internal The settings as `setLimits` would leave them; nothing has changed.
   *
   * @throws what `setLimits` would throw.
   */
  settingsUnder(limits: LimitOptions): Settings {
    this.demandOpen('setLimits()')
    const { to } = this.changeTo(limits)
    const { settings } = this
    return { ...settings, ...to, caches: { ...settings.caches, ...to.caches } }
  }

  private changeTo(limits: LimitOptions): LimitsChange {
    const { state, budgets } = this.engine
    const change = limitsChange(state.settings, limits, budgets.stated, budgets.allowance)
    const created = Object.keys(change.to.caches ?? {}).filter((name) => !state.caches.has(name))
    if (state.caches.size + created.length > state.settings.maxCaches) {
      throw new TooManyCachesError(created.join(', '), state.settings.maxCaches)
    }
    return change
  }

  /**
   * Changes the policy, and the eviction threshold where given; the contents are kept. Ordering them anew takes some
   * 0.5 s per million entries.
   *
   * @throws {OptionError} for a bad value; nothing has changed.
   */
  setPolicy(policy: PolicyName, evictionThreshold?: number, options: { actor?: string } = {}): void {
    this.demandOpen('setPolicy()')
    checkOptions(options, ['actor'])
    const { state, actors, publisher, budgets } = this.engine
    const by = actors.attribution(options.actor)
    const { from, to } = policyChange(state.settings, policy, evictionThreshold, budgets.stated)
    if (Object.keys(to).length === 0) return
    this.configure(from, to, 'policy', by)
    publisher.flush()
  }

  /** The stream of some types of events, typed by them. */
  select<T extends EventType>(...types: T[]): Observable<EventOf<T>> {
    if (types.length === 0) throw new OptionError('type', `give at least one of ${EVENT_TYPES.join(', ')}`)
    for (const type of types) checkType(type)
    return eventStream(this.engine.publisher, [...new Set(types)])
  }

  /** Calls `listener` with each event of a type, and returns the function that stops it. */
  on<T extends EventType>(type: T, listener: (event: EventOf<T>) => void): () => void {
    checkType(type)
    if (typeof listener !== 'function') throw new OptionError('listener', 'is not a function')
    return this.engine.publisher.listen([type], listener)
  }

  /**
   * What the cache does inside `fn`, across its `await`s, is recorded as done by that actor. On Node 20 the first use
   * makes every promise of the process slower (AsyncLocalStorage): `{ actor }` on single calls doesn't.
   */
  withActor<T>(actor: Actor, fn: () => T): T {
    if (typeof fn !== 'function') throw new OptionError('fn', `${shown(fn)} is not a function`)
    return this.engine.actors.run(actor, fn)
  }

  /** @internal As `withActor`, for what ends when `fn` returns: without an AsyncLocalStorage. */
  actingAs<T>(actor: Actor, fn: () => T): T {
    return this.engine.actors.runSync(actor, fn)
  }

  /** @internal Does again what a recording says was asked; no timer does anything any more. */
  repetition(held: Held): Repetition {
    const { engine } = this
    return new Repetition(
      {
        engine,
        cacheOf: (name) => (engine.state.caches.has(name) ? this.handles.of(name) : null),
        forget: (name) => this.handles.drop(name),
      },
      held,
    )
  }

  /**
   * Resolves when what happened so far is in the audit log, or can't be brought there at present: `stats().audit` says why.
   * For programs that are frozen between requests, and that want to know early whether the log can be written.
   */
  async flush(): Promise<void> {
    await this.audit?.flush()
  }

  /** Flushes the audit log, completes the streams, stops the timers. Idempotent. */
  close(): Promise<void> {
    // First: an observer of the last events finds it closed.
    this.stop('close', null, null)
    this.closing ??= this.finish()
    return this.closing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  private async finish(): Promise<void> {
    // Closed from inside a subscriber, the last events are delivered once it has returned.
    await Promise.resolve()
    await this.audit?.close()
    await this.historyReader?.close()
  }

  private stop(reason: 'close' | 'exit', code: number | null, error: string | null): void {
    const { recorder, clock, housekeeping, budgets, publisher, evictor, state } = this.engine
    if (state.stopped) return
    const at = clock.refresh()
    housekeeping.stop()
    budgets.stop()
    evictor.completeBackground(at)
    // What was read and written since the last check belongs to the record of the run, too.
    housekeeping.recordSample(at)
    housekeeping.recordPeaks(at)
    recorder.record({ seq: recorder.nextSeq, at, type: 'stopped', reason, code, error })
    this.handles.detachAll()
    recorder.values.length = 0
    publisher.complete(reason === 'exit')
    recorder.shadows?.close()
    clock.stop()
  }

  private listenForAudit(audit: AuditLog): void {
    const { publisher } = this.engine
    const next = (event: MuninnEvent): void => audit.record(event)
    publisher.listen(audit.types, next)
    if (!audit.types.includes('missed')) publisher.onFirstRegret = next
    audit.onExit = (code, error) => this.stop('exit', code, error)
  }

  /** Records a change of settings; the caller tells the observers, when all is consistent. */
  private configure(
    from: SettingsChange,
    to: SettingsChange,
    reason: EventOf<'configured'>['reason'],
    by: Attribution = this.engine.actors.attribution(undefined),
  ): void {
    const { recorder, clock } = this.engine
    const { actor, traceId } = by
    recorder.record({
      seq: recorder.nextSeq,
      at: clock.refresh(),
      type: 'configured',
      from,
      to,
      reason,
      actor,
      traceId,
    })
  }

  private demandOpen(call: string): void {
    if (this.engine.state.stopped) throw new ClosedError(call)
  }
}

/** What the log doesn't have yet, in words, or `null`. */
function unwritten({ status, pendingEvents, problem }: AuditState): string | null {
  if (status !== 'degraded' || pendingEvents === 0) return null
  return `${pendingEvents} events of this run wait to be written (${problem ?? 'the writer does not answer'})`
}

function checkOptions(options: object, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null)
    throw new OptionError('options', `${shown(options)} is not an object of options`)
  checkNames(options, known)
}

function checkType(type: unknown): void {
  if (!EVENT_TYPES.includes(type as EventType)) {
    throw new OptionError('type', `${JSON.stringify(type)} is no event type; there are ${EVENT_TYPES.join(', ')}`)
  }
}
