import { describe, expect, test } from 'vitest'
import { parseBytes, parseDuration } from '../../src/base/units.ts'
import { MemoryManager, OptionError } from '../../src/muninn.ts'

describe('sizes', () => {
  test.each([
    [1, 1],
    [1_048_576, 1_048_576],
    ['512', 512],
    ['512B', 512],
    ['1KB', 1_024],
    ['1KiB', 1_024],
    ['512MB', 512 * 1_024 ** 2],
    ['512mib', 512 * 1_024 ** 2],
    ['1.5 GB', 1.5 * 1_024 ** 3],
    [' 2GiB ', 2 * 1_024 ** 3],
    ['0.3KB', 307],
    [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
  ])('%j is %d bytes', (given, bytes) => {
    expect(parseBytes(given, 'maxMemory')).toBe(bytes)
    expect(new MemoryManager({ maxMemory: given, checkInterval: 0 }).settings.maxMemory).toBe(bytes)
  })

  test.each([
    0,
    -1,
    1.5,
    Number.NaN,
    2 ** 53,
    '',
    '0',
    '-5MB',
    '5TB',
    '5 m',
    'MB',
    '1e3',
    '0x10',
    '1,5MB',
    'Infinity',
    true,
    [5],
    {},
  ])('%j is none', (given) => {
    const make = () => new MemoryManager({ maxMemory: given as number, checkInterval: 0 })
    expect(make).toThrow(OptionError)
    expect(make).toThrow(/^maxMemory: .* is not a size: give bytes .*'512MB'/)
  })
})

describe('durations', () => {
  test.each([
    [1_500, 1_500],
    ['250', 250],
    ['250ms', 250],
    ['30s', 30_000],
    ['5m', 300_000],
    ['1.5h', 5_400_000],
    ['2D', 172_800_000],
    ['10 M', 600_000],
    [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
  ])('%j is %d ms', (given, ms) => {
    expect(parseDuration(given, 'ttl')).toBe(ms)
    const { settings } = new MemoryManager({ caches: { c: { ttl: given } }, checkInterval: 0 })
    expect(settings.caches.c?.ttl).toBe(ms)
  })

  test.each([-1, 0, Number.NaN, '', '0s', '-5m', '5 weeks', 'm', '1e3', '5m30s', 'Infinity', true, {}, []])(
    '%j is no TTL',
    (given) => {
      const make = () => new MemoryManager({ caches: { c: { ttl: given as number } }, checkInterval: 0 })
      expect(make).toThrow(OptionError)
      expect(make).toThrow(/^caches\.c\.ttl: /)
    },
  )
})
