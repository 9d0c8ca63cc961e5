import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { NONE } from '../../src/fold/columns.ts'
import { MODES, type ModeName } from '../../src/fold/policies/hybrid/modes.ts'
import { placeOf, SegmentsStore } from '../support/segments-store.ts'

type Step = readonly ['store' | 'store' | 'use' | 'remove' | 'evict' | 'change', h: number]

function stepsOf(maxLength: number, ...kinds: Step[0][]): fc.Arbitrary<Step[]> {
  const step: fc.Arbitrary<Step> = fc.tuple(
    fc.constantFrom<Step[0]>('store', 'store', 'store', 'use', 'use', 'use', ...kinds),
    fc.nat(59),
  )
  return fc.array(step, { maxLength, size: 'max' })
}

function take(store: SegmentsStore, [what, h]: Step): void {
  if (what === 'change') store.segments.change(h % MODES.length)
  else if (what === 'evict') {
    const victim = store.segments.victim(NONE)
    if (victim !== NONE) store.remove(victim)
  } else if (store.present.has(h)) {
    if (what === 'remove') store.remove(h)
    else {
      store.frequency[h] = Math.min(15, (store.frequency[h] as number) + 1)
      store.use(h)
    }
  } else if (what === 'store') {
    store.frequency[h] = h % 4
    store.add(h, store.before.get(h) ?? NONE)
  }
}

describe('whatever happens, in whatever mode', () => {
  test('each entry is in one list, and who goes is one of them, but for the exception', () => {
    fc.assert(
      fc.property(stepsOf(200, 'remove', 'evict', 'change'), fc.nat(4), (steps, mode) => {
        const store = new SegmentsStore(MODES[mode]?.name as ModeName)
        for (const step of steps) {
          take(store, step)
          const { segments, present } = store
          expect(segments.length).toBe(present.size)
          const victim = segments.victim(NONE)
          expect(victim === NONE ? present.size === 0 : present.has(victim)).toBe(true)
          if (victim === NONE) continue
          const other = segments.victim(victim)
          expect(other === NONE ? present.size === 1 : present.has(other) && other !== victim).toBe(true)
        }
        const { size } = store.present
        const { window, probation, protected: kept } = store.lists
        expect(new Set([...window, ...probation, ...kept])).toEqual(store.present)
        expect(new Set(store.drain()).size).toBe(size)
      }),
      { seed: 1, numRuns: 80 },
    )
  })

  test('what others keep in a segment byte stays', () => {
    const store = new SegmentsStore('lirs-lfu')
    store.segment.fill(0b10101000)
    store.fill(100)
    for (let h = 0; h < 100; h += 3) store.use(h)
    for (const byte of store.segment.subarray(0, 100)) expect(byte & 0b11111100).toBe(0b10101000)
    const segments = Array.from(store.segment.subarray(0, 100), (byte) => byte & 0b11)
    const { window, probation, protected: kept } = store.lists
    expect([0, 1, 2].map((segment) => segments.filter((one) => one === segment).length)).toEqual([
      window.length,
      probation.length,
      kept.length,
    ])
  })
})

describe('lru', () => {
  test('gives up the least recently used, also of what other modes have left', () => {
    fc.assert(
      fc.property(stepsOf(30, 'remove'), stepsOf(100, 'remove', 'evict'), fc.nat(4), (before, after, mode) => {
        const store = new SegmentsStore(MODES[mode]?.name as ModeName)
        for (const step of before) take(store, step)
        // Who was exiled or gave way to others is in a list by when it got there, not by when it was used.
        fc.pre(Object.values(store.lists).every((list) => isByRecency(store, list)))
        store.segments.change(placeOf('lru'))
        for (const step of after) {
          take(store, step)
          const [first = NONE, second = NONE] = store.byRecency
          expect(store.segments.victim(NONE)).toBe(first)
          expect(store.segments.victim(first)).toBe(second)
          expect(store.segments.contests).toBe(false)
        }
        const wanted = store.byRecency
        expect(store.drain()).toEqual(wanted)
      }),
      { seed: 2, numRuns: 120 },
    )
  })

  test('goes by recency where nothing is in its window yet', () => {
    const store = new SegmentsStore('lfu-1')
    for (let h = 0; h < 5; h++) store.adopt(h)
    store.use(0)
    // Used later than the one in protected, the first of these two is in probation, and nothing in the window.
    store.fill(2, 5)
    store.remove(6)
    expect(store.lists).toEqual({ window: [], probation: [5, 4, 3, 2, 1], protected: [0] })
    store.segments.change(placeOf('lru'))
    expect(store.drain()).toEqual([1, 2, 3, 4, 0, 5])
  })

  test('goes by recency also where most of main was protected before, and more is stored', () => {
    const store = new SegmentsStore('lfu-1')
    for (let h = 0; h < 10; h++) store.adopt(h)
    for (let h = 0; h < 7; h++) store.use(h)
    store.fill(2, 10)
    for (const h of [7, 8, 9]) store.remove(h)
    expect(store.lists).toEqual({ window: [11], probation: [10], protected: [6, 5, 4, 3, 2, 1, 0] })
    store.segments.change(placeOf('lru'))
    store.fill(1, 20)
    expect(store.drain()).toEqual([0, 1, 2, 3, 4, 5, 6, 10, 11, 20])
  })

  function isByRecency({ usedSeq }: SegmentsStore, list: readonly number[]): boolean {
    return list.every((h, i) => i === 0 || (usedSeq[list[i - 1] as number] as number) > (usedSeq[h] as number))
  }
})

