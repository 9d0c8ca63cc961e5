import assert from 'node:assert/strict'
import type { Cache } from '../../src/command/cache.ts'
import type { CycleSummary } from '../../src/command/evictor.ts'
import type { MemoryManager } from '../../src/command/memory-manager.ts'
import type { LimitOptions } from '../../src/command/settings-change.ts'
import type { MuninnEvent } from '../../src/event/catalogue.ts'
import { LEVELS } from '../../src/event/vocabulary.ts'
import { EventCursor } from './event-cursor.ts'
import { assertFolds, startedOf, stateOf } from './fold-law.ts'
import { Ledger } from './ledger.ts'
import { cacheOptionsOf, chargeOf, evictOptionsOf, type Given, limitOptionsOf } from './manager-calls.ts'
import type { Command, Config } from './manager-commands.ts'
import { type Played, Player } from './manager-player.ts'
import type { Entry } from './reference-entries.ts'
import { ReferenceManager } from './reference-manager.ts'
import { cacheSettings, type Stated, withLimits, withPolicy } from './reference-settings.ts'

type CommandOf<D extends Command['do']> = Extract<Command, { do: D }>

/** A real manager and the reference model, given the same calls; every difference throws. Wants fake timers. */
export class ManagerWorld {
  readonly memory: MemoryManager
  /** All events told, `started` not among them. */
  readonly events: MuninnEvent[] = []
  private readonly player: Player
  private readonly model: ReferenceManager
  private readonly ledger: Ledger
  private readonly stated: Stated
  private told = 0

  constructor(config: Config) {
    this.player = new Player(config)
    this.memory = this.player.memory
    this.memory.events$.subscribe((event) => this.events.push(event))
    this.model = new ReferenceManager(this.memory.settings, config.startsAt, {
      sample: config.remeasure,
      charge: (value, key) => chargeOf(value, key, { ...config, policy: this.memory.settings.policy }),
    })
    this.ledger = new Ledger(startedOf(this.memory).at)
    this.stated = { heap: config.maxHeap !== undefined, target: config.evictionTarget !== undefined }
  }

  /** Makes the call and compares everything: its answer, its events, and what holds after every public call. */
  run(command: Command): void {
    if (command.do === 'fill') this.fill(command)
    else if (command.do === 'near') this.near(command)
    else if (command.do === 'calm') this.calm(command)
    else if (command.do === 'inspect') this.inspect()
    else if (command.do === 'refold') assertFolds(this.memory, this.events)
    else this.step(command)
    this.assertInvariants()
  }

  /** Runs what is left to run and closes the manager. */
  end(): void {
    this.run({ do: 'inspect' })
    void this.memory.close()
    this.read((cursor) => {
      this.model.completeCycle(cursor)
      this.model.sampled(cursor)
      this.model.tellPeaks(cursor)
      cursor.next('stopped', { reason: 'close', code: null })
    })
  }

  private step(command: Command): void {
    const played = this.player.play(command)
    this.read((cursor) => this.follow(command, played, cursor))
  }

  /** Reads what was told since the last time. */
  private read(expect: (cursor: EventCursor) => void): void {
    const fresh = this.events.slice(this.told)
    this.told = this.events.length
    for (const event of fresh) this.ledger.enter(event)
    const cursor = new EventCursor(fresh)
    expect(cursor)
    cursor.end()
  }

  private follow(command: Command, played: Played, cursor: EventCursor): void {
    const { model } = this
    switch (command.do) {
      case 'get':
      case 'peek':
      case 'has':
      case 'delete':
      case 'clear':
      case 'set':
      case 'getOrInsert':
        return this.followCache(command, played, cursor)
      case 'drop':
        return this.followDrop(command.cache, played, cursor)
      case 'make':
        return this.followMake(command, played, cursor)
      case 'limits':
        return this.followLimits(limitOptionsOf(command.limits, this.player.config.scale), played, cursor)
      case 'policy':
        return this.followPolicy(command, played, cursor)
      case 'evict':
        return this.followEvict(command, played, cursor)
      case 'check':
        return model.check(cursor)
      case 'reset':
        return model.resetStats(cursor)
      case 'clock':
        return model.clockIs(this.player.clock.time)
      case 'idle':
        model.background(cursor)
        return assert.equal(model.cycle, null, 'when idle, a cycle comes to its end')
      case 'wait':
        model.clockIs(this.player.clock.time)
        model.background(cursor)
        if (command.ms > 2_000) assert.deepEqual(model.due(), [], 'what expired is freed within a second')
        return
    }
  }

