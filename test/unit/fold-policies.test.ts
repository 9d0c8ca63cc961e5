import { describe, expect, test } from 'vitest'
import { POLICIES, type PolicyName } from '../../src/base/settings.ts'
import { MadeState } from '../support/made-state.ts'

/** Four entries of two caches, of which each policy gives another up first: by use, by number of uses, by time, by size. */
function made(policy: PolicyName): MadeState {
  const it = new MadeState({ policy }, ['a', 'b'])
  it.add('old', 20, { cache: 'a' })
  it.add('soon', 10, { cache: 'b', expiresAt: 5_000 })
  it.add('once', 30, { cache: 'a' })
  it.add('large', 40, { cache: 'b', expiresAt: 9_000 })
  for (const [cache, key] of [
    ['a', 'old'],
    ['b', 'soon'],
    ['b', 'large'],
    ['a', 'old'],
    ['a', 'once'],
    ['b', 'soon'],
    ['b', 'large'],
    ['b', 'soon'],
  ] as const)
    it.tell('accessed', { cache, key })
  return it
}

const NAMES = ['old', 'soon', 'once', 'large'] as const
const cacheOf = { old: 'a', soon: 'b', once: 'a', large: 'b' } as const

describe('over all caches', () => {
  test.each([
    ['lru', ['old', 'once', 'large', 'soon'], [9, 13, 10, 12]],
    ['lfu', ['once', 'old', 'large', 'soon'], [3, 4, 2, 3]],
    ['ttl', ['soon', 'large', 'old', 'once'], [Number.POSITIVE_INFINITY, 5_000, Number.POSITIVE_INFINITY, 9_000]],
    ['size', ['large', 'once', 'old', 'soon'], [20, 10, 30, 40]],
  ] as const)('%s compares by its score, ties by use', (policy, order, scores) => {
    const it = made(policy)
    const handleOf = (key: (typeof NAMES)[number]) => it.handleOf(key, cacheOf[key])
    expect(NAMES.map((key) => it.state.policy.score(handleOf(key)))).toEqual(scores)
    for (const one of NAMES) {
      for (const other of NAMES)
        expect(it.state.policy.before(handleOf(one), handleOf(other)), `${one} before ${other}`).toBe(
          order.indexOf(one) < order.indexOf(other),
        )
    }
  })

  test.each(POLICIES)('%s bears its name', (policy) => {
    expect(made(policy).state.policy.name).toBe(policy)
  })
})

test('lfu takes entries over by how often they were used, in whatever order they come', () => {
  const it = new MadeState()
  const uses = [3, 1, 5, 2, 4, 3]
  for (const [n, count] of uses.entries()) {
    it.add(`k${n}`, 1)
    for (let i = 1; i < count; i++) it.tell('accessed', { cache: 'c', key: `k${n}` })
  }
  it.tell('configured', { to: { policy: 'lfu' } })
  const gone: string[] = []
  for (let n = 0; n < uses.length; n++) {
    const key = it.state.columns.keys[it.cache().order.victim(-1, 0)] as string
    gone.push(key)
    it.tell('evicted', { cache: 'c', key, cycle: null })
  }
  expect(gone).toEqual(['k1', 'k3', 'k0', 'k5', 'k4', 'k2'])
})
