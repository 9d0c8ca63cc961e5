import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { type Bed, bed, tightBed } from '../support/manager-bed.ts'

const numbers = (made: Bed): number[] => made.events.map(({ seq }) => seq)

/** 2, 3, 4 …: `started`, which nobody hears, is 1. */
const inOrder = (made: Bed): number[] => made.events.map((_, i) => i + 2)

describe('a call from inside a subscriber', () => {
  test('runs at once; its events are told after the present one, to everybody in the order of seq', () => {
    const test = bed()
    const cache = test.memory.cache('c')
    const late: string[] = []
    test.memory.on('added', ({ key }) => {
      if (key !== 'a') return
      expect(cache.set('b', 1)).toBe(true)
      expect([cache.get('b'), cache.get('x')]).toEqual([1, undefined])
      expect(cache.delete('a')).toBe(true)
    })
    test.memory.events$.subscribe(({ type, ...event }) => late.push('key' in event ? `${type} ${event.key}` : type))
    test.forget()
    cache.set('a', 1)
    expect(late).toEqual(['added a', 'added b', 'accessed b', 'missed x', 'removed a'])
    expect(test.types).toEqual(late.map((line) => line.split(' ')[0]))
    const seqs = numbers(test)
    expect(seqs).toEqual([...seqs].sort((a, b) => a - b))
  })

  test('of a hit does not change what the hit returns', () => {
    const { memory } = bed()
    const cache = memory.cache<string>('c')
    cache.set('a', 'value of a')
    memory.on('accessed', ({ key }) => {
      if (key !== 'a') return
      cache.delete('a')
      cache.set('b', 'value of b')
    })
    expect(cache.get('a')).toBe('value of a')
    expect([...cache.entries()]).toEqual([['b', 'value of b']])
  })

  test('of a hit does not make getOrInsert or getOrLoad return what is not theirs', async () => {
    const { memory } = bed()
    const cache = memory.cache<string>('c')
    memory.on('accessed', () => cache.delete('a'))
    cache.set('a', 'held')
    expect(cache.getOrInsert('a', () => 'made')).toBe('held')
    cache.set('a', 'held')
    expect(await cache.getOrLoad('a', () => 'loaded')).toBe('held')
  })

  test('may change limits, policy and caches', () => {
    const test = bed({ maxItems: 100 })
    const cache = test.memory.cache('c')
    test.memory.on('added', ({ key }) => {
      if (key === 'k5') test.memory.setLimits({ maxItems: 3 })
      if (key === 'k6') test.memory.setPolicy('lfu')
      if (key === 'k7') test.memory.cache('d', { ttl: 5 }).set('x', 1)
      if (key === 'k8') test.memory.evict({ target: 0 })
    })
    for (let i = 0; i < 10; i++) expect(cache.set(`k${i}`, i)).toBe(true)
    test.memory.check()
    expect(test.keys()).toEqual(['k9'])
    expect(test.memory.stats()).toMatchObject({ imbalances: 0, observerErrors: 0, evictionPolicy: 'lfu' })
    expect(numbers(test)).toEqual(inOrder(test))
  })

  test('may drop a cache, also the one that is being made', () => {
    const test = bed()
    test.memory.on('configured', ({ reason }) => {
      if (reason === 'cache-created') test.memory.drop('c')
    })
    const cache = test.memory.cache('c')
    expect(cache.set('k', 1)).toBe(false)
    test.memory.check()
    expect(test.memory.cacheNames()).toEqual([])
    expect(test.memory.stats().imbalances).toBe(0)
  })

  test('may store into a cache while it is being dropped, and the books balance', () => {
    const test = bed()
    const cache = test.memory.cache('c')
    cache.set('before', 1)
    test.memory.on('cleared', () => cache.set('during', 1))
    expect(test.memory.drop('c')).toBe(true)
    test.memory.check()
    expect(test.memory.stats()).toMatchObject({ cacheItemCount: 0, currentMemoryBytes: 0, imbalances: 0 })
  })

  test('may use a cache when it hears that it was dropped: a new one, which stays', () => {
    const test = bed()
    test.memory.cache('c').set('before', 1)
    test.memory.on('configured', ({ reason }) => {
      if (reason === 'cache-dropped') test.memory.cache('c').set('after', 1)
    })
    expect(test.memory.drop('c')).toBe(true)
    expect(test.keys()).toEqual(['after'])
    test.memory.check()
    expect(test.memory.stats()).toMatchObject({ cacheItemCount: 1, imbalances: 0 })
  })

  test('may put back what is evicted without keeping evict() from ending', () => {
    const test = tightBed(1_000_000)
    const cache = test.memory.cache('c')
    for (let i = 0; i < 300; i++) cache.set(`k${i}`, i, { size: 10 })
    let putBack = 0
    test.memory.on('evicted', ({ key }) => {
      if (++putBack <= 50_000) cache.set(key, 1, { size: 10 })
    })
    test.memory.evict({ target: 0 })
    expect(putBack).toBeLessThan(10_000)
  })
})

