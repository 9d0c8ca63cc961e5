import { channel } from 'node:diagnostics_channel'
import { filter, map, type Observable, take, toArray } from 'rxjs'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { type MuninnEvent, OptionError, type Stats } from '../../src/muninn.ts'
import { bed, tightBed } from '../support/manager-bed.ts'

describe('events$', () => {
  test('tells all that happens, numbered without a gap, before the call returns', () => {
    const test = bed({ maxItems: 2 })
    const cache = test.memory.cache('c')
    cache.set('a', 1)
    cache.get('a')
    cache.get('b')
    cache.set('a', 2)
    cache.set('b', 1)
    cache.set('c', 1)
    cache.delete('c')
    cache.clear()
    expect(test.types).toEqual([
      'configured',
      'added',
      'accessed',
      'missed',
      'updated',
      'added',
      'evicted',
      'added',
      'removed',
      'cleared',
    ])
    // `started` is 1, and precedes every subscriber.
    expect(test.events.map(({ seq }) => seq)).toEqual(test.events.map((_, i) => i + 2))
    expect(test.memory.runId).toMatch(/^[\w-]{21}$/)
  })

  test('never holds a value', () => {
    const test = bed({ maxItems: 2 })
    const cache = test.memory.cache('c')
    for (const key of ['a', 'b', 'c', 'a']) cache.set(key, 'SECRET', { ttl: 10 })
    test.clock.time += 10
    for (const key of ['a', 'b', 'c']) cache.get(key)
    test.memory.check()
    expect(test.of('expired').length).toBeGreaterThan(0)
    expect(JSON.stringify(test.events)).not.toContain('SECRET')
  })

  test('is told after the state has taken the event in', () => {
    const { memory } = bed()
    const cache = memory.cache('c')
    const seen: unknown[] = []
    memory.on('added', ({ key }) => seen.push([key, cache.peek(key), cache.size]))
    memory.on('removed', ({ key }) => seen.push([key, cache.peek(key), cache.size]))
    cache.set('k', 'v')
    cache.delete('k')
    expect(seen).toEqual([
      ['k', 'v', 1],
      ['k', undefined, 0],
    ])
  })

  test('regrets a miss of what was evicted, the first time and after', () => {
    const test = bed({ maxItems: 1 })
    const cache = test.memory.cache('c')
    cache.set('a', 1)
    cache.set('b', 1)
    const [evicted] = test.of('evicted')
    for (const _ of [1, 2]) cache.get('a')
    cache.get('never there')
    cache.set('a', 1)
    cache.delete('a')
    cache.get('a')
    expect(test.of('missed').map(({ regret, firstRegret }) => [regret, firstRegret])).toEqual([
      [evicted?.seq, true],
      [evicted?.seq, false],
      [null, false],
      [null, false],
    ])
    expect(test.memory.stats().caches).toMatchObject([{ misses: 4, regrettedMisses: 2 }])
  })
})

describe('the other streams', () => {
  test('evictions$ and warnings$ tell those alone', () => {
    const { memory } = tightBed(100)
    const evictions: string[] = []
    const warnings: string[] = []
    memory.evictions$.subscribe(({ key }) => evictions.push(key))
    memory.warnings$.subscribe(({ level }) => warnings.push(level))
    for (const key of ['a', 'b', 'c']) memory.cache('c').set(key, 1, { size: 45 })
    expect(evictions).toEqual(['a'])
    expect(warnings).toEqual(['critical'])
  })

  test('stats$ tells the statistics after each check', () => {
    const { memory } = bed()
    const told: Stats[] = []
    memory.stats$.subscribe((stats) => told.push(stats))
    memory.cache('c').set('a', 1)
    expect(told).toEqual([])
    memory.check()
    memory.cache('c').set('b', 1)
    memory.check()
    expect(told.map(({ cacheItemCount }) => cacheItemCount)).toEqual([1, 2])
    expect(Object.keys(told[0] ?? {})).toEqual(Object.keys(memory.stats()))
  })

  test('select tells several types in the order of seq, each event once', () => {
    const { memory } = bed()
    const told: MuninnEvent[] = []
    memory.select('missed', 'added', 'added').subscribe((event) => told.push(event))
    memory.cache('c').get('a')
    memory.cache('c').set('a', 1)
    memory.cache('c').get('a')
    expect(told.map(({ type }) => type)).toEqual(['missed', 'added'])
  })

  test('on tells one type until its function is called', () => {
    const { memory } = bed()
    const listener = vi.fn()
    const stop = memory.on('added', listener)
    memory.cache('c').set('a', 1)
    memory.cache('c').get('a')
    stop()
    stop()
    memory.cache('c').set('b', 1)
    expect(listener.mock.calls).toMatchObject([[{ type: 'added', key: 'a' }]])
  })

  test('refuse a type that is none, and a listener that is none', () => {
    const { memory } = bed()
    expect(() => memory.select('added', 'deleted' as 'added')).toThrow(
      /type: "deleted" is no event type; there are added,/,
    )
    expect(() => memory.on('toString' as 'added', () => {})).toThrow(OptionError)
    expect(() => memory.on('added', undefined as unknown as () => void)).toThrow(/not a function/)
  })
})

