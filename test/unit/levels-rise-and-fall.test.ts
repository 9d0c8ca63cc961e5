import { describe, expect, test } from 'vitest'
import { POLICIES } from '../../src/base/settings.ts'
import { type Bed, bed, tightBed } from '../support/manager-bed.ts'

const CALM = 30_000

/** Makes one entry so large that usage is this many percent of the budget of 100 bytes. */
function use(made: Bed, percent: number): void {
  if (percent === 0) made.memory.cache('c').delete('k')
  else made.memory.cache('c').set('k', 1, { size: percent })
}

const steps = (made: Bed): string[] => made.of('warned').map(({ level, from, to }) => `${level}: ${from} → ${to}`)

describe('a level', () => {
  test.each([
    [79, 'normal', 0],
    [80, 'warning', 0.8],
    [89, 'warning', 0.8],
    [90, 'critical', 0.9],
    [94, 'critical', 0.9],
    [95, 'emergency', 0.95],
    [100, 'emergency', 0.95],
  ] as const)('at %i %% is %s', (percent, level, threshold) => {
    const test = tightBed(100)
    use(test, percent)
    expect(test.memory.stats().alertLevel).toBe(level)
    const entered = { level, from: 'normal', to: level, usage: percent / 100, threshold, bytes: percent }
    expect(test.of('warned')).toMatchObject(level === 'normal' ? [] : [entered])
    expect(test.memory.stats().memoryWarnings).toBe(level === 'normal' ? 0 : 1)
  })

  test('is entered at once, one after the other or several at a time', () => {
    const test = tightBed(100)
    for (const percent of [80, 90, 95, 100]) use(test, percent)
    expect(steps(test)).toEqual([
      'warning: normal → warning',
      'critical: warning → critical',
      'emergency: critical → emergency',
    ])
    expect(test.memory.stats().memoryWarnings).toBe(3)
  })

  test('has a threshold of its own for warning alone', () => {
    const test = tightBed(100, { memoryThreshold: 0.3 })
    use(test, 30)
    expect(test.of('warned')).toMatchObject([{ level: 'warning', threshold: 0.3 }])
    test.memory.setLimits({ memoryThreshold: 0.9 })
    expect(test.memory.stats().memoryThreshold).toBe(0.9)
  })

  test('is entered when the threshold comes down to usage, too', () => {
    const test = tightBed(100)
    use(test, 60)
    test.memory.setLimits({ memoryThreshold: 0.5 })
    expect(test.of('warned')).toMatchObject([{ level: 'warning', threshold: 0.5, usage: 0.6 }])
  })

  test('is of the larger of bytes and heap bytes', () => {
    const test = tightBed(1_000, { maxHeap: 100 })
    use(test, 80)
    expect(test.of('warned')).toMatchObject([{ level: 'warning', usage: 0.8 }])
    expect(test.memory.stats()).toMatchObject({ memoryUsagePercent: 8, heapUsagePercent: 80 })
  })

  test('is of bytes only, never of items', () => {
    const test = bed({ maxItems: 10, maxMemory: 1_000_000 })
    for (let i = 0; i < 100; i++) test.memory.cache('c').set(`k${i}`, 1, { size: 1 })
    test.memory.check()
    expect(test.memory.stats()).toMatchObject({ cacheItemCount: 10, alertLevel: 'normal', memoryWarnings: 0 })
  })

  test('is judged after the evictions that the call made', () => {
    const test = bed({ maxMemory: 100, maxItems: Number.POSITIVE_INFINITY })
    for (let i = 0; i < 1_000; i++) test.memory.cache('c').set(`k${i}`, 1, { size: 1 })
    expect(test.of('evicted').length).toBeGreaterThan(800)
    expect(steps(test)).toEqual(['warning: normal → warning'])
  })

  test('says what was added since the last one, by whom, and how long until the budget is full', () => {
    const test = tightBed(1_000)
    const [c, d] = [test.memory.cache('c'), test.memory.cache('d')]
    const start = test.clock.time
    c.set('user:1', 1, { size: 300 })
    d.set('page/2', 1, { size: 400 })
    test.clock.time += 8_000
    c.set('user:3', 1, { size: 100 })
    const [warned] = test.of('warned')
    expect(warned?.since).toEqual({
      at: start,
      bytesAdded: 800,
      caches: [
        { cache: 'c', bytes: 400 },
        { cache: 'd', bytes: 400 },
      ],
      writers: [
        { cache: 'c', prefix: 'user', bytes: 400, error: 0 },
        { cache: 'd', prefix: 'page', bytes: 400, error: 0 },
      ],
    })
    expect(warned?.timeLeft).toBe(2_000)
    test.clock.time += 1_000
    c.set('user:4', 1, { size: 100 })
    expect(test.of('warned')[1]?.since).toMatchObject({
      at: start + 8_000,
      bytesAdded: 100,
      writers: [{ prefix: 'user' }],
    })
  })
})

