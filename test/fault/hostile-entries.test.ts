import { describe, expect, test } from 'vitest'
import { InvalidEntryError } from '../../src/muninn.ts'
import { bed, thrownBy } from '../support/manager-bed.ts'
import { expectRefused, held } from '../support/refused-entry.ts'

const numbers = [-1, -0.5, Number.NaN, Number.NEGATIVE_INFINITY]

describe('a bad size', () => {
  test.each([...numbers, 1.5, Number.POSITIVE_INFINITY, 2 ** 53, Number.MAX_VALUE, '5', '5KB', null, true, 5n, {}, []])(
    '%s is refused',
    (size) => expectRefused(held(), { size }, 'ERR_MUNINN_SIZE', /an integer ≥ 0/),
  )

  test.each([0, 1, -0])('%s is a good one', (size) => {
    const { memory } = bed()
    expect(memory.cache('c').set('k', 1, { size })).toBe(true)
    expect(memory.stats().currentMemoryBytes).toBe(Math.abs(size))
  })

  test('the largest integers do not unbalance the books', () => {
    const { memory } = bed({ maxMemory: Number.POSITIVE_INFINITY, maxHeap: Number.POSITIVE_INFINITY })
    const cache = memory.cache('c')
    for (const key of ['a', 'b', 'c']) cache.set(key, 1, { size: Number.MAX_SAFE_INTEGER })
    cache.set('d', 1, { size: 1 })
    for (const key of ['b', 'a', 'd', 'c']) cache.delete(key)
    memory.check()
    expect(memory.stats()).toMatchObject({ currentMemoryBytes: 0, imbalances: 0 })
  })
})

describe('a bad TTL', () => {
  test.each([...numbers, 0, -0, '0', '0ms', '-5m', '', 'soon', '5 weeks', 'Infinity', null, true, 5n, {}, [5]])(
    '%s is refused',
    (ttl) => expectRefused(held(), { ttl }, 'ERR_MUNINN_TTL', /milliseconds above 0, text such as '5m', or Infinity/),
  )

  test.each([Number.MIN_VALUE, 1e-9, 2 ** 40, 2 ** 53, 1e20, 1e300, Number.MAX_VALUE])(
    '%d is an odd one, which holds',
    (ttl) => {
      for (const policy of ['lru', 'ttl', 'hybrid'] as const) {
        const test = bed({ policy })
        const cache = test.memory.cache('c')
        expect(cache.set('k', 1, { ttl })).toBe(true)
        expect(cache.set('l', 1, { ttl })).toBe(true)
        expect(cache.get('k')).toBe(1)
        test.memory.check()
        test.clock.time += 1_000
        expect(cache.has('k')).toBe(ttl > 1_000)
        test.memory.check()
        expect(cache.size).toBe(ttl > 1_000 ? 2 : 0)
        cache.clear()
        test.memory.check()
        expect(test.memory.stats().imbalances).toBe(0)
      }
    },
  )
})

describe('other bad input', () => {
  test('undefined is no value', () => expectRefused(held(), undefined, 'ERR_MUNINN_VALUE', /store null/, undefined))

  test.each([...numbers, Number.POSITIVE_INFINITY, '5', null, {}])('the cost %s is refused', (cost) =>
    expectRefused(held(), { cost }, 'ERR_MUNINN_VALUE', /finite number ≥ 0/),
  )

  test.each(['tag', 5, null, {}, [5], ['a', null], [['a']], new Set(['a'])])('the tags %j are refused', (tags) =>
    expectRefused(held(), { tags }, 'ERR_MUNINN_VALUE', /array of strings/),
  )

  test.each([5, null, {}, ['me']])('the actor %j is refused, by set, delete and clear', (actor) => {
    const test = held()
    expectRefused(test, { actor }, 'ERR_MUNINN_VALUE', /not a string/)
    test.expectUnchanged(() => {
      expect(() => test.memory.cache('c').delete('k', { actor } as object)).toThrow(InvalidEntryError)
      expect(() => test.memory.cache('c').clear({ actor } as object)).toThrow(InvalidEntryError)
    })
  })

  test.each([-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '5', null, undefined])(
    'canAdd of %s is refused',
    (size) => {
      const test = held()
      test.expectUnchanged(() => {
        expect(thrownBy(() => test.memory.canAdd('c', size as number))).toMatchObject({
          code: expect.stringMatching(/^ERR_MUNINN_(OPTION|SIZE)$/),
        })
      })
    },
  )

  test.each([5, null, {}])('resetStats and evict by the actor %j are refused', (actor) => {
    const test = held()
    test.expectUnchanged(() => {
      for (const call of ['resetStats', 'evict'] as const) {
        expect(
          thrownBy(() => test.memory[call]({ actor } as object)),
          call,
        ).toMatchObject({ code: expect.stringMatching(/^ERR_MUNINN_/) })
      }
    })
  })
})
