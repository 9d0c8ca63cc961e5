import { describe, expect, test } from 'vitest'
import type { Settings } from '../../src/base/settings.ts'
import { isCalm, levelChange, topWriters } from '../../src/decide/level.ts'
import type { EventOf } from '../../src/event/catalogue.ts'
import { MadeState } from '../support/made-state.ts'

/** A budget of 1,000 bytes, and a level that is told and folded as soon as it changes. */
class Levels extends MadeState {
  constructor(settings: Partial<Settings> = {}, caches?: readonly string[]) {
    super({ maxMemory: 1_000, checkInterval: 0, ...settings }, caches)
  }

  change(): EventOf<'warned'> | null {
    const { state, run } = this
    const warned = levelChange(state, state.seq + 1, run.at)
    if (warned !== null) this.tell('warned', warned)
    return warned
  }

  /** Makes the one entry so large that usage is this. */
  use(bytes: number): EventOf<'warned'> | null {
    const { state } = this
    if (this.handleOf('k') >= 0) this.tell('updated', { cache: 'c', key: 'k', size: bytes, previousSize: state.bytes })
    else this.add('k', bytes)
    return this.change()
  }

  pass(ms: number): EventOf<'warned'> | null {
    this.run.at += ms
    return this.change()
  }
}

describe('a level', () => {
  test.each([
    [799, null, null],
    [800, 'warning', 0.8],
    [899, 'warning', 0.8],
    [900, 'critical', 0.9],
    [949, 'critical', 0.9],
    [950, 'emergency', 0.95],
    [2_000, 'emergency', 0.95],
  ] as const)('at %i of 1,000 bytes is %s', (bytes, level, threshold) => {
    const warned = new Levels().use(bytes)
    if (level === null) expect(warned).toBeNull()
    else {
      const heapBytes = bytes
      expect(warned).toMatchObject({
        seq: 3,
        level,
        from: 'normal',
        to: level,
        threshold,
        usage: bytes / 1_000,
        bytes,
        heapBytes,
      })
    }
  })

  test('is told once, and left down to the one that usage reaches, after thirty seconds below it', () => {
    const levels = new Levels()
    levels.use(960)
    expect(levels.use(970)).toBeNull()
    levels.run.at += 10
    expect(levels.use(850)).toBeNull()
    expect(levels.pass(29_999)).toBeNull()
    expect(levels.pass(1)).toMatchObject({
      level: 'recovered',
      from: 'emergency',
      to: 'warning',
      threshold: 0.9,
      usage: 0.85,
    })
    expect(levels.pass(100_000)).toBeNull()
    levels.use(100)
    expect(levels.pass(30_000)).toMatchObject({ level: 'recovered', from: 'warning', to: 'normal', threshold: 0.8 })
    expect(levels.pass(100_000)).toBeNull()
  })

  test('that is left after the check interval, where there is one, comes again at once', () => {
    const levels = new Levels({ checkInterval: 500 })
    levels.use(800)
    levels.use(799)
    expect(levels.pass(499)).toBeNull()
    expect(levels.pass(1)).toMatchObject({ to: 'normal' })
    // However long usage had been below it.
    levels.run.at += 10_000
    expect(levels.use(801)).toMatchObject({ level: 'warning', from: 'normal' })
    levels.use(10)
    expect(levels.pass(500)).toMatchObject({ to: 'normal' })
    expect(levels.use(901)).toMatchObject({ level: 'critical', from: 'normal' })
  })
})