describe('a level is left', () => {
  test('only after usage has stayed below it for a whole check interval', () => {
    const test = tightBed(100)
    use(test, 80)
    test.clock.time += 10
    use(test, 79)
    test.clock.time += CALM - 1
    test.memory.check()
    expect(test.memory.stats().alertLevel).toBe('warning')
    test.clock.time += 1
    test.memory.check()
    expect(test.of('warned')[1]).toMatchObject({ level: 'recovered', from: 'warning', to: 'normal', threshold: 0.8 })
    expect(test.memory.stats()).toMatchObject({ alertLevel: 'normal', memoryWarnings: 1 })
  })

  test('after the stated interval where there is one', () => {
    const test = tightBed(100, { checkInterval: 5_000 })
    use(test, 80)
    use(test, 10)
    test.clock.time += 4_999
    test.memory.check()
    expect(test.memory.stats().alertLevel).toBe('warning')
    test.clock.time += 1
    test.memory.check()
    expect(test.memory.stats().alertLevel).toBe('normal')
  })

  test('not if usage was back in between', () => {
    const test = tightBed(100)
    use(test, 80)
    use(test, 10)
    test.clock.time += CALM / 2
    use(test, 85)
    use(test, 10)
    test.clock.time += CALM - 1
    test.memory.check()
    expect(test.memory.stats().alertLevel).toBe('warning')
    test.clock.time += 1
    test.memory.check()
    expect(test.memory.stats().alertLevel).toBe('normal')
  })

  test('with others in one fall, told once', () => {
    const test = tightBed(100)
    use(test, 96)
    use(test, 10)
    test.clock.time += CALM
    test.memory.check()
    expect(steps(test)).toEqual(['emergency: normal → emergency', 'recovered: emergency → normal'])
    expect(test.of('warned')[1]).toMatchObject({ threshold: 0.8, usage: 0.1 })
    expect(test.memory.stats().memoryWarnings).toBe(1)
  })

  test('down to the one whose threshold usage still reaches', () => {
    const test = tightBed(100)
    use(test, 96)
    use(test, 85)
    test.clock.time += CALM
    test.memory.check()
    expect(steps(test)).toEqual(['emergency: normal → emergency', 'recovered: emergency → warning'])
    use(test, 90)
    expect(steps(test)[2]).toBe('critical: warning → critical')
    expect(test.memory.stats().memoryWarnings).toBe(2)
  })

  test('by a call, too, where that changes usage', () => {
    const test = tightBed(100)
    use(test, 80)
    use(test, 50)
    test.clock.time += CALM
    use(test, 40)
    expect(steps(test)).toEqual(['warning: normal → warning', 'recovered: warning → normal'])
  })

  test('by a deletion, after its interval', () => {
    const test = tightBed(100)
    use(test, 90)
    use(test, 0)
    test.clock.time += CALM
    test.memory.check()
    expect(steps(test)[1]).toBe('recovered: critical → normal')
  })
})

describe('a healthy full cache', () => {
  test.each(POLICIES)('enters warning once and nothing above, over 100,000 adds under %s', (policy) => {
    const test = bed({ policy, maxMemory: 10_000, maxItems: Number.POSITIVE_INFINITY })
    const cache = test.memory.cache('c')
    for (let i = 0; i < 100_000; i++) {
      if (i % 100 === 0) test.clock.time += 1_000
      cache.set(`k${i}`, i, { size: 10 + (i % 7) })
      if (i % 3_000 === 0) test.memory.check()
    }
    expect(steps(test)).toEqual(['warning: normal → warning'])
    expect(test.memory.stats()).toMatchObject({ memoryWarnings: 1, alertLevel: 'warning', imbalances: 0 })
    expect(test.memory.stats().evictionCount).toBeGreaterThan(100)
  })
})
