import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { type Actor, type EventOf, MemoryManager, OptionError } from '../../src/muninn.ts'
import { bed } from '../support/manager-bed.ts'

/** The microtask queue, by another way than a promise. */
const queued = () => new Promise<void>((resolve) => queueMicrotask(resolve))

describe('withActor', () => {
  test('names who does what the cache does inside, and returns what fn returns', () => {
    const test = bed()
    const result = test.memory.withActor({ actor: 'importer', traceId: 't-1' }, () => {
      const cache = test.memory.cache('c')
      cache.set('a', 1)
      cache.set('a', 2)
      cache.delete('a')
      cache.clear()
      test.memory.evict()
      test.memory.setLimits({ maxItems: 5 })
      test.memory.setPolicy('lfu')
      test.memory.resetStats()
      test.memory.drop('c')
      return 'done'
    })
    expect(result).toBe('done')
    const done = test.events.filter((event) => 'actor' in event)
    expect(done.map(({ type }) => type)).toEqual([
      'configured',
      'added',
      'updated',
      'removed',
      'cleared',
      'cycle-started',
      'configured',
      'configured',
      'stats-reset',
      'cleared',
      'configured',
    ])
    for (const event of done) expect(event, event.type).toMatchObject({ actor: 'importer', traceId: 't-1' })
    test.forget()
    test.memory.cache('c').set('a', 1)
    expect(test.of('added')).toMatchObject([{ actor: null, traceId: null }])
  })

  test('follows awaits, however they interleave', async () => {
    const test = bed()
    const cache = test.memory.cache('c')
    const work = async (name: string): Promise<void> => {
      for (let i = 0; i < 3; i++) {
        cache.set(`${name}${i}`, 1)
        await (i === 0 ? null : turn())
      }
    }
    await Promise.all([
      test.memory.withActor({ actor: 'first' }, () => work('first')),
      work('nobody'),
      test.memory.withActor({ actor: 'second', traceId: 't' }, () => work('second')),
    ])
    const stored = test.of('added')
    expect(stored.slice(0, 3).map(({ key }) => key)).toEqual(['first0', 'nobody0', 'second0'])
    expect(stored).toHaveLength(9)
    for (const { key, actor, traceId } of stored) {
      const name = key.slice(0, -1)
      expect([actor, traceId], key).toEqual(name === 'nobody' ? [null, null] : [name, name === 'second' ? 't' : null])
    }
  })

  test('nests, and ends where fn throws', () => {
    const test = bed()
    const cache = test.memory.cache('c')
    test.memory.withActor({ actor: 'outer', traceId: 't' }, () => {
      test.memory.withActor({ actor: 'inner' }, () => cache.set('a', 1))
      expect(() =>
        test.memory.withActor({ actor: 'failing' }, () => {
          throw new Error('fn')
        }),
      ).toThrow('fn')
      cache.set('b', 1)
    })
    expect(test.of('added').map(({ actor, traceId }) => [actor, traceId])).toEqual([
      ['inner', null],
      ['outer', 't'],
    ])
  })

  test('a thousand contexts at once, each with every kind of call and awaits between them, and nobody named for another', async () => {
    const test = bed({ maxItems: 400 })
    const cache = test.memory.cache<string>('c')
    const wait = (i: number) => (i % 3 === 0 ? turn() : i % 3 === 1 ? Promise.resolve() : queued())
    const work = async (name: string, i: number): Promise<void> => {
      cache.set(`${name}:set`, name)
      await wait(i)
      cache.set(`${name}:set`, name)
      await wait(i + 1)
      await cache.getOrLoad(`${name}:load`, async () => {
        await wait(i + 2)
        cache.set(`${name}:nested`, name)
        return name
      })
      await wait(i)
      cache.getOrInsert(`${name}:insert`, () => name)
      await Promise.all([wait(i), wait(i + 1)])
      cache.delete(`${name}:insert`)
      const own = test.memory.cache<string>(name)
      await wait(i + 2)
      own.clear()
      test.memory.evict({ cache: name })
      await wait(i)
      test.memory.setLimits({ caches: { [name]: { maxItems: i + 1 } } })
      await wait(i + 1)
      test.memory.drop(name)
    }
    const names = Array.from({ length: 1000 }, (_, i) => `actor${i}`)
    // Caches come and go: few of them are there at once, and their limit is a thousand.
    await Promise.all(
      names.map((name, i) =>
        i % 5 === 4 ? work(name, i) : test.memory.withActor({ actor: name, traceId: `t-${name}` }, () => work(name, i)),
      ),
    )
    const done = test.events.filter((event) => 'actor' in event)
    const seen = new Map<string, number>()
    for (const event of done) {
      const name =
        'key' in event
          ? event.key.split(':')[0]
          : event.type === 'configured'
            ? Object.keys(event.to.caches ?? {})[0]
            : 'cache' in event
              ? event.cache
              : null
      if (name === 'c' || name === null || name === undefined) continue
      const isNobody = Number(name.slice(5)) % 5 === 4
      expect([event.type, event.actor, event.traceId], name).toEqual([
        event.type,
        isNobody ? null : name,
        isNobody ? null : `t-${name}`,
      ])
      seen.set(event.type, (seen.get(event.type) ?? 0) + 1)
    }
    // Four stores, a cache made, limited and dropped, cleared twice, evicted from.
    for (const [type, least] of [
      ['added', 4000],
      ['configured', 3000],
      ['cleared', 2000],
      ['cycle-started', 1000],
    ] as const) {
      expect(seen.get(type), type).toBeGreaterThanOrEqual(least)
    }
    for (const { key, storedBy } of test.of('evicted')) {
      const name = key.split(':')[0] ?? ''
      expect(storedBy, key).toBe(Number(name.slice(5)) % 5 === 4 ? null : name)
    }
    expect(test.of('evicted').length).toBeGreaterThan(1000)
  })

  test.each(['expiry', 'idle slice'] as const)("what a timer brings is nobody's doing: %s", async (what) => {
    const memory = new MemoryManager({
      maxMemory: 1_000_000,
      maxItems: 100_000,
      evictionThreshold: 0.5,
      checkInterval: 0,
    })
    const cache = memory.cache('c')
    const again = new Promise<EventOf<'added'>>((resolve) =>
      memory.on('added', (event) => event.key === 'again' && resolve(event)),
    )
    memory.on(what === 'expiry' ? 'expired' : 'cycle-continued', () => cache.set('again', 1, { size: 1 }))
    let isRunning = false
    memory.on('cycle-started', () => {
      isRunning = true
    })
    memory.withActor({ actor: 'importer' }, () => {
      if (what === 'expiry') cache.set('short', 1, { ttl: 1 })
      else for (let i = 0; !isRunning; i++) cache.set(`k${i}`, 1, { size: 10 })
    })
    expect(await again).toMatchObject({ actor: null, traceId: null })
    await memory.close()
  })

  test('names who asked for what a loader brings', async () => {
    const test = bed()
    const cache = test.memory.cache('c')
    await test.memory.withActor({ actor: 'reader' }, () => cache.getOrLoad('k', async () => 1))
    expect(test.of('added')).toMatchObject([{ actor: 'reader' }])
  })

  test.each([null, undefined, {}, { actor: 5 }, 'me', { actor: 'me', traceId: 5 }])('refuses the actor %j', (actor) => {
    const { memory } = bed()
    expect(() => memory.withActor(actor as unknown as Actor, () => expect.fail('not called'))).toThrow(OptionError)
  })
})