describe('the parts of a store', () => {
  test.each([
    ['lru', 100, 0, 0],
    ['lirs', 1, 0, 99],
    ['lirs-lfu', 1, 99, 0],
    ['lfu-1', 1, 99, 0],
    ['lfu-15', 15, 85, 0],
  ] as const)(
    'of %s, filled with a hundred that were used once, are %i, %i and %i',
    (mode, ofWindow, first, second) => {
      const store = new SegmentsStore(mode)
      store.fill(100)
      const { window, probation, protected: kept } = store.lists
      expect([window.length, probation.length, kept.length]).toEqual([ofWindow, first, second])
      expect([...window, ...probation, ...kept]).toEqual(Array.from({ length: 100 }, (_, i) => 99 - i))
    },
  )

  test.each(['lirs-lfu', 'lfu-1', 'lfu-15'] as const)(
    'of %s keep four fifths of main for what was used again',
    (mode) => {
      const store = new SegmentsStore(mode)
      store.fill(100)
      const main = 100 - store.lists.window.length
      for (let h = 0; h < 60; h++) store.use(h)
      expect(store.lists.protected).toHaveLength(60)
      for (let round = 0; round < 2; round++) for (const h of store.byRecency) store.use(h)
      expect(store.lists.protected).toHaveLength(Math.floor(0.8 * main))
      expect(store.lists.probation).toHaveLength(main - Math.floor(0.8 * main))
      // Used in protected: to its head.
      const last = store.lists.protected.at(-1) as number
      store.use(last)
      expect(store.lists.protected[0]).toBe(last)
    },
  )

  test('of two hundred entries the window of 1 % holds two, and always one', () => {
    const store = new SegmentsStore('lirs-lfu')
    store.fill(199)
    expect(store.lists.window).toHaveLength(1)
    store.fill(1, 199)
    expect(store.lists.window).toHaveLength(2)
  })

  test('change by at most eight entries with each store that follows a change of mode, and by so many where they must', () => {
    const store = new SegmentsStore('lru')
    store.fill(100)
    store.segments.change(placeOf('lfu-1'))
    for (let n = 1; n <= 5; n++) {
      store.fill(1, 99 + n)
      expect(store.lists.probation).toHaveLength(8 * n)
    }
    store.fill(10, 105)
    expect(store.lists.window).toHaveLength(1)
    const lirs = new SegmentsStore('lirs')
    lirs.fill(100)
    lirs.segments.change(placeOf('lfu-1'))
    for (let n = 1; n <= 2; n++) {
      lirs.fill(1, 99 + n)
      // The one that the new one pushed out of the window, and eight of protected.
      expect(lirs.lists.probation).toHaveLength(9 * n)
      expect(lirs.lists.protected).toHaveLength(99 - 8 * n)
    }
    const grown = new SegmentsStore('lru')
    grown.fill(50)
    grown.segments.change(placeOf('lirs'))
    grown.fill(1, 50)
    expect(grown.lists.protected).toHaveLength(8)
  })

  test('begin with what was there before anything was known in probation, in its order', () => {
    const store = new SegmentsStore('lirs-lfu')
    for (let h = 0; h < 10; h++) store.adopt(h)
    expect(store.lists).toEqual({ window: [], probation: [9, 8, 7, 6, 5, 4, 3, 2, 1, 0], protected: [] })
    store.use(3)
    expect(store.lists.protected).toEqual([3])
    store.segments.change(placeOf('lru'))
    store.use(4)
    store.use(3)
    expect(store.lists).toMatchObject({ window: [3, 4], protected: [] })
  })
})

