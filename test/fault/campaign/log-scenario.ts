import assert from 'node:assert/strict'
import { closeSync, existsSync, openSync, renameSync, rmSync, statSync, truncateSync, writeSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import fc from 'fast-check'
import { vi } from 'vitest'
import { AUDIT_LEVELS } from '../../../src/base/audit-options.ts'
import { POLICIES } from '../../../src/base/settings.ts'
import type { MuninnEvent } from '../../../src/event/catalogue.ts'
import { AuditLog } from '../../../src/persist/audit-log.ts'
import type { Database } from '../../../src/persist/driver.ts'
import { AuditFolder } from '../../support/audit-file.ts'
import type { chance } from '../../support/chance.ts'
import { assertFolds, startedOf } from '../../support/fold-law.ts'
import { asking } from '../../support/history-log.ts'
import { Ledger } from '../../support/ledger.ts'
import { type Command, callsOf, configOf } from '../../support/manager-commands.ts'
import { Player } from '../../support/manager-player.ts'
import { assertWithinLimits } from '../../support/manager-world.ts'
import { Mischief, type Misdeed } from './mischief.ts'
import type { Outcome } from './scenario.ts'

const WRITER = new URL('faulty-writer.mjs', import.meta.url)
const SUFFIXES = ['', '-wal', '-shm']

/** What goes wrong with the writer's thread, its disk and its file. */
const AILMENTS = [
  'writer killed',
  'writer stalls',
  'writer out of memory',
  'disk slow',
  'disk full',
  'disk read-only',
  'file locked',
  'file newer',
  'file corrupted',
  'file cut off',
  'file replaced',
  'file deleted',
  'WAL deleted',
] as const
type Ailment = (typeof AILMENTS)[number]

/** Those after which a part of what was written may be gone, or elsewhere. */
const DAMAGE: readonly Ailment[] = ['file corrupted', 'file cut off', 'file replaced', 'file deleted', 'WAL deleted']

const OBSERVERS: readonly Misdeed[] = ['subscriber throws', 'subscriber rejects', 'logger throws', 'logger calls back']

/** Index in the memory that is shared with the writer. */
const SWITCHES: Readonly<Partial<Record<Ailment, number>>> = {
  'disk slow': 0,
  'writer stalls': 1,
  'disk full': 2,
  'disk read-only': 3,
  'writer out of memory': 4,
}

const ROUNDS = 12

/** A real manager with a real log, thread and file, to which several things happen at random. Wants real timers. */
export class LogScenario implements Disposable {
  readonly faults: readonly string[]
  readonly #random: ReturnType<typeof chance>
  readonly #files = new AuditFolder()
  readonly #switches = new Int32Array(new SharedArrayBuffer(32))
  readonly #workers: Worker[] = []
  readonly #ailments: readonly Ailment[]
  readonly #done = new Map<string, number>()
  readonly #mischief: Mischief
  readonly #player: Player
  readonly #pool: readonly Command[]
  readonly #events: MuninnEvent[] = []
  readonly #ledger: Ledger
  readonly #logged: string[] = []
  #lock: Database | null = null
  #version = 0
  #entered = 0

  constructor(seed: number, random: ReturnType<typeof chance>) {
    this.#random = random
    const ailments = new Set<Ailment>()
    for (const most = 1 + random(3); ailments.size < most; ) ailments.add(AILMENTS[random(AILMENTS.length)] as Ailment)
    this.#ailments = [...ailments]
    const misdeeds = OBSERVERS.filter(() => random(4) === 0)
    this.faults = [...ailments, ...misdeeds]
    const policy = POLICIES[random(POLICIES.length)] as (typeof POLICIES)[number]
    const [config] = fc.sample(configOf(policy), { seed, numRuns: 1 }) as [Player['config']]
    this.#pool = fc
      .sample(callsOf(config.sizing), { seed, numRuns: 200 })
      .filter((command) => command.do !== 'fill' || command.until !== 'idle')
    this.#mischief = new Mischief(
      random,
      misdeeds,
      () => void this.#player?.play(this.#pool[random(this.#pool.length)] as Command),
      () => {},
    )
    const say = (_: object, message: string): unknown => {
      this.#logged.push(message)
      return this.#mischief.strike('logger')
    }
    const level = AUDIT_LEVELS[random(AUDIT_LEVELS.length)] as (typeof AUDIT_LEVELS)[number]
    this.#spawnFaulty()
    this.#player = new Player(config, () => ({
      logger: { debug: () => {}, info: say, warn: say, error: say },
      audit: {
        path: this.#files.path(),
        level,
        flushInterval: 1 + random(20),
        maxPending: random(3) === 0 ? 20_000 : '16MB',
        sampleAbove: Number.POSITIVE_INFINITY,
        // The clock leaps by years, and with it would go what is older.
        retention: { maxAge: Number.POSITIVE_INFINITY, maxSize: Number.POSITIVE_INFINITY },
      },
    }))
    const { memory } = this.#player
    memory.events$.subscribe((event) => void this.#events.push(event))
    memory.events$.subscribe(() => this.#mischief.strike('subscriber'))
    this.#ledger = new Ledger(startedOf(memory).at)
  }

  async play(): Promise<Outcome> {
    const { memory } = this.#player
    for (let round = 0; round < ROUNDS; round++) {
      for (let call = 0; call < 30; call++) this.#player.play(this.#pool[this.#random(this.#pool.length)] as Command)
      this.#assertLaws()
      if (this.#random(3) === 0) await this.#afflict()
      if (this.#random(4) === 0) this.#heal()
      await sleep(this.#random(4) === 0 ? this.#random(60) : 0)
    }
    const healed = this.#random(4) !== 0
    if (healed) this.#heal()
    // A thread that hangs is waited for; what else is wrong may stay so.
    this.#switch('writer stalls', 0)
    await memory.close()
    this.#assertLaws()
    assertFolds(memory, this.#events)
    this.#assertAccounted()
    this.#heal()
    if (!this.#has(...DAMAGE)) await this.#assertRecorded(healed)
    await this.#assertGoesOn()
    for (const worker of this.#workers) assert.equal(worker.threadId, -1, 'no thread is left')
    return { faults: this.faults, done: new Map([...this.#done, ...this.#mischief.done]) }
  }

  [Symbol.dispose](): void {
    this.#lock?.close()
    this.#files[Symbol.dispose]()
  }

  #has(...ailments: readonly Ailment[]): boolean {
    return ailments.some((ailment) => this.#done.has(ailment))
  }

  /** The manager starts its writer itself: what it starts is the built one on the disk that misbehaves. */
  #spawnFaulty(): void {
    const open = AuditLog.open
    vi.spyOn(AuditLog, 'open').mockImplementation((settings, logger, parts) =>
      open.call(AuditLog, settings, logger, {
        ...parts,
        spawn: (data) => {
          const worker = new Worker(WRITER, {
            workerData: { ...data, faults: this.#switches.buffer },
            execArgv: [],
            resourceLimits: { maxOldGenerationSizeMb: 64 },
          })
          this.#workers.push(worker)
          return worker
        },
      }),
    )
  }

  #switch(ailment: Ailment, to: number): void {
    const index = SWITCHES[ailment]
    if (index === undefined) return
    Atomics.store(this.#switches, index, to)
    Atomics.notify(this.#switches, index)
  }

  async #afflict(): Promise<void> {
    const ailment = this.#ailments[this.#random(this.#ailments.length)] as Ailment
    const path = this.#files.path()
    if (ailment.startsWith('file') && !existsSync(path)) return
    this.#done.set(ailment, (this.#done.get(ailment) ?? 0) + 1)
    switch (ailment) {
      case 'writer killed':
        await this.#workers.at(-1)?.terminate()
        return
      case 'file locked':
        return this.#takeLock()
      case 'file newer':
        return this.#makeNewer()
      case 'file corrupted':
        return this.#corrupt(path)
      case 'file cut off':
        return truncateSync(path, this.#random(statSync(path).size))
      case 'file replaced':
        return this.#replace()
      case 'file deleted':
        for (const suffix of SUFFIXES) rmSync(path + suffix, { force: true })
        return
      case 'WAL deleted':
        return rmSync(`${path}-wal`, { force: true })
      default:
        return this.#switch(ailment, ailment === 'disk slow' ? 1 + this.#random(30) : 1)
    }
  }

  #heal(): void {
    this.#lock?.close()
    this.#lock = null
    for (const ailment of this.#ailments) this.#switch(ailment, 0)
    if (this.#version === 0 || !existsSync(this.#files.path())) return
    this.#quietly((database) => database.pragma(`user_version = ${this.#version}`))
    this.#version = 0
  }

  #takeLock(): void {
    if (this.#lock !== null) return
    const lock = this.#files.connect()
    this.#lock = lock
    try {
      lock.exec('begin immediate')
    } catch {
      // Somebody else has it, or there is nothing left to lock.
    }
  }

  #makeNewer(): void {
    if (this.#version !== 0) return
    this.#quietly((database) => {
      const version = database.pragma('user_version', { simple: true }) as number
      if (version === 0) return
      database.pragma('user_version = 9999')
      this.#version = version
    })
  }

  /** Does something to the file that may not work, where other things were done to it. */
  #quietly(act: (database: Database) => void): void {
    try {
      const database = this.#files.connect()
      try {
        act(database)
      } finally {
        database.close()
      }
    } catch {
      // As damaged, or locked, as it is.
    }
  }

  #corrupt(path: string): void {
    const file = openSync(path, 'r+')
    const noise = Buffer.from(Array.from({ length: 1 + this.#random(4_096) }, () => this.#random(256)))
    writeSync(file, noise, 0, noise.length, this.#random(Math.max(1, statSync(path).size)))
    closeSync(file)
  }

  #replace(): void {
    const away = this.#files.path(`away-${this.#done.get('file replaced')}.db`)
    for (const suffix of SUFFIXES) {
      if (existsSync(this.#files.path() + suffix)) renameSync(this.#files.path() + suffix, away + suffix)
    }
    if (this.#random(2) === 0) this.#quietly((database) => database.exec('create table invoices (id integer)'))
  }

  #assertLaws(): void {
    const { memory } = this.#player
    for (; this.#entered < this.#events.length; this.#entered++) {
      this.#ledger.enter(this.#events[this.#entered] as MuninnEvent)
    }
    assertWithinLimits(memory)
    this.#ledger.balance(memory)
  }

  /** `seq` of the events that the log's level keeps. */
  #kept(): Set<number> {
    const { audit } = this.#player.memory as unknown as { readonly audit: AuditLog }
    const kept = this.#events.filter(
      (event) => audit.types.includes(event.type) || (event.type === 'missed' && event.firstRegret),
    )
    return new Set([1, ...kept.map(({ seq }) => seq)])
  }

  /** Whatever happened: each event is written or lost, and what is lost is said. */
  #assertAccounted(): void {
    const { audit } = this.#player.memory.stats()
    assert.ok(audit !== null)
    const { writtenEvents, lostEvents, status, pendingEvents } = audit
    assert.equal(status, 'closed')
    assert.equal(
      writtenEvents + lostEvents,
      this.#kept().size,
      `${writtenEvents} written and ${lostEvents} lost are all`,
    )
    assert.equal(pendingEvents, 0, 'nothing waits any more')
    if (lostEvents > 0)
      assert.ok(
        this.#logged.some((message) => message.startsWith('audit log:')),
        'losses are logged',
      )
  }

  /** What is in the file is what was told, and what isn't is in a gap of it. */
  async #assertRecorded(healed: boolean): Promise<void> {
    const { memory } = this.#player
    const { lostEvents = 0, writtenEvents = 0, acknowledgedSeq = 0 } = memory.stats().audit ?? {}
    if (writtenEvents === 0) return
    const found = await asking(this.#files, async (history) => {
      const seqs: number[] = []
      for await (const { type, seq } of history.export({ run: memory.runId })) if (type !== 'gap') seqs.push(seq)
      const { intact } = await history.verify()
      return { seqs, intact }
    })
    const gaps = this.#files.rows<{ first: number; last: number; lost: number | null }>(
      "select first_seq as first, last_seq as last, lost from gaps where reason <> 'crash'",
    )
    const kept = this.#kept()
    assert.equal(new Set(found.seqs).size, found.seqs.length, 'nothing is there twice')
    assert.deepEqual(
      found.seqs.filter((seq) => !kept.has(seq)),
      [],
      'nothing is there that was not told',
    )
    const there = new Set(found.seqs)
    const missing = [...kept].filter((seq) => seq <= acknowledgedSeq && !there.has(seq))
    assert.deepEqual(
      missing.filter((seq) => !gaps.some(({ first, last }) => first <= seq && seq <= last)),
      [],
      'what is not there is in a gap',
    )
    assert.equal(found.intact, true, 'the hash chain is whole')
    if (healed) {
      const recorded = gaps.reduce((sum, { lost }) => sum + (lost ?? 0), 0)
      assert.equal(recorded, lostEvents, 'what is lost is recorded')
    }
  }

  /** The next run has a file to write to, unless it is somebody else's. */
  async #assertGoesOn(): Promise<void> {
    vi.restoreAllMocks()
    if (this.#has('file replaced')) return
    const log = this.#files.open()
    log.record({ ...startedOf(this.#player.memory), runId: 'the next run' })
    await log.close()
    const { lostEvents, writtenEvents, problem } = log.state()
    assert.deepEqual({ lostEvents, writtenEvents, problem }, { lostEvents: 0, writtenEvents: 1, problem: null })
  }
}