  /** A call of a cache; one that was dropped tells nothing, and holds and stores nothing. */
  private followCache(
    command: Extract<Command, { cache: string }>,
    { answer, given }: Played,
    cursor: EventCursor,
  ): void {
    const { model } = this
    if (!this.player.facades.has(command.cache)) return
    const gone = !model.caches.has(command.cache)
    switch (command.do) {
      case 'get':
        return assert.equal(answer, gone ? undefined : model.get(cursor, command.cache, command.key))
      case 'peek':
        return assert.equal(answer, gone ? undefined : model.live(command.cache, command.key)?.value)
      case 'has':
        return assert.equal(answer, gone ? false : model.live(command.cache, command.key) !== undefined)
      case 'delete':
        return assert.equal(answer, gone ? false : model.delete(cursor, command.cache, command.key))
      case 'clear':
        return gone ? undefined : model.clear(cursor, command.cache)
      case 'set':
        return assert.equal(
          answer,
          gone ? false : model.set(cursor, command.cache, command.key, (given as Given).store),
        )
      case 'getOrInsert': {
        const { value, store } = given as Given
        const held = gone ? undefined : model.get(cursor, command.cache, command.key)
        if (held === undefined && !gone) model.set(cursor, command.cache, command.key, store)
        return assert.equal(answer, held ?? value)
      }
    }
  }

  private fill(command: CommandOf<'fill'>): void {
    const { player } = this
    for (let i = 0; i < player.mostOf(command) && !player.isFilled(command); i++) {
      this.step({ do: 'set', cache: command.cache, key: `f${i}`, store: command.store })
    }
    if (command.until === 'idle') this.step({ do: 'idle' })
  }

  private near({ cache, key, by, call }: CommandOf<'near'>): void {
    const expiresAt = this.model.find(cache, key)?.expiresAt ?? Number.POSITIVE_INFINITY
    if (expiresAt < 1e14) this.step({ do: 'clock', by: Math.max(0, expiresAt + by - this.player.clock.time) })
    this.step({ do: call, cache, key })
  }

  /** A check at the millisecond at which a level may be left, or the one before or after. */
  private calm({ by }: CommandOf<'calm'>): void {
    const wait = this.model.calmAt() + by - this.player.clock.time
    if (wait > 0 && Number.isFinite(wait)) this.step({ do: 'clock', by: wait })
    this.step({ do: 'check' })
  }

  private followDrop(name: string, { answer }: Played, cursor: EventCursor): void {
    const { model } = this
    assert.equal(answer, model.caches.has(name))
    if (!model.caches.has(name)) return
    model.empty(cursor, name)
    cursor.next('configured', { at: model.now, reason: 'cache-dropped' })
    model.dropCache(name)
    model.judge(cursor)
  }

  private followMake({ cache: name, options }: CommandOf<'make'>, { thrown }: Played, cursor: EventCursor): void {
    const { model } = this
    const given = options === undefined ? undefined : cacheOptionsOf(options, this.player.config.scale)
    const present = model.caches.has(name)
    const tooMany = !present && model.caches.size >= model.settings.maxCaches
    assert.equal(thrown, tooMany ? 'ERR_MUNINN_TOO_MANY_CACHES' : null)
    if (tooMany) return
    if (present) return this.limitsChanged(cursor, given === undefined ? {} : { caches: { [name]: given } })
    cursor.next('configured', { at: model.now, reason: 'cache-created' })
    model.makeCache(name, cacheSettings(given ?? {}))
  }

  private followLimits(options: LimitOptions, { thrown }: Played, cursor: EventCursor): void {
    const wanted = withLimits(this.model.settings, options, { ...this.stated })
    assert.equal(thrown !== null, wanted === null, `whether ${JSON.stringify(options)} is refused`)
    if (wanted !== null) this.limitsChanged(cursor, options)
  }

  private limitsChanged(cursor: EventCursor, options: LimitOptions): void {
    const { model } = this
    const wanted = withLimits(model.settings, options, this.stated)
    assert.ok(wanted !== null)
    if (isSame(model.settings, wanted)) return
    model.completeCycle(cursor)
    cursor.next('configured', { at: model.now, reason: 'limits' })
    const made = model.configure(wanted)
    for (const name of made) this.player.facades.set(name, this.memory.cache(name))
    if ([...model.caches.keys()].some((name) => model.exceeded(name) !== null)) model.runWhole(cursor, null, null, null)
    model.judge(cursor)
  }

  private followPolicy({ policy, threshold }: CommandOf<'policy'>, { thrown }: Played, cursor: EventCursor): void {
    const { model } = this
    const wanted = withPolicy(model.settings, policy, threshold, this.stated)
    assert.equal(thrown, wanted === null ? 'ERR_MUNINN_OPTION' : null)
    if (wanted === null || isSame(model.settings, wanted)) return
    cursor.next('configured', { at: model.now, reason: 'policy' })
    model.configure(wanted)
  }

  private followEvict(command: CommandOf<'evict'>, { answer, thrown }: Played, cursor: EventCursor): void {
    const { model } = this
    model.clockIs(this.player.clock.time)
    const options = evictOptionsOf(command, this.player.config.scale)
    const name = options.cache ?? null
    const unknown = name !== null && !model.caches.has(name)
    assert.equal(thrown, unknown ? 'ERR_MUNINN_OPTION' : null)
    if (unknown) return
    const { seq, at, type, ...told } = model.runWhole(
      cursor,
      name,
      this.targetOf(name, options.target as number | undefined),
      command.actor ?? null,
    )
    assert.deepEqual(answer as CycleSummary, told)
    model.judge(cursor)
  }

