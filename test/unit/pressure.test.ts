import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { MemoryManagerOptions } from '../../src/muninn.ts'
import { FakeSurroundings } from '../support/fake-surroundings.ts'
import { assertFolds, stateOf } from '../support/fold-law.ts'
import { type Bed, bed } from '../support/manager-bed.ts'

const MIB = 1024 ** 2
const KIB = 1024

/** A heap of 256 MB, of which the caches may take 64, and a cache full of 1 KB each to `held` bytes. */
function pressed(held: number, options: MemoryManagerOptions = {}): { test: Bed; world: FakeSurroundings } {
  const world = new FakeSurroundings()
  const test = bed({ maxItems: Number.POSITIVE_INFINITY, maxMemory: '25%', ...options }, world)
  world.held = () => stateOf(test.memory).heapBytes
  fill(test, held)
  test.forget()
  test.logged.length = 0
  return { test, world }
}

/** Adds so many bytes at a time, as often as it would take to hold so many. */
function fill(test: Bed, bytes: number, size = KIB): void {
  const cache = test.memory.cache('c')
  for (let i = 0; i < bytes / size && cache.bytes < bytes; i++) {
    cache.set(`key-${i}-${stateOf(test.memory).seq}`, i, { size })
  }
}

const effective = (test: Bed) => stateOf(test.memory).effective

async function untilIdle(test: Bed): Promise<void> {
  while (stateOf(test.memory).cycle !== null) await turn()
}

