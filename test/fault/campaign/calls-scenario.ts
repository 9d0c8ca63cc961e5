import assert from 'node:assert/strict'
import fc from 'fast-check'
import { filter } from 'rxjs'
import { vi } from 'vitest'
import { InvalidEntryError } from '../../../src/base/errors.ts'
import { POLICIES } from '../../../src/base/settings.ts'
import type { Cache } from '../../../src/command/cache.ts'
import type { LoadOptions } from '../../../src/command/loading.ts'
import { EVENT_TYPES, type MuninnEvent } from '../../../src/event/catalogue.ts'
import type { MemoryManagerOptions } from '../../../src/muninn.ts'
import type { chance } from '../../support/chance.ts'
import { assertFolds, startedOf, stateOf } from '../../support/fold-law.ts'
import { Ledger } from '../../support/ledger.ts'
import type { HandClock } from '../../support/manager-calls.ts'
import { type Command, callsOf, commandsOf, configOf } from '../../support/manager-commands.ts'
import { Player } from '../../support/manager-player.ts'
import { assertWithinLimits } from '../../support/manager-world.ts'
import { badCalls } from './bad-calls.ts'
import { MISDEEDS, Mischief, type Misdeed } from './mischief.ts'
import type { Outcome } from './scenario.ts'

const HOUR = 3_600_000
const YEAR = 365 * 24 * HOUR
/** ms after which a load with a timeout must have settled, and every timer has fired. */
const LONGEST_TIMEOUT = 2_000
const MOST_LOADS_IN_A_ROW = 20

/** What goes wrong with time, keys and calls. */
const DISTURBANCES = [
  'clock goes back an hour',
  'clock goes a year ahead',
  'wall clock jumps',
  'timers come late',
  'keys collide',
  'calls are bad',
] as const
type Disturbance = (typeof DISTURBANCES)[number]

type Fault = Misdeed | Disturbance

interface Load {
  /** Whether it must settle whatever its loader does. */
  readonly bounded: boolean
  settled: boolean
}

/** What a subscriber may do with an event that it is told: the cache keeps nothing of it. */
const CHANGES = Symbol('changes what it is told')

function spoil(value: object): void {
  for (const [name, inner] of Object.entries(value)) {
    if (typeof inner === 'object' && inner !== null) spoil(inner)
    else Reflect.set(value, name, typeof inner === 'number' ? -1e9 : 'spoilt')
  }
}

/**
 * A real manager in virtual time, called at random, whose surroundings misbehave: several faults at once, drawn from the
 * seed. Wants fake timers.
 */
export class CallsScenario {
  readonly faults: readonly Fault[]
  readonly #random: ReturnType<typeof chance>
  readonly #player: Player
  readonly #mischief: Mischief
  readonly #commands: readonly Command[]
  readonly #pool: readonly Command[]
  readonly #events: MuninnEvent[] = []
  readonly #loads: Load[] = []
  readonly #logged: string[] = []
  readonly #ledger: Ledger
  readonly #done = new Map<Disturbance, number>()
  #entered = 0
  #completions = 0
  #wall = 0

