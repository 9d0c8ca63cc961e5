import assert from 'node:assert/strict'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RecordedRun } from '../support/recorded-run.ts'

const RUNS = process.env.MUNINN_NIGHT === '1' ? 20 : 1
/** Entries that an attacker stores. */
const HOSTILE = 100_000

/** The n-th of many long keys that differ only between the characters that `hashKey` reads: all have one hash. */
function hostileKey(n: number): string {
  const hidden = String.fromCharCode(0x4e00 + (n & 0xfff), 0x4e00 + (n >> 12))
  return `${'h'.repeat(9)}${hidden}${'t'.repeat(53)}`
}

/** What the index is made of, for counting: by bucket, the handle + 1 that its chain begins with. */
interface Inside {
  readonly heads: Int32Array
  readonly secret: number
}

/** How many entries stand before each in its chain: what a look-up passes. */
function depths(run: RecordedRun): number[] {
  const { heads } = run.cache().index as unknown as Inside
  const { chain } = run.state.columns
  const found: number[] = []
  for (const head of heads) {
    for (let held = head, depth = 0; held !== 0; held = chain[held - 1] as number) found.push(depth++)
  }
  return found
}

type Step = { readonly do: 'store' | 'remove' | 'find'; readonly key: string } | { readonly do: 'clear' }

function stepsOver(key: fc.Arbitrary<string>, maxLength: number): fc.Arbitrary<Step[]> {
  const step = fc.oneof(
    {
      weight: 60,
      arbitrary: fc.record({
        do: fc.constantFrom('store' as const, 'store' as const, 'remove' as const, 'find' as const),
        key,
      }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('clear' as const) }) },
  )
  return fc.array(step, { maxLength, size: 'max' })
}

/** Runs the steps on an index and a `Map`, and compares what they find, in the end for every key there was. */
function compareWithMap(steps: readonly Step[], run: RecordedRun): void {
  const map = new Map<string, number>()
  const met = new Set<string>()
  for (const step of steps) {
    if (step.do === 'clear') {
      for (const key of map.keys()) run.remove(key)
      map.clear()
      continue
    }
    met.add(step.key)
    assert.equal(run.handleOf(step.key), map.get(step.key) ?? -1)
    if (step.do === 'store' && !map.has(step.key)) {
      run.store(step.key)
      map.set(step.key, run.handleOf(step.key))
    } else if (step.do === 'remove' && map.has(step.key)) {
      run.remove(step.key)
      map.delete(step.key)
    }
    assert.equal(run.cache().index.count, map.size)
  }
  for (const key of met) assert.equal(run.handleOf(key), map.get(key) ?? -1, key)
  for (const [key, h] of map) assert.equal(run.keyOf(h), key)
  const { index } = run.cache()
  expect(index.handles().sort((a, b) => a - b)).toEqual([...map.values()].sort((a, b) => a - b))
}

describe('the key index', () => {
  it('finds what a Map finds, while it grows and shrinks', () => {
    const key = fc.nat(2_000).map((n) => `key ${n}`)
    fc.assert(
      fc.property(stepsOver(key, 1_500), (steps) => compareWithMap(steps, new RecordedRun('lru'))),
      { seed: 1, numRuns: 40 * RUNS },
    )
  })

  it('finds what a Map finds among keys of one hash, hardened or not', () => {
    const key = fc.oneof(fc.nat(400).map(hostileKey), fc.nat(50).map(String))
    fc.assert(
      fc.property(stepsOver(key, 700), (steps) => compareWithMap(steps, new RecordedRun('lru'))),
      { seed: 1, numRuns: 30 * RUNS },
    )
  })

  it('hardens once when keys collide on purpose, and then looks no further than by chance', () => {
    const run = new RecordedRun('lru')
    const { index } = run.cache()
    const hash = run.state.hasher.hash(hostileKey(0))
    const secrets = new Set<number>()
    for (let n = 0; n < HOSTILE; n++) {
      const key = hostileKey(n)
      if (n % 1_000 === 0) expect(run.state.hasher.hash(key)).toBe(hash)
      expect(run.handleOf(key)).toBe(-1)
      run.store(key)
      secrets.add((index as unknown as Inside).secret)
    }
    expect([...secrets]).toEqual([0, expect.any(Number)])
    expect(index.handles()).toHaveLength(HOSTILE)
    const passed = depths(run)
    expect(passed).toHaveLength(HOSTILE)
    // At load ½ a hit passes a quarter of an entry on average (Knuth, TAOCP 3, 6.4).
    expect(passed.reduce((sum, depth) => sum + depth, 0) / HOSTILE).toBeLessThan(0.3)
    expect(Math.max(...passed)).toBeLessThan(12)
    for (let n = 0; n < HOSTILE; n += 97) expect(run.keyOf(run.handleOf(hostileKey(n)))).toBe(hostileKey(n))
    expect(run.handleOf(hostileKey(HOSTILE))).toBe(-1)
  })

  it('does not harden for keys that nobody chose, and compares one key a look-up', () => {
    const run = new RecordedRun('lru')
    const { index } = run.cache()
    const keys = Array.from({ length: 50_000 }, (_, n) => `user:${n * 7919}`)
    for (const key of keys) run.store(key)
    expect((index as unknown as Inside).secret).toBe(0)
    let compared = 0
    const counting = new Proxy(run.state.columns.keys, {
      get: (target, name, receiver) => {
        compared++
        return Reflect.get(target, name, receiver)
      },
    })
    Reflect.set(run.state.columns, 'keys', counting)
    for (const key of keys) run.handleOf(key)
    expect(compared).toBeLessThan(keys.length * 1.01)
  })
})
