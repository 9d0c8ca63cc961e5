import { describe, expect, test } from 'vitest'
import { EVENT_TYPES, type EventType } from '../../src/event/catalogue.ts'
import { apply } from '../../src/fold/apply.ts'
import { State } from '../../src/fold/state.ts'
import { type Fields, Run, SETTINGS } from '../support/events.ts'
import { bed, tightBed } from '../support/manager-bed.ts'

/** A state and the run that it folds, with the entry `k` in cache `tenant`. */
function folded(): {
  state: State
  run: Run
  tell: <T extends EventType>(type: T, fields?: Partial<Fields[T]>) => void
} {
  const run = new Run('run')
  const state = new State({ seed: 1, at: run.at, settings: SETTINGS })
  apply(state, run.started())
  const tell = <T extends EventType>(type: T, fields: Partial<Fields[T]> = {}): void =>
    apply(state, run.event(type, fields))
  tell('added', { cache: 'tenant', key: 'k', size: 100 })
  return { state, run, tell }
}

describe('an event that is folded', () => {
  test.each(EVENT_TYPES.filter((type) => type !== 'started'))('of type %s is the last that the state knows', (type) => {
    const { state, run, tell } = folded()
    run.at += 7
    tell(
      type,
      type === 'added' ? ({ key: 'another' } as never) : type === 'remeasured' ? ({ entries: [] } as never) : {},
    )
    expect([state.seq, state.at]).toEqual([run.seq, run.at])
  })

  test('about a cache or a key that is not there is refused, and says which', () => {
    const { tell } = folded()
    expect(() => tell('accessed', { cache: 'nowhere' })).toThrow('the cache "nowhere"')
    expect(() => tell('accessed', { key: 'nobody' })).toThrow('the key "nobody"')
  })

  test('of the clock sets the offset; of pressure the budgets, stated or not', () => {
    const { state, tell } = folded()
    tell('clock-changed', { from: 0, to: 3_600_000 })
    expect(state.wallOffset).toBe(3_600_000)
    const stated = { maxMemory: 1_000, maxHeap: 800 }
    tell('budget-changed', { stated, to: { maxMemory: 600, maxHeap: 800 } })
    expect([state.settings.maxMemory, state.settings.maxHeap]).toEqual([1_000, 800])
    expect([state.limits.maxMemory, state.limits.maxHeap]).toEqual([600, 800])
    tell('budget-changed', { stated, to: { maxMemory: 1_000, maxHeap: 300 } })
    expect([state.limits.maxMemory, state.limits.maxHeap]).toEqual([1_000, 300])
  })

  test('of a cycle counts for the cycle that runs, and for no other', () => {
    const { state, tell } = folded()
    tell('cycle-started', { cycle: 'running', trigger: 'pressure' })
    tell('cycle-started', { cycle: 'forced', trigger: 'forced' })
    expect(state.cycle?.started.cycle).toBe('running')
    tell('evicted', { key: 'k', cycle: 'forced' })
    expect(state.cycle).toMatchObject({ count: 0, bytes: 0 })
    tell('cycle-completed', { cycle: 'forced' })
    expect(state.cycle?.started.cycle).toBe('running')
    tell('added', { key: 'k', size: 30 })
    tell('evicted', { key: 'k', cycle: 'running' })
    expect(state.cycle).toMatchObject({ count: 1, bytes: 30 })
    tell('cycle-completed', { cycle: 'running' })
    expect(state.cycle).toBeNull()
    expect(state.cycles).toBe(2)
  })
})

test('an overwrite changes what lies off the heap by the difference', () => {
  const { memory } = tightBed(100_000, { sizing: 'heap' })
  const cache = memory.cache('c')
  cache.set('k', new ArrayBuffer(5_000))
  cache.set('k', new ArrayBuffer(2_000))
  const { currentMemoryBytes, heapBytes } = memory.stats()
  expect(currentMemoryBytes - heapBytes).toBe(2_000)
  cache.delete('k')
  expect(memory.stats()).toMatchObject({ currentMemoryBytes: 0, heapBytes: 0 })
})

test.each(['delete', 'expire', 'clear'] as const)('a miss after a %s regrets no earlier eviction', (way) => {
  const test = bed({ maxItems: 1 })
  const cache = test.memory.cache('c')
  cache.set('k', 1)
  cache.set('other', 1)
  cache.set('k', 1, { ttl: 50 })
  if (way === 'delete') cache.delete('k')
  else if (way === 'clear') cache.clear()
  else test.clock.time += 50
  cache.get('k')
  expect(test.of('missed').at(-1)).toMatchObject({ key: 'k', regret: null })
})

test('a smaller value in place of a larger one, that was no peak, leaves the peak what it consisted of', () => {
  const test = tightBed(10_000)
  test.memory.cache('a').set('k', 1, { size: 500 })
  test.memory.cache('b').set('k', 1, { size: 400 })
  test.memory.cache('b').set('k', 1, { size: 500 })
  test.memory.check()
  expect(test.of('peaked').find(({ metric }) => metric === 'bytes')?.held.caches).toEqual([
    { cache: 'a', items: 1, bytes: 500 },
    { cache: 'b', items: 1, bytes: 500 },
  ])
})

test('when a cache is dropped, the others still give up what a common limit needs', () => {
  const test = bed({ maxItems: 2 })
  for (const name of ['gone', 'a', 'b']) test.memory.cache(name)
  test.memory.drop('gone')
  test.memory.cache('a').set('first', 1)
  test.memory.cache('b').set('second', 1)
  test.memory.cache('b').set('third', 1)
  expect(test.evictedKeys).toEqual(['first'])
})
