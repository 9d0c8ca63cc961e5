import { expect, test } from 'vitest'
import { heldByPrefix, largest } from '../../src/decide/holdings.ts'
import { MadeState } from '../support/made-state.ts'

test('the ten largest are named, largest first', () => {
  const holdings = Array.from({ length: 12 }, (_, n) => ({ bytes: (7 * n) % 12 }))
  expect(largest(holdings).map(({ bytes }) => bytes)).toEqual([11, 10, 9, 8, 7, 6, 5, 4, 3, 2])
  expect(holdings.map(({ bytes }) => bytes)).toEqual([0, 7, 2, 9, 4, 11, 6, 1, 8, 3, 10, 5])
})

test('of up to a thousand entries each is counted under its prefix and its cache', () => {
  const made = new MadeState({}, ['a', 'empty', 'b'])
  for (let n = 0; n < 600; n++) made.add(`user:${n}`, 10, { cache: 'a' })
  for (let n = 0; n < 100; n++) made.add(`user:${n}`, 1, { cache: 'b' })
  for (let n = 0; n < 300; n++) made.add(`job/${n}`, n % 3, { cache: 'b' })
  expect(heldByPrefix(made.state)).toEqual({
    prefixes: [
      { cache: 'a', prefix: 'user', items: 600, bytes: 6_000 },
      { cache: 'b', prefix: 'job', items: 300, bytes: 300 },
      { cache: 'b', prefix: 'user', items: 100, bytes: 100 },
    ],
    counted: 1_000,
    items: 1_000,
  })
})

test('of more it is an estimate by some of them, of each cache as many as is its part of all, and adds up', () => {
  const made = new MadeState({}, ['a', 'b'])
  for (let n = 0; n < 3_000; n++)
    made.add(`${n % 2 === 0 ? 'even' : 'odd'}:${n}`, n % 2 === 0 ? 30 : 10, { cache: 'a' })
  for (let n = 0; n < 1_001; n++) made.add(`b:${n}`, 5, { cache: 'b' })
  const { prefixes, counted, items } = heldByPrefix(made.state)
  expect([counted, items]).toEqual([750 + 251, 4_001])
  const of = (prefix: string) => prefixes.find((one) => one.prefix === prefix)
  expect(of('b')).toEqual({ cache: 'b', prefix: 'b', items: 1_001, bytes: 5_005 })
  expect((of('even')?.items ?? 0) + (of('odd')?.items ?? 0)).toBe(3_000)
  expect((of('even')?.bytes ?? 0) + (of('odd')?.bytes ?? 0)).toBe(60_000)
  expect(of('even')?.items).toBeGreaterThan(1_350)
  expect(of('even')?.items).toBeLessThan(1_650)
  expect(of('even')?.bytes).toBeGreaterThan(42_000)
  expect(of('even')?.bytes).toBeLessThan(48_000)
})

test('entries without a byte, and caches without an entry, have their place', () => {
  const made = new MadeState()
  expect(heldByPrefix(made.state)).toEqual({ prefixes: [], counted: 0, items: 0 })
  made.add('none:1', 0)
  expect(heldByPrefix(made.state)).toEqual({
    prefixes: [{ cache: 'c', prefix: 'none', items: 1, bytes: 0 }],
    counted: 1,
    items: 1,
  })
})
