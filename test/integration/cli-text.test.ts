import { describe, expect, test } from 'vitest'
import { table } from '../../src/serve/cli/table.ts'
import { bytes, cut, duration, printable, width, wrapped } from '../../src/serve/cli/text.ts'
import { parseTime } from '../../src/serve/time.ts'

describe('text for people', () => {
  test('sizes and durations', () => {
    expect([0, 1023, 1024, 1536, 1024 ** 2 - 1, 5 * 1024 ** 3, Number.POSITIVE_INFINITY].map(bytes)).toEqual([
      '0 B',
      '1023 B',
      '1.0 KB',
      '1.5 KB',
      '1.0 MB',
      '5.0 GB',
      'no limit',
    ])
    expect([0, 999, 1000, 59_949, 59_950, 3_599_499, 3_600_000, 90_000_000, null].map(duration)).toEqual([
      '0ms',
      '999ms',
      '1.0s',
      '59.9s',
      '1m 0s',
      '59m 59s',
      '1h 0m',
      '1d 1h',
      '-',
    ])
  })

  test('nothing in a key moves the cursor, changes colours or turns the line round', () => {
    expect(printable('a\u001b[31mb\rc\nd\u0000\u009b\u202ee\ud800\u2028')).toBe(
      'a\\x1b[31mb\\x0dc\\x0ad\\x00\\x9b\\u{202e}e\\u{d800}\\u{2028}',
    )
    expect(printable('ünï 漢字 🦅')).toBe('ünï 漢字 🦅')
  })

  test('sentences break at spaces, and words that are too long anywhere', () => {
    expect(wrapped('one two three', 7)).toEqual(['one two', 'three'])
    expect(wrapped('a 漢字漢字漢 b', 5)).toEqual(['a', '漢字', '漢字', '漢 b'])
    expect(wrapped('', 5)).toEqual([''])
    const rows = [{ at: '1', text: 'one two three' }]
    const shape = [
      { title: 'AT', text: (row: { at: string }) => row.at },
      { title: 'TEXT', text: (row: { text: string }) => row.text, flexible: true, wraps: true },
    ]
    expect(table(shape, rows, 13)).toBe('AT  TEXT\n1   one two\n    three')
  })

  test('width and cutting know wide and combining characters', () => {
    expect(['abc', '漢字', 'e\u0301', '🦅'].map(width)).toEqual([3, 4, 1, 2])
    expect(cut('abcdef', 4)).toBe('abc…')
    expect(cut('漢字漢字', 4)).toBe('漢…')
    expect(cut('abcd', 4)).toBe('abcd')
  })
})

test('a table fits the terminal by its flexible columns, and is whole without one', () => {
  const rows = [
    { key: 'k'.repeat(100), cache: 'tenant', size: 1 },
    { key: '漢'.repeat(60), cache: 'c'.repeat(50), size: 22222 },
  ]
  const columns = [
    { title: 'KEY', text: (row: (typeof rows)[number]) => row.key, flexible: true },
    { title: 'CACHE', text: (row: (typeof rows)[number]) => row.cache, flexible: true },
    { title: 'SIZE', text: (row: (typeof rows)[number]) => String(row.size), right: true },
  ]
  for (const line of table(columns, rows, 80).split('\n')) expect(width(line)).toBeLessThanOrEqual(80)
  expect(table(columns, rows, 80).split('\n')[1]).toMatch(/^k+… .* {5}1$/)
  expect(table(columns, rows)).toContain('k'.repeat(100))
})

describe('times', () => {
  const now = Date.parse('2026-01-31T12:00:00Z')

  test('ISO 8601, ago, now', () => {
    const told = [
      '2026-01-31T11:00:00Z',
      '2026-01-31T13:00:00+02:00',
      '2026-01-31T13:00:00 02:00',
      '2026-01-31T110000Z',
      '-1h',
      '-60m',
      '-0.5d',
      'now',
      '2026-01-30',
    ]
    const hour = Date.parse('2026-01-31T11:00:00Z')
    expect(told.map((text) => parseTime(text, now))).toEqual([
      hour,
      hour,
      hour,
      undefined,
      hour,
      hour,
      now - 43_200_000,
      now,
      Date.parse('2026-01-30T00:00:00Z'),
    ])
  })

  test('anything else is none', () => {
    for (const text of [
      '',
      '5',
      'yesterday',
      '2h',
      '-2',
      '-2y',
      '2026-02-31',
      '2026-13-01',
      '2026-01-31T25:00:00Z',
      '-99999999999d',
      '2026',
    ]) {
      expect([text, parseTime(text, now)]).toEqual([text, undefined])
    }
  })
})
