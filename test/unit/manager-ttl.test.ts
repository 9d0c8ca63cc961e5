import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { POLICIES } from '../../src/base/settings.ts'
import { type Bed, bed, tightBed } from '../support/manager-bed.ts'

const HOUR = 3_600_000

function withEntry(ttl: number | string): Bed {
  const made = bed()
  made.memory.cache('c').set('k', 'value', { ttl, size: 7 })
  made.forget()
  return made
}

describe('an entry with a TTL', () => {
  test.each([
    [1, 1],
    [250, 250],
    [0.5, 1],
    ['250', 250],
    ['250ms', 250],
    ['0.5ms', 1],
    ['1.5s', 1_500],
    ['5m', 300_000],
    ['2 h', 2 * HOUR],
    ['1D', 24 * HOUR],
    [30 * 24 * HOUR, 30 * 24 * HOUR],
    [1_000 * 24 * HOUR, 1_000 * 24 * HOUR],
  ])('of %j lives %i ms: from expiresAt on it is not there', (ttl, ms) => {
    const test = withEntry(ttl)
    const cache = test.memory.cache('c')
    const expiresAt = cache.info('k')?.expiresAt
    expect(expiresAt).toBe(test.clock.time + ms)
    test.clock.time += ms - 1
    expect([cache.peek('k'), cache.has('k'), cache.get('k'), cache.info('k')?.expiresAt]).toEqual([
      'value',
      true,
      'value',
      expiresAt,
    ])
    test.clock.time += 1
    expect([cache.peek('k'), cache.has('k'), cache.info('k'), [...cache.keys()]]).toEqual([
      undefined,
      false,
      undefined,
      [],
    ])
    expect(cache.get('k')).toBeUndefined()
  })

  test('is told as expired, then missed, by the get that finds it', () => {
    const test = withEntry(100)
    test.clock.time += 40
    test.memory.cache('c').get('k')
    test.clock.time += 60
    test.forget()
    expect(test.memory.cache('c').get('k')).toBeUndefined()
    expect(test.told).toMatchObject([
      { type: 'expired', cache: 'c', key: 'k', age: 100, idle: 60, hits: 1, size: 7 },
      { type: 'missed', cache: 'c', key: 'k', cause: 'expired', regret: null },
    ])
    test.memory.cache('c').get('k')
    expect(test.told[2]).toMatchObject({ type: 'missed', cause: 'absent' })
  })

  test('is told as expired, then added, by the set over it', () => {
    const test = withEntry(100)
    test.clock.time += 100
    test.memory.cache('c').set('k', 'new')
    expect(test.types).toEqual(['expired', 'added'])
    expect(test.memory.cache('c').get('k')).toBe('new')
  })

  test('is told as expired, not removed, by the set over it that is refused', () => {
    const test = tightBed(100)
    test.memory.cache('c').set('k', 1, { ttl: 10, size: 10 })
    test.clock.time += 10
    test.forget()
    expect(test.memory.cache('c').set('k', 2, { size: 101 })).toBe(false)
    expect(test.types).toEqual(['expired', 'rejected'])
  })

  test('leaves as expired by a delete, which returns false', () => {
    const test = withEntry(100)
    test.clock.time += 100
    expect(test.memory.cache('c').delete('k')).toBe(false)
    expect(test.types).toEqual(['expired'])
    expect(test.memory.cache('c').delete('k')).toBe(false)
    expect(test.types).toEqual(['expired'])
  })

  test('still counts in size and bytes until it is freed', () => {
    const test = withEntry(100)
    test.clock.time += 100
    const cache = test.memory.cache('c')
    expect([cache.size, cache.bytes]).toEqual([1, 7])
    test.memory.check()
    expect([cache.size, cache.bytes]).toEqual([0, 0])
    expect(test.of('expired')).toHaveLength(1)
  })

  test('is prolonged by no read, and starts anew with each set', () => {
    const test = withEntry(100)
    const cache = test.memory.cache('c')
    test.clock.time += 60
    cache.get('k')
    cache.set('k', 'second', { ttl: 100 })
    test.clock.time += 99
    expect(cache.get('k')).toBe('second')
    test.clock.time += 1
    expect(cache.get('k')).toBeUndefined()
  })

  test('loses it by a set without one where the cache has none', () => {
    const test = withEntry(100)
    test.memory.cache('c').set('k', 'second')
    expect(test.memory.cache('c').info('k')?.expiresAt).toBe(Number.POSITIVE_INFINITY)
    test.clock.time += HOUR
    expect(test.memory.cache('c').get('k')).toBe('second')
  })
})

