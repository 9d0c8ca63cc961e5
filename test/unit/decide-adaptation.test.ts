import { describe, expect, test } from 'vitest'
import { adaptation } from '../../src/decide/adaptation.ts'
import type { EvictionCause } from '../../src/event/vocabulary.ts'
import type { CacheState } from '../../src/fold/cache-state.ts'
import type { Adapting, Standings } from '../../src/fold/policies/policy.ts'
import type { State } from '../../src/fold/state.ts'

const ITEMS = 1_000

/** Shadows of 200 entries of the modes `a` (the present one), `b` and `c`. */
function standings(lead: readonly number[], disputed: readonly number[], modeAt = 0): Standings {
  return {
    names: ['a', 'b', 'c'],
    modeAt,
    capacity: 200,
    lead: Float64Array.from(lead),
    furthest: Math.max(...lead),
    disputed: Float64Array.from(disputed),
  }
}

/** What is decided before a cache of 1,000 entries gives one up for want of items. */
function decided(adapting: Partial<Adapting> | null, cause: EvictionCause = 'items') {
  const present = adapting && { mode: 'a', listMode: 'a', spread: 0, sinceBytes: 0, standings: null, ...adapting }
  const state = { policy: { name: 'hybrid' } } as State
  return adaptation(state, { name: 'c', items: ITEMS, adapting: present } as unknown as CacheState, cause, 7, 99)
}

describe('a cache goes over to the mode that is furthest ahead', () => {
  test('by more than 5 % of the entries of a shadow, and more than 15 % of the requests that tell them apart', () => {
    expect(decided({ standings: standings([0, 10, 0], [0, 10, 0]) })).toBeNull()
    expect(decided({ standings: standings([0, 11, 0], [0, 73, 0]) })).toMatchObject({ from: 'a', to: 'b' })
    expect(decided({ standings: standings([0, 11, 0], [0, 74, 0]) })).toBeNull()
    expect(decided({ standings: standings([0, 30, 0], [0, 200, 0]) })).toBeNull()
    expect(decided({ standings: standings([0, 31, 0], [0, 200, 0]) })).toMatchObject({ to: 'b' })
  })

  test('of several, wherever it stands among them', () => {
    expect(decided({ standings: standings([0, 20, 30], [0, 30, 40]) })).toMatchObject({ to: 'c' })
    expect(decided({ standings: standings([0, 30, 20], [0, 40, 30]) })).toMatchObject({ to: 'b' })
    expect(decided({ standings: standings([0, 20, 20], [0, 30, 30]) })).toMatchObject({ to: 'b' })
    expect(decided({ mode: 'c', standings: standings([20, -5, 0], [30, 30, 0], 2) })).toMatchObject({
      from: 'c',
      to: 'a',
    })
  })

  test('of those that are far enough ahead, where the furthest took turns with the present one', () => {
    expect(decided({ standings: standings([0, 20, 30], [0, 30, 300]) })).toMatchObject({ to: 'b' })
    expect(decided({ standings: standings([0, 9, 30], [0, 9, 300]) })).toBeNull()
  })

  test('and says by how much', () => {
    expect(decided({ standings: standings([0, 20.6, 0], [0, 29.5, 0]) })).toEqual({
      seq: 7,
      at: 99,
      type: 'adapted',
      policy: 'hybrid',
      cache: 'c',
      from: 'a',
      to: 'b',
      reason: '21 hits more in 30 sampled requests that only one of them would have hit',
    })
  })
})

describe('a cache stays in its mode', () => {
  test('where its order has none, or they are not compared', () => {
    expect(decided(null)).toBeNull()
    expect(decided({})).toBeNull()
  })
})

describe('a cache goes over to what is worth least for its bytes', () => {
  test.each(['memory', 'cache-memory', 'heap', 'threshold', 'forced', 'pressure'] as const)(
    'for want of bytes (%s), where sizes differ',
    (cause) => {
      expect(decided({ spread: 0.05 }, cause)).toBeNull()
      expect(decided({ spread: 0.0625 }, cause)).toMatchObject({
        from: 'a',
        to: 'per-byte',
        reason: 'bytes bind, and sizes differ: their standard deviation is 25 % of their mean',
      })
    },
  )

  test.each(['items', 'cache-items'] as const)('never for want of %s', (cause) => {
    expect(decided({ spread: 4 }, cause)).toBeNull()
    expect(decided({ spread: 4, standings: standings([0, 50, 0], [0, 60, 0]) }, cause)).toMatchObject({ to: 'b' })
  })
})

describe('from what is worth least for its bytes a cache goes back to the lists', () => {
  const perByte = { mode: 'per-byte', listMode: 'b' }

  test('once sizes are alike', () => {
    expect(decided({ ...perByte, spread: 0.02 }, 'memory')).toBeNull()
    expect(decided({ ...perByte, spread: 0.01 }, 'memory')).toMatchObject({
      from: 'per-byte',
      to: 'b',
      reason: 'sizes are alike: their standard deviation is 10 % of their mean',
    })
    // What rounding leaves of sizes that are all the same.
    expect(decided({ ...perByte, spread: -1e-16 }, 'memory')?.reason).toBe(
      'sizes are alike: their standard deviation is 0 % of their mean',
    )
  })

  test('once a hundred evictions, and for each entry one, were for want of items alone', () => {
    expect(decided({ ...perByte, spread: 1, sinceBytes: 100 + ITEMS })).toBeNull()
    expect(decided({ ...perByte, spread: 1, sinceBytes: 101 + ITEMS })).toMatchObject({
      to: 'b',
      reason: 'the last 1101 evictions were for want of items, not of bytes',
    })
  })

  test('and not because another mode is ahead', () => {
    expect(decided({ ...perByte, spread: 1, standings: standings([0, 50, 0], [0, 60, 0]) })).toBeNull()
  })
})