describe('close() from inside a subscriber', () => {
  test('tells nobody anything twice, and `stopped` last', async () => {
    const test = bed()
    const cache = test.memory.cache('c')
    let closed: Promise<void> | undefined
    test.memory.on('added', () => {
      closed = test.memory.close()
    })
    const later: number[] = []
    test.memory.events$.subscribe(({ seq }) => later.push(seq))
    cache.set('a', 1)
    await closed
    expect(numbers(test)).toEqual(inOrder(test))
    expect(test.types).toEqual(['configured', 'added', 'checked', 'stopped'])
    expect(later).toEqual(numbers(test).slice(1))
  })

  test('in the middle of evict() ends it', async () => {
    const test = tightBed(10_000)
    for (let i = 0; i < 1_000; i++) test.memory.cache('c').set(`k${i}`, i, { size: 1 })
    test.memory.on('evicted', () => void test.memory.close())
    expect(test.memory.evict({ target: 0 }).count).toBeLessThan(1_000)
    await test.memory.close()
    expect(test.types.at(-1)).toBe('stopped')
    expect(new Set(numbers(test)).size).toBe(test.events.length)
  })

  test('while a cache is being made leaves one that stores nothing', async () => {
    const { memory } = bed()
    memory.on('configured', () => void memory.close())
    const cache = memory.cache('c')
    await memory.close()
    expect(cache.set('k', 1)).toBe(false)
    expect(cache.get('k')).toBeUndefined()
  })

  test('is the end: what subscribers of `stopped` and of completion do stores nothing and is told nobody', async () => {
    const test = bed()
    const cache = test.memory.cache('c')
    const stored: boolean[] = []
    test.memory.on('stopped', () => stored.push(cache.set('at the end', 1)))
    test.memory.events$.subscribe({ complete: () => stored.push(cache.set('after the end', 1)) })
    await test.memory.close()
    expect(test.types.at(-1)).toBe('stopped')
    expect(stored).toEqual([false, false])
  })
})

describe('in the middle of a delivery', () => {
  test('who unsubscribes is told nothing more, also not of the present event', () => {
    const { memory } = bed()
    const told: string[] = []
    const stops: (() => void)[] = []
    const subscriptions: { unsubscribe(): void }[] = []
    memory.on('added', ({ key }) => {
      told.push(`first ${key}`)
      for (const stop of stops) stop()
      for (const subscription of subscriptions) subscription.unsubscribe()
    })
    stops.push(memory.on('added', () => told.push('second')))
    subscriptions.push(memory.events$.subscribe(() => told.push('third')))
    subscriptions.push(memory.events$.pipe().subscribe(() => told.push('fourth')))
    memory.on('added', ({ key }) => told.push(`last ${key}`))
    told.length = 0
    memory.select('added').subscribe()
    memory.cache('c')
    told.length = 0
    memory.cache('c').set('a', 1)
    memory.cache('c').set('b', 1)
    expect(told).toEqual(['first a', 'last a', 'first b', 'last b'])
  })

  test('who subscribes is told from the next event on', () => {
    const { memory } = bed()
    const told: string[] = []
    memory.on('added', ({ key: first }) => {
      if (first === 'a') memory.on('added', ({ key }) => told.push(key))
    })
    memory.cache('c').set('a', 1)
    memory.cache('c').set('b', 1)
    expect(told).toEqual(['b'])
  })
})

describe('a subscriber that answers each event with a call', () => {
  test('gets 10,000 deliveries in one go and the rest later, in order, and it is logged once', async () => {
    const test = bed()
    const cache = test.memory.cache('c')
    cache.set('k', 0)
    test.forget()
    let calls = 0
    test.memory.on('accessed', () => {
      if (++calls < 25_000) cache.get('k')
    })
    cache.get('k')
    expect(calls).toBe(10_000)
    for (let i = 0; i < 5; i++) await turn()
    expect(calls).toBe(25_000)
    const seqs = numbers(test)
    expect(seqs).toHaveLength(25_000)
    expect(seqs.every((seq, i) => i === 0 || seq === (seqs[i - 1] as number) + 1)).toBe(true)
    expect(test.logged.filter(({ message }) => message.includes('10000'))).toHaveLength(1)
  })

  test('leaves nothing untold when the manager closes', async () => {
    const test = bed()
    const cache = test.memory.cache('c')
    test.memory.on('added', () => {
      for (let i = 0; i < 15_000; i++) cache.get('k')
    })
    cache.set('k', 0)
    expect(test.of('accessed')).toHaveLength(9_999)
    await test.memory.close()
    expect(test.of('accessed')).toHaveLength(15_000)
    expect(numbers(test)).toEqual(inOrder(test))
    expect(test.types.at(-1)).toBe('stopped')
  })
})
