import { describe, expect, test } from 'vitest'
import { MemoryManager, type MemoryManagerOptions, OptionError } from '../../src/muninn.ts'
import { bed, thrownBy } from '../support/manager-bed.ts'

/** Which option is blamed, the options, and what the message must say is allowed. */
const refused: readonly [string, unknown, RegExp][] = [
  ['options', null, /object of options/],
  ['options', 5, /object of options/],
  ['options', 'maxItems', /object of options/],
  ['maxitems', { maxitems: 5 }, /is not an option; options are maxMemory,.*maxItems/],
  ['ttl', { ttl: 5 }, /is not an option/],
  ['maxItems', { maxItems: 0 }, /integer ≥ 1/],
  ['maxItems', { maxItems: -5 }, /integer ≥ 1/],
  ['maxItems', { maxItems: 2.5 }, /integer ≥ 1/],
  ['maxItems', { maxItems: Number.NaN }, /integer ≥ 1/],
  ['maxItems', { maxItems: Number.NEGATIVE_INFINITY }, /integer ≥ 1/],
  ['maxItems', { maxItems: '5' }, /integer ≥ 1/],
  ['maxItems', { maxItems: null }, /integer ≥ 1/],
  ['maxMemory', { maxMemory: '0%' }, /share above 0%/],
  ['maxMemory', { maxMemory: '101%' }, /share above 0% and at most 100%/],
  ['maxMemory', { maxMemory: null }, /is not a size/],
  ['maxHeap', { maxHeap: 0 }, /is not a size/],
  ['memoryPercent', { memoryPercent: 0 }, /above 0 and at most 100/],
  ['memoryPercent', { memoryPercent: 101 }, /above 0 and at most 100/],
  ['memoryThreshold', { memoryThreshold: 0.91 }, /at most 0\.9/],
  ['memoryThreshold', { memoryThreshold: 0 }, /above 0/],
  ['memoryThreshold', { memoryThreshold: '0.8' }, /share/],
  ['evictionThreshold', { evictionThreshold: 1.01 }, /at most 1/],
  ['evictionThreshold', { evictionThreshold: 90 }, /at most 1/],
  ['evictionThreshold', { evictionThreshold: Number.NaN }, /above 0/],
  ['evictionTarget', { evictionTarget: 0.9 }, /below evictionThreshold \(0\.9\)/],
  ['evictionTarget', { evictionThreshold: 0.5, evictionTarget: 0.6 }, /below evictionThreshold \(0\.5\)/],
  ['evictionTarget', { evictionTarget: -0.1 }, /at least 0/],
  ['policy', { policy: 'fifo' }, /lru, lfu, ttl, size, hybrid/],
  ['policy', { policy: '__proto__' }, /lru, lfu, ttl, size, hybrid/],
  ['onFull', { onFull: 'throw' }, /evict, reject/],
  ['checkInterval', { checkInterval: -1 }, /is not a duration/],
  ['checkInterval', { checkInterval: '30d' }, /timer/],
  ['checkInterval', { checkInterval: Number.POSITIVE_INFINITY }, /timer/],
  ['sizing', { sizing: 'exact' }, /'heap', 'payload' or a function/],
  ['logger', { logger: { info: () => {} } }, /debug, info, warn and error/],
  ['logger', { logger: true }, /debug, info, warn and error/],
  ['logger', { logger: 'pino' }, /debug, info, warn and error/],
  ['prefix', { prefix: 'user' }, /function/],
  ['clock', { clock: {} }, /now\(\)/],
  ['redactKeys', { redactKeys: 'some' }, /none of true, 'all' and false/],
  [
    'redactKeys',
    { redactKeys: true },
    /redactSecret or redactSecretFile.*MUNINN_REDACT_SECRET.*MUNINN_REDACT_SECRET_FILE/,
  ],
  ['redactSecret', { redactKeys: true, redactSecret: 'short' }, /5 characters: give at least 16/],
  ['redactSecret', { redactKeys: true, redactSecret: 7 }, /not text/],
  ['redactSecret', { redactSecret: '0123456789abcdef' }, /no effect without redactKeys/],
  ['redactSecretFile', { redactKeys: 'all', redactSecretFile: '/no/such/file' }, /can't read \/no\/such\/file/],
  ['redactSecret', { redactKeys: true, redactSecret: '0123456789abcdef', redactSecretFile: '/f' }, /give one of them/],
  ['seed', { seed: -1 }, /0 to 4294967295/],
  ['seed', { seed: 1.5 }, /0 to 4294967295/],
  ['maxCaches', { maxCaches: 0 }, /integer ≥ 1/],
  ['maxCaches', { maxCaches: 1_001 }, /at most 1000/],
  ['caches', { maxCaches: 1, caches: { a: {}, b: {} } }, /maxCaches/],
  ['caches', { caches: 5 }, /object/],
  ['caches', { caches: [] }, /object/],
  ['caches.a', { caches: { a: 5 } }, /maxItems, maxMemory and ttl/],
  ['caches.a', { caches: { a: null } }, /maxItems, maxMemory and ttl/],
  ['caches.a.policy', { caches: { a: { policy: 'lru' } } }, /maxItems, maxMemory, ttl/],
  ['caches.a.maxItems', { caches: { a: { maxItems: 0 } } }, /integer ≥ 1/],
  ['caches.a.maxMemory', { caches: { a: { maxMemory: '-5MB' } } }, /is not a size/],
  ['caches.a.ttl', { caches: { a: { ttl: -1 } } }, /duration/],
  ['cache', { caches: JSON.parse('{ "__proto__": {} }') }, /1 to 256 characters/],
  ['audit', { audit: 5 }, /path/],
  ['audit.path', { audit: '' }, /path/],
  ['audit.level', { audit: { path: 'x.db', level: 'some' } }, /departures, changes, all/],
  ['audit.retention', { audit: { path: 'x.db', retention: '30d' } }, /maxAge and maxSize/],
  ['audit.retention.maxAg', { audit: { path: 'x.db', retention: { maxAg: 1 } } }, /options are maxAge, maxSize/],
  ['audit.retention.maxAge', { audit: { path: 'x.db', retention: { maxAge: 5 } } }, /≥ 60000/],
  ['audit.retention.maxSize', { audit: { path: 'x.db', retention: { maxSize: '5KB' } } }, /less than 1MB/],
  ['audit.sampleAbove', { audit: { path: 'x.db', sampleAbove: 0 } }, /departures a second/],
  ['audit.leve', { audit: { path: 'x.db', leve: 'all' } }, /options are/],
]

describe('options that are wrong', () => {
  test.each(refused)('%s: %j is an error that says what is allowed', (option, options, allowed) => {
    const error = thrownBy(() => new MemoryManager(options as MemoryManagerOptions))
    expect(error).toBeInstanceOf(OptionError)
    expect(error).toMatchObject({ name: 'OptionError', code: 'ERR_MUNINN_OPTION', option })
    expect(error.message).toMatch(allowed)
    expect(error.message.startsWith(`${option}: `)).toBe(true)
  })
})

describe('a bad name of a cache', () => {
  test.each(['', '__proto__', 'x'.repeat(257), 5, null, undefined, {}, Symbol('s')])(
    '%j is refused and nothing is made',
    (name) => {
      const test = bed()
      test.expectUnchanged(() => {
        for (const call of [() => test.memory.cache(name as string), () => test.memory.canAdd(name as string, 1)]) {
          const error = thrownBy(call)
          expect(error).toBeInstanceOf(OptionError)
          expect(error.message).toMatch(/1 to 256 characters/)
        }
      })
    },
  )

  test.each(['x'.repeat(256), 'constructor', 'toString', '0', ' ', 'a/b', '\u{1F426}'])('%j is a good one', (name) => {
    const { memory } = bed()
    expect(memory.cache(name).set('k', 1)).toBe(true)
    memory.setLimits({ caches: { [name]: { maxItems: 1 } } })
    memory.cache(name).set('l', 1)
    expect(memory.stats()).toMatchObject({ cacheItemCount: 1, caches: [{ name, maxItems: 1 }] })
    expect(memory.drop(name)).toBe(true)
  })

  test('with bad options makes nothing', () => {
    const test = bed()
    test.expectUnchanged(() => {
      expect(() => test.memory.cache('c', { ttl: 0 })).toThrow(OptionError)
      expect(() => test.memory.cache('c', { maxItems: 1.5 })).toThrow(OptionError)
      expect(() => test.memory.cache('c', { maxSize: 1 } as object)).toThrow(OptionError)
    })
    expect(test.memory.cacheNames()).toEqual([])
  })
})

describe('thresholds in any order', () => {
  test('of warning and eviction are fine', () => {
    const { memory } = bed({ memoryThreshold: 0.9, evictionThreshold: 0.3, evictionTarget: 0 })
    expect(memory.stats()).toMatchObject({ memoryThreshold: 0.9, evictionThreshold: 0.3, evictionTarget: 0 })
  })
})

describe('the start', () => {
  test('is logged with the limits', () => {
    const test = bed({ maxMemory: '1MB', maxItems: 7, caches: { tenant: { maxItems: 3 } } })
    expect(test.logged[0]).toMatchObject({
      level: 'info',
      fields: { max: 1024 ** 2, cache_size: 7, tenant_size: 3, mimir_size: null, policy: 'lru' },
    })
  })
})
