import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { AuditSettings } from '../base/audit-options.ts'
import { type Logger, safeLogger } from '../base/logger.ts'
import type { EventType, MuninnEvent, Started } from '../event/catalogue.ts'
import type { AuditState, Lifetime } from './audit.ts'
import { type Batch, runHeader } from './batch.ts'
import { Delivery, type Spawn, spawnWriter } from './delivery.ts'
import { loadDriver } from './driver.ts'
import { NO_LIFETIME, readEarlier } from './earlier.ts'
import { unwatchExit, watchExit } from './exit-hook.ts'
import { KEPT } from './levels.ts'
import { Outbox } from './outbox.ts'
import { inWords } from './problem.ts'
import { writeRest } from './rest.ts'

export interface AuditParts {
  /** Starts the writer's thread. */
  readonly spawn?: Spawn
  /** The user's own rule for prefixes; it doesn't throw. */
  readonly prefixOf?: ((key: string) => string) | null
}

/** ms for which a writer may be at one batch: it gives up on a lock after two seconds. */
const SILENCE = 10_000

/** Remembers one run's events in an SQLite file, from the host's thread: never blocks, never throws, bounded in memory. */
export class AuditLog {
  /** Event types that the level keeps; the first regretted miss of each evicted key is recorded besides. */
  readonly types: readonly EventType[]
  /** Figures of the runs that were in the file before. */
  readonly earlier: Lifetime
  /** Called first when the process exits: whoever owns the log records `stopped` in it. */
  onExit: ((code: number, error: string | null) => void) | undefined

  readonly #settings: AuditSettings
  /** Made absolute at once: the process may change its folder. */
  readonly #path: string
  readonly #logger: Logger
  readonly #spawn: Spawn
  readonly #outbox: Outbox
  #delivery: Delivery | null = null
  #flushTimer: NodeJS.Timeout | null = null
  #problem: string | null = null
  /** Since the log was last well. */
  readonly #problemsSaid = new Set<string>()
  #setAside: string | null = null
  #share = 1
  #writtenEvents = 0
  #lostEvents = 0
  #acknowledgedSeq = 0
  #closing: Promise<void> | null = null
  #isClosed = false

  private constructor(settings: AuditSettings, logger: Logger, { spawn = spawnWriter, prefixOf = null }: AuditParts) {
    this.#settings = settings
    this.#path = resolve(settings.path)
    this.#logger = safeLogger(logger)
    this.#spawn = spawn
    this.#outbox = new Outbox(prefixOf)
    this.types = KEPT[settings.level]
    this.earlier = this.#readEarlier()
    watchExit(this)
  }

  /**
   * Opens lazily: the file is made, and its problems found, by the writer's thread with the first batch.
   *
   * @throws {MissingDependencyError} where better-sqlite3 is not installed or not built.
   */
  static open(settings: AuditSettings, logger: Logger, parts: AuditParts = {}): AuditLog {
    loadDriver()
    return new AuditLog(settings, logger, parts)
  }

