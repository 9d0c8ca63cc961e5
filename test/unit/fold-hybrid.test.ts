import { describe, expect, test } from 'vitest'
import { MOST_FREQUENT } from '../../src/fold/policies/hybrid/frequency-sketch.ts'
import { RecordedRun } from '../support/recorded-run.ts'

function hits(run: RecordedRun, key: string, count: number, cache = 'a'): void {
  for (let i = 0; i < count; i++) run.hit(key, cache)
}

const scoreOf = (run: RecordedRun, key: string, cache = 'a'): number => run.state.policy.score(run.handleOf(key, cache))

describe('the scores of hybrid', () => {
  test('count uses, up to a most', () => {
    const run = new RecordedRun('hybrid')
    run.store('k')
    expect(scoreOf(run, 'k')).toBe(1)
    hits(run, 'k', 3)
    run.store('k')
    expect(scoreOf(run, 'k')).toBe(5)
    hits(run, 'k', 100)
    expect(scoreOf(run, 'k')).toBe(MOST_FREQUENT)
  })

  test('of a key that left are known when it comes back', () => {
    const run = new RecordedRun('hybrid')
    run.store('k')
    hits(run, 'k', 6)
    run.remove('k')
    run.store('k')
    expect(scoreOf(run, 'k')).toBe(8)
  })

  test('are uses, too, where a manager goes over to it', () => {
    const run = new RecordedRun('lru')
    for (const [n, key] of ['never', 'seldom', 'often', 'always'].entries()) {
      run.store(key)
      hits(run, key, n * 7)
    }
    run.changePolicy('hybrid')
    expect(['never', 'seldom', 'often', 'always'].map((key) => scoreOf(run, key))).toEqual([1, 8, 15, MOST_FREQUENT])
  })
})

describe('of two caches, hybrid gives up first', () => {
  test('what was used less, whichever cache it is of', () => {
    const run = new RecordedRun('hybrid', 0, ['a', 'b'])
    run.store('k', {}, 'a')
    run.store('k', {}, 'b')
    hits(run, 'k', 2, 'a')
    const [a, b] = [run.handleOf('k', 'a'), run.handleOf('k', 'b')]
    expect([run.state.policy.before(a, b), run.state.policy.before(b, a)]).toEqual([false, true])
    hits(run, 'k', 5, 'b')
    expect([run.state.policy.before(a, b), run.state.policy.before(b, a)]).toEqual([true, false])
  })

  test('of equals the one whose last use is longer ago', () => {
    const run = new RecordedRun('hybrid', 0, ['a', 'b'])
    run.store('k', {}, 'a')
    run.store('k', {}, 'b')
    const [a, b] = [run.handleOf('k', 'a'), run.handleOf('k', 'b')]
    expect([run.state.policy.before(a, b), run.state.policy.before(b, a)]).toEqual([true, false])
  })
})