  /** How far a forced cycle must go. */
  private targetOf(name: string | null, target: number | undefined): { bytes: number; heap: number } {
    const { model } = this
    const { maxMemory, maxHeap, evictionTarget } = model.settings
    const own = name === null ? Number.POSITIVE_INFINITY : model.figuresOf(name).settings.maxMemory
    const budget = own === Number.POSITIVE_INFINITY ? maxMemory : own
    if (target !== undefined && target > 1) return { bytes: target, heap: Number.POSITIVE_INFINITY }
    const used = name === null ? model.usage() : model.bytes(name) / budget
    const share = target ?? Math.min(evictionTarget, 0.9 * used)
    return { bytes: share * budget, heap: name === null ? share * maxHeap : Number.POSITIVE_INFINITY }
  }

  /** Compares all that can be seen: contents in their order, each entry, and the statistics. */
  private inspect(): void {
    const { memory, model, player } = this
    const stats = memory.stats()
    for (const [name, cache] of player.facades) {
      const live = model.of(name).filter(({ expiresAt }) => expiresAt > model.now)
      assert.deepEqual(
        [...cache.entries()],
        live.map(({ key, value }) => [key, value]),
        'contents, in the order in which they were added',
      )
      assert.deepEqual(
        [...cache.keys()],
        live.map(({ key }) => key),
      )
      for (const entry of model.of(name)) assertInfo(cache, entry, entry.expiresAt > model.now)
      const figures = model.caches.get(name)
      const row = stats.caches.find((found) => found.name === name)
      assert.equal(row === undefined, figures === undefined, 'caches that were dropped are in no statistics')
      if (row === undefined || figures === undefined) continue
      for (const [figure, value] of Object.entries(figures.counts))
        assert.equal(Reflect.get(row, figure), value, `${figure} of ${name}`)
      assert.deepEqual([row.items, row.bytes], [model.of(name).length, model.bytes(name)])
    }
    const { peaks } = model
    assert.deepEqual([stats.peakMemoryBytes, stats.peakItems], [peaks.bytes.value, peaks.items.value])
    const { evictionCount, memoryWarnings, lastEviction, lastMemoryCheck, alertLevel } = stats
    const { cycles, warnings } = model.since
    assert.deepEqual([evictionCount, memoryWarnings, lastEviction], [cycles, warnings, model.since.lastEviction])
    assert.deepEqual([lastMemoryCheck, alertLevel], [model.lastCheck, LEVELS[model.level]])
    assert.equal(stats.observerErrors, 0)
  }

  /** What holds after every public call. */
  private assertInvariants(): void {
    const { memory, model } = this
    assert.deepEqual(memory.settings, model.settings, 'settings')
    assertWithinLimits(memory)
    this.ledger.balance(memory)
    for (const [name, cache] of this.player.facades) {
      assert.deepEqual(
        [cache.size, cache.bytes],
        [model.of(name).length, model.bytes(name)],
        `size and bytes of ${name}`,
      )
    }
  }
}

/** Asserts the law of limits: by every byte and item, between any two public calls. */
export function assertWithinLimits(memory: MemoryManager): void {
  const { items, bytes, heapBytes, settings, caches } = stateOf(memory)
  assert.ok(items <= settings.maxItems, `${items} items, at most ${settings.maxItems}`)
  assert.ok(bytes <= settings.maxMemory, `${bytes} bytes, at most ${settings.maxMemory}`)
  assert.ok(heapBytes <= settings.maxHeap, `${heapBytes} bytes on the heap, at most ${settings.maxHeap}`)
  for (const cache of caches.values()) {
    assert.ok(
      cache.items <= cache.settings.maxItems,
      `${cache.items} items in ${cache.name}, at most ${cache.settings.maxItems}`,
    )
    assert.ok(
      cache.bytes <= cache.settings.maxMemory,
      `${cache.bytes} bytes in ${cache.name}, at most ${cache.settings.maxMemory}`,
    )
  }
}

function assertInfo(cache: Cache, entry: Entry, live: boolean): void {
  const info = cache.info(entry.key)
  if (!live) return assert.equal(info, undefined, 'nothing is known of what is past its time')
  const { size, storedAt, expiresAt, hits, usedAt, cost, tags } = entry
  assert.ok(info !== undefined)
  const { score, offHeap, lastUse, ...rest } = info
  assert.deepEqual(rest, { size, storedAt, expiresAt, hits, lastAccess: usedAt, cost, tags })
}

function isSame(a: unknown, b: unknown): boolean {
  try {
    assert.deepEqual(a, b)
    return true
  } catch {
    return false
  }
}
