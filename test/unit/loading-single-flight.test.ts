import { afterEach, describe, expect, test, vi } from 'vitest'
import { LoadTimeoutError } from '../../src/muninn.ts'
import { deferred } from '../support/deferred.ts'
import { bed } from '../support/manager-bed.ts'

/** A loader that settles when the test says so, and counts its calls. */
function manual<V>() {
  const { promise, resolve, reject } = deferred<V>()
  const signals: AbortSignal[] = []
  const load = vi.fn((_key: string, { signal }: { signal: AbortSignal }) => {
    signals.push(signal)
    return promise
  })
  return { load, resolve, reject, signals }
}

function thrown(what: string): never {
  throw new Error(`its ${what} throws`)
}

const turn = async (): Promise<void> => {
  for (let i = 0; i < 10; i++) await null
}

afterEach(() => void vi.useRealTimers())

describe('getOrLoad', () => {
  test('loads once for all who wait, stores it, and serves it from then on', async () => {
    const test = bed()
    const cache = test.memory.cache<string>('c')
    const { load, resolve } = manual<string>()
    const waiting = [cache.getOrLoad('k', load), cache.getOrLoad('k', load), cache.getOrLoad('k', load)]
    test.clock.time += 25
    resolve('value')
    expect(await Promise.all(waiting)).toEqual(['value', 'value', 'value'])
    expect(await cache.getOrLoad('k', load)).toBe('value')
    expect(load).toHaveBeenCalledTimes(1)
    expect(load.mock.calls[0]?.[0]).toBe('k')
    expect(test.types).toEqual(['configured', 'missed', 'missed', 'missed', 'loaded', 'added', 'accessed'])
    expect(test.of('loaded')).toMatchObject([{ cache: 'c', key: 'k', duration: 25 }])
  })

  // The name was read outside of any guard: nobody who waited was ever told, and the process ended.
  test.each([
    ['has a name that throws', () => Object.defineProperty(new Error(), 'name', { get: () => thrown('name') })],
    ['has a symbol for a name', () => Object.assign(new Error(), { name: Symbol('name') })],
    ['is a proxy that throws', () => new Proxy(new Error(), { getPrototypeOf: () => thrown('proxy') })],
    ['is nothing at all', () => undefined],
  ])('rejects with what its loader rejects with, where that %s', async (_, make) => {
    const test = bed()
    const error = make()
    let caught: unknown = 'nothing'
    await test.memory
      .cache('c')
      .getOrLoad('k', () => Promise.reject(error))
      .catch((reason: unknown) => {
        caught = reason
      })
    expect(caught === error).toBe(true)
    expect(typeof test.of('load-failed')[0]?.error).toBe('string')
  })

  test('loads other keys, and the same key of another cache, apart', async () => {
    const { memory } = bed()
    const load = vi.fn((key: string) => `value of ${key}`)
    const [a, b] = [memory.cache<string>('a'), memory.cache<string>('b')]
    const loaded = [a.getOrLoad('x', load), a.getOrLoad('y', load), b.getOrLoad('x', load)]
    expect(await Promise.all(loaded)).toEqual(['value of x', 'value of y', 'value of x'])
    expect(load).toHaveBeenCalledTimes(3)
  })

  test('stores null, which is a value', async () => {
    const cache = bed().memory.cache<null>('c')
    const load = vi.fn(() => null)
    expect([await cache.getOrLoad('k', load), await cache.getOrLoad('k', load)]).toEqual([null, null])
    expect(load).toHaveBeenCalledTimes(1)
  })

  test('stores with the options of the call that loads', async () => {
    const test = bed()
    const cache = test.memory.cache('c')
    await cache.getOrLoad('k', async () => 1, { ttl: 50, size: 9, cost: 4, tags: ['t'], actor: 'me' })
    expect(cache.info('k')).toMatchObject({ size: 9, cost: 4, tags: ['t'], expiresAt: test.clock.time + 50 })
    expect(test.of('added')).toMatchObject([{ actor: 'me' }])
  })
})

describe('an error of the loader', () => {
  test('reaches every waiter and is not cached', async () => {
    const test = bed()
    const cache = test.memory.cache('c')
    const { load, reject } = manual()
    const waiting = [cache.getOrLoad('k', load), cache.getOrLoad('k', load)]
    const error = new RangeError('no such tenant')
    reject(error)
    expect(await Promise.allSettled(waiting)).toEqual(Array(2).fill({ status: 'rejected', reason: error }))
    expect(test.of('load-failed')).toMatchObject([{ key: 'k', error: 'RangeError' }])
    expect(JSON.stringify(test.events)).not.toContain('no such tenant')
    expect(await cache.getOrLoad('k', () => 'now')).toBe('now')
  })

  test('thrown at once rejects, too', async () => {
    const { memory } = bed()
    const failing = (): never => {
      throw new Error('at once')
    }
    const promise = memory.cache('c').getOrLoad('k', failing)
    await expect(promise).rejects.toThrow('at once')
  })

  test('may be anything', async () => {
    const test = bed()
    const odd: unknown[] = [undefined, null, 'text', 7]
    for (const reason of odd) {
      const loading = test.memory.cache('c').getOrLoad('k', () => Promise.reject(reason))
      expect(await Promise.allSettled([loading])).toEqual([{ status: 'rejected', reason }])
    }
    expect(test.of('load-failed')).toHaveLength(odd.length)
  })

  test('answers for errorTtl where that is asked for', async () => {
    const test = bed()
    const cache = test.memory.cache('c')
    const load = vi.fn(() => Promise.reject(new Error('down')))
    const attempt = () => cache.getOrLoad('k', load, { errorTtl: '1s' })
    await expect(attempt()).rejects.toThrow('down')
    test.clock.time += 999
    await expect(attempt()).rejects.toThrow('down')
    expect(load).toHaveBeenCalledTimes(1)
    test.clock.time += 1
    await expect(attempt()).rejects.toThrow('down')
    expect(load).toHaveBeenCalledTimes(2)
    cache.set('k', 'stored')
    expect(await attempt()).toBe('stored')
    cache.delete('k')
    expect(await cache.getOrLoad('k', () => 'fresh')).toBe('fresh')
  })
})

