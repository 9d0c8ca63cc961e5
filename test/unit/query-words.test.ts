import { describe, expect, test } from 'vitest'
import { bytesInWords, countInWords, durationInWords, quoted } from '../../src/query/words.ts'

describe('figures in words', () => {
  test.each([
    [0, '0 bytes'],
    [1, '1 byte'],
    [1023, '1023 bytes'],
    [1024, '1 KB'],
    [1_000_000, '976.6 KB'],
    [5 * 1024 ** 3, '5 GB'],
    [3 * 1024 ** 5, '3072 TB'],
    [Number.POSITIVE_INFINITY, 'unlimited'],
  ])('%d bytes are %s', (bytes, words) => {
    expect(bytesInWords(bytes)).toBe(words)
  })

  test.each([
    [0, '0 ms'],
    [999.4, '999 ms'],
    [999.6, '1 s'],
    [1_000, '1 s'],
    [60_000, '1 m'],
    [200_000, '3 m 20 s'],
    [3_600_000, '1 h'],
    [3_601_000, '1 h'],
    [90_061_000, '1 d 1 h'],
  ])('%d ms are %s', (ms, words) => {
    expect(durationInWords(ms)).toBe(words)
  })

  test('counts have their plural', () => {
    expect(countInWords(1, 'hit')).toBe('1 hit')
    expect(countInWords(0, 'entry', 'entries')).toBe('0 entries')
  })

  test('a key is quoted, and cut where it is long', () => {
    expect(quoted('a"\n')).toBe('"a\\"\\n"')
    expect(quoted('x'.repeat(65_536))).toHaveLength(122)
  })
})
