import { afterEach, describe, expect, test, vi } from 'vitest'
import type { Logger } from '../../src/base/logger.ts'
import { type Cache, MemoryManager } from '../../src/muninn.ts'
import { bed } from '../support/manager-bed.ts'
import { watchUncaught } from '../support/uncaught.ts'

afterEach(() => void vi.restoreAllMocks())

const fail = (): never => {
  throw new Error('a logger failed')
}

describe('a logger', () => {
  test('that throws hurts nobody, whatever there is to say', () => {
    const logger: Logger = { debug: fail, info: fail, warn: fail, error: fail, isLevelEnabled: fail }
    const test = bed({ logger, maxItems: 2, maxMemory: 1_000, prefix: fail })
    const cache = test.memory.cache('c')
    test.memory.on('added', fail)
    for (const key of ['a', 'b', 'c']) expect(cache.set(key, 1, { size: 400 })).toBe(true)
    test.memory.evict({ target: 0 })
    test.memory.check()
    expect(test.of('warned').length + test.of('cycle-started').length).toBeGreaterThanOrEqual(2)
    expect(test.memory.stats().observerErrors).toBeGreaterThanOrEqual(3)
  })

  test('that calls the cache back is told in order, and ends', () => {
    const said: string[] = []
    const call: { cache: { set(key: string, value: unknown): boolean } | null } = { cache: null }
    const say = (_: object, message: string): void => {
      said.push(message)
      if (said.length < 50) call.cache?.set(`said${said.length}`, 1)
    }
    const test = bed({ logger: { debug: say, info: say, warn: say, error: say } })
    call.cache = test.memory.cache('c')
    said.length = 0
    test.memory.cache('c').set('k', 1)
    expect(said.filter((message) => message.startsWith('added c'))).toHaveLength(50)
    expect(test.memory.cache('c').size).toBe(50)
  })

  test('that returns a promise that rejects hurts nobody', async () => {
    const uncaught = watchUncaught()
    const say: () => void = () => Promise.reject(new Error('a logger failed'))
    const isLevelEnabled = say as unknown as () => boolean
    const test = bed({ logger: { debug: say, info: say, warn: say, error: say, isLevelEnabled } })
    test.memory.evict()
    expect(await uncaught()).toEqual([])
  })
})

/** At each leap of so many years, what has a TTL of up to that goes. */
function expectFreed(leaps: readonly number[]): void {
  const test = bed()
  const cache = test.memory.cache('c')
  const year = 365 * 24 * 3_600_000
  let passed = 0
  cache.set('stays', 1)
  for (const leap of leaps) {
    passed += leap
    cache.set(`until ${passed}`, 1, { ttl: passed * year })
    cache.set(`just after ${passed}`, 1, { ttl: passed * year + 1 })
  }
  for (let left = 2 * leaps.length; left > 0; left -= 2) {
    test.clock.time += (leaps[leaps.length - left / 2] as number) * year
    test.memory.check()
    expect(cache.size).toBe(left)
    test.clock.time += 1
    test.memory.check()
    expect(cache.size).toBe(left - 1)
    test.clock.time -= 1
  }
  expect(test.keys()).toEqual(['stays'])
}

describe('an injected clock', () => {
  test('that goes backwards, or is no number, stands still', () => {
    const test = bed()
    const cache = test.memory.cache('c')
    cache.set('k', 1, { ttl: 100 })
    const begun = test.clock.time
    for (const time of [begun - 50_000, Number.NaN, Number.NEGATIVE_INFINITY, -1, Number.POSITIVE_INFINITY, 1e300]) {
      test.clock.time = time
      expect(cache.get('k'), String(time)).toBe(1)
      cache.set('other', 1)
      test.memory.check()
    }
    expect(test.events.every(({ at }) => at === begun)).toBe(true)
    test.clock.time = begun + 100
    expect(cache.get('k')).toBeUndefined()
  })

  test('that leaps years ahead frees what is past its time, and nothing else', () => expectFreed([1, 15, 20]))

  test('that leaps centuries ahead does, too', () => expectFreed([100, 150, 1_000]))
})

describe('the system clock', () => {
  /** A wall clock and a monotonic one that the test moves; no timer fires in between. */
  function clocks(): { monotonic: number; wall: number } {
    const now = { monotonic: 5_000, wall: 1_700_000_000_000 }
    vi.spyOn(performance, 'now').mockImplementation(() => now.monotonic)
    vi.spyOn(Date, 'now').mockImplementation(() => now.wall)
    return now
  }

  test.each([3_600_000, -3_600_000])(
    'when the wall clock jumps by %d ms expires and prolongs nothing, and says so',
    async (jump) => {
      const now = clocks()
      await using memory = new MemoryManager({ checkInterval: 0 })
      const changes: unknown[] = []
      memory.on('clock-changed', ({ from, to }) => changes.push([from, to]))
      const cache = memory.cache('c')
      cache.set('k', 1, { ttl: 1_000 })
      now.wall += jump
      memory.check()
      memory.check()
      expect(changes).toEqual([[0, jump]])
      expect(cache.get('k')).toBe(1)
      now.monotonic += 1_000
      expect(cache.get('k')).toBeUndefined()
    },
  )

  describe('after long synchronous work', () => {
    test('of an iteration yields nothing past its time', async () => {
      const now = clocks()
      await using memory = new MemoryManager({ checkInterval: 0 })
      const cache = memory.cache('c')
      for (const key of ['a', 'b', 'c']) cache.set(key, 1, { ttl: 50 })
      const seen: string[] = []
      for (const key of cache.keys()) {
        seen.push(key)
        now.monotonic += 50
      }
      expect(seen).toEqual(['a'])
    })

    // A hit takes the cached time where the expiry is more than 10 s away from it: it may be late after as long a
    // stretch of synchronous work (docs/decisions.md). All else reads the clock.
    const hits: readonly [string, (cache: Cache) => unknown][] = [
      ['get', (cache) => cache.get('a')],
      ['getOrInsert', (cache) => (cache.getOrInsert('a', () => 'made') === 'made' ? undefined : 'held')],
    ]
    const reads: readonly [string, (cache: Cache) => unknown][] = [
      ['peek', (cache) => cache.peek('a')],
      ['info', (cache) => cache.info('a')],
    ]
    const asked = [
      ...hits.flatMap((read) => [50, 9_000].map((ttl) => [read[0], ttl, read[1]] as const)),
      ...reads.flatMap((read) => [50, 9_000, 15_000, 100_000].map((ttl) => [read[0], ttl, read[1]] as const)),
    ]
    test.each(asked)('%s returns nothing past its TTL of %i ms', async (_, ttl, read) => {
      const now = clocks()
      await using memory = new MemoryManager({ checkInterval: 0 })
      const cache = memory.cache('c')
      cache.set('a', 1, { ttl })
      cache.set('b', 1)
      expect([cache.get('a'), cache.get('b')]).toEqual([1, 1])
      now.monotonic += ttl
      expect(read(cache)).toBeUndefined()
    })

    test('a store starts its TTL at the present', async () => {
      const now = clocks()
      await using memory = new MemoryManager({ checkInterval: 0 })
      const cache = memory.cache('c')
      cache.set('a', 1)
      now.monotonic += 20_000
      cache.set('b', 1, { ttl: 15_000 })
      now.monotonic += 14_999
      expect(cache.get('b')).toBe(1)
    })
  })
})
