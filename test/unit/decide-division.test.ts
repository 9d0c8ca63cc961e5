import { describe, expect, test } from 'vitest'
import { division, wantOf } from '../../src/decide/division.ts'
import { EVICTION_CAUSES } from '../../src/event/vocabulary.ts'
import type { State } from '../../src/fold/state.ts'

type Claims = readonly (readonly [share: number, wished: number, requests: number, hits: number])[]

/** What is decided where caches `c0`, `c1` … have these claims, whose wishes would bring so many hits a request. */
function decided(gain: number, claims: Claims) {
  const present = {
    gain,
    unit: 'bytes',
    claims: claims.map(([share, wished, requests, hits], i) => ({
      cache: { name: `c${i}` },
      share,
      wished,
      requests,
      hits,
    })),
  }
  return division({ division: present, policy: { name: 'hybrid' } } as unknown as State, 7, 99)
}

const shares = (claims: Claims) => decided(0.1, claims)?.shares.map(({ to }) => to)

describe('caches divide their room anew', () => {
  test('where it brings two hits more in a thousand requests', () => {
    const claims = [[0.5, 0.6, 1, 1]] as const
    expect(decided(0.0019, claims)).toBeNull()
    expect(decided(0.002, claims)).not.toBeNull()
    expect(division({ division: null } as State, 7, 99)).toBeNull()
  })

  test('at once, where no share changes by more than an eighth', () => {
    expect(
      shares([
        [0.5, 0.625, 1, 0],
        [0.5, 0.375, 1, 0],
      ]),
    ).toEqual([0.625, 0.375])
    expect(
      shares([
        [0.5, 0.55, 1, 0],
        [0.5, 0.45, 1, 0],
      ]),
    ).toEqual([0.55, 0.45])
  })

  test('an eighth of all at a time, where that is not enough, and each by the same part of its way', () => {
    expect(
      shares([
        [0.25, 0.75, 1, 0],
        [0.25, 0.125, 1, 0],
        [0.5, 0.125, 1, 0],
      ]),
    ).toEqual([0.375, 0.21875, 0.40625])
    // Who gives most up sets the pace as who gets most does.
    expect(
      shares([
        [0.75, 0.25, 1, 0],
        [0.25, 0.75, 1, 0],
      ]),
    ).toEqual([0.625, 0.375])
  })

  test('and say of each what it asked for, what it hit, and what it wishes', () => {
    expect(
      decided(0.1, [
        [0.5, 0.6, 300, 75],
        [0.5, 0.4, 100, 100],
        [0, 0, 0, 0],
      ]),
    ).toEqual({
      seq: 7,
      at: 99,
      type: 'divided',
      policy: 'hybrid',
      unit: 'bytes',
      gain: 0.1,
      shares: [
        { cache: 'c0', from: 0.5, to: 0.6, wished: 0.6, requests: 0.75, hitRatio: 0.25 },
        { cache: 'c1', from: 0.5, to: 0.4, wished: 0.4, requests: 0.25, hitRatio: 1 },
        { cache: 'c2', from: 0, to: 0, wished: 0, requests: 0, hitRatio: 0 },
      ],
    })
  })
})

test('an eviction is for want of items where these bind all caches, else of bytes', () => {
  expect(EVICTION_CAUSES.filter((cause) => wantOf(cause) === 'items')).toEqual(['items'])
  expect(EVICTION_CAUSES.filter((cause) => wantOf(cause) === 'bytes')).toHaveLength(EVICTION_CAUSES.length - 1)
})
