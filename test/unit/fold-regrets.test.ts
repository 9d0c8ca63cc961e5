import { describe, expect, it } from 'vitest'
import { KeyHasher } from '../../src/fold/hash.ts'
import { Regrets } from '../../src/fold/regrets.ts'

/** Remembers evictions by key alone. */
class Memory {
  readonly hasher = new KeyHasher(5)
  private readonly regrets: Regrets

  constructor(expectedItems: number) {
    this.regrets = new Regrets(expectedItems)
  }

  evicted(key: string, seq: number): void {
    const hash = this.hasher.hash(key)
    this.regrets.remember(hash, this.hasher.checkOf(key), seq)
  }

  find(key: string): number {
    const hash = this.hasher.hash(key)
    return this.regrets.find(hash, this.hasher.checkOf(key))
  }

  /** Whether it is the first miss that regrets the eviction. */
  missed(key: string): boolean {
    return this.regretted(key, this.find(key))
  }

  regretted(key: string, seq: number): boolean {
    return this.regrets.regretted(this.hasher.hash(key), seq)
  }

  stored(key: string): void {
    const hash = this.hasher.hash(key)
    this.regrets.forget(hash, this.hasher.checkOf(key))
  }
}

describe('regrets', () => {
  it('know nothing of what was never evicted', () => {
    const memory = new Memory(10)
    expect(memory.find('a')).toBe(0)
    memory.evicted('a', 3)
    expect(memory.find('b')).toBe(0)
  })

  it('tell which eviction a miss regrets, and the first such miss from later ones', () => {
    const memory = new Memory(10)
    memory.evicted('a', 3)
    expect(memory.find('a')).toBe(3)
    expect(memory.missed('a')).toBe(true)
    expect(memory.find('a')).toBe(-3)
    expect(memory.missed('a')).toBe(false)
    expect(memory.find('a')).toBe(-3)
    memory.evicted('a', 7)
    expect([memory.missed('a'), memory.missed('a'), memory.find('a')]).toEqual([true, false, -7])
  })

  it('take a miss for the one of its own eviction, where others share its bucket', () => {
    const memory = new Memory(10)
    for (let n = 1; n <= 200; n++) memory.evicted(`k${n}`, n)
    for (let n = 1; n <= 200; n++) expect(memory.missed(`k${n}`), `k${n}`).toBe(true)
    for (let n = 1; n <= 200; n++) expect([memory.missed(`k${n}`), memory.find(`k${n}`)], `k${n}`).toEqual([false, -n])
  })

  it('are nothing where there was no eviction, or it is forgotten', () => {
    const memory = new Memory(10)
    memory.stored('a')
    expect([memory.find('a'), memory.regretted('a', 3)]).toEqual([0, false])
    memory.evicted('a', 3)
    expect(memory.regretted('a', 2)).toBe(false)
    for (let n = 4; n < 2_000; n++) memory.evicted(`k${n}`, n)
    expect([memory.find('a'), memory.regretted('a', 3)]).toEqual([0, false])
    // Two keys of different buckets, of which one's was regretted, do not touch each other.
    expect([memory.regretted('k1999', 1_999), memory.find('k1998')]).toEqual([true, 1_998])
  })

  it('remember the last eviction, until the key is stored again', () => {
    const memory = new Memory(10)
    memory.evicted('a', 3)
    memory.missed('a')
    memory.stored('a')
    expect(memory.find('a')).toBe(0)
    memory.evicted('a', 9)
    expect(memory.find('a')).toBe(9)
    memory.stored('b')
    expect(memory.find('a')).toBe(9)
  })

  it('remember the last quarter as many evictions as items are expected, each of them, and none before', () => {
    const memory = new Memory(8_000)
    for (let n = 1; n <= 5_000; n++) memory.evicted(`k${n}`, n)
    for (let n = 1; n <= 5_000; n++) expect(memory.find(`k${n}`)).toBe(n > 5_000 - 2_048 ? n : 0)
  })

  it('remember of a key that is evicted again the last time only', () => {
    const memory = new Memory(10)
    memory.evicted('a', 1)
    memory.evicted('a', 2)
    expect(memory.find('a')).toBe(2)
    memory.stored('a')
    expect(memory.find('a')).toBe(0)
    for (let n = 3; n <= 600; n++) memory.evicted(`k${n % 7}`, n)
    expect(Array.from({ length: 7 }, (_, n) => memory.find(`k${n}`)).sort((a, b) => a - b)).toEqual([
      594, 595, 596, 597, 598, 599, 600,
    ])
  })

  it('walk no long chains where keys are made to collide', () => {
    const memory = new Memory(1 << 17)
    const keys = Array.from({ length: 3_000 }, (_, n) => {
      return `${'h'.repeat(9)}${String(n).padStart(6, '0')}${'m'.repeat(400)}${'t'.repeat(60)}`
    })
    expect(new Set(keys.map((key) => memory.hasher.hash(key))).size).toBe(1)
    for (const [n, key] of keys.entries()) memory.evicted(key, n + 1)
    expect(keys.filter((key) => memory.find(key) !== 0).length).toBeLessThanOrEqual(12)
    for (let n = 0; n < 40_000; n++) memory.evicted(`k${n}`, 10_000 + n)
    expect(memory.find('k39999')).toBe(49_999)
  })

  it('never take one key for another', () => {
    const memory = new Memory(1 << 20)
    for (let n = 1; n <= 60_000; n++) memory.evicted(`k${n}`, n)
    for (let n = 1; n <= 60_000; n++) {
      const found = memory.find(`k${n}`)
      if (found !== 0 && found !== n) expect.fail(`k${n} was taken for that of ${found}`)
    }
    for (let n = 1; n <= 60_000; n++) if (memory.find(`absent${n}`) !== 0) expect.fail(`absent${n} was never evicted`)
  })

  it('tell keys apart that have one hash', () => {
    const [one, other] = [`${'h'.repeat(9)}1${'t'.repeat(60)}`, `${'h'.repeat(9)}2${'t'.repeat(60)}`]
    const memory = new Memory(10)
    expect(memory.hasher.hash(one)).toBe(memory.hasher.hash(other))
    memory.evicted(one, 3)
    expect(memory.find(one)).toBe(3)
    expect(memory.find(other)).toBe(0)
  })
})