  constructor(seed: number, random: ReturnType<typeof chance>) {
    this.#random = random
    const drawn = new Set<Fault>()
    for (let most = 2 + random(5); drawn.size < most; ) {
      const all: readonly Fault[] = [...MISDEEDS, ...DISTURBANCES, ...DISTURBANCES]
      drawn.add(all[random(all.length)] as Fault)
    }
    this.faults = [...drawn]
    const policy = POLICIES[random(POLICIES.length)] as (typeof POLICIES)[number]
    const [config] = fc.sample(configOf(policy), { seed, numRuns: 1 }) as [Player['config']]
    const [commands] = fc.sample(commandsOf(config.sizing, 60), { seed, numRuns: 1 }) as [Command[]]
    this.#commands = commands
    this.#pool = fc.sample(callsOf(config.sizing), { seed, numRuns: 40 })
    const misdeeds = this.faults.filter((fault): fault is Misdeed => MISDEEDS.includes(fault as Misdeed))
    this.#mischief = new Mischief(
      random,
      misdeeds,
      () => this.#anyCall(),
      () => void this.#player?.memory.close(),
    )
    this.#player = new Player(config, (clock) => this.#surroundings(clock))
    this.#ledger = new Ledger(startedOf(this.#player.memory).at)
    this.#watch()
  }

  async play(turn: () => Promise<unknown>): Promise<Outcome> {
    for (const command of this.#commands) {
      const next = this.#random(6)
      if (next === 0) this.#disturb()
      else if (next === 1) this.#load()
      else if (next === 2) this.#insert()
      this.#play(command)
      this.#assertLaws()
      // Loads go on, and rejections come, between some of the calls.
      if (next === 3) await turn()
    }
    await this.#end(turn)
    return { faults: this.faults, done: new Map<string, number>([...this.#mischief.done, ...this.#done]) }
  }

  #has(disturbance: Disturbance): boolean {
    return this.faults.includes(disturbance)
  }

  /** What the manager is given: all of it may misbehave, as far as the scenario has it so. */
  #surroundings(clock: HandClock): MemoryManagerOptions {
    const options: MemoryManagerOptions = { logger: this.#logger() }
    if (this.#concerns('prefix rule')) {
      options.prefix = (key) => {
        const said = this.#mischief.strike('prefix rule', [null, 5, 'x'.repeat(10_000), Symbol('s'), { a: 1 }, []])
        return said === undefined ? key.slice(0, 2) : (said as string)
      }
    }
    if (this.#concerns('estimator')) {
      options.sizing = (value, key) => {
        const said = this.#mischief.strike('estimator', [Number.NaN, -1, 1.5, 2 ** 60, '7', null, {}, 1e7])
        return said === undefined ? (String(value).length + key.length) % 50 : (said as number)
      }
    }
    if (this.#has('wall clock jumps')) {
      const { time } = clock
      vi.spyOn(performance, 'now').mockImplementation(() => clock.now() - time + 5_000)
      vi.spyOn(Date, 'now').mockImplementation(() => clock.time + this.#wall)
      Reflect.set(options, 'clock', undefined)
    }
    return options
  }

  #concerns(of: string): boolean {
    return this.faults.some((fault) => fault.startsWith(of))
  }

  #logger(): NonNullable<MemoryManagerOptions['logger']> {
    const say = (_: object, message: string): unknown => {
      this.#logged.push(message)
      return this.#mischief?.strike('logger')
    }
    return {
      debug: say,
      info: say,
      warn: say,
      error: say,
      isLevelEnabled: () => (this.#mischief?.strike('logger') ?? true) as boolean,
    }
  }

  /** One that keeps what it is told comes first, then those that misbehave, each in a way of its own. */
  #watch(): void {
    const { memory } = this.#player
    const changes = this.#mischief.has('subscriber answers nonsense')
    memory.events$.subscribe({
      next: (event) => void this.#events.push(changes ? structuredClone(event) : event),
      complete: () => void this.#completions++,
    })
    const strike = (event: unknown): unknown => {
      const said = this.#mischief.strike('subscriber', [CHANGES])
      if (said === CHANGES) spoil(event as object)
      return said
    }
    memory.events$.subscribe(strike)
    memory.evictions$.pipe(filter(() => true)).subscribe(strike)
    memory.stats$.subscribe(() => strike({}))
    for (const type of EVENT_TYPES) memory.on(type, strike)
  }

  #play(command: Command): void {
    try {
      this.#player.play(command)
    } catch (error) {
      // The size function threw, or answered nonsense.
      if (!(error instanceof InvalidEntryError) || !this.#concerns('estimator')) throw error
    }
  }

  #anyCall(): void {
    // A logger is told of the start before there is anything to call.
    if (this.#player === undefined) return
    const which = this.#random(this.#pool.length + 8)
    const command = this.#pool[which]
    if (command !== undefined) this.#play(command)
    else if (which % 2 === 0) this.#load()
    else this.#insert()
  }

  #anyCache(): Cache {
    const facades = [...this.#player.facades.values()]
    return facades[this.#random(facades.length)] as Cache
  }

  #load(): void {
    const options: LoadOptions = {}
    const { signal, abort } = this.#signal()
    if (this.#random(2) === 0) options.timeout = 1 + this.#random(LONGEST_TIMEOUT)
    if (this.#random(4) === 0) options.errorTtl = 100
    if (this.#random(4) === 0) options.ttl = 50
    if (signal !== null) options.signal = signal
    const load: Load = { bounded: options.timeout !== undefined || signal !== null, settled: false }
    this.#loads.push(load)
    const settled = (): void => {
      load.settled = true
    }
    this.#anyCache()
      .getOrLoad(`k${this.#random(5)}`, (key, context) => this.#loader(key, context.signal), options)
      .then(settled, settled)
    if (abort !== null) setTimeout(abort, this.#random(LONGEST_TIMEOUT))
  }

  #signal(): { signal: AbortSignal | null; abort: (() => void) | null } {
    if (this.#random(4) !== 0) return { signal: null, abort: null }
    const controller = new AbortController()
    if (this.#random(4) === 0) controller.abort(new Error('aborted before'))
    return { signal: controller.signal, abort: () => controller.abort() }
  }

  #loader(key: string, signal: AbortSignal): unknown {
    signal.addEventListener('abort', () => void this.#mischief.strike('listener'))
    // biome-ignore lint/suspicious/noThenProperty: as a hostile loader answers.
    const thenable = { then: (resolve: (value: unknown) => void) => resolve(this.#mischief.strike('loader')) }
    const said = this.#mischief.strike('loader', [undefined, null, thenable, Number.NaN])
    if (said !== undefined) return said
    const delay = this.#random(30)
    return delay < 10 ? `loaded ${key}` : new Promise((resolve) => setTimeout(() => resolve(`loaded ${key}`), delay))
  }

  #insert(): void {
    let thrown: unknown
    try {
      this.#anyCache().getOrInsert(`k${this.#random(5)}`, () => {
        try {
          const said = this.#mischief.strike('maker', [undefined, null, () => 1])
          return said === undefined ? 'made' : said
        } catch (error) {
          thrown = error
          throw error
        }
      })
    } catch (error) {
      if (error !== thrown && !(error instanceof InvalidEntryError && this.#concerns('estimator'))) throw error
    }
  }

  #disturb(): void {
    const possible = DISTURBANCES.filter((disturbance) => this.#has(disturbance))
    const disturbance = possible[this.#random(Math.max(1, possible.length))]
    if (disturbance === undefined) return
    this.#done.set(disturbance, (this.#done.get(disturbance) ?? 0) + 1)
    const { clock, memory } = this.#player
    switch (disturbance) {
      case 'clock goes back an hour':
        clock.time -= HOUR
        return
      case 'clock goes a year ahead':
        clock.time += YEAR
        return
      case 'wall clock jumps':
        this.#wall += [HOUR, -HOUR, YEAR, 900][this.#random(4)] as number
        return
      case 'timers come late':
        // Minutes of synchronous work: all that was due comes at once.
        clock.time += 200_000
        if (this.#random(2) === 0) vi.advanceTimersByTime(70_000)
        return
      case 'keys collide':
        return this.#collide()
      case 'calls are bad':
        for (const call of badCalls(memory, this.#anyCache())) this.#refused(call)
    }
  }

  /** Many keys that differ only where the sampled hash doesn't look, of few prefixes. */
  #collide(): void {
    for (let n = 0; n < 200; n++) {
      const key = `p${n % 3}:${'h'.repeat(9)}${String.fromCharCode(0x4e00 + n)}${'t'.repeat(53)}`
      this.#play({ do: 'set', cache: 'a', key, store: { kind: 'stated', size: n % 4 } })
    }
  }

  #refused(call: () => unknown): void {
    const { seq } = stateOf(this.#player.memory)
    let thrown: unknown
    try {
      call()
    } catch (error) {
      thrown = error
    }
    const said = `${call} threw ${String(thrown)}`
    assert.match(String((thrown as { code?: unknown } | undefined)?.code), /^ERR_MUNINN_/, said)
    assert.equal(stateOf(this.#player.memory).seq, seq, `${call} was refused, and changed nothing`)
  }

  #assertLaws(): void {
    const { memory } = this.#player
    for (; this.#entered < this.#events.length; this.#entered++) {
      this.#ledger.enter(this.#events[this.#entered] as MuninnEvent)
    }
    assertWithinLimits(memory)
    this.#ledger.balance(memory)
  }

  async #end(turn: () => Promise<unknown>): Promise<void> {
    const { memory } = this.#player
    const closing = memory.close()
    await turn()
    // Whoever is told of an abort may begin the next load.
    for (let passed = 0; passed < 2 || (passed < MOST_LOADS_IN_A_ROW && this.#open().length > 0); passed++) {
      vi.advanceTimersByTime(LONGEST_TIMEOUT)
      await turn()
    }
    await closing
    this.#mischief.callsNoMore()
    this.#assertLaws()
    assertFolds(memory, this.#events)
    assert.ok(!JSON.stringify(this.#events).includes('spoilt'), 'what one observer changes is in no later event')
    assert.deepEqual(
      this.#events.flatMap(({ type }, n) => (type === 'stopped' ? [n] : [])),
      [this.#events.length - 1],
      'the last event, and no other, says that it has stopped',
    )
    assert.equal(this.#completions, 1, 'the streams are completed, once')
    assert.deepEqual(this.#open(), [], 'every load settles, unless its loader hangs and nothing limits it')
    this.#assertClosed()
    this.#assertSaid()
    // The clock's own reading is cached for a ms, by whoever asks after the end.
    vi.advanceTimersByTime(2)
    assert.equal(vi.getTimerCount(), 0, 'no timer is left')
  }

  /** Loads that should have settled. */
  #open(): Load[] {
    const hangs = this.#mischief.get('loader hangs') > 0
    return this.#loads.filter(({ settled, bounded }) => !settled && (bounded || !hangs))
  }

  #assertClosed(): void {
    const { memory } = this.#player
    for (const cache of this.#player.facades.values()) {
      assert.equal(cache.size, 0)
      assert.equal(cache.get('k'), undefined)
      assert.equal(cache.set('k', 1, { size: 1 }), false)
    }
    assert.throws(() => memory.check(), { code: 'ERR_MUNINN_CLOSED' })
  }

  /** What subscribers threw, now and later, is counted and logged, each once. */
  #assertSaid(): void {
    const { done } = this.#mischief
    const thrown = (['subscriber throws', 'subscriber rejects', 'prefix rule throws'] as const).reduce(
      (sum, misdeed) => sum + (done.get(misdeed) ?? 0),
      0,
    )
    const said = this.#logged.filter((message) => message.startsWith('a subscriber threw'))
    assert.equal(said.length, thrown, 'what observers threw is logged')
    const atChecks = this.#logged.filter((message) => message.startsWith('a size function failed'))
    assert.ok(atChecks.length === 0 || this.#concerns('estimator'), 'sizes fail where a size function misbehaves')
    assert.equal(this.#player.memory.stats().observerErrors, thrown + atChecks.length, 'and counted')
    assert.deepEqual(
      this.#logged.filter((message) => message.includes('do not balance')),
      [],
    )
  }
}
