import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { avalanche } from '../../src/fold/hash.ts'
import { Comparator } from '../../src/fold/policies/hybrid/comparator.ts'
import { FrequencySketch } from '../../src/fold/policies/hybrid/frequency-sketch.ts'
import { Ghosts } from '../../src/fold/policies/hybrid/ghosts.ts'
import { Meetings } from '../../src/fold/policies/hybrid/meetings.ts'
import { MODES } from '../../src/fold/policies/hybrid/modes.ts'

describe('the comparator', () => {
  test('believes in the higher frequency until it has learned otherwise', () => {
    const comparator = new Comparator()
    expect([comparator.admits(2, 1), comparator.admits(1, 1), comparator.admits(1, 2)]).toEqual([true, false, false])
    for (let i = 0; i < 5; i++) comparator.settle(comparator.cellOf(1, 1), true)
    for (let i = 0; i < 5; i++) comparator.settle(comparator.cellOf(2, 1), false)
    expect([comparator.admits(2, 1), comparator.admits(1, 1), comparator.admits(1, 2)]).toEqual([false, true, false])
  })

  test('takes frequencies for alike that fall into the same of seven buckets', () => {
    const comparator = new Comparator()
    const bucketOf = (frequency: number) => [1, 2, 3, 4, 7, 12, 16].findIndex((end) => frequency < end)
    const cells = new Map<string, number>()
    for (let candidate = 0; candidate < 16; candidate++) {
      for (let victim = 0; victim < 16; victim++) {
        const cell = comparator.cellOf(candidate, victim)
        const buckets = `${bucketOf(candidate)} ${bucketOf(victim)}`
        expect(cells.get(buckets) ?? cell).toBe(cell)
        cells.set(buckets, cell)
      }
    }
    expect([...cells.values()].sort((a, b) => a - b)).toEqual(Array.from({ length: 49 }, (_, cell) => cell))
  })

  test('forgets half at the 64th meeting', () => {
    const comparator = new Comparator()
    const tie = comparator.cellOf(1, 1)
    for (let i = 0; i < 64; i++) comparator.settle(tie, true)
    for (let i = 0; i < 28; i++) comparator.settle(tie, false)
    expect(comparator.admits(1, 1)).toBe(true)
    comparator.settle(tie, false)
    expect(comparator.admits(1, 1)).toBe(false)
  })

  test('learns anew, however long it has known better', () => {
    const comparator = new Comparator()
    const tie = comparator.cellOf(1, 1)
    for (let i = 0; i < 10_000; i++) comparator.settle(tie, true)
    for (let i = 0; i < 64; i++) comparator.settle(tie, false)
    expect(comparator.admits(1, 1)).toBe(false)
  })
})

describe('meetings', () => {
  test('are settled by whoever is asked for first, once', () => {
    const comparators = MODES.map(() => new Comparator())
    const comparator = comparators[3] as Comparator
    const meetings = new Meetings(comparators)
    const tie = comparator.cellOf(1, 1)
    for (let round = 0; round < 5; round++) {
      expect(meetings.note(1, 2, tie, 3, 100)).toBe(true)
      expect(meetings.note(1, 3, tie, 3, 100)).toBe(false)
      meetings.requested(1)
      meetings.requested(2)
    }
    expect(comparator.admits(1, 1)).toBe(true)
    expect(comparators[4]?.admits(1, 1)).toBe(false)
  })

  test('give way to newer ones, and grow no further than asked for', () => {
    const comparators = MODES.map(() => new Comparator())
    const meetings = new Meetings(comparators)
    const tie = (comparators[3] as Comparator).cellOf(1, 1)
    for (let i = 0; i < 20_000; i++) meetings.note(avalanche(2 * i), avalanche(2 * i + 1), tie, 3, 20)
    for (let i = 0; i < 19_000; i++) meetings.requested(avalanche(2 * i))
    expect(comparators[3]?.admits(1, 1)).toBe(false)
  })
})

/** Meetings in a plain list: places that go round, more of them as long as there may be. */
class PlainMeetings {
  readonly settled: string[] = []
  private places: ({ candidate: number; victim: number; cell: number; modeAt: number } | null)[] = []
  private size = 16
  private next = 0