describe('an actor on a single call', () => {
  test('needs no withActor, and wins over it', () => {
    const test = bed()
    const cache = test.memory.cache('c')
    cache.set('a', 1, { actor: 'me' })
    test.memory.withActor({ actor: 'around', traceId: 't' }, () => {
      cache.set('b', 1, { actor: 'me' })
      cache.delete('b', { actor: 'you' })
    })
    cache.clear({ actor: 'they' })
    expect(test.of('added').map(({ actor, traceId }) => [actor, traceId])).toEqual([
      ['me', null],
      ['me', 't'],
    ])
    expect(test.of('removed')).toMatchObject([{ actor: 'you', traceId: 't' }])
    expect(test.of('cleared')).toMatchObject([{ actor: 'they' }])
  })

  test('who stored last is in the eviction', () => {
    const test = bed({ maxItems: 2 })
    const cache = test.memory.cache('c')
    cache.set('a', 1, { actor: 'first' })
    cache.set('a', 2, { actor: 'second' })
    cache.set('b', 1)
    cache.set('c', 1, { actor: 'third' })
    cache.set('d', 1)
    cache.set('c', 2)
    for (const key of ['e', 'f']) cache.set(key, 1)
    expect(test.of('evicted').map(({ key, storedBy }) => [key, storedBy])).toEqual([
      ['a', 'second'],
      ['b', null],
      ['d', null],
      ['c', null],
    ])
  })

  test('is in the rejection, too', () => {
    const test = bed({ maxMemory: 100 })
    test.memory.cache('c').set('a', 1, { size: 101, actor: 'me' })
    expect(test.of('rejected')).toMatchObject([{ actor: 'me' }])
  })
})
