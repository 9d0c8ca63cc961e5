import { filter, map, Subject, tap } from 'rxjs'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import type { MemoryManager, MuninnEvent } from '../../src/muninn.ts'
import { bed } from '../support/manager-bed.ts'
import { watchUncaught } from '../support/uncaught.ts'

const fail = (): never => {
  throw new Error('an observer failed')
}

/** Ways in which an observer of `added` can throw when one is told. */
const throwing: readonly [string, (memory: MemoryManager) => void][] = [
  ['a listener', (memory) => memory.on('added', fail)],
  ['a direct subscriber', (memory) => memory.select('added').subscribe(fail)],
  ['an observer object', (memory) => memory.select('added').subscribe({ next: fail })],
  [
    'a subscriber behind filter and map',
    (memory) =>
      memory
        .select('added')
        .pipe(
          filter(() => true),
          map(String),
        )
        .subscribe(fail),
  ],
  ['a map', (memory) => memory.select('added').pipe(map(fail)).subscribe()],
  [
    'a filter',
    (memory) =>
      memory
        .select('added')
        .pipe(filter(fail), tap())
        .subscribe(() => {}),
  ],
  ['an error handler', (memory) => memory.select('added').pipe(map(fail)).subscribe({ error: fail })],
]

describe('an observer that throws', () => {
  test('ends the process where RxJS alone is in charge: what the guard is for, and that this test would see it', async () => {
    const uncaught = watchUncaught()
    const subject = new Subject<void>()
    subject.subscribe(fail)
    subject.next()
    expect(await uncaught()).toMatchObject([{ message: 'an observer failed' }])
  })

  test.each(throwing)('%s, is isolated, counted and logged', async (_, observe) => {
    const uncaught = watchUncaught()
    const test = bed()
    const [before, after] = [vi.fn(), vi.fn()]
    test.memory.on('added', before)
    observe(test.memory)
    test.memory.on('added', after)
    const cache = test.memory.cache('c')
    expect([cache.set('a', 1), cache.set('b', 2)]).toEqual([true, true])
    expect([before.mock.calls.length, after.mock.calls.length]).toEqual([2, 2])
    expect(test.of('added')).toHaveLength(2)
    expect(cache.get('a')).toBe(1)
    const { observerErrors } = test.memory.stats()
    expect(observerErrors).toBeGreaterThanOrEqual(1)
    const lines = test.logged.filter(({ level }) => level === 'error')
    expect(lines).toHaveLength(observerErrors)
    expect(lines[0]).toMatchObject({ fields: { err: { message: 'an observer failed' } } })
    expect(await uncaught()).toEqual([])
  })

  test('is told of later events all the same where it threw itself', () => {
    const test = bed()
    const listener = vi.fn(fail)
    test.memory.on('added', listener)
    for (const key of ['a', 'b', 'c']) test.memory.cache('c').set(key, 1)
    expect(listener).toHaveBeenCalledTimes(3)
    expect(test.memory.stats().observerErrors).toBe(3)
  })

  test('of an operator is given to the error handler, which may handle it', () => {
    const test = bed()
    const errors: unknown[] = []
    test.memory
      .select('added')
      .pipe(map(fail))
      .subscribe({ error: (error) => errors.push(error) })
    test.memory.cache('c').set('a', 1)
    test.memory.cache('c').set('b', 1)
    expect(errors).toMatchObject([{ message: 'an observer failed' }])
    expect(test.memory.stats().observerErrors).toBe(0)
  })

  test('when the streams complete keeps nobody from completing', async () => {
    const uncaught = watchUncaught()
    const test = bed()
    const complete = vi.fn()
    test.memory.events$.subscribe({ complete: fail })
    test.memory.events$.pipe(map(String)).subscribe({ complete: fail })
    test.memory.events$.subscribe({ complete })
    test.memory.events$.pipe(map(String)).subscribe({ complete })
    await test.memory.close()
    expect(complete).toHaveBeenCalledTimes(2)
    expect(test.memory.stats().observerErrors).toBe(2)
    expect(await uncaught()).toEqual([])
  })

  test('when it subscribes to what has completed hurts nobody either', async () => {
    const uncaught = watchUncaught()
    const { memory } = bed()
    await memory.close()
    expect(() => memory.events$.subscribe({ complete: fail })).not.toThrow()
    expect(() => memory.events$.pipe(map(String)).subscribe({ complete: fail })).not.toThrow()
    expect(await uncaught()).toEqual([])
  })

  test('a promise that rejects later hurts nobody either', async () => {
    const uncaught = watchUncaught()
    const test = bed()
    const failLater: () => void = () => Promise.reject(new Error('an observer failed'))
    test.memory.on('added', failLater)
    test.memory.select('added').subscribe(failLater)
    test.memory.select('added').pipe(map(String)).subscribe(failLater)
    test.memory.cache('c').set('a', 1)
    expect(await uncaught()).toEqual([])
    expect(test.memory.stats().observerErrors).toBe(3)
  })
})

describe('an observer that changes the event it is told of', () => {
  const tamper = (event: MuninnEvent, path: readonly string[], value: unknown): void => {
    const holder = path.slice(0, -1).reduce<object>((object, name) => Reflect.get(object, name), event)
    Reflect.set(holder, path.at(-1) as string, value)
  }

  test('does not lead a running cycle astray', () => {
    const test = bed({ maxMemory: 10_000, maxItems: Number.POSITIVE_INFINITY })
    const stop = test.memory.on('cycle-started', (event) => tamper(event, ['targetBytes'], 0))
    onTestFinished(stop)
    for (let i = 0; i < 9_200; i++) test.memory.cache('c').set(`k${i}`, i, { size: 1 })
    expect(test.memory.stats().currentMemoryBytes).toBeGreaterThan(7_999)
  })

  test('does not change a limit', () => {
    const test = bed()
    test.memory.on('configured', (event) => tamper(event, ['to', 'caches', 'c', 'maxItems'], 1))
    const cache = test.memory.cache('c')
    for (const key of ['a', 'b', 'c']) cache.set(key, 1)
    expect(cache.size).toBe(3)
  })

  test('does not change the tags of an entry', () => {
    const test = bed()
    test.memory.on('added', (event) => tamper(event, ['tags', '0'], 'changed'))
    const cache = test.memory.cache('c')
    cache.set('k', 1, { tags: ['own'] })
    expect(cache.info('k')?.tags).toEqual(['own'])
  })
})