describe("a cache's own TTL", () => {
  test('holds where a set states none; Infinity is none', () => {
    const { memory, clock } = bed({ caches: { c: { ttl: '1s' } } })
    const cache = memory.cache('c')
    cache.set('default', 1)
    cache.set('long', 1, { ttl: 2_000 })
    cache.set('forever', 1, { ttl: Number.POSITIVE_INFINITY })
    clock.time += 1_000
    expect([...cache.keys()]).toEqual(['long', 'forever'])
    clock.time += 10 * 365 * 24 * HOUR
    expect([...cache.keys()]).toEqual(['forever'])
  })

  test('changed, holds for what is stored from then on', () => {
    const { memory, clock } = bed({ caches: { c: { ttl: 1_000 } } })
    const cache = memory.cache('c')
    cache.set('before', 1)
    memory.setLimits({ caches: { c: { ttl: 10 } } })
    cache.set('after', 1)
    memory.setLimits({ caches: { c: { ttl: Number.POSITIVE_INFINITY } } })
    cache.set('last', 1)
    clock.time += 10
    expect([...cache.keys()]).toEqual(['before', 'last'])
  })

  test('below a millisecond is one, as in a set', () => {
    const { memory, clock } = bed({ caches: { c: { ttl: 0.25 } } })
    memory.cache('c').set('k', 1)
    expect(memory.cache('c').info('k')?.expiresAt).toBe(clock.time + 1)
  })
})

describe('what is past its time', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  const pass = (test: Bed, ms: number): void => {
    test.clock.time += ms
    vi.advanceTimersByTime(ms)
  }

  test('is freed without a read, a check or a write', () => {
    const test = withEntry(5_000)
    pass(test, 4_999)
    expect(test.memory.cache('c').size).toBe(1)
    for (let i = 0; i < 3; i++) pass(test, 1_000)
    expect(test.memory.cache('c').size).toBe(0)
    expect(test.of('expired')).toMatchObject([{ key: 'k' }])
    expect(vi.getTimerCount()).toBe(0)
  })

  test('is freed whatever its number, and however far apart', () => {
    const test = bed({ maxItems: Number.POSITIVE_INFINITY })
    const cache = test.memory.cache('c')
    for (let i = 0; i < 2_000; i++) cache.set(`k${i}`, i, { ttl: 1 + ((i * 7_919) % 100_000) })
    cache.set('stays', 1)
    for (let i = 0; i < 105; i++) pass(test, 1_000)
    expect(test.keys()).toEqual(['stays'])
    expect(cache.size).toBe(1)
    expect(test.of('expired')).toHaveLength(2_000)
  })

  test('goes by the periodic check, which the check interval sets', () => {
    const test = bed({ checkInterval: '10s' })
    pass(test, 9_999)
    expect(test.of('checked')).toEqual([])
    pass(test, 1)
    pass(test, 10_000)
    expect(test.of('checked')).toHaveLength(2)
    expect(test.memory.stats().lastMemoryCheck).toBe(test.clock.time)
  })
})

describe.each(POLICIES)('under %s, entries past their time', (policy) => {
  test('go before live ones, whatever needs the room', () => {
    for (const needed of ['items', 'bytes', 'cycle'] as const) {
      const test = tightBed(100, { policy, maxItems: needed === 'items' ? 4 : Number.POSITIVE_INFINITY })
      const [c, d] = [test.memory.cache('c'), test.memory.cache('d')]
      c.set('live', 1, { size: 40 })
      d.set('short1', 1, { size: 20, ttl: 10 })
      c.set('small', 1, { size: 1 })
      d.set('short2', 1, { size: 20, ttl: 10 })
      for (let i = 0; i < 5; i++) d.get('short2')
      test.clock.time += 10
      if (needed === 'cycle') test.memory.evict({ target: 50 })
      else c.set('new', 1, { size: needed === 'items' ? 1 : 50 })
      expect(test.of('evicted'), needed).toEqual([])
      expect(
        test
          .of('expired')
          .map(({ key }) => key)
          .sort(),
      ).toEqual(['short1', 'short2'])
    }
  })
})
