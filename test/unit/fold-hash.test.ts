import { describe, expect, test } from 'vitest'
import { avalanche, hashWholeKey, KeyHasher } from '../../src/fold/hash.ts'

/** Up to so many characters a key is hashed whole; of a longer one the first 8, the last 16 and 8 between. */
const WHOLE = 32

/** The key of so many characters with another one at a place. */
function changed(length: number, at: number): string {
  const key = 'k'.repeat(length)
  return `${key.slice(0, at)}x${key.slice(at + 1)}`
}

const placesOf = (length: number) => Array.from({ length }, (_, at) => at)
const bothOf = (hasher: KeyHasher, key: string) => [hasher.hash(key), hasher.checkOf(key)] as const

describe('the two hashes of a key', () => {
  test.each([1, 2, 7, 31, 32])('of %i characters tell every character, and how many there are', (length) => {
    const hasher = new KeyHasher(7)
    const keys = ['k'.repeat(length), 'k'.repeat(length - 1), ...placesOf(length).map((at) => changed(length, at))]
    const hashes = keys.map((key) => bothOf(hasher, key))
    expect(new Set(hashes.map(([first]) => first)).size).toBe(keys.length)
    expect(new Set(hashes.slice(2).map(([, second]) => second)).size).toBe(length)
  })

  test.each([33, 40, 100, 1_000])('of %i characters: the first reads 32 of them, the second all', (length) => {
    const hasher = new KeyHasher(7)
    const [first, second] = bothOf(hasher, 'k'.repeat(length))
    const told = placesOf(length).filter((at) => hasher.hash(changed(length, at)) !== first)
    expect(told.slice(0, 8)).toEqual(placesOf(8))
    expect(told.slice(-16)).toEqual(placesOf(length).slice(-16))
    // Spread between, evenly.
    const between = told.slice(8, -16)
    expect(between).toHaveLength(8)
    const ends = [...between, length - 16]
    for (const [i, at] of between.entries())
      expect((ends[i + 1] as number) - at).toBeLessThanOrEqual((length - 24) / 8 + 1)
    const seconds = placesOf(length).map((at) => bothOf(hasher, changed(length, at))[1])
    expect(new Set([second, ...seconds]).size).toBe(length + 1)
    expect(hasher.hash('k'.repeat(length + 1))).not.toBe(first)
  })

  test('follow the seed, and are the same again under the same', () => {
    for (const key of ['', 'k', 'key', 'k'.repeat(WHOLE), 'k'.repeat(WHOLE + 1), 'k'.repeat(200)]) {
      const hashes = [1, 2, 3].map((seed) => bothOf(new KeyHasher(seed), key))
      expect(new Set(hashes.map(([first]) => first)).size, key).toBe(3)
      if (key !== '') expect(new Set(hashes.map(([, second]) => second)).size, key).toBe(3)
      expect(bothOf(new KeyHasher(1), key)).toEqual(hashes[0])
    }
  })

  test('are integers of 32 bits, of which each bit is one as often as not, and none follows another', () => {
    const hasher = new KeyHasher(3)
    for (const long of ['', 'x'.repeat(60)]) {
      const hashes = Array.from({ length: 4_000 }, (_, n) => bothOf(hasher, `user:${n}${long}${n}`))
      const all = hashes.flat()
      expect(all.every((hash) => hash === (hash | 0))).toBe(true)
      for (let bit = 0; bit < 32; bit++) {
        const ones = hashes.filter(([first]) => ((first >>> bit) & 1) === 1).length
        expect(Math.abs(ones - 2_000), `bit ${bit}`).toBeLessThan(200)
        const alike = hashes.filter(([first, second]) => (((first ^ second) >>> bit) & 1) === 0).length
        if (long !== '' || bit < 20) expect(Math.abs(alike - 2_000), `bit ${bit}`).toBeLessThan(260)
      }
      expect(new Set(hashes.map(([first]) => first)).size).toBe(4_000)
      expect(new Set(hashes.map(([, second]) => second)).size).toBeGreaterThan(3_990)
    }
  })
})

test('the hash of a whole key is of every character, in its place, its length and the seed', () => {
  for (const length of [1, 2, 5, 64, 101]) {
    const hashes = [
      'k'.repeat(length),
      'k'.repeat(length + 1),
      ...placesOf(length).map((at) => changed(length, at)),
    ].map((key) => hashWholeKey(key, 9))
    expect(new Set(hashes).size).toBe(length + 2)
    expect(hashWholeKey('k'.repeat(length), 10)).not.toBe(hashes[0])
  }
})

test('numbers that follow each other are spread over all bits, none on another', () => {
  const spread = Array.from({ length: 10_000 }, (_, n) => avalanche(n))
  expect(new Set(spread).size).toBe(10_000)
  for (let bit = 0; bit < 32; bit++) {
    const ones = spread.filter((hash) => ((hash >>> bit) & 1) === 1).length
    expect(Math.abs(ones - 5_000)).toBeLessThan(250)
  }
})