describe('a process that runs short of heap', () => {
  it('is given memory back, down to what is left, in slices, and every step is told with its evidence', async () => {
    const { test, world } = pressed(50 * MIB)
    world.others = 150 * MIB
    world.collect()
    const [changed] = test.of('budget-changed')
    expect(changed).toMatchObject({
      reason: 'pressure',
      from: { maxHeap: 64 * MIB },
      stated: { maxMemory: 256 * MIB, maxHeap: 64 * MIB },
      evidence: { watched: 'heap', used: 200 * MIB, limit: 256 * MIB, afterCollection: true, held: 50 * MIB },
      mayUse: null,
    })
    // 62 % of the heap's limit are aimed at.
    expect(changed?.to.maxHeap).toBe(Math.floor(0.62 * 256 * MIB) - 150 * MIB)
    expect(test.of('cycle-started')).toMatchObject([{ trigger: 'pressure' }])
    expect(test.of('evicted')).toHaveLength(0)
    await untilIdle(test)
    expect(new Set(test.of('evicted').map(({ cause }) => cause))).toEqual(new Set(['pressure']))
    expect(test.of('cycle-continued').length).toBeGreaterThan(100)
    expect(test.memory.cache('c').bytes).toBeLessThanOrEqual(effective(test).maxHeap)
    expect(test.logged.filter(({ level }) => level === 'warn').map(({ message }) => message)).toEqual([
      expect.stringMatching(/^the process is short of memory \(V8 old generation at 78\.1% of 256 MiB after a garbage/),
    ])
    expect(test.memory.stats()).toMatchObject({
      maxHeapBytes: 64 * MIB,
      pressure: { active: true, effectiveHeapBytes: changed?.to.maxHeap, effectiveMemoryBytes: 256 * MIB },
      evictedByCause: { pressure: test.of('evicted').length },
    })
  })

  it('is the fold of its events, as ever', async () => {
    const world = new FakeSurroundings()
    const test = bed({ maxItems: Number.POSITIVE_INFINITY, maxMemory: '25%', policy: 'hybrid' }, world)
    world.held = () => stateOf(test.memory).heapBytes
    fill(test, 5 * MIB)
    world.others = 190 * MIB
    world.collect()
    fill(test, 1 * MIB)
    await untilIdle(test)
    test.memory.setLimits({ maxMemory: '20%' })
    assertFolds(test.memory, test.events)
    world.others = 20 * MIB
    for (let i = 0; i < 10; i++) {
      test.clock.time += 60_000
      world.collect()
    }
    assertFolds(test.memory, test.events)
    expect(test.memory.stats().pressure.active).toBe(false)
  })

  it('sees no growth by adds while it is given back', () => {
    const { test, world } = pressed(50 * MIB)
    world.others = 150 * MIB
    world.collect()
    const cache = test.memory.cache('c')
    let before = cache.bytes
    for (let i = 0; i < 100; i++) {
      cache.set(`large-${i}`, i, { size: 3 * KIB })
      expect(cache.bytes).toBeLessThanOrEqual(before)
      // A slice at a time: no add pays for all of it.
      expect(before - cache.bytes).toBeLessThan(200 * KIB)
      before = cache.bytes
    }
    expect(cache.has('large-99')).toBe(true)
  })

  it('holds adds to the lowered budget, by evictions with cause pressure', async () => {
    const { test, world } = pressed(50 * MIB, { evictionThreshold: 1 })
    world.others = 150 * MIB
    world.collect()
    await untilIdle(test)
    test.forget()
    fill(test, effective(test).maxHeap - KIB)
    for (let i = 0; i < 50; i++) test.memory.cache('c').set(`more-${i}`, i, { size: KIB })
    expect(test.of('evicted').every(({ cause, cycle }) => cause === 'pressure' && cycle === null)).toBe(true)
    expect(test.of('evicted').length).toBeGreaterThan(0)
    expect(test.memory.canAdd('c', effective(test).maxHeap + 1)).toMatchObject({ allowed: false, reason: 'heap' })
    expect(test.memory.cache('c').put('huge', 1, { size: effective(test).maxHeap + 1 })).toEqual({
      stored: false,
      reason: 'too-large',
      limit: 'heap',
    })
    expect(test.of('rejected')).toMatchObject([{ limit: effective(test).maxHeap }])
  })

  it('is given memory back also where adds are refused rather than evict', async () => {
    const { test, world } = pressed(50 * MIB, { onFull: 'reject' })
    world.others = 150 * MIB
    world.collect()
    await untilIdle(test)
    const { maxHeap } = effective(test)
    expect(test.memory.cache('c').bytes).toBeLessThanOrEqual(maxHeap)
    expect(test.memory.cache('c').put('large', 1, { size: maxHeap })).toMatchObject({ stored: false, reason: 'full' })
  })

  it('takes garbage for what it is', () => {
    const { test, world } = pressed(50 * MIB)
    world.garbage = 150 * MIB
    for (let i = 0; i < 20; i++) {
      test.clock.time += 1_000
      fill(test, 50 * MIB)
      test.memory.check()
    }
    world.collect()
    expect(test.of('budget-changed')).toEqual([])
  })

  it('grows no further where garbage and all come near the limit', () => {
    const { test, world } = pressed(40 * MIB)
    world.garbage = 165 * MIB
    test.memory.check()
    expect(test.of('budget-changed')).toMatchObject([
      { reason: 'pressure', to: { maxHeap: 40 * MIB }, evidence: { afterCollection: false } },
    ])
    // Nothing new is known, nothing new is given up;
    test.memory.check()
    expect(test.of('budget-changed')).toHaveLength(1)
    // it goes on filling:
    world.garbage = 175 * MIB
    test.memory.check()
    expect(test.of('budget-changed')).toHaveLength(2)
    expect(test.of('budget-changed')[1]?.to.maxHeap).toBeLessThanOrEqual(30 * MIB)
  })

  it('grows no further where what survives of the young generation would fill the rest', () => {
    const { test, world } = pressed(40 * MIB)
    world.garbage = 150 * MIB
    test.memory.check()
    expect(test.of('budget-changed')).toEqual([])
    world.young = 48 * MIB
    test.memory.check()
    expect(test.of('budget-changed')).toMatchObject([
      { reason: 'pressure', to: { maxHeap: 40 * MIB }, evidence: { afterCollection: false } },
    ])
  })

  it('gives way also where sizes say that the caches hold more than there is', () => {
    const { test, world } = pressed(1 * MIB, { maxMemory: '8GB', maxHeap: '8GB' })
    world.held = () => stateOf(test.memory).heapBytes / 4
    world.others = 120 * MIB
    fill(test, 400 * MIB, 256 * KIB)
    expect(test.memory.cache('c').bytes).toBeGreaterThan(300 * MIB)
    world.garbage = 20 * MIB
    test.memory.check()
    expect(test.of('budget-changed')[0]).toMatchObject({ reason: 'pressure', evidence: { afterCollection: false } })
    world.collect()
    expect(effective(test).maxHeap).toBeLessThan(350 * MIB)
  })

  it('is noticed in the middle of synchronous work, before a collection can be told', () => {
    const { test, world } = pressed(1 * MIB)
    world.others = 150 * MIB
    // All in one turn: no callback runs, but V8 has collected when the caches hold 30 MB.
    world.garbage = 20 * MIB
    const cache = test.memory.cache('c')
    for (let i = 0; i < 60_000; i++) {
      cache.set(`burst-${i}`, i, { size: KIB })
      if (cache.bytes > 30 * MIB) world.garbage = 0
    }
    expect(test.of('budget-changed')).toMatchObject([{ reason: 'pressure' }])
    expect(cache.bytes).toBeLessThan(20 * MIB)
  })

  it('is noticed under churn that does not grow the caches', () => {
    const { test, world } = pressed(1 * MIB, { maxItems: 1_000 })
    const cache = test.memory.cache('c')
    for (let i = 0; i < 20_000; i++) {
      if (i === 5_000) Object.assign(world, { others: 230 * MIB })
      if (i === 10_000) world.others = 225 * MIB
      cache.set(`churn-${i}`, i, { size: KIB })
    }
    expect(test.of('budget-changed').length).toBeGreaterThan(0)
    expect(effective(test).maxHeap).toBeLessThan(MIB)
  })

  it('takes it again when there is room for a while, a step at a time', async () => {
    const { test, world } = pressed(50 * MIB)
    world.others = 150 * MIB
    world.collect()
    await untilIdle(test)
    world.others = 60 * MIB
    test.clock.time += 1_000
    world.collect()
    expect(test.of('budget-changed')).toHaveLength(1)
    test.clock.time += 5_000
    world.collect()
    expect(test.of('budget-changed')[1]).toMatchObject({ reason: 'relief', evidence: { watched: 'heap' } })
    for (let i = 0; i < 10; i++) {
      test.clock.time += 6_000
      fill(test, effective(test).maxHeap * 0.7)
      world.collect()
    }
    expect(effective(test)).toEqual({ maxMemory: 256 * MIB, maxHeap: 64 * MIB })
    expect(test.logged.filter(({ message }) => message.startsWith('the process has room again'))).not.toEqual([])
  })

  it('does not flap under a steady load', async () => {
    const { test, world } = pressed(50 * MIB)
    world.others = 140 * MIB
    for (let minute = 0; minute < 20; minute++) {
      for (let i = 0; i < 60; i++) {
        test.clock.time += 1_000
        world.others = 140 * MIB + (i % 10) * MIB
        fill(test, effective(test).maxHeap * 0.85, 64 * KIB)
        world.collect()
        await untilIdle(test)
      }
    }
    expect(test.of('budget-changed').length).toBeLessThan(5)
  })

  it('that is under pressure again and again waits longer each time', async () => {
    const { test, world } = pressed(50 * MIB)
    let changes = 0
    for (let i = 0; i < 600; i++) {
      test.clock.time += 6_000
      // Room as soon as it gave way, none as soon as it took it.
      world.others = effective(test).maxHeap < 30 * MIB ? 60 * MIB : 180 * MIB
      fill(test, effective(test).maxHeap * 0.7, 256 * KIB)
      world.collect()
      await untilIdle(test)
      changes = test.of('budget-changed').length
    }
    expect(changes).toBeLessThan(50)
  })

  it('gives way earlier where collections take much of the time', () => {
    const { test, world } = pressed(50 * MIB)
    world.others = 123 * MIB
    world.collect()
    expect(test.of('budget-changed')).toEqual([])
    for (let i = 0; i < 4; i++) {
      test.clock.time += 500
      world.collect(250)
    }
    expect(test.of('budget-changed')).toMatchObject([
      { reason: 'pressure', evidence: { collecting: expect.any(Number) } },
    ])
  })
})

describe('a container that runs short of memory', () => {
  it('is given memory back', async () => {
    const { test, world } = pressed(60 * MIB)
    world.used = { used: 1000 * MIB, limit: 1024 * MIB, source: 'cgroup v2 memory.current', stalled: null }
    test.clock.time += 1_000
    world.collect()
    expect(test.of('budget-changed')).toMatchObject([
      { reason: 'pressure', evidence: { watched: 'memory', source: 'cgroup v2 memory.current' } },
    ])
    await untilIdle(test)
    expect(test.memory.cache('c').bytes).toBeLessThanOrEqual(effective(test).maxMemory)
  })

  it('counts as short of it earlier where it waits for memory', () => {
    const { test, world } = pressed(60 * MIB)
    world.used = { ...world.used, used: 860 * MIB, stalled: 0 }
    test.clock.time += 60_000
    world.collect()
    test.clock.time += 60_000
    world.collect()
    expect(test.of('budget-changed')).toEqual([])
    world.used = { ...world.used, stalled: 40 }
    test.clock.time += 60_000
    world.collect()
    expect(test.of('budget-changed')).toMatchObject([{ evidence: { watched: 'memory', stalled: 40 } }])
  })
})

describe('the watch over the process', () => {
  it('is not there where it is switched off', () => {
    const world = new FakeSurroundings()
    const test = bed({ pressure: false, maxMemory: '25%' }, world)
    world.others = 250 * MIB
    fill(test, 500 * KIB)
    test.memory.check()
    expect([world.reads, world.listeners]).toEqual([0, 0])
    expect(test.of('budget-changed')).toEqual([])
  })

  it('ends with close()', async () => {
    const world = new FakeSurroundings()
    const test = bed({}, world)
    expect(world.listeners).toBe(1)
    await test.memory.close()
    expect(world.listeners).toBe(0)
  })

  it('is an option that is true or false', () => {
    expect(() => bed({ pressure: 'yes' as never })).toThrow(/pressure/)
  })
})
