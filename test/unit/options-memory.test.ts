import { describe, expect, test } from 'vitest'
import type { MemoryAllowance } from '../../src/base/memory/allowance.ts'
import { resolveMemory } from '../../src/base/options.ts'
import { bed } from '../support/manager-bed.ts'

const MIB = 1024 ** 2
const GIB = 1024 ** 3

function machine(bytes: number, heapLimit = 4 * GIB): MemoryAllowance {
  return { bytes, heapLimit, source: 'test', sources: [], heapSource: 'test', heapSources: [] }
}

describe('the memory budget, where nothing is stated,', () => {
  test.each([
    [4 * GIB, GIB],
    [400 * MIB, 100 * MIB],
    [399 * MIB, 100 * MIB],
    [200 * MIB, 100 * MIB],
    [199 * MIB, 99.5 * MIB],
    [64 * MIB, 32 * MIB],
    [8 * GIB, 2 * GIB],
    [64 * GIB, 2 * GIB],
  ])('is, where the process may use %d bytes, %d', (mayUse, budget) => {
    expect(resolveMemory({}, machine(mayUse)).maxMemory).toBe(budget)
  })

  test.each([
    [10, 4 * GIB, 0.4 * GIB],
    [1, 4 * GIB, 100 * MIB],
    [50, 4 * GIB, 2 * GIB],
    [50, 3 * GIB, 1.5 * GIB],
    [100, 64 * GIB, 2 * GIB],
  ])('is %d percent of %d bytes, clamped likewise: %d', (memoryPercent, mayUse, budget) => {
    expect(resolveMemory({ memoryPercent }, machine(mayUse)).maxMemory).toBe(Math.floor(budget))
  })

  test('is what this process may use suggests, and says which source won', () => {
    const test = bed()
    const { mayUse, maxMemoryBytes, process: figures, maxHeapBytes } = test.memory.stats()
    const quarter = Math.min(Math.max(mayUse.bytes / 4, 100 * MIB), 2 * GIB, mayUse.bytes / 2)
    expect(maxMemoryBytes).toBe(Math.floor(quarter))
    expect(maxHeapBytes).toBe(Math.floor(figures.heapLimit / 4))
    expect(mayUse.bytes).toBe(Math.min(...mayUse.sources.map(({ bytes }) => bytes)))
    expect(mayUse.sources.find(({ bytes }) => bytes === mayUse.bytes)?.source).toBe(mayUse.source)
    expect(test.logged[0]).toMatchObject({
      level: 'info',
      fields: { max: maxMemoryBytes, may_use_source: mayUse.source },
    })
  })
})

describe('the memory budget that is stated', () => {
  test('is taken as it is, beyond every clamp', () => {
    for (const maxMemory of [1, 5 * MIB, 100 * GIB])
      expect(resolveMemory({ maxMemory }, machine(GIB)).maxMemory).toBe(maxMemory)
    expect(resolveMemory({ maxMemory: '10%' }, machine(100 * MIB)).maxMemory).toBe(10 * MIB)
    expect(resolveMemory({ maxMemory: '100%' }, machine(64 * GIB)).maxMemory).toBe(64 * GIB)
    expect(resolveMemory({ maxMemory: ' 12.5 % ' }, machine(8 * GIB)).maxMemory).toBe(GIB)
  })

  test('wins over the percentage', () => {
    expect(resolveMemory({ maxMemory: MIB, memoryPercent: 50 }, machine(GIB)).maxMemory).toBe(MIB)
  })

  test('above what the process may use is taken, and logged once', () => {
    const mayUse = bed().memory.stats().mayUse.bytes
    const test = bed({ maxMemory: mayUse + 1 })
    expect(test.memory.stats().maxMemoryBytes).toBe(mayUse + 1)
    const warnings = test.logged.filter(({ level }) => level === 'warn')
    expect(warnings).toMatchObject([{ fields: { max: mayUse + 1, may_use: mayUse } }])
    expect(bed({ maxMemory: mayUse }).logged.filter(({ level }) => level === 'warn')).toEqual([])
  })
})

describe('the heap budget', () => {
  test.each([
    [{}, GIB],
    [{ memoryPercent: 10 }, 0.4 * GIB],
    [{ maxMemory: '50%' }, 2 * GIB],
    [{ maxMemory: 300 * MIB }, 300 * MIB],
    [{ maxMemory: 3 * GIB }, 2 * GIB],
    [{ maxMemory: 3 * GIB, maxHeap: '3GB' }, 3 * GIB],
    [{ maxMemory: '50%', maxHeap: Number.POSITIVE_INFINITY }, Number.POSITIVE_INFINITY],
  ])('of %j under a heap limit of 4 GiB is %d', (options, budget) => {
    expect(resolveMemory(options, machine(16 * GIB, 4 * GIB)).maxHeap).toBe(Math.floor(budget))
  })
})