  note(candidate: number, victim: number, cell: number, modeAt: number, most: number): boolean {
    if (this.next === this.size) {
      if (this.size < 1024 && 2 * this.size <= most) this.size *= 2
      else this.next = 0
    }
    // A slot for each key, four times as many as there are places.
    const slotOf = (hash: number) => hash & (4 * this.size - 1)
    const taken = this.places.flatMap((one) => (one === null ? [] : [slotOf(one.candidate), slotOf(one.victim)]))
    if (slotOf(candidate) === slotOf(victim) || [candidate, victim].some((hash) => taken.includes(slotOf(hash))))
      return false
    this.places[this.next++] = { candidate, victim, cell, modeAt }
    return true
  }

  leave(hash: number, isAskedFor: boolean): void {
    const place = this.places.findIndex((one) => one !== null && (one.candidate === hash || one.victim === hash))
    const one = this.places[place]
    if (!one) return
    if (isAskedFor) this.settled.push(`${one.modeAt} ${one.cell} ${one.candidate === hash}`)
    this.places[place] = null
  }
}

describe('meetings as a list', () => {
  test('are noted, settled and forgotten as in a plain one, whatever collides', () => {
    const hash = fc.oneof(fc.nat(30), fc.nat(4_000), fc.integer())
    const step = fc.tuple(fc.constantFrom('note', 'note', 'note', 'ask', 'forget'), hash, hash, fc.nat(4))
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300, size: 'max' }), fc.constantFrom(10, 40, 5_000), (steps, most) => {
        const plain = new PlainMeetings()
        const settled: string[] = []
        const comparators = MODES.map((_, modeAt) => {
          const settle = (cell: number, candidateFirst: boolean) => settled.push(`${modeAt} ${cell} ${candidateFirst}`)
          return Object.assign(new Comparator(), { settle })
        })
        const meetings = new Meetings(comparators)
        for (const [what, one, other, modeAt] of steps) {
          if (what === 'note')
            expect(meetings.note(one, other, modeAt * 7, modeAt, most)).toBe(
              plain.note(one, other, modeAt * 7, modeAt, most),
            )
          else if (what === 'ask') {
            meetings.requested(one)
            plain.leave(one, true)
          } else {
            meetings.forget(one)
            plain.leave(one, false)
          }
        }
        expect(settled).toEqual(plain.settled)
      }),
      { seed: 1, numRuns: 100 },
    )
  })

  test('are 1,024 at most', () => {
    const meetings = new Meetings(MODES.map(() => new Comparator()))
    const plain = new PlainMeetings()
    for (let i = 0; i < 3_000; i++) {
      const [one, other] = [avalanche(2 * i), avalanche(2 * i + 1)]
      expect(meetings.note(one, other, 0, 0, 1e9)).toBe(plain.note(one, other, 0, 0, 1e9))
    }
  })
})

