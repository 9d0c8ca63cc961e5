import { describe, expect, test } from 'vitest'
import { Columns, NONE } from '../../src/fold/columns.ts'
import { KeyHasher } from '../../src/fold/hash.ts'
import { KeyIndex } from '../../src/fold/key-index.ts'

/** What the index is made of, for counting. */
interface Inside {
  readonly heads: Int32Array
  readonly old: Int32Array | null
  readonly secret: number
}

const inside = (index: KeyIndex) => index as unknown as Inside

/** An index over keys that are numbered. */
class Indexed {
  readonly columns = new Columns(64)
  readonly hasher = new KeyHasher(5)
  readonly index: KeyIndex

  constructor(expectedItems = 0) {
    this.index = new KeyIndex(this.columns, expectedItems)
  }

  add(key: string): number {
    const h = this.columns.take()
    this.columns.keys[h] = key
    this.columns.hash[h] = this.hasher.hash(key)
    this.index.insert(h)
    return h
  }

  fill(entries: number): this {
    for (let n = 0; n < entries; n++) this.add(`k${n}`)
    return this
  }

  find(key: string): number {
    return this.index.find(key, this.hasher.hash(key))
  }
}

/** The n-th of many long keys that differ where no hash looks. */
const hostileKey = (n: number): string => `${'h'.repeat(9)}${String.fromCharCode(0x4e00 + n)}${'t'.repeat(53)}`

describe('the table', () => {
  test.each([
    [0, 64],
    [32, 64],
    [33, 128],
    [1_000, 2_048],
    [4_096, 8_192],
    [4_097, 8_192],
    [1e9, 8_192],
  ])('for %d expected entries begins with %i buckets', (expected, buckets) => {
    expect(inside(new Indexed(expected).index).heads).toHaveLength(buckets)
  })

  test('is twice as large once it is half full, and no sooner', () => {
    const indexed = new Indexed().fill(32)
    expect(inside(indexed.index).heads).toHaveLength(64)
    indexed.fill(1)
    expect(inside(indexed.index).heads).toHaveLength(128)
  })

  test('grows in portions: each insertion moves sixteen buckets, until the old one is gone', () => {
    const indexed = new Indexed().fill(2_048)
    expect(inside(indexed.index).old).toBeNull()
    indexed.add('one more')
    const old = inside(indexed.index).old as Int32Array
    expect(old).toHaveLength(4_096)
    for (let n = 1; n < 4_096 / 16; n++) {
      indexed.add(`more ${n}`)
      expect(inside(indexed.index).old, `${n}`).not.toBeNull()
    }
    // Nothing is lost in between, and what is added or removed goes where it belongs.
    for (let n = 0; n < 2_048; n++) if (indexed.find(`k${n}`) !== n) expect.fail(`k${n} is not found`)
    indexed.add('the last')
    expect(inside(indexed.index).old).toBeNull()
    for (let n = 0; n < 2_048; n++) if (indexed.find(`k${n}`) !== n) expect.fail(`k${n} is not found`)
  })
})

describe('some handles', () => {
  test('are all, where there are no more than asked for', () => {
    const indexed = new Indexed().fill(100)
    const all = Array.from({ length: 100 }, (_, h) => h)
    for (const most of [100, 101, 1e6]) expect(indexed.index.some(most).sort((a, b) => a - b)).toEqual(all)
    expect(new Indexed().index.some(5)).toEqual([])
  })

  test('are as many as asked for, each once, evenly of those that came early and late, also while the table grows', () => {
    for (const entries of [1_000, 2_049, 5_000]) {
      const indexed = new Indexed().fill(entries)
      for (const passed of [0, 100]) {
        const some = indexed.index.some(400, passed)
        expect(new Set(some).size).toBe(400)
        const early = some.filter((h) => h < entries / 2).length
        expect(Math.abs(early - 200)).toBeLessThan(60)
      }
    }
  })

  test('are others after other buckets have been passed', () => {
    const indexed = new Indexed().fill(2_000)
    const [first, second] = [0, 500].map((passed) => new Set(indexed.index.some(100, passed)))
    expect([...(first as Set<number>)].filter((h) => second?.has(h)).length).toBeLessThan(10)
  })
})

describe('keys that collide on purpose', () => {
  test('are found under a secret hash, once a look-up has passed 24 of them, and so is whatever else is there', () => {
    const indexed = new Indexed().fill(500)
    for (let n = 0; n < 25; n++) {
      indexed.find(hostileKey(n))
      indexed.add(hostileKey(n))
    }
    expect(inside(indexed.index).secret).toBe(0)
    // The next look-up passes all 25, and the insertion after it goes over to the secret one.
    expect(indexed.find(hostileKey(25))).toBe(NONE)
    indexed.add(hostileKey(25))
    const { secret } = inside(indexed.index)
    expect(secret).not.toBe(0)
    for (let n = 0; n < 500; n++) expect(indexed.find(`k${n}`)).toBe(n)
    for (let n = 0; n < 26; n++) expect(indexed.find(hostileKey(n))).toBe(500 + n)
    indexed.index.remove(500)
    expect([indexed.find(hostileKey(0)), indexed.find(hostileKey(1))]).toEqual([NONE, 501])
    expect(inside(indexed.index).secret).toBe(secret)
  })

  test('are found also where the table grows just then', () => {
    const indexed = new Indexed().fill(2_048 - 25)
    for (let n = 0; n < 25; n++) indexed.add(hostileKey(n))
    indexed.find(hostileKey(25))
    indexed.add(hostileKey(25))
    expect(inside(indexed.index).secret).not.toBe(0)
    expect(inside(indexed.index).old).toBeNull()
    for (let n = 0; n < 26; n++) expect(indexed.find(hostileKey(n))).toBe(2_048 - 25 + n)
    for (let n = 0; n < 2_048 - 25; n++) if (indexed.find(`k${n}`) !== n) expect.fail(`k${n} is not found`)
  })
})
