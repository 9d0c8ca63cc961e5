import { describe, expect, it } from 'vitest'
import { estimateSize, type MemoryManager, type MemoryManagerOptions } from '../../src/muninn.ts'
import { assertFolds, stateOf } from '../support/fold-law.ts'
import { bed } from '../support/manager-bed.ts'

const row = (length: number) => ({
  texts: Array.from({ length }, (_, i) => Buffer.from(`text number ${i}`).toString()),
})

function observed(options: MemoryManagerOptions) {
  const made = bed(options)
  return { memory: made.memory, events: made.events, clock: made.clock, of: made.of.bind(made) as typeof made.of }
}

describe('values that were changed after they were stored', () => {
  it.each(['lru', 'size', 'hybrid', 'lfu', 'ttl'] as const)('are charged what they cost now, under %s', (policy) => {
    const { memory, of, events } = observed({ remeasure: 10, policy })
    const cache = memory.cache<ReturnType<typeof row>>('c')
    const value = row(1)
    cache.set('changed', value)
    cache.set('same', row(1))
    const before = memory.stats().currentMemoryBytes
    value.texts.push(...row(1000).texts)
    memory.check()
    const [event] = of('remeasured')
    expect(event).toMatchObject({ sampled: 2, bytesBefore: before, entries: [{ cache: 'c', key: 'changed' }] })
    const { currentMemoryBytes, sizeDrift, imbalances } = memory.stats()
    expect(currentMemoryBytes).toBeGreaterThan(before + 30_000)
    expect(currentMemoryBytes).toBe(event?.bytesAfter)
    expect(sizeDrift).toMatchObject({ sampled: 2, changed: 1, bytesBefore: before, bytesAfter: currentMemoryBytes })
    value.texts.length = 0
    memory.check()
    expect(memory.stats().currentMemoryBytes).toBeLessThan(before + 100)
    expect(imbalances + memory.stats().imbalances).toBe(0)
    assertFolds(memory, events)
  })

  it('change the order under size, what lies outside the heap, and what was added', () => {
    const { memory, of, events } = observed({ remeasure: 10, policy: 'size', maxItems: 3 })
    const cache = memory.cache<{ parts: unknown[] }>('c')
    const value = { parts: [] as unknown[] }
    cache.set('changed', value)
    cache.set('same', { parts: [Buffer.from('x'.repeat(300)).toString()] })
    const figures = () => {
      const { currentMemoryBytes, heapBytes } = memory.stats()
      return { offHeap: currentMemoryBytes - heapBytes, bytes: currentMemoryBytes }
    }
    const before = figures()
    expect(before.offHeap).toBe(0)
    value.parts.push(new ArrayBuffer(50_000))
    memory.check()
    const grown = figures()
    expect(grown.offHeap).toBe(50_000)
    value.parts.push(new ArrayBuffer(1_000))
    memory.check()
    memory.check()
    expect(figures().offHeap).toBe(51_000)
    expect(of('checked').map(({ caches }) => caches[0]?.bytesAdded)).toEqual([
      grown.bytes,
      figures().bytes - grown.bytes,
      0,
    ])
    assertFolds(memory, events)
    cache.set('another', { parts: [] })
    cache.set('last', { parts: [] })
    expect(of('evicted')).toMatchObject([{ key: 'changed' }])
    expect(figures().offHeap).toBe(0)
    assertFolds(memory, events)
  })

  it('are worth less for their bytes to hybrid, which learns that sizes differ', () => {
    const { memory, of, events } = observed({
      remeasure: 100,
      policy: 'hybrid',
      maxMemory: 60_000,
      evictionThreshold: 1,
    })
    const cache = memory.cache<ReturnType<typeof row>>('c')
    const values = Array.from({ length: 20 }, () => row(1))
    for (const [i, value] of values.entries()) cache.set(`key ${i}`, value)
    values[3]?.texts.push(...row(300).texts)
    memory.check()
    const change = new Set(of('remeasured').flatMap(({ entries }) => entries.map(({ key }) => key)))
    expect([...change]).toEqual(['key 3'])
    for (let i = 20; of('evicted').length === 0; i++) cache.set(`key ${i}`, row(1))
    expect(of('adapted')).toMatchObject([{ to: 'per-byte' }])
    expect(of('evicted')).toMatchObject([{ key: 'key 3' }])
    assertFolds(memory, events)
  })

  it('make room where they have grown beyond a limit', () => {
    const { memory, of, events } = observed({ remeasure: 100, maxMemory: 50_000, evictionThreshold: 1 })
    const cache = memory.cache<ReturnType<typeof row>>('c')
    const values = Array.from({ length: 20 }, () => row(1))
    for (const [i, value] of values.entries()) cache.set(`key ${i}`, value)
    for (const value of values) value.texts.push(...row(100).texts)
    memory.check()
    expect(memory.stats().currentMemoryBytes).toBeLessThanOrEqual(50_000)
    expect(of('evicted').length).toBeGreaterThan(0)
    expect(memory.stats().imbalances).toBe(0)
    assertFolds(memory, events)
  })

  it("make room for a cache's own limit, and for the heap's, where others became smaller by more", () => {
    const text = (length: number) => Buffer.from('x'.repeat(length)).toString()
    const { memory, of } = observed({
      remeasure: 100,
      maxMemory: 200_000,
      maxHeap: 20_000,
      evictionThreshold: 1,
      caches: { own: { maxMemory: 10_000 } },
    })
    const large = { part: new ArrayBuffer(100_000) as unknown }
    const small = { part: 'x' as unknown }
    memory.cache('c').set('large', large)
    memory.cache('own').set('small', small)
    small.part = text(12_000)
    large.part = 1
    memory.check()
    expect(of('evicted')).toMatchObject([{ key: 'small', cause: 'limit-lowered' }])
    large.part = new ArrayBuffer(100_000)
    memory.check()
    large.part = text(30_000)
    memory.check()
    expect(of('evicted').map(({ key }) => key)).toEqual(['small', 'large'])
    expect(memory.stats().imbalances).toBe(0)
  })

  it('are charged to heap and external memory anew where they cost as much as before', () => {
    const { memory, events, of } = observed({ remeasure: 1, policy: 'lru' })
    const value = { part: new ArrayBuffer(104) as unknown }
    memory.cache('c').set('k', value)
    const { currentMemoryBytes, heapBytes } = memory.stats()
    // 88 bytes of an ArrayBuffer and 104 behind it, or 96 and 96, are those of a text of so many characters.
    value.part = Buffer.from(
      'x'.repeat(currentMemoryBytes - heapBytes + estimateSize(new ArrayBuffer(0)) - 8 - 16),
    ).toString()
    memory.check()
    expect(of('remeasured')).toMatchObject([{ bytesBefore: currentMemoryBytes, bytesAfter: currentMemoryBytes }])
    expect(memory.stats().heapBytes).toBe(currentMemoryBytes)
    assertFolds(memory, events)
  })

  it('have their turn in every cache, one after the other', () => {
    const sized = new Map<string, number>()
    const { memory } = bed({
      remeasure: 64,
      sizing: (_, key) => {
        sized.set(key, (sized.get(key) ?? 0) + 1)
        return 1
      },
    })
    for (let i = 0; i < 900; i++) memory.cache(i < 30 ? 'few' : 'many').set(`key ${i}`, i)
    sized.clear()
    for (let check = 0; check < 20; check++) memory.check()
    expect(sized.size).toBe(900)
    expect(Math.max(...sized.values())).toBeLessThanOrEqual(3)
  })

  it('take no longer than a few ms a check where they are large', () => {
    const { memory, of } = observed({ remeasure: 100 })
    const record = Object.fromEntries(Array.from({ length: 30_000 }, (_, i) => [`field ${i}`, i]))
    const rows = Array.from({ length: 10_000 }, (_, i) => ({ i }))
    for (let i = 0; i < 50; i++) memory.cache('c').set(`record ${i}`, record)
    for (let i = 0; i < 50; i++) memory.cache('d').set(`rows ${i}`, rows)
    for (let check = 0; check < 4; check++) memory.check()
    for (const { sampled } of of('remeasured')) expect(sampled).toBeLessThan(25)
  })

  it.each<[string, (memory: MemoryManager) => void, number]>([
    ['delete what is being sized', (memory) => memory.cache('c').delete('a'), 2],
    ['overwrite it', (memory) => memory.cache('c').set('a', {}, { size: 5 }), 2],
    [
      'empty the cache and fill it again',
      (memory) => {
        memory.cache('c').clear()
        memory.cache('d').set('x', {}, { size: 1 })
      },
      0,
    ],
    ['drop the cache', (memory) => memory.drop('c'), 0],
    ['read it', (memory) => memory.cache('c').get('a'), 3],
    ['close the manager', (memory) => void memory.close(), 0],
  ])('by a size function that may %s', (_, call, told) => {
    let meddles = false
    const made: ReturnType<typeof observed> = observed({
      remeasure: 10,
      sizing: () => {
        if (!meddles) return 1
        meddles = false
        made.clock.time += 5
        call(made.memory)
        return 3
      },
    })
    const { memory, of, events } = made
    for (const key of ['a', 'b', 'c']) memory.cache('c').set(key, { key })
    meddles = true
    memory.check()
    expect(of('remeasured').map(({ sampled }) => sampled)).toEqual(told === 0 ? [] : [told])
    expect(events.map(({ at }) => at)).toEqual(events.map(({ at }) => at).sort((a, b) => a - b))
    expect(memory.stats().imbalances).toBe(0)
    assertFolds(memory, events)
  })

  it('are all found in a few checks', () => {
    const { memory } = bed({ remeasure: 20 })
    const cache = memory.cache<ReturnType<typeof row>>('c')
    const values = Array.from({ length: 100 }, () => row(1))
    for (const [i, value] of values.entries()) cache.set(`key ${i}`, value)
    const before = memory.stats().currentMemoryBytes
    for (const value of values) value.texts.push(...row(10).texts)
    for (let check = 0; check < 60; check++) memory.check()
    expect((memory.stats().currentMemoryBytes - before) / before).toBeGreaterThan(0.8)
  })

  it('keep what a call stated, and what a size function refuses to say', () => {
    let throws = false
    const { memory, of } = observed({
      remeasure: 10,
      sizing: () => {
        if (throws) throw new Error('not now')
        return 7
      },
    })
    const cache = memory.cache('c')
    cache.set('stated', {}, { size: 3 })
    cache.set('asked', {})
    throws = true
    memory.check()
    expect(of('remeasured')).toEqual([])
    expect([cache.bytes, memory.stats().observerErrors, memory.stats().sizeDrift]).toEqual([10, 1, null])
    throws = false
    cache.set('stated', {})
    memory.check()
    expect(of('remeasured')).toMatchObject([{ sampled: 2, entries: [] }])
  })

  it('say so in the log', () => {
    const { memory, logged } = bed({ remeasure: 1 })
    const value = row(1)
    memory.cache('c').set('k', value)
    value.texts.push(...row(9).texts)
    memory.check()
    expect(logged.map(({ message }) => message)).toContain(
      'values were changed after they were stored: 1 of 1 entries sized again',
    )
  })

  it('are looked for only where it is asked for', () => {
    const { memory, of } = observed({})
    memory.cache('c').set('k', 1)
    memory.check()
    expect(of('remeasured')).toEqual([])
    for (const remeasure of [-1, 1.5, 1001, '5' as never]) expect(() => bed({ remeasure })).toThrow('remeasure')
  })
})