describe('ghosts', () => {
  const hashes = Array.from({ length: 4_000 }, (_, n) => avalanche(n + 1))

  test('remember the last use and the frequency, and are forgotten once taken', () => {
    const ghosts = new Ghosts(new FrequencySketch(), 0)
    for (const [n, hash] of hashes.entries()) ghosts.remember(hash, n + 1, n % 16, false, 4_000)
    let lost = 0
    for (const [n, hash] of hashes.entries()) {
      if (!ghosts.take(hash)) {
        lost++
        continue
      }
      expect([ghosts.lastUse(5_000), ghosts.frequency, ghosts.met]).toEqual([n + 1, n % 16, false])
      expect(ghosts.take(hash)).toBe(false)
    }
    // A set that is full by chance loses one, though a quarter of the places would do.
    expect(lost).toBeLessThan(40)
  })

  test('know the last use beyond 2^32 events', () => {
    const ghosts = new Ghosts(new FrequencySketch(), 0)
    const used = 2 ** 32 + 12_345
    ghosts.remember(7, used, 3, true, 10)
    expect(ghosts.take(7)).toBe(true)
    expect([ghosts.lastUse(used + 1_000_000), ghosts.met]).toEqual([used, true])
  })

  test('that are displaced leave their frequency to the sketch, if they came more than once', () => {
    const sketch = new FrequencySketch()
    sketch.ensureCapacity(4_000)
    const ghosts = new Ghosts(sketch, 0)
    for (const [n, hash] of hashes.entries()) ghosts.remember(hash, n + 1, n % 2 === 0 ? 5 : 1, false, 10)
    const early = hashes.slice(0, 3_000)
    expect(early.filter((hash) => ghosts.take(hash))).toEqual([])
    expect(early.filter((hash, n) => n % 2 === 0 && sketch.estimate(hash) < 5)).toEqual([])
    expect(early.filter((hash, n) => n % 2 === 1 && sketch.estimate(hash) !== 0).length).toBeLessThan(300)
  })

  test('are halved as often as the frequencies of the entries, and stay while the table grows', () => {
    const ghosts = new Ghosts(new FrequencySketch(), 0)
    ghosts.remember(7, 1, 15, true, 10)
    ghosts.remember(8, 2, 4, false, 1_000)
    ghosts.age(2)
    expect([ghosts.take(7), ghosts.frequency, ghosts.met]).toEqual([true, 3, true])
    expect([ghosts.take(8), ghosts.frequency, ghosts.met]).toEqual([true, 1, false])
  })

  /** Ghosts of two entries: eight places, one set. */
  function ofOneSet(salt = 0): { ghosts: Ghosts; sketch: FrequencySketch } {
    const sketch = new FrequencySketch()
    return { ghosts: new Ghosts(sketch, salt), sketch }
  }

  test.each([1, 2 ** 31 - 4, 2 ** 32 - 4, 2 ** 40])(
    'give the place of the one not used for longest away, from event %d on',
    (first) => {
      const { ghosts } = ofOneSet()
      const order = [3, 1, 7, 0, 5, 2, 6, 4]
      for (const n of order) ghosts.remember(100 + n, first + n, 1, false, 2)
      ghosts.remember(200, first + 8, 1, false, 2)
      ghosts.remember(201, first + 9, 1, false, 2)
      const known = [...order.map((n) => 100 + n), 200, 201].filter((hash) => ghosts.take(hash))
      expect(known.sort()).toEqual([102, 103, 104, 105, 106, 107, 200, 201])
    },
  )

  test('know of a key that was given up again the last time only', () => {
    const { ghosts, sketch } = ofOneSet()
    ghosts.remember(5, 10, 9, true, 2)
    for (let n = 0; n < 6; n++) ghosts.remember(100 + n, 20 + n, 1, false, 2)
    ghosts.remember(5, 30, 2, false, 2)
    expect(sketch.estimate(5)).toBe(0)
    expect([ghosts.take(5), ghosts.lastUse(40), ghosts.frequency, ghosts.met]).toEqual([true, 30, 2, false])
    expect(ghosts.take(5)).toBe(false)
    for (let n = 0; n < 6; n++) expect(ghosts.take(100 + n)).toBe(true)
    expect(new Ghosts(sketch, 0).met).toBe(false)
  })

  test('leave the frequency of who is displaced to the sketch, under the salt, from two on; not of who was taken', () => {
    const { ghosts, sketch } = ofOneSet(0x1234)
    for (let n = 0; n < 8; n++) ghosts.remember(avalanche(n), n + 1, 2, true, 2)
    expect(ghosts.take(avalanche(1))).toBe(true)
    for (let n = 8; n < 16; n++) ghosts.remember(avalanche(n), n + 1, 1, false, 2)
    for (let n = 16; n < 24; n++) ghosts.remember(avalanche(n), n + 1, 1, false, 2)
    const left = Array.from({ length: 24 }, (_, n) => sketch.estimate(avalanche(n) ^ 0x1234))
    expect(left).toEqual(Array.from({ length: 24 }, (_, n) => (n < 8 && n !== 1 ? 2 : 0)))
  })

  test('are in a table for the first entries, then for a quarter more than there are; the smaller one stays for as many as it holds', () => {
    const { ghosts } = ofOneSet()
    const places = () => 8 * (Reflect.get(ghosts, 'table') as { sets: number }).sets
    ghosts.remember(1, 1, 3, false, 2)
    expect(places()).toBe(8)
    ghosts.remember(2, 2, 3, false, 100)
    expect(places()).toBe(504)
    ghosts.remember(3, 3, 3, false, 125)
    expect(places()).toBe(504)
    for (let n = 0; n < 6; n++) ghosts.remember(10 + n, 10 + n, 1, false, 125)
    const { ghosts: other } = ofOneSet()
    other.remember(1, 1, 3, false, 2)
    for (let n = 0; n < 9; n++) other.remember(10 + n, 10 + n, 1, false, 100)
    expect(ghosts.take(1)).toBe(true)
    expect(other.take(1)).toBe(false)
    ghosts.remember(4, 4, 3, false, 126)
    expect(places()).toBe(632)
  })
})