describe('what a level says of those who wrote', () => {
  test('is by cache and by writer, largest first, ten of each, since the last change of level', () => {
    const names = Array.from({ length: 12 }, (_, n) => `c${n}`)
    const levels = new Levels({}, names)
    for (const [n, cache] of names.entries()) levels.add(`w${n}:1`, 10 * ((5 * n) % 12), { cache })
    levels.add('w0:2', 300, { cache: 'c0' })
    const since = levels.change()?.since
    expect(since?.bytesAdded).toBe(960)
    const sizes = [300, 110, 100, 90, 80, 70, 60, 50, 40, 30]
    expect(since?.caches.map(({ bytes }) => bytes)).toEqual(sizes)
    expect(since?.writers.map(({ bytes }) => bytes)).toEqual(sizes)
    expect(since?.writers[0]).toEqual({ cache: 'c0', prefix: 'w0', bytes: 300, error: 0 })
    levels.run.at += 1_000
    levels.add('w3:2', 7, { cache: 'c3' })
    levels.tell('removed', { cache: 'c0', key: 'w0:2' })
    levels.change()
    expect(levels.pass(30_000)?.since).toEqual({
      at: 1_000,
      bytesAdded: 7,
      caches: [{ cache: 'c3', bytes: 7 }],
      writers: [{ cache: 'c3', prefix: 'w3', bytes: 7, error: 0 }],
    })
  })

  test('is too high by no more than they added since', () => {
    const levels = new Levels({ maxMemory: 1_000_000 })
    for (let n = 0; n < 32; n++) levels.add(`w${n}:1`, 100)
    const before = new Map(
      levels
        .cache()
        .writers.counts()
        .map(({ prefix, bytes }) => [prefix, bytes]),
    )
    levels.add('new:1', 10)
    levels.add('w5:2', 1)
    const told = topWriters([levels.cache()], () => before, 2)
    // It took the counter of another, with its hundred bytes, which may all be the other's.
    expect(told).toEqual([
      { cache: 'c', prefix: 'new', bytes: 110, error: 100 },
      { cache: 'c', prefix: 'w5', bytes: 1, error: 0 },
    ])
    const known = topWriters([levels.cache()], () => new Map([...before, ['new', 90]]), 1)
    expect(known).toEqual([{ cache: 'c', prefix: 'new', bytes: 20, error: 20 }])
  })
})

describe('the time left', () => {
  /** What a warning says after 800 bytes came within 8 s, of them so many off the heap. */
  function left(settings: Partial<Settings>, offHeap = 0): number | null | undefined {
    const levels = new Levels(settings)
    levels.run.at += 8_000
    levels.add('k', 800, { offHeap })
    return levels.change()?.timeLeft
  }

  test('is that of the budget that is full first, at the present rate', () => {
    expect(left({})).toBe(2_000)
    expect(left({ maxHeap: 900 })).toBe(1_000)
    expect(left({ maxHeap: 900 }, 600)).toBe(2_000)
    expect(left({ maxHeap: 300 }, 600)).toBe(2_000)
    expect(left({ maxHeap: 210 }, 600)).toBe(400)
    expect(left({ maxMemory: 900 })).toBe(1_000)
  })

  test('is none where a budget is exceeded', () => {
    expect(left({ maxMemory: 700 })).toBe(0)
  })

  test('is unknown where nothing came, or in no time', () => {
    const levels = new Levels({ maxHeap: 1_000 })
    expect(levels.use(800)?.timeLeft).toBeNull()
    levels.run.at += 10
    levels.use(100)
    expect(levels.pass(30_000)?.timeLeft).toBeNull()
  })

  test('is of the budget that pressure leaves', () => {
    const levels = new Levels()
    const stated = { maxMemory: 1_000, maxHeap: Number.POSITIVE_INFINITY }
    levels.tell('budget-changed', { stated, to: { ...stated, maxMemory: 850 } })
    levels.run.at += 8_000
    expect(levels.use(800)?.timeLeft).toBe(500)
  })

  test('counts what came since the last change of level', () => {
    for (const maxHeap of [1_000, 990]) {
      const levels = new Levels({ maxHeap })
      levels.run.at += 1_000
      levels.use(800)
      levels.run.at += 1_000
      expect(levels.use(900)?.timeLeft).toBe(10 * (maxHeap - 900))
    }
  })
})

test('it is calm below all thresholds, in bytes and on the heap, while no level holds', () => {
  const calm = (bytes: number, offHeap: number, settings: Partial<Settings> = {}): boolean => {
    const levels = new Levels({ maxHeap: 500, ...settings })
    levels.add('k', bytes, { offHeap })
    return isCalm(levels.state)
  }
  expect([calm(399, 0), calm(400, 0)]).toEqual([true, false])
  expect([calm(799, 400), calm(800, 700)]).toEqual([true, false])
  const levels = new Levels()
  levels.use(800)
  levels.use(10)
  expect(isCalm(levels.state)).toBe(false)
})
