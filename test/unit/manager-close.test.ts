import { afterEach, describe, expect, test, vi } from 'vitest'
import { ClosedError, LoadTimeoutError, type MemoryManager } from '../../src/muninn.ts'
import { type Bed, bed, thrownBy } from '../support/manager-bed.ts'

async function closed(): Promise<Bed> {
  const made = bed()
  made.memory.cache('c').set('a', 1)
  await made.memory.close()
  return made
}

afterEach(() => void vi.useRealTimers())

describe('close()', () => {
  test('is idempotent', async () => {
    const test = bed()
    expect(test.memory.close()).toBe(test.memory.close())
    await test.memory.close()
    expect(test.of('stopped')).toMatchObject([{ reason: 'close', code: null }])
  })

  // Until the call of close() returned, an observer of its events could still make others, told after `stopped`.
  test('is over for an observer of the last events, too', async () => {
    const test = bed({ checkInterval: 0 })
    const codes = new Set<unknown>()
    test.memory.cache('c').set('a', 1)
    test.memory.events$.subscribe(({ type }) => {
      if (type === 'added') return
      codes.add(thrownBy(() => test.memory.check()).code)
      codes.add(thrownBy(() => test.memory.setLimits({ maxItems: 5 })).code)
      expect(test.memory.cache('late').set('k', 1)).toBe(false)
      void test.memory.close()
    })
    await test.memory.close()
    expect([...codes]).toEqual(['ERR_MUNINN_CLOSED'])
    expect(test.events.at(-1)?.type).toBe('stopped')
    expect(test.of('stopped')).toHaveLength(1)
  })

  test('by an observer of a long eviction is the end of that, and nothing is told after it', async () => {
    const test = bed({ maxItems: Number.POSITIVE_INFINITY })
    for (let i = 0; i < 1_000; i++) test.memory.cache('c').set(`k${i}`, 1, { size: 10 })
    const stop = test.memory.on('evicted', () => {
      stop()
      void test.memory.close()
    })
    expect(test.memory.evict({ target: 0 }).count).toBeLessThan(1_000)
    await test.memory.close()
    expect(test.events.at(-1)?.type).toBe('stopped')
  })

  test('leaves what a call says of its waiting: timeout and signal hold for a loader that runs afterwards', async () => {
    vi.useFakeTimers()
    const test = await closed()
    const cache = test.memory.cache('c')
    const never = (): Promise<never> => new Promise(() => {})
    const late = cache.getOrLoad('k', never, { timeout: 50 })
    const leaving = new AbortController()
    const left = cache.getOrLoad('k', never, { signal: leaving.signal })
    leaving.abort(new Error('gone'))
    vi.advanceTimersByTime(50)
    await expect(late).rejects.toThrow(LoadTimeoutError)
    await expect(left).rejects.toThrow('gone')
  })

  test('is what `await using` calls', async () => {
    const test = bed()
    {
      await using memory = test.memory
      memory.cache('c').set('a', 1)
    }
    expect(test.types.at(-1)).toBe('stopped')
    expect(() => test.memory.check()).toThrow(ClosedError)
  })

  test('tells what was done since the last check, and the peaks that nobody was told yet', async () => {
    const test = bed()
    test.memory.cache('c').set('a', 1, { size: 12 })
    await test.memory.close()
    expect(test.events.map(({ type }) => type)).toEqual([
      'configured',
      'added',
      'checked',
      'peaked',
      'peaked',
      'peaked',
      'stopped',
    ])
    expect(test.events.find(({ type }) => type === 'checked')).toMatchObject({
      caches: [{ cache: 'c', bytesAdded: 12 }],
    })
  })

  test('leaves reads that miss and writes that return false, and tells nobody', async () => {
    const test = await closed()
    const cache = test.memory.cache('c')
    test.forget()
    expect([cache.get('a'), cache.peek('a'), cache.has('a'), cache.info('a')]).toEqual([
      undefined,
      undefined,
      false,
      undefined,
    ])
    expect([cache.set('b', 1), cache.delete('a'), cache.size, cache.bytes]).toEqual([false, false, 0, 0])
    expect(cache.put('b', 1)).toEqual({ stored: false, reason: null, limit: null })
    expect([...cache.keys(), ...cache.values(), ...cache]).toEqual([])
    cache.clear()
    const callback = vi.fn()
    cache.forEach(callback)
    expect(callback).not.toHaveBeenCalled()
    expect(test.events).toEqual([])
  })

  test('leaves a cache asked for later, known or new, that holds nothing', async () => {
    const { memory } = await closed()
    for (const name of ['c', 'new']) {
      const cache = memory.cache(name)
      expect([cache.set('k', 1), cache.get('k'), cache.name]).toEqual([false, undefined, name])
    }
  })

  test('still refuses bad input', async () => {
    const cache = (await closed()).memory.cache('c')
    expect(() => cache.get(5 as unknown as string)).toThrow(TypeError)
    expect(() => cache.set('k', undefined)).toThrow(TypeError)
    expect(() => cache.set('k', 1, { ttl: 0 })).toThrow(TypeError)
  })

  const management: readonly [string, (memory: MemoryManager) => unknown][] = [
    ['evict()', (memory) => memory.evict()],
    ['check()', (memory) => memory.check()],
    ['setLimits()', (memory) => memory.setLimits({ maxItems: 5 })],
    ['setPolicy()', (memory) => memory.setPolicy('lfu')],
    ['resetStats()', (memory) => memory.resetStats()],
    ['drop()', (memory) => memory.drop('c')],
    ['canAdd()', (memory) => memory.canAdd('c', 1)],
  ]
  test.each(management)('makes %s throw', async (name, call) => {
    const { memory } = await closed()
    const error = thrownBy(() => call(memory))
    expect(error).toBeInstanceOf(ClosedError)
    expect(error).toMatchObject({ code: 'ERR_MUNINN_CLOSED', message: expect.stringContaining(name) })
  })

  test('stops every timer', async () => {
    vi.useFakeTimers()
    const test = bed({ checkInterval: 1_000, maxMemory: 10_000, maxItems: Number.POSITIVE_INFINITY })
    const cache = test.memory.cache('c')
    cache.set('short', 1, { ttl: 100, size: 1 })
    for (let i = 0; i < 9_000; i++) cache.set(`k${i}`, 1, { size: 1 })
    expect(vi.getTimerCount()).toBe(3)
    await test.memory.close()
    expect(vi.getTimerCount()).toBe(0)
    test.forget()
    vi.advanceTimersByTime(10_000)
    expect(test.events).toEqual([])
  })
})