describe('who goes', () => {
  test('is main’s oldest while the window has room for one more', () => {
    const store = new SegmentsStore('lfu-15')
    store.fill(100)
    for (const h of store.lists.window.slice(1)) store.remove(h)
    expect(store.segments.contests).toBe(false)
    expect(store.segments.victim(NONE)).toBe(0)
    expect(store.segments.oldest(0)).toBe(1)
  })

  test('is protected’s last, where probation is empty', () => {
    const store = new SegmentsStore('lirs-lfu')
    store.fill(3)
    const [candidate] = store.lists.window as [number]
    for (const h of [0, 1]) store.use(h)
    for (const h of store.lists.probation) store.remove(h)
    const [kept] = store.lists.protected as [number]
    expect([store.segments.candidate(NONE), store.segments.oldest(NONE)]).toEqual([candidate, kept])
    expect(store.segments.oldest(kept)).toBe(NONE)
    expect(store.segments.victim(kept)).toBe(candidate)
    expect(store.segments.victim(candidate)).toBe(kept)
  })

  test('in lirs, the window’s last, without a contest', () => {
    const store = new SegmentsStore('lirs')
    store.fill(100)
    store.frequency.fill(1)
    store.frequency[99] = 15
    expect(store.segments.contests).toBe(false)
    expect(store.segments.victim(NONE)).toBe(99)
  })

  test('in lirs-lfu is who was used less, and at a tie the newcomer', () => {
    const store = new SegmentsStore('lirs-lfu')
    store.fill(100)
    expect(store.segments.contests).toBe(true)
    const outcomes = [
      [3, 2, 0],
      [2, 2, 99],
      [1, 2, 99],
    ] as const
    for (const [ofCandidate, ofOldest, victim] of outcomes) {
      store.frequency[99] = ofCandidate
      store.frequency[0] = ofOldest
      expect(store.segments.victim(NONE)).toBe(victim)
    }
  })

  test.each(['lfu-1', 'lfu-15'] as const)(
    'in %s is who will be asked for later, as its own table has learned',
    (mode) => {
      const store = new SegmentsStore(mode)
      store.fill(100)
      const candidate = store.segments.candidate(NONE)
      store.frequency.fill(1)
      expect(store.segments.comparator).toBe(store.comparators[placeOf(mode)])
      expect([store.segments.contests, store.segments.victim(NONE)]).toEqual([true, candidate])
      const { comparator } = store.segments
      for (let i = 0; i < 10; i++) comparator.settle(comparator.cellOf(1, 1), true)
      expect(store.segments.victim(NONE)).toBe(0)
      // Another mode has another table.
      store.segments.change(placeOf(mode === 'lfu-1' ? 'lfu-15' : 'lfu-1'))
      expect(store.segments.comparator.admits(1, 1)).toBe(false)
    },
  )

  test('after it has won a contest is no longer main’s oldest', () => {
    const store = new SegmentsStore('lirs-lfu')
    store.fill(10)
    store.segments.rotate(0)
    expect(store.segments.oldest(NONE)).toBe(1)
    expect(store.lists.probation[0]).toBe(0)
  })
})

describe('LIRS’s test', () => {
  test.each([
    ['lirs', 'protected', 0],
    ['lirs-lfu', 'probation', 0],
  ] as const)(
    'in %s takes one of the window, that came back sooner than main’s oldest, to %s',
    (mode, list, oldest) => {
      const store = new SegmentsStore(mode)
      store.fill(10)
      expect(store.lists.window).toEqual([9])
      store.use(9)
      expect(store.lists[list][0]).toBe(9)
      expect(store.lists.window).toEqual([oldest])
      // Its own use before is what counts: main's oldest is more recent.
      for (const h of [2, 3, 4, 5, 6, 7, 8, 9, 1]) store.use(h)
      store.use(oldest)
      expect(store.lists.window).toEqual([oldest])
    },
  )

  test('leaves who did not come back sooner in the window, at its head', () => {
    const store = new SegmentsStore('lirs')
    store.fill(200)
    expect(store.lists.window).toEqual([199, 198])
    for (let h = 0; h < 198; h++) store.use(h)
    store.use(198)
    expect(store.lists.window).toEqual([198, 199])
  })

  test.each(['lfu-1', 'lfu-15'] as const)('is none of %s: a use in the window moves to its head', (mode) => {
    const store = new SegmentsStore(mode)
    store.fill(40)
    const { window } = store.lists
    const last = window.at(-1) as number
    store.use(last)
    expect(store.lists.window).toEqual([last, ...window.slice(0, -1)])
  })

  test('takes a key that is remembered to main, and main’s oldest to the window, where that has room', () => {
    const store = new SegmentsStore('lirs')
    store.fill(200)
    store.remove(store.lists.window.at(-1) as number)
    expect(store.lists.window).toHaveLength(1)
    const oldest = store.segments.oldest(NONE)
    store.add(300, (store.usedSeq[oldest] as number) + 0.5)
    expect(store.lists.protected[0]).toBe(300)
    expect(store.lists.window[0]).toBe(oldest)
    expect(store.lists.window).toHaveLength(2)
    // No room: the oldest stays.
    const next = store.segments.oldest(NONE)
    store.add(301, (store.usedSeq[next] as number) + 0.5)
    expect(store.lists.protected[0]).toBe(301)
    expect(store.segments.oldest(NONE)).toBe(next)
    expect(store.lists.window).toHaveLength(2)
  })

  test('keeps a key that is remembered in the window, where main’s oldest was used later or just then', () => {
    for (const later of [0, -1]) {
      const store = new SegmentsStore('lirs')
      store.fill(10)
      const oldest = store.segments.oldest(NONE)
      store.add(300, (store.usedSeq[oldest] as number) + later)
      expect(store.lists.window).toEqual([300])
    }
    const unknown = new SegmentsStore('lirs')
    unknown.fill(10)
    unknown.add(300)
    expect(unknown.lists.window).toEqual([300])
  })

  test('takes a key that is remembered to an empty main', () => {
    const store = new SegmentsStore('lirs')
    store.add(1, 0)
    expect(store.lists).toEqual({ window: [], probation: [], protected: [1] })
  })
})