describe('clones', () => {
  it('are stored, so that the writer changes nothing', () => {
    const { memory } = bed({ clone: true })
    const cache = memory.cache<{ list: number[] }>('c')
    const value = { list: [1] }
    cache.set('k', value)
    value.list.push(2)
    expect(cache.get('k')).toEqual({ list: [1] })
    expect(cache.get('k')).toBe(cache.get('k'))
  })

  it.each([
    ['a function', () => () => 1],
    ['a proxy', () => new Proxy({}, {})],
    ['a symbol within', () => ({ of: Symbol('s') })],
    [
      'a getter that throws',
      () => ({
        get bad() {
          throw new Error('no')
        },
      }),
    ],
  ])('of %s there are none: refused, and nothing has changed', (_, make) => {
    const { memory, events } = bed({ clone: true })
    const cache = memory.cache('c')
    cache.set('k', 'before')
    const { seq } = stateOf(memory)
    expect(() => cache.set('k', make())).toThrow(expect.objectContaining({ code: 'ERR_MUNINN_VALUE' }))
    expect([cache.get('k'), stateOf(memory).seq - seq]).toEqual(['before', 1])
    assertFolds(memory, events)
  })

  it('are made only where it is asked for', () => {
    const { memory } = bed({})
    const value = {}
    memory.cache('c').set('k', value)
    expect(memory.cache('c').get('k')).toBe(value)
    expect(() => bed({ clone: 1 as never })).toThrow('clone')
  })
})
