import { describe, expect, it } from 'vitest'
import { avalanche } from '../../src/fold/hash.ts'
import { FrequencySketch, MOST_FREQUENT } from '../../src/fold/policies/hybrid/frequency-sketch.ts'

const hashes = Array.from({ length: 2_000 }, (_, n) => avalanche(n + 1))

/** A sketch for so many keys, that has counted the n-th key up to n % 16. */
function raisedSketch(keys: readonly number[], capacity: number): FrequencySketch {
  const sketch = new FrequencySketch()
  sketch.ensureCapacity(capacity)
  for (const [n, hash] of keys.entries()) sketch.raise(hash, n % 16)
  return sketch
}

describe('the frequency sketch', () => {
  it('has counted nothing at first', () => {
    const sketch = new FrequencySketch()
    for (const hash of hashes) expect(sketch.estimate(hash)).toBe(0)
  })

  it('never says less than what a key was raised to, however full it is', () => {
    for (const capacity of [0, 500, 2_000, 10_000]) {
      const sketch = raisedSketch(hashes, capacity)
      for (const [n, hash] of hashes.entries()) {
        expect(sketch.estimate(hash)).toBeGreaterThanOrEqual(n % 16)
        expect(sketch.estimate(hash)).toBeLessThanOrEqual(MOST_FREQUENT)
      }
    }
  })

  it('says exactly what a key was raised to while few collide', () => {
    const few = hashes.slice(0, 100)
    const sketch = raisedSketch(few, 10_000)
    expect(few.filter((hash, n) => sketch.estimate(hash) !== n % 16)).toEqual([])
    expect(hashes.slice(100).filter((hash) => sketch.estimate(hash) !== 0).length).toBeLessThan(20)
  })

  it('is raised, never lowered', () => {
    const sketch = new FrequencySketch()
    sketch.raise(7, 9)
    sketch.raise(7, 3)
    expect(sketch.estimate(7)).toBe(9)
    sketch.raise(7, MOST_FREQUENT)
    expect(sketch.estimate(7)).toBe(MOST_FREQUENT)
  })

  it('halves every count, rounding down, and no counter leaks into its neighbour', () => {
    for (const hash of hashes.slice(0, 200)) {
      const alone = new FrequencySketch()
      for (let count = 0; count <= MOST_FREQUENT; count++) {
        alone.raise(hash, count)
        expect(alone.estimate(hash)).toBe(count)
      }
      for (const halved of [7, 3, 1, 0]) {
        alone.halve()
        expect(alone.estimate(hash)).toBe(halved)
      }
    }
    const full = raisedSketch(hashes, 0)
    const before = hashes.map((hash) => full.estimate(hash))
    full.halve()
    expect(hashes.map((hash) => full.estimate(hash))).toEqual(before.map((count) => count >> 1))
  })

  it('keeps its estimates when it grows', () => {
    const sketch = raisedSketch(hashes, 64)
    const before = hashes.map((hash) => sketch.estimate(hash))
    for (const capacity of [65, 1_000, 1_000_000]) {
      sketch.ensureCapacity(capacity)
      expect(hashes.map((hash) => sketch.estimate(hash))).toEqual(before)
    }
    sketch.ensureCapacity(1)
    expect(hashes.map((hash) => sketch.estimate(hash))).toEqual(before)
  })

  it('has eight bytes for each key, and for 64 keys at least', () => {
    const wordsFor = (keys: number): number => {
      const sketch = new FrequencySketch()
      sketch.ensureCapacity(keys)
      return (Reflect.get(sketch, 'table') as Int32Array).length
    }
    expect([0, 64, 65, 128, 129, 1_000].map(wordsFor)).toEqual([128, 128, 256, 256, 512, 2_048])
  })

  it('says the least of what four counters say: few are wrong where one in five of each row is', () => {
    const sketch = raisedSketch(hashes, 1_024)
    expect(hashes.filter((hash, n) => sketch.estimate(hash) > n % 16).length).toBeLessThan(60)
  })

  it('confuses fewer keys the more room it has', () => {
    const wrong = [0, 1_000, 20_000].map((capacity) => {
      const sketch = raisedSketch(hashes, capacity)
      return hashes.filter((hash, n) => sketch.estimate(hash) > n % 16).length
    })
    expect(wrong[0]).toBeGreaterThan(1_000)
    expect(wrong[1]).toBeLessThan(wrong[0] as number)
    expect(wrong[2]).toBeLessThan(50)
  })
})
