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

  missed(key: string): void {
    if (this.find(key) !== 0) this.regrets.regretted(this.hasher.hash(key))
  }

  stored(key: string): void {
    this.regrets.forget(this.hasher.hash(key))
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
    memory.missed('a')
    expect(memory.find('a')).toBe(-3)
    memory.missed('a')
    expect(memory.find('a')).toBe(-3)
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

  it('remember most of a tenth as many evictions as items are expected, and of more the newer', () => {
    const memory = new Memory(20_000)
    for (let n = 1; n <= 2_000; n++) memory.evicted(`k${n}`, n)
    const kept = Array.from({ length: 2_000 }, (_, n) => memory.find(`k${n + 1}`) === n + 1).filter(Boolean).length
    expect(kept).toBeGreaterThan(1_700)
    for (let n = 1; n <= 200_000; n++) memory.evicted(`other${n}`, n)
    const later = Array.from({ length: 2_000 }, (_, n) => memory.find(`k${n + 1}`)).filter((seq) => seq !== 0).length
    expect(later).toBeLessThan(5)
    expect(memory.find('other200000')).toBe(200_000)
  })

  it('never take one key for another', () => {
    const memory = new Memory(1 << 20)
    for (let n = 1; n <= 60_000; n++) memory.evicted(`k${n}`, n)
    for (let n = 1; n <= 60_000; n++) expect([0, n]).toContain(memory.find(`k${n}`))
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
