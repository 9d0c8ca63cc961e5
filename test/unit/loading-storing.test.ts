import { describe, expect, test, vi } from 'vitest'
import type { Cache } from '../../src/muninn.ts'
import { deferred } from '../support/deferred.ts'
import { bed, tightBed } from '../support/manager-bed.ts'

describe('a load', () => {
  const meddling: readonly [string, (cache: Cache<string>) => void, string | undefined][] = [
    ['set', (cache) => cache.set('k', 'fresher'), 'fresher'],
    ['deleted', (cache) => cache.delete('k'), undefined],
    ['cleared', (cache) => cache.clear(), undefined],
  ]
  test.each(meddling)(
    'whose key was %s since it began is not stored; its waiters get the value',
    async (_, meddle, left) => {
      const cache = bed().memory.cache<string>('c')
      const loaded = deferred<string>()
      const waiting = cache.getOrLoad('k', () => loaded.promise)
      meddle(cache)
      loaded.resolve('stale')
      expect(await waiting).toBe('stale')
      expect(cache.peek('k')).toBe(left)
    },
  )

  test('that is out of date gets no new waiters', async () => {
    const cache = bed().memory.cache<string>('c')
    const first = deferred<string>()
    const waiting = cache.getOrLoad('k', () => first.promise)
    cache.delete('k')
    expect(await cache.getOrLoad('k', () => 'newer')).toBe('newer')
    first.resolve('stale')
    expect(await waiting).toBe('stale')
    expect(cache.peek('k')).toBe('newer')
  })

  test('is not disturbed by other keys', async () => {
    const cache = bed().memory.cache<string>('c')
    const loaded = deferred<string>()
    const waiting = cache.getOrLoad('k', () => loaded.promise)
    cache.set('other', 'x')
    cache.delete('other')
    loaded.resolve('value')
    await waiting
    expect(cache.peek('k')).toBe('value')
  })

  test('whose cache was dropped is not stored', async () => {
    const { memory } = bed()
    const loaded = deferred<string>()
    const waiting = memory.cache<string>('c').getOrLoad('k', () => loaded.promise)
    memory.drop('c')
    const fresh = memory.cache<string>('c')
    loaded.resolve('value')
    expect(await waiting).toBe('value')
    expect(fresh.size).toBe(0)
  })

  test('whose value can not be stored is returned all the same', async () => {
    const test = tightBed(100)
    const cache = test.memory.cache('c')
    expect(await cache.getOrLoad('large', async () => 'value', { size: 101 })).toBe('value')
    expect(test.of('rejected')).toMatchObject([{ key: 'large' }])
    expect(await cache.getOrLoad('nothing', async () => undefined)).toBeUndefined()
    expect(cache.size).toBe(0)
  })

  test('whose size function throws is returned and logged', async () => {
    const test = bed({
      sizing: () => {
        throw new Error('no idea')
      },
    })
    expect(await test.memory.cache('c').getOrLoad('k', async () => 'value')).toBe('value')
    expect(test.logged.filter(({ level }) => level === 'warn')).toMatchObject([
      { message: expect.stringContaining('could not be stored') },
    ])
  })

  test('that never settles keeps nobody from using the cache', async () => {
    const test = bed()
    const cache = test.memory.cache<string>('c')
    const waiting = cache.getOrLoad('k', () => new Promise(() => {}))
    cache.set('k', 'set meanwhile')
    expect(await cache.getOrLoad('k', () => 'never called')).toBe('set meanwhile')
    await test.memory.close()
    expect(await Promise.race([waiting, Promise.resolve('pending')])).toBe('pending')
  })

  test('may use the cache itself', async () => {
    const cache = bed().memory.cache<string>('c')
    const value = await cache.getOrLoad('outer', async () => `<${await cache.getOrLoad('inner', () => 'x')}>`)
    expect(value).toBe('<x>')
    expect([...cache.keys()]).toEqual(['inner', 'outer'])
  })

  test('in a closed manager runs, and is stored nowhere', async () => {
    const test = bed()
    const cache = test.memory.cache<string>('c')
    await test.memory.close()
    const load = vi.fn(() => 'value')
    expect([await cache.getOrLoad('k', load), await cache.getOrLoad('k', load)]).toEqual(['value', 'value'])
    expect(load).toHaveBeenCalledTimes(2)
    const failing = cache.getOrLoad('k', () => {
      throw new Error('at once')
    })
    await expect(failing).rejects.toThrow('at once')
  })
})

describe('getOrInsert', () => {
  test('makes what is missing, once, and tells it', () => {
    const test = bed()
    const cache = test.memory.cache<string>('c')
    const make = vi.fn((key: string) => `made ${key}`)
    expect([cache.getOrInsert('k', make, { ttl: 10 }), cache.getOrInsert('k', make)]).toEqual(['made k', 'made k'])
    expect(make).toHaveBeenCalledTimes(1)
    expect(test.types).toEqual(['configured', 'missed', 'added', 'accessed'])
    test.clock.time += 10
    cache.getOrInsert('k', make)
    expect(make).toHaveBeenCalledTimes(2)
  })

  test('returns what can not be stored', async () => {
    const test = tightBed(100)
    const cache = test.memory.cache('c')
    expect(cache.getOrInsert('k', () => 'large', { size: 101 })).toBe('large')
    expect(cache.size).toBe(0)
    await test.memory.close()
    expect(cache.getOrInsert('k', () => 'closed')).toBe('closed')
  })

  test('lets an error of its maker through, and stores nothing', () => {
    const cache = bed().memory.cache('c')
    const failing = (): never => {
      throw new RangeError('no')
    }
    expect(() => cache.getOrInsert('k', failing)).toThrow(RangeError)
    expect(cache.size).toBe(0)
  })
})
