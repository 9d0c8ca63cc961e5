import { describe, expect, test } from 'vitest'
import { cacheOfVictim, cacheWithDue, evictedEvent, expiredEvent, removedEvent } from '../../src/decide/departure.ts'
import { MadeState } from '../support/made-state.ts'

const NOBODY = -1
const NEVER = Number.POSITIVE_INFINITY

describe('a cache with an entry past its time', () => {
  test('is found from that time on, whichever it is', () => {
    const made = new MadeState({}, ['a', 'b', 'c'])
    made.add('late', 1, { cache: 'a', expiresAt: 9_000 })
    made.add('soon', 1, { cache: 'b', expiresAt: 5_000 })
    made.add('never', 1, { cache: 'c' })
    expect([4_999, 5_000, 8_999].map((at) => cacheWithDue(made.state, at)?.name)).toEqual([undefined, 'b', 'b'])
    made.tell('expired', { cache: 'b', key: 'soon' })
    expect([8_999, 9_000].map((at) => cacheWithDue(made.state, at)?.name)).toEqual([undefined, 'a'])
  })
})

describe('of several caches the next to give an entry up', () => {
  const nextOf = (made: MadeState, except = NOBODY, cause: 'items' | 'memory' = 'items') =>
    cacheOfVictim(made.state, except, cause, made.run.at)?.name

  test('is the one whose victim is the worst, by the policy; empty ones have none', () => {
    const made = new MadeState({}, ['empty', 'a', 'b', 'also-empty'])
    expect(nextOf(made)).toBeUndefined()
    for (const [cache, key] of ['a', 'b', 'a', 'b'].entries()) made.add(`k${cache}`, 1, { cache: key })
    expect(nextOf(made)).toBe('a')
    made.tell('accessed', { cache: 'a', key: 'k0' })
    expect(nextOf(made)).toBe('b')
    expect(nextOf(made, made.handleOf('k1', 'b'))).toBe('a')
    made.tell('removed', { cache: 'b', key: 'k1' })
    made.tell('removed', { cache: 'b', key: 'k3' })
    expect(nextOf(made)).toBe('a')
  })

  test('is the only one, where there is but one', () => {
    const made = new MadeState()
    expect(nextOf(made)).toBe('c')
  })

  test('is the one that has most beyond its share, where they divide their room: by items or by bytes', () => {
    const made = new MadeState({ policy: 'hybrid' }, ['many', 'large'])
    for (let n = 0; n < 3; n++) made.add(`k${n}`, 1, { cache: 'many' })
    made.add('k', 100, { cache: 'large' })
    expect([nextOf(made, NOBODY, 'items'), nextOf(made, NOBODY, 'memory')]).toEqual(['many', 'large'])
    // Its only entry is the one that must stay.
    expect(nextOf(made, made.handleOf('k', 'large'), 'memory')).toBe('many')
  })
})

describe('who leaves is told of with all that is known of it', () => {
  function made(fields = {}): MadeState {
    const it = new MadeState()
    it.add('k', 50, { expiresAt: 9_000, ...fields })
    it.run.at += 200
    it.add('next', 1)
    it.run.at += 100
    for (let i = 0; i < 3; i++) it.tell('accessed', { key: 'k', cache: 'c' })
    it.run.at += 300
    return it
  }

  test('evicted: by whom it came, what it cost, and who would have been next', () => {
    const it = made({ actor: 'me', cost: 7 })
    const trigger = { cache: 'c', key: 'newcomer', size: 3 }
    const why = { cause: 'memory', trigger, cycle: 'cycle-1' } as const
    expect(evictedEvent(it.state, it.cache(), it.handleOf('k'), why, 77, it.run.at)).toEqual({
      seq: 77,
      at: 1_600,
      type: 'evicted',
      cache: 'c',
      key: 'k',
      age: 600,
      hits: 3,
      size: 50,
      cause: 'memory',
      policy: 'lru',
      storedAt: 1_000,
      storedBy: 'me',
      idle: 300,
      ttlLeft: 7_400,
      cost: 7,
      score: 6,
      runnerUp: 'next',
      runnerUpScore: 3,
      mode: null,
      modeSince: null,
      trigger,
      cycle: 'cycle-1',
    })
  })

  test('evicted: where nobody stored it by name, and nobody would have been next', () => {
    const it = new MadeState({ policy: 'hybrid' })
    it.add('k', 50)
    const why = { cause: 'forced', trigger: null, cycle: null } as const
    const told = () => evictedEvent(it.state, it.cache(), it.handleOf('k'), why, 3, it.run.at)
    const nobody = { storedBy: null, runnerUp: null, runnerUpScore: null, trigger: null, cycle: null }
    expect(told()).toMatchObject({ ...nobody, ttlLeft: NEVER, cost: 0, mode: 'lirs-lfu', modeSince: null })
    it.tell('adapted', { cache: 'c', to: 'lru' })
    // Another was stored by name: a column for it is there by now.
    it.add('another', 1, { actor: 'me' })
    expect(told()).toMatchObject({ mode: 'lru', modeSince: it.run.at, storedBy: null, runnerUp: 'another' })
  })

  test('expired and removed: how long it was there, and how long unused', () => {
    const it = made()
    const k = it.handleOf('k')
    const left = { seq: 77, at: 1_600, cache: 'c', key: 'k', age: 600, hits: 3, size: 50 }
    expect(expiredEvent(it.state, it.cache(), k, 77, it.run.at)).toEqual({ ...left, type: 'expired', idle: 300 })
    const by = { actor: 'me', traceId: 't' }
    expect(removedEvent(it.state, it.cache(), k, 'deleted', by, 77, it.run.at)).toEqual({
      ...left,
      ...by,
      type: 'removed',
      cause: 'deleted',
    })
  })
})
