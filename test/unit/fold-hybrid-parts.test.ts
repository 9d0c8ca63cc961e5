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
})
