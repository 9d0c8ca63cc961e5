import { describe, expect, test } from 'vitest'
import type { SizeFunction } from '../../src/muninn.ts'
import { type Bed, bed, thrownBy, tightBed } from '../support/manager-bed.ts'
import { expectRefused, held } from '../support/refused-entry.ts'

describe('a size function', () => {
  test('is given value and key, and its answer is the charge', () => {
    const asked: unknown[] = []
    const test = tightBed(1_000, {
      sizing: (value, key) => {
        asked.push([value, key])
        return 70
      },
    })
    test.memory.cache('c').set('k', 'value')
    test.memory.cache('c').set('stated', 'value', { size: 5 })
    expect(asked).toEqual([['value', 'k']])
    expect(test.memory.stats()).toMatchObject({ currentMemoryBytes: 75, heapBytes: 75 })
  })

  const bad: readonly [string, SizeFunction][] = [
    ['throws', () => expect.fail('a size function failed')],
    ...[-1, Number.NaN, 1.5, 2 ** 60, undefined, '7', {}].map((answer): [string, SizeFunction] => [
      `returns ${answer}`,
      () => answer as number,
    ]),
  ]
  test.each(bad)('that %s makes set throw, and changes nothing', (_, sizing) => {
    expectRefused(held({ sizing }), undefined, 'ERR_MUNINN_SIZE', /size function (threw|returned .*an integer ≥ 0)/)
  })

  test('that throws is the cause of the error', () => {
    const cause = new RangeError('unknown shape')
    const test = bed({
      sizing: () => {
        throw cause
      },
    })
    expect(thrownBy(() => test.memory.cache('c').set('k', 1)).cause).toBe(cause)
  })

  test('that lies only deceives about bytes: the limits and books hold', () => {
    const answers = [0, 900, 1, 1_000, 5]
    let asked = 0
    const test = tightBed(1_000, { sizing: () => answers[asked++ % answers.length] as number })
    for (let i = 0; i < 200; i++) {
      test.memory.cache('c').set(`k${i % 7}`, 'x'.repeat(10_000))
      expect(test.memory.stats().currentMemoryBytes).toBeLessThanOrEqual(1_000)
    }
    test.memory.check()
    expect(test.memory.stats()).toMatchObject({ imbalances: 0 })
    expect(test.of('evicted').length).toBeGreaterThan(0)
  })

  test('that calls the cache back leaves both calls whole', () => {
    const meddle: { run: (() => void) | null } = { run: null }
    const test = tightBed(1_000, {
      sizing: (value) => {
        const { run } = meddle
        meddle.run = null
        run?.()
        return Number(value)
      },
    })
    const cache = test.memory.cache<number>('c')
    cache.set('k', 1)
    const meddling: readonly [string, () => void, [string, number][], number][] = [
      [
        'set another',
        () => cache.set('x', 500),
        [
          ['k', 30],
          ['x', 500],
        ],
        530,
      ],
      [
        'set the same',
        () => cache.set('k', 400),
        [
          ['k', 30],
          ['x', 500],
        ],
        530,
      ],
      [
        'delete it',
        () => cache.delete('k'),
        [
          ['x', 500],
          ['k', 30],
        ],
        530,
      ],
      ['clear', () => cache.clear(), [['k', 30]], 30],
      [
        'state a size',
        () => cache.set('y', 0, { size: 7 }),
        [
          ['k', 30],
          ['y', 0],
        ],
        37,
      ],
      ['lower the limit', () => test.memory.setLimits({ maxItems: 1 }), [['k', 30]], 30],
    ]
    for (const [what, run, entries, bytes] of meddling) {
      meddle.run = run
      expect(cache.set('k', 30), what).toBe(true)
      expect([[...cache], cache.bytes], what).toEqual([entries, bytes])
    }
    test.memory.check()
    expect(test.memory.stats().imbalances).toBe(0)
  })

  test('that drops its cache or closes its manager leaves nothing stored', async () => {
    for (const end of ['drop', 'close'] as const) {
      const test: Bed = bed({
        sizing: () => {
          if (end === 'drop') test.memory.drop('c')
          else void test.memory.close()
          return 1
        },
      })
      const cache = test.memory.cache('c')
      expect(cache.set('k', 1), end).toBe(false)
      expect(test.memory.stats(), end).toMatchObject({ cacheItemCount: 0, imbalances: 0 })
      await test.memory.close()
    }
  })
})

describe('a prefix rule', () => {
  test('that throws, or answers nonsense, is counted and hurts nobody', () => {
    const answers: unknown[] = [null, 5, 'x'.repeat(10_000), Symbol('s'), { toString: () => expect.fail('no') }]
    let asked = 0
    const test = bed({
      prefix: () => {
        if (asked === answers.length) throw new Error('a rule failed')
        return answers[asked++] as string
      },
    })
    const cache = test.memory.cache('c')
    for (let i = 0; i <= answers.length; i++) expect(cache.set(`k${i}`, 1)).toBe(true)
    expect(cache.size).toBe(answers.length + 1)
    expect(test.memory.stats().observerErrors).toBeGreaterThanOrEqual(1)
    test.memory.check()
    for (const { prefix } of test.of('added')) expect(prefix?.length ?? 0).toBeLessThanOrEqual(64)
  })
})