describe('a timeout', () => {
  test('rejects every waiter, frees the key, and aborts the loader', async () => {
    vi.useFakeTimers()
    const test = bed()
    const cache = test.memory.cache<string>('slow')
    const first = manual<string>()
    const waiting = [cache.getOrLoad('k', first.load, { timeout: '2s' }), cache.getOrLoad('k', first.load)]
    const settled = Promise.allSettled(waiting)
    vi.advanceTimersByTime(1_999)
    await turn()
    expect(first.signals[0]?.aborted).toBe(false)
    vi.advanceTimersByTime(1)
    for (const result of await settled) {
      const reason = (result as PromiseRejectedResult).reason as Error
      expect(reason).toBeInstanceOf(LoadTimeoutError)
      expect(reason).toMatchObject({
        code: 'ERR_MUNINN_LOAD_TIMEOUT',
        message: expect.stringMatching(/"slow".*2000 ms/),
      })
    }
    expect(first.signals[0]?.aborted).toBe(true)
    expect(test.of('load-failed')).toMatchObject([{ error: 'LoadTimeoutError' }])
    expect(await cache.getOrLoad('k', () => 'second')).toBe('second')
    first.resolve('late')
    await turn()
    expect(cache.get('k')).toBe('second')
  })

  test('leaves no timer behind where the loader is in time', async () => {
    vi.useFakeTimers()
    const cache = bed().memory.cache('c')
    await cache.getOrLoad('k', async () => 1, { timeout: 1_000 })
    expect(vi.getTimerCount()).toBe(0)
  })

  test.each([0, -1, Number.NaN, 'soon'])('of %j rejects before anything is loaded', async (timeout) => {
    const load = vi.fn()
    await expect(bed().memory.cache('c').getOrLoad('k', load, { timeout })).rejects.toMatchObject({
      code: 'ERR_MUNINN_OPTION',
    })
    expect(load).not.toHaveBeenCalled()
  })
})

describe("a waiter's signal", () => {
  test('rejects that waiter alone', async () => {
    const cache = bed().memory.cache<string>('c')
    const { load, resolve, signals } = manual<string>()
    const leaving = new AbortController()
    const [gone, stays] = [cache.getOrLoad('k', load, { signal: leaving.signal }), cache.getOrLoad('k', load)]
    leaving.abort(new Error('had enough'))
    await expect(gone).rejects.toThrow('had enough')
    expect(signals[0]?.aborted).toBe(false)
    resolve('value')
    expect(await stays).toBe('value')
    expect(cache.get('k')).toBe('value')
  })

  test("aborts the loader's when the last one has gone, and frees the key", async () => {
    const test = bed()
    const cache = test.memory.cache<string>('c')
    const { load, resolve, signals } = manual<string>()
    const leaving = [new AbortController(), new AbortController()]
    const waiting = Promise.allSettled(leaving.map(({ signal }) => cache.getOrLoad('k', load, { signal })))
    leaving[0]?.abort()
    expect(signals[0]?.aborted).toBe(false)
    leaving[1]?.abort()
    expect(signals[0]?.aborted).toBe(true)
    expect((await waiting).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(await cache.getOrLoad('k', () => 'second')).toBe('second')
    resolve('late')
    await turn()
    expect(cache.get('k')).toBe('second')
  })

  test('aborted before, rejects without loading', async () => {
    const load = vi.fn()
    const aborted = bed().memory.cache('c').getOrLoad('k', load, { signal: AbortSignal.abort() })
    await expect(aborted).rejects.toThrow()
    expect(load).not.toHaveBeenCalled()
  })

  test('aborted by the loader itself rejects, too', async () => {
    const cache = bed().memory.cache('c')
    const controller = new AbortController()
    const never = (): Promise<never> => {
      controller.abort(new Error('from within'))
      return new Promise(() => {})
    }
    const waiting = cache.getOrLoad('k', never, { signal: controller.signal }).catch((error: Error) => error.message)
    expect(await Promise.race([waiting, turn().then(() => 'still waiting')])).toBe('from within')
  })

  test('aborted after the end changes nothing', async () => {
    const cache = bed().memory.cache('c')
    const controller = new AbortController()
    expect(await cache.getOrLoad('k', async () => 1, { signal: controller.signal })).toBe(1)
    controller.abort()
    expect(cache.get('k')).toBe(1)
  })
})
