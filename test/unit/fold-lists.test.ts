import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Columns, NONE } from '../../src/fold/columns.ts'
import { Links } from '../../src/fold/links.ts'
import { RecencyList } from '../../src/fold/recency-list.ts'

describe('a recency list', () => {
  test('is an array, the most recent first, beside any other over the same links', () => {
    const step = fc.tuple(fc.constantFrom('push', 'push', 'remove', 'renew', 'grow'), fc.nat(9), fc.nat(1))
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100, size: 'max' }), (steps) => {
        const links = new Links(10)
        const lists = [new RecencyList(links), new RecencyList(links)]
        const arrays: number[][] = [[], []]
        for (const [what, h, which] of steps) {
          const list = lists[which] as RecencyList
          const array = arrays[which] as number[]
          if (what === 'grow') links.grow(links.next.length + 3)
          else if (what === 'push') {
            if (arrays.some((one) => one.includes(h))) continue
            list.push(h)
            array.unshift(h)
          } else if (array.includes(h)) {
            array.splice(array.indexOf(h), 1)
            if (what === 'renew') array.unshift(h)
            if (what === 'renew') list.renew(h)
            else list.remove(h)
          }
          for (const [i, { first, last, length }] of lists.entries()) {
            const wanted = arrays[i] as number[]
            expect([first, last, length]).toEqual([wanted[0] ?? NONE, wanted.at(-1) ?? NONE, wanted.length])
            const [one, other] = [wanted.at(-1) ?? NONE, wanted.at(-2) ?? NONE]
            expect((lists[i] as RecencyList).lastBut(one)).toBe(other)
            expect((lists[i] as RecencyList).lastBut(NONE)).toBe(one)
            if (other !== NONE) expect((lists[i] as RecencyList).lastBut(other)).toBe(one)
          }
        }
        for (const [i, list] of lists.entries()) {
          const found: number[] = []
          for (let h = list.first; h !== NONE; h = links.next[h] as number) found.push(h)
          expect(found).toEqual(arrays[i])
        }
      }),
      { seed: 1, numRuns: 30 },
    )
  })

  test('is walked the other way round after it was made the most recent twice', () => {
    const links = new Links(3)
    const list = new RecencyList(links)
    for (const h of [0, 1, 2]) list.push(h)
    list.renew(2)
    expect([list.first, list.last, list.length]).toEqual([2, 0, 3])
    expect([links.previous[2], links.next[2]]).toEqual([NONE, 1])
  })
})

describe('columns', () => {
  const OPTIONAL = ['wheelPrevious', 'wheelNext', 'offHeap', 'cost', 'frequency', 'segment', 'owner'] as const
  const ALWAYS = [
    'hash',
    'check',
    'size',
    'expiresAt',
    'storedAt',
    'addedSeq',
    'usedAt',
    'usedSeq',
    'hits',
    'carried',
    'chain',
  ] as const

  test.each([
    [0, 64],
    [64, 64],
    [1_000, 1_000],
    [4_096, 4_096],
    [10_000_000, 4_096],
    [Number.POSITIVE_INFINITY, 4_096],
  ])('for %d expected entries have room for %i at first', (expected, capacity) => {
    const columns = new Columns(expected)
    expect(columns.capacity).toBe(capacity)
    for (const name of ALWAYS) expect(columns[name]).toHaveLength(capacity)
    for (const name of OPTIONAL) expect(columns[name]).toHaveLength(0)
  })

  /** Columns of 64 entries in which each value of each column is another. */
  function filled(needs: boolean): Columns {
    const columns = new Columns(64)
    if (needs) {
      columns.needWheel()
      columns.needFrequency()
      columns.setExtras(0, 1, 1, null, null)
    }
    for (let n = 0; n < 64; n++) columns.take()
    for (const [c, name] of [...ALWAYS, ...OPTIONAL].entries())
      for (let h = 0; h < columns[name].length; h++) columns[name][h] = h + c
    return columns
  }

  test.each([true, false])('grow by a quarter, and by 64 at least, with all that was in them (needed: %s)', (needs) => {
    const columns = filled(needs)
    expect(columns.take()).toBe(64)
    expect([columns.capacity, columns.extent]).toEqual([128, 65])
    for (const [c, name] of [...ALWAYS, ...OPTIONAL].entries()) {
      const optional = (OPTIONAL as readonly string[]).includes(name)
      expect(columns[name], name).toHaveLength(optional && !needs ? 0 : 128)
      for (let h = 0; h < Math.min(64, columns[name].length); h++) expect(columns[name][h]).toBe(h + c)
    }
    expect(columns.links.next).toHaveLength(128)
    const large = new Columns(4_096)
    for (let n = 0; n <= 4_096; n++) large.take()
    expect(large.capacity).toBe(5_120)
  })

  test('that are needed are made once', () => {
    const columns = filled(true)
    const before = OPTIONAL.map((name) => columns[name])
    columns.needWheel()
    columns.setExtras(0, 1, 1, null, null)
    columns.setOffHeap(1, 1)
    columns.needFrequency()
    expect(OPTIONAL.every((name, i) => columns[name] === before[i])).toBe(true)
  })

  test('give out a handle again, with nothing of who had it', () => {
    const columns = new Columns(64)
    const [a, b] = [columns.take(), columns.take()]
    for (const h of [a, b]) {
      columns.keys[h] = `k${h}`
      columns.setExtras(h, 5, 7, ['t'], 'me')
      expect([columns.tags[h], columns.storedBy[h], columns.offHeap[h], columns.cost[h]]).toEqual([['t'], 'me', 5, 7])
    }
    columns.free(a)
    columns.free(b)
    for (const h of [a, b])
      expect([columns.keys[h], columns.tags[h], columns.storedBy[h], columns.offHeap[h], columns.cost[h]]).toEqual([
        '',
        null,
        null,
        0,
        0,
      ])
    expect([columns.take(), columns.take(), columns.take(), columns.extent]).toEqual([b, a, 2, 3])
  })

  test('forget the bytes off the heap of who left, though it had nothing else', () => {
    const columns = new Columns(64)
    const h = columns.take()
    columns.setOffHeap(h, 5)
    columns.free(h)
    expect(columns.offHeap[h]).toBe(0)
  })

  test('keep no place for what nobody gave', () => {
    const columns = new Columns(64)
    columns.setOffHeap(columns.take(), 0)
    columns.setExtras(0, 0, 0, null, null)
    columns.free(0)
    expect([columns.tags, columns.storedBy, columns.offHeap, columns.cost].map(({ length }) => length)).toEqual([
      0, 0, 0, 0,
    ])
  })

  test('count uses, and rank by a score, then by the use that is longer ago', () => {
    const columns = new Columns(64)
    const [a, b] = [columns.take(), columns.take()]
    columns.carried[a] = 3
    columns.hits[a] = 4
    expect(columns.uses(a)).toBe(7)
    columns.usedSeq[a] = 10
    columns.usedSeq[b] = 11
    expect([columns.precedes(1, a, 2, b), columns.precedes(2, a, 1, b)]).toEqual([true, false])
    expect([columns.precedes(1, a, 1, b), columns.precedes(1, b, 1, a), columns.precedes(1, a, 1, a)]).toEqual([
      true,
      false,
      false,
    ])
  })
})
