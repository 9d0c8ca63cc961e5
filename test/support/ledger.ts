import assert from 'node:assert/strict'
import type { MemoryManager } from '../../src/command/memory-manager.ts'
import type { MuninnEvent } from '../../src/event/catalogue.ts'

/** The books of a run, kept from its events alone: who came, who left, and that nobody did so twice. */
export class Ledger {
  /** Sizes of what is there, by cache and key. */
  readonly present = new Map<string, Map<string, number>>()
  entriesIn = 0
  entriesOut = 0
  bytesIn = 0
  bytesOut = 0
  /** `started` is the first. */
  private seq = 1
  private at: number

  constructor(startedAt: number) {
    this.at = startedAt
  }

  enter(event: MuninnEvent): void {
    assert.equal(event.seq, this.seq + 1, `seq has no holes (${event.type})`)
    assert.ok(event.at >= this.at, `at never decreases: ${event.type} at ${event.at} after ${this.at}`)
    this.seq = event.seq
    this.at = event.at
    switch (event.type) {
      case 'added':
        return this.come(event.cache, event.key, event.size, null)
      case 'updated':
        return this.come(event.cache, event.key, event.size, event.previousSize)
      case 'evicted':
      case 'expired':
      case 'removed':
        return this.leave(event.cache, event.key, event.size)
      case 'remeasured':
        for (const { cache, key, size, previousSize } of event.entries) this.come(cache, key, size, previousSize)
        return
      case 'cleared':
        return this.clear(event.cache, event.count, event.bytes)
      case 'configured':
        for (const [name, settings] of Object.entries(event.to.caches ?? {})) {
          if (settings === null)
            assert.equal(this.entriesOf(name).size, 0, `nothing is left in ${name} when it is dropped`)
        }
    }
  }

  /** Asserts that what came is what left and what is there, in entries and bytes, and that the manager agrees. */
  balance(memory: MemoryManager): void {
    let items = 0
    let bytes = 0
    for (const [name, entries] of this.present) {
      const ofCache = [...entries.values()].reduce((sum, size) => sum + size, 0)
      items += entries.size
      bytes += ofCache
      if (!memory.cacheNames().includes(name)) assert.equal(entries.size, 0, `${name}, which is no more, is empty`)
    }
    assert.equal(this.entriesIn - this.entriesOut, items, 'entries that came, less those that left, are there')
    assert.equal(this.bytesIn - this.bytesOut, bytes, 'bytes that came, less those that left, are there')
    const stats = memory.stats()
    assert.equal(stats.cacheItemCount, items, 'the manager counts as many items')
    assert.equal(stats.currentMemoryBytes, bytes, 'the manager counts as many bytes')
    assert.equal(stats.imbalances, 0, 'the manager sees its own books balance')
  }

  private entriesOf(cache: string): Map<string, number> {
    const entries = this.present.get(cache) ?? new Map<string, number>()
    this.present.set(cache, entries)
    return entries
  }

  private come(cache: string, key: string, size: number, previousSize: number | null): void {
    const entries = this.entriesOf(cache)
    if (previousSize === null) {
      assert.ok(!entries.has(key), `${key} is added, and was not there`)
      this.entriesIn++
    } else {
      assert.equal(
        entries.get(key),
        previousSize,
        `${key} is updated or sized again, and was there with its previous size`,
      )
      this.bytesOut += previousSize
    }
    entries.set(key, size)
    this.bytesIn += size
  }

  private leave(cache: string, key: string, size: number): void {
    const entries = this.entriesOf(cache)
    assert.equal(entries.get(key), size, `${key} leaves, and was there with its size`)
    entries.delete(key)
    this.entriesOut++
    this.bytesOut += size
  }

  private clear(cache: string, count: number, bytes: number): void {
    const entries = this.entriesOf(cache)
    assert.equal(count, entries.size, `${cache} is cleared of all its entries`)
    const before = this.bytesOut
    for (const [key, size] of [...entries]) this.leave(cache, key, size)
    assert.equal(bytes, this.bytesOut - before, `${cache} is cleared of all its bytes`)
  }
}
