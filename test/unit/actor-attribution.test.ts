import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { type Actor, OptionError } from '../../src/muninn.ts'
import { bed } from '../support/manager-bed.ts'

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