describe('RxJS', () => {
  test('operators work, and end on their own', async () => {
    const { memory } = bed()
    const keys: string[] = []
    const two = memory.select('added').pipe(
      filter(({ key }) => key !== 'b'),
      map(({ key }) => key),
      take(2),
      toArray(),
    )
    two.subscribe((told) => keys.push(...told))
    for (const key of ['a', 'b', 'c', 'd']) memory.cache('c').set(key, 1)
    expect(keys).toEqual(['a', 'c'])
  })

  test('all forms of subscribe', () => {
    const { memory } = bed()
    const [next, complete, object] = [
      vi.fn(),
      vi.fn(),
      {
        count: 0,
        next() {
          this.count++
        },
      },
    ]
    memory.select('added').subscribe(next, null, complete)
    memory.select('added').subscribe(object)
    memory.select('added').subscribe({ complete })
    memory.select('added').subscribe()
    memory.cache('c').set('a', 1)
    expect([next.mock.calls.length, object.count]).toEqual([1, 1])
  })

  test('unsubscribing ends it for that subscriber alone, also behind a pipe', () => {
    const { memory } = bed()
    const told: string[] = []
    const direct = memory.select('added').subscribe(({ key }) => told.push(`direct ${key}`))
    const piped = memory
      .select('added')
      .pipe(map(({ key }) => key))
      .subscribe((key) => told.push(`piped ${key}`))
    memory.on('added', ({ key }) => told.push(`stays ${key}`))
    memory.cache('c').set('a', 1)
    direct.unsubscribe()
    memory.cache('c').set('b', 1)
    piped.unsubscribe()
    memory.cache('c').set('c', 1)
    expect(told).toEqual(['direct a', 'piped a', 'stays a', 'piped b', 'stays b', 'stays c'])
    expect(direct.closed && piped.closed).toBe(true)
  })

  test('every stream completes on close, after `stopped`; one subscribed to later at once', async () => {
    const { memory } = bed()
    const told: string[] = []
    const streams: readonly Observable<unknown>[] = [
      memory.events$,
      memory.evictions$,
      memory.warnings$,
      memory.stats$,
      memory.select('stopped'),
      memory.select('added', 'missed'),
    ]
    for (const [i, stream] of streams.entries()) {
      stream.subscribe({ next: () => told.push(`${i} next`), complete: () => told.push(`${i} complete`) })
    }
    await memory.close()
    expect(told.sort()).toEqual([
      '0 complete',
      '0 next',
      '0 next',
      '1 complete',
      '2 complete',
      '3 complete',
      '3 next',
      '4 complete',
      '4 next',
      '5 complete',
    ])
    for (const stream of streams) {
      const [next, complete] = [vi.fn(), vi.fn()]
      stream.pipe(filter(() => true)).subscribe({ next, complete })
      expect(stream.subscribe({ next, complete }).closed).toBe(true)
      expect([next.mock.calls.length, complete.mock.calls.length]).toEqual([0, 2])
    }
  })
})

describe('diagnostics_channel', () => {
  test('hears each type under its own name, with nobody else listening', () => {
    const { memory } = tightBed(100)
    const told: [string, unknown][] = []
    const hear = (event: unknown, name: string | symbol): void =>
      void told.push([String(name), (event as MuninnEvent).type])
    for (const type of ['added', 'evicted', 'cycle-started']) {
      const named = channel(`muninn:${type}`)
      named.subscribe(hear)
      onTestFinished(() => void named.unsubscribe(hear))
    }
    memory.cache('c').set('a', 1, { size: 60 })
    memory.cache('c').set('b', 1, { size: 60 })
    memory.evict()
    expect(told).toEqual([
      ['muninn:added', 'added'],
      ['muninn:evicted', 'evicted'],
      ['muninn:added', 'added'],
      ['muninn:cycle-started', 'cycle-started'],
      ['muninn:evicted', 'evicted'],
    ])
  })
})