  /** Takes an event, in the order of `seq`, `started` first. One for which there is no room becomes part of a gap. */
  record(event: MuninnEvent): void {
    if (this.#closing !== null) return
    if (this.#delivery === null) {
      if (event.type !== 'started') return
      this.#begin(event)
    }
    if (event.type !== 'stopped' && !this.#hasRoom()) {
      this.#cut()
      this.#outbox.drop(event)
      this.#lostEvents++
    } else {
      if (this.#outbox.losing) this.#cutGap()
      if (this.#outbox.add(event)) {
        this.#cut()
        this.#delivery?.pump()
      }
    }
    this.#flushTimer ??= setTimeout(this.#onTimer, this.#settings.flushInterval).unref()
  }

  state(): AuditState {
    const delivery = this.#delivery
    delivery?.collect()
    this.#noteSilence()
    return {
      path: this.#settings.path,
      level: this.#settings.level,
      status: this.#isClosed ? 'closed' : this.#problem === null ? 'ok' : 'degraded',
      problem: this.#problem,
      setAside: this.#setAside,
      sampledShare: this.#share,
      writtenEvents: this.#writtenEvents,
      // What still waited at the end is lost, and counted so.
      pendingEvents: this.#isClosed ? 0 : this.#outbox.events + (delivery?.events ?? 0),
      lostEvents: this.#lostEvents,
      acknowledgedSeq: this.#acknowledgedSeq,
    }
  }

  /** Resolves when what was recorded so far is on disk, or can't be brought there at present. */
  async flush(): Promise<void> {
    if (this.#closing !== null) return this.#closing
    this.#cutAll()
    await this.#delivery?.flush()
  }

  /** Flushes, and ends the writer's thread. What can't be written is lost, and said so. Never rejects. */
  close(): Promise<void> {
    this.#closing ??= this.#finish()
    return this.#closing
  }

  /** For the exit hook. */
  beforeExit(code: number, error: string | null): void {
    this.onExit?.(code, error)
    this.#cutAll()
    // A thread that can't write now won't in half a second, and one that isn't there costs more to start than to spare.
    if (this.#delivery?.isWorking === true) this.#delivery.pump(Number.POSITIVE_INFINITY)
  }

  /** For the exit hook. */
  awaitThread(deadline: number): void {
    if (this.#delivery?.isWorking === true) this.#delivery.waitBlocking(deadline)
  }

  /** For the exit hook. */
  stopThread(deadline: number): void {
    this.#delivery?.stopBlocking(deadline)
  }

  /** For the exit hook. */
  writeRest(deadline: number): void {
    const delivery = this.#delivery
    if (delivery === null || delivery.waiting.length === 0) return
    try {
      writeRest(this.#path, delivery.header, delivery.waiting, deadline, (newPath, problem) =>
        this.#wasSetAside(newPath, problem),
      )
    } catch (error) {
      this.#giveUp(inWords(error, this.#path))
    }
  }

  #begin(started: Started): void {
    this.#delivery = new Delivery(this.#path, runHeader(started, this.#settings), this.#spawn, {
      delivered: (last, events) => this.#delivered(last, events),
      refused: (events) => {
        this.#writtenEvents -= events
        this.#lostEvents += events
        this.#logger.error(
          { audit: this.#path, events },
          'audit log: the database refused rows; a gap stands in their place',
        )
      },
      setAside: (newPath, problem) => this.#wasSetAside(newPath, problem),
      sampled: (share) => this.#sampled(share),
      failed: (problem) => this.#degrade(problem),
    })
  }

  /** Whether one more event may wait. After an overflow only when half is free, so that gaps are few and long. */
  #hasRoom(): boolean {
    const delivery = this.#delivery
    if (delivery === null) return false
    const most = this.#outbox.losing ? this.#settings.maxPending / 2 : this.#settings.maxPending
    if (this.#outbox.bytes + delivery.bytes < most) return true
    // The host may be in one long synchronous call: only asking shows what the thread has written meanwhile.
    delivery.pump()
    if (this.#outbox.bytes + delivery.bytes < most) return true
    if (this.#problem === null) this.#degrade('the writer fell behind: what there is no room for is lost')
    return false
  }

  readonly #onTimer = () => {
    this.#flushTimer = null
    this.#cut()
    if (this.#outbox.losing && this.#hasRoom()) this.#cutGap()
    this.#delivery?.pump()
    this.#noteSilence()
    if (this.#outbox.losing && this.#closing === null) {
      this.#flushTimer = setTimeout(this.#onTimer, this.#settings.flushInterval).unref()
    }
  }

  /** A file system that hangs says nothing at all. */
  #noteSilence(): void {
    if (this.#problem === null && (this.#delivery?.silence ?? 0) > SILENCE) {
      this.#degrade('the writer does not answer: the file system may hang')
    }
  }

  #cut(): void {
    const batch = this.#outbox.cut()
    if (batch !== null) this.#delivery?.add(batch)
  }

  #cutGap(): void {
    const batch = this.#outbox.cutGap('overflow')
    if (batch !== null) this.#delivery?.add(batch)
  }

  #cutAll(): void {
    this.#cut()
    this.#cutGap()
  }

  async #finish(): Promise<void> {
    if (this.#flushTimer !== null) clearTimeout(this.#flushTimer)
    this.#cutAll()
    await this.#delivery?.finish()
    unwatchExit(this)
    this.#isClosed = true
    if ((this.#delivery?.waiting.length ?? 0) > 0) this.#giveUp(this.#problem)
  }

  #giveUp(problem: string | null): void {
    const events = this.#delivery?.events ?? 0
    this.#lostEvents += events
    this.#logger.error({ audit: this.#path, events, problem }, 'audit log: ended, and what still waited is lost')
  }

  #delivered(last: Batch, events: number): void {
    this.#writtenEvents += events
    this.#acknowledgedSeq = last.last
    if (this.#problem === null || this.#outbox.losing) return
    this.#problem = null
    this.#problemsSaid.clear()
    this.#logger.info({ audit: this.#path, lostEvents: this.#lostEvents }, 'audit log: written again')
  }

  #sampled(share: number): void {
    const words =
      share < 1
        ? `audit log: more than ${this.#settings.sampleAbove} departures a second: rows are kept of 1 key in ${1 / share}; counts stay exact`
        : 'audit log: rows are kept of every key again'
    this.#logger[share < this.#share ? 'warn' : 'info']({ audit: this.#path, share }, words)
    this.#share = share
  }

  #degrade(problem: string): void {
    this.#problem = problem
    // Two problems that take turns would be said for ever.
    if (this.#problemsSaid.has(problem)) return
    this.#problemsSaid.add(problem)
    this.#logger.warn({ audit: this.#path, problem }, 'audit log: degraded; the cache goes on')
  }

  #wasSetAside(newPath: string, problem: string): void {
    this.#setAside = newPath
    this.#logger.error(
      { audit: this.#path, setAside: newPath, problem },
      'audit log: the file was damaged; it is kept under another name, and a new one begun',
    )
  }

  #readEarlier(): Lifetime {
    if (!existsSync(this.#path)) return NO_LIFETIME
    try {
      const { lifetime, plainRuns } = readEarlier(this.#path)
      if (this.#settings.redaction !== null && plainRuns > 0) {
        this.#logger.warn(
          { audit: this.#path, runs: plainRuns },
          'audit log: keys are hashed from now on, and those of earlier runs stay readable in this file: begin a new one',
        )
      }
      return lifetime
    } catch (error) {
      this.#degrade(inWords(error, this.#path))
      return NO_LIFETIME
    }
  }
}
