import { expect, test, vi } from 'vitest'
import { LoadTimeoutError } from '../../src/muninn.ts'
import { bed } from '../support/manager-bed.ts'

test.each([
  ['sets', 'newer'],
  ['deletes', undefined],
] as const)('an observer of `loaded` that %s the key comes after the store', async (_, left) => {
  const { memory } = bed()
  const cache = memory.cache<string>('c')
  memory.on('loaded', ({ key }) => (left === undefined ? cache.delete(key) : cache.set(key, left)))
  expect(await cache.getOrLoad('k', () => 'loaded')).toBe('loaded')
  expect(cache.peek('k')).toBe(left)
})

test('a size function that sets the key during the store of a load has the last word', async () => {
  const { memory } = bed({
    sizing: (value) => {
      if (value === 'loaded') cache.set('k', 'newer')
      return 1
    },
  })
  const cache = memory.cache<string>('c')
  expect(await cache.getOrLoad('k', () => 'loaded')).toBe('loaded')
  expect(cache.peek('k')).toBe('newer')
})

test('the timeout of a waiter that joined a load rejects that waiter alone', async () => {
  vi.useFakeTimers()
  const cache = bed().memory.cache<string>('c')
  const first = cache.getOrLoad('k', () => new Promise(() => {}))
  const joined = expect(cache.getOrLoad('k', () => 'unused', { timeout: 100 })).rejects.toThrow(LoadTimeoutError)
  await vi.advanceTimersByTimeAsync(100)
  await joined
  expect(await Promise.race([first, Promise.resolve('still waiting')])).toBe('still waiting')
  vi.useRealTimers()
})
