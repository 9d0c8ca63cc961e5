import { describe, expect, it } from 'vitest'
import type { MemoryManagerOptions } from '../../src/muninn.ts'
import { allowanceOf, FakeSurroundings } from '../support/fake-surroundings.ts'
import { assertFolds } from '../support/fold-law.ts'
import { type Bed, bed, thrownBy } from '../support/manager-bed.ts'

const MIB = 1024 ** 2

/** A process that may use 1 GiB, 256 MiB of it on the heap. */
function container(options: MemoryManagerOptions): { test: Bed; world: FakeSurroundings } {
  const world = new FakeSurroundings()
  return { test: bed({ maxItems: Number.POSITIVE_INFINITY, ...options }, world), world }
}

describe('limits as shares', () => {
  it('are of what the process may use, per cache and in all, and of the heap', () => {
    const { test } = container({ maxMemory: '30%', maxHeap: '50%', caches: { tenant: { maxMemory: '10%' } } })
    expect(test.memory.settings).toMatchObject({
      maxMemory: Math.floor(0.3 * 1024 * MIB),
      maxHeap: 128 * MIB,
      caches: { tenant: { maxMemory: Math.floor(0.1 * 1024 * MIB) } },
    })
    test.memory.cache('mimir', { maxMemory: '5%' })
    test.memory.setLimits({ maxHeap: '25%', caches: { tenant: { maxMemory: '20%' } } })
    expect(test.memory.settings).toMatchObject({
      maxHeap: 64 * MIB,
      caches: {
        tenant: { maxMemory: Math.floor(0.2 * 1024 * MIB) },
        mimir: { maxMemory: Math.floor(0.05 * 1024 * MIB) },
      },
    })
  })

  it.each(['0%', '101%', '-5%', 'half'])('are refused where they are none: %s', (maxMemory) => {
    expect(thrownBy(() => container({ caches: { tenant: { maxMemory } } }))).toMatchObject({
      code: 'ERR_MUNINN_OPTION',
      option: 'caches.tenant.maxMemory',
    })
    expect(thrownBy(() => container({ maxHeap: maxMemory }))).toMatchObject({ option: 'maxHeap' })
  })

  it('that contradict each other are refused, with the arithmetic', () => {
    const wrong = () => container({ maxMemory: '25%', caches: { tenant: { maxMemory: '30%' } } })
    expect(thrownBy(wrong).message).toContain(
      '30% of 1 GiB = 307.2 MiB is more than maxMemory, 25% of 1 GiB = 256 MiB, and could never be reached',
    )
    expect(thrownBy(() => container({ maxMemory: 1000, caches: { a: { maxMemory: '2KB' } } })).message).toContain(
      '2KB = 2048 bytes is more than maxMemory, 1000 bytes',
    )
    const { test } = container({ maxMemory: '512MB' })
    expect(
      thrownBy(() => test.memory.setLimits({ maxMemory: '10MB', caches: { a: { maxMemory: '20MB' } } })),
    ).toMatchObject({ option: 'caches.a.maxMemory' })
    expect(test.memory.settings.maxMemory).toBe(512 * MIB)
    // One of them alone may pass the other: an operator lowers one at a time.
    test.memory.setLimits({ caches: { a: { maxMemory: '20MB' } } })
    test.memory.setLimits({ maxMemory: '10MB' })
    expect(test.memory.settings.maxMemory).toBe(10 * MIB)
  })
})

describe('what the process may use, read again at each check', () => {
  it('changes the budgets and shares that follow from it, and evicts what is too much', () => {
    const { test, world } = container({ maxMemory: '25%', caches: { c: { maxMemory: '10%' } } })
    const cache = test.memory.cache('c')
    for (let i = 0; i < 90; i++) cache.set(`k${i}`, i, { size: MIB / 2 })
    test.forget()
    test.memory.check()
    expect(test.of('budget-changed')).toEqual([])

    world.allowed = allowanceOf(256 * MIB, 128 * MIB)
    test.memory.check()
    expect(test.of('budget-changed')).toMatchObject([
      {
        reason: 'allowance',
        from: { maxMemory: 256 * MIB, maxHeap: 64 * MIB },
        to: { maxMemory: 64 * MIB, maxHeap: 32 * MIB },
        stated: { maxMemory: 64 * MIB, maxHeap: 32 * MIB },
        mayUse: { bytes: 256 * MIB, heapLimit: 128 * MIB },
        evidence: null,
      },
    ])
    expect(test.memory.settings).toMatchObject({
      maxMemory: 64 * MIB,
      maxHeap: 32 * MIB,
      caches: { c: { maxMemory: Math.floor(25.6 * MIB) } },
    })
    expect(cache.bytes).toBeLessThanOrEqual(25.6 * MIB)
    expect(new Set(test.of('evicted').map(({ cause }) => cause))).toEqual(new Set(['limit-lowered']))
    expect(test.memory.stats().mayUse).toMatchObject({ bytes: 256 * MIB, source: 'test' })
    expect(test.logged.map(({ message }) => message)).toContainEqual(
      expect.stringContaining('what this process may use changed: budget 256 MiB -> 64 MiB'),
    )

    world.allowed = allowanceOf(512 * MIB, 256 * MIB)
    test.memory.check()
    expect(test.memory.settings).toMatchObject({ maxMemory: 128 * MIB, maxHeap: 64 * MIB })
  })

  it('is folded like every other event', () => {
    const { test, world } = container({ maxMemory: '25%', caches: { c: { maxMemory: '10%' } } })
    for (let i = 0; i < 90; i++) test.memory.cache('c').set(`k${i}`, i, { size: MIB / 2 })
    world.allowed = allowanceOf(256 * MIB, 128 * MIB)
    test.memory.check()
    assertFolds(test.memory, test.events)
  })

  it('leaves alone what was stated in bytes, and a cache that was given bytes since', () => {
    const { test, world } = container({ maxMemory: '200MB', maxHeap: '20MB', caches: { c: { maxMemory: '10%' } } })
    test.memory.setLimits({ caches: { c: { maxMemory: '50MB' } } })
    world.allowed = allowanceOf(512 * MIB, 128 * MIB)
    test.memory.check()
    expect(test.memory.settings).toMatchObject({
      maxMemory: 200 * MIB,
      maxHeap: 20 * MIB,
      caches: { c: { maxMemory: 50 * MIB } },
    })
    expect(test.of('budget-changed')).toMatchObject([{ reason: 'allowance', mayUse: { bytes: 512 * MIB } }])
  })
})

it('the decision is a table in the log: each source, its value, which one won', () => {
  const { test } = container({})
  const table = test.logged.find(({ message }) => message.startsWith('what this process may use'))
  expect(table?.message).toBe('what this process may use\n  test        1 GiB  <- memory\n  test      256 MiB  <- heap')
})
