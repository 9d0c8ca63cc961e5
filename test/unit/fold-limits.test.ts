import { describe, expect, test } from 'vitest'
import { LevelState, rankOf } from '../../src/fold/levels.ts'
import { Limits } from '../../src/fold/limits.ts'
import { Peaks } from '../../src/fold/peaks.ts'
import { SETTINGS } from '../support/events.ts'

const NO_LIMIT = Number.POSITIVE_INFINITY
const NO_CEILING = { maxMemory: NO_LIMIT, maxHeap: NO_LIMIT }

describe('the limits', () => {
  const settings = { ...SETTINGS, maxMemory: 1_000, maxHeap: 505, maxItems: 7, evictionTarget: 0.75 }

  test('are the settings in bytes, those of pressure where they are lower, warnings of the stated ones in any case', () => {
    const limits = new Limits(settings, NO_CEILING)
    const shared = { evicts: true, maxItems: 7, warningBytes: 800, warningHeapBytes: 404 }
    expect(limits).toMatchObject({
      ...shared,
      maxMemory: 1_000,
      maxHeap: 505,
      cycleBytes: 900,
      cycleHeapBytes: 454.5,
      calmBytes: 900,
      calmHeapBytes: 454.5,
      targetBytes: 750,
      targetHeapBytes: 378,
    })
    limits.set(settings, { maxMemory: 100, maxHeap: 50 })
    expect(limits).toMatchObject({
      ...shared,
      maxMemory: 100,
      maxHeap: 50,
      cycleBytes: 90,
      cycleHeapBytes: 45,
      calmBytes: 90,
      calmHeapBytes: 45,
      targetBytes: 75,
      targetHeapBytes: 37,
    })
  })

  test('know no cycles where the threshold is 1, and refuse where adds do', () => {
    const limits = new Limits({ ...settings, evictionThreshold: 1, onFull: 'reject' }, NO_CEILING)
    expect(limits).toMatchObject({
      evicts: false,
      cycleBytes: NO_LIMIT,
      cycleHeapBytes: NO_LIMIT,
      calmBytes: 1_000,
      calmHeapBytes: 505,
    })
  })

  test('of nothing are the most that sums of bytes keep exactly', () => {
    const limits = new Limits({ ...settings, maxMemory: NO_LIMIT, maxHeap: NO_LIMIT }, NO_CEILING)
    expect([limits.maxMemory, limits.maxHeap]).toEqual([Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER])
    expect([limits.calmBytes, limits.cycleBytes]).toEqual([Number.MAX_SAFE_INTEGER, NO_LIMIT])
  })

  test('send adds the long way from where the process is to be looked at, whatever is set afterwards', () => {
    const limits = new Limits(settings, NO_CEILING)
    limits.watchFrom(300)
    expect(limits.calmBytes).toBe(300)
    limits.set({ ...settings, maxMemory: 2_000 }, NO_CEILING)
    expect(limits.calmBytes).toBe(300)
    limits.watchFrom(NO_LIMIT)
    expect(limits.calmBytes).toBe(1_800)
    limits.set({ ...settings, maxMemory: 2_000, evictionThreshold: 1 }, NO_CEILING)
    limits.watchFrom(NO_LIMIT)
    expect(limits.calmBytes).toBe(2_000)
  })
})

describe('levels', () => {
  test('have their ranks, and thresholds of which that of warning is set', () => {
    expect((['normal', 'warning', 'critical', 'emergency'] as const).map(rankOf)).toEqual([0, 1, 2, 3])
    expect(new LevelState(0.7).thresholds.slice(1)).toEqual([0.7, 0.9, 0.95])
  })

  test('know since when usage is below each that holds', () => {
    const levels = new LevelState(0.8)
    const since = () => levels.belowSince.slice(1)
    levels.usageIs(0.1, 5)
    expect(since()).toEqual([NO_LIMIT, NO_LIMIT, NO_LIMIT])
    levels.changed(2)
    expect(levels.level).toBe('critical')
    levels.usageIs(0.9, 10)
    expect(since()).toEqual([NO_LIMIT, NO_LIMIT, NO_LIMIT])
    levels.usageIs(0.85, 20)
    expect(since()).toEqual([NO_LIMIT, 20, NO_LIMIT])
    levels.usageIs(0.5, 30)
    expect(since()).toEqual([30, 20, NO_LIMIT])
    levels.usageIs(0.4, 40)
    expect(since()).toEqual([30, 20, NO_LIMIT])
    levels.usageIs(0.8, 50)
    expect(since()).toEqual([NO_LIMIT, 20, NO_LIMIT])
  })

  test('forget, where one is entered again, since when usage was below it before', () => {
    const levels = new LevelState(0.8)
    levels.changed(2)
    levels.usageIs(0.5, 10)
    levels.changed(0)
    levels.changed(3)
    expect(levels.belowSince.slice(1)).toEqual([NO_LIMIT, NO_LIMIT, NO_LIMIT])
    levels.usageIs(0.5, 20)
    levels.changed(1)
    expect(levels.belowSince[1]).toBe(20)
    levels.changed(2)
    expect(levels.belowSince.slice(1)).toEqual([20, NO_LIMIT, 20])
  })
})

describe('peaks', () => {
  const held = (bytes: number) => [{ cache: 'c', items: 1, bytes }]

  test('are the highest of each by itself, and the first time that they were reached', () => {
    const peaks = new Peaks()
    peaks.measured(10, 5, 1, 100)
    peaks.measured(10, 7, 0, 200)
    peaks.measured(9, 6, 2, 300)
    expect(peaks.by).toMatchObject({
      bytes: { value: 10, at: 100 },
      heap_bytes: { value: 7, at: 200 },
      items: { value: 2, at: 300 },
    })
  })

  test('keep what was held when they were reached, until the next', () => {
    const peaks = new Peaks()
    expect(peaks.isFresh).toBe(false)
    peaks.measured(10, 10, 1, 100)
    expect([peaks.isFresh, peaks.by.bytes.held]).toEqual([true, null])
    peaks.keep(held(10))
    peaks.keep(held(3))
    expect(peaks.isFresh).toBe(false)
    peaks.measured(9, 9, 2, 200)
    expect([peaks.isFresh, peaks.by.bytes.held, peaks.by.items.held]).toEqual([true, held(10), null])
    peaks.keep(held(9))
    expect([peaks.by.bytes.held, peaks.by.items.held]).toEqual([held(10), held(9)])
  })

  test('start anew from the present, and those of the run are kept', () => {
    const peaks = new Peaks()
    peaks.measured(10, 8, 5, 100)
    Object.assign(peaks.by.bytes, { told: 10 })
    peaks.reset(4, 3, 2, 200)
    expect(peaks.by).toMatchObject({
      bytes: { value: 4, at: 200, told: 0 },
      heap_bytes: { value: 3, at: 200 },
      items: { value: 2, at: 200 },
    })
    expect([peaks.ofRun('bytes'), peaks.ofRun('items')]).toMatchObject([
      { value: 10, at: 100 },
      { value: 5, at: 100 },
    ])
    peaks.measured(7, 7, 9, 300)
    peaks.reset(1, 1, 1, 400)
    expect([peaks.ofRun('bytes'), peaks.ofRun('items')]).toMatchObject([
      { value: 10, at: 100 },
      { value: 9, at: 300 },
    ])
    peaks.measured(10, 1, 3, 500)
    // As high again is the later one: it is told of.
    expect(peaks.ofRun('bytes')).toMatchObject({ value: 10, at: 500 })
    expect(new Peaks().ofRun('items')).toMatchObject({ value: 0, at: 0 })
  })
})
