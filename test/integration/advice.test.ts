import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import type { Advice } from '../../src/base/advice.ts'
import type { MemoryManagerOptions } from '../../src/base/options.ts'
import type { PolicyName } from '../../src/base/settings.ts'
import type { MemoryManager } from '../../src/command/memory-manager.ts'
import { openHistory } from '../../src/query/history.ts'
import { replay } from '../../src/replay/replay.ts'
import { AuditFolder } from '../support/audit-file.ts'
import { playTrace, traceManager } from '../support/trace-manager.ts'
import { zipf } from '../support/workloads.ts'

const TRACES = fileURLToPath(new URL('../../../shared/traces/', import.meta.url))

/** What really comes of it. */
async function carriedOut(file: string, was: object, { setting, to }: Advice): Promise<number> {
  return (await replay(file, { ...was, [setting]: to })).hit_ratio as number
}

interface Row {
  readonly trace: string
  readonly unit: string
  readonly capacity: number
}

/** The rows of the anchors, but the long trace's. */
function rowsOf(): Row[] {
  if (!existsSync(TRACES)) return []
  return readFileSync(`${TRACES}anchors.tsv`, 'utf8')
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.split('\t'))
    .map(([trace = '', unit = '', , capacity]) => ({ trace, unit, capacity: Number(capacity) }))
    .filter(({ trace }) => trace !== 'orm-busy')
}

describe.skipIf(!existsSync(TRACES)).each(['lru', 'hybrid'] as const)('what a cache under %s is advised', (policy) => {
  test.each(rowsOf())('holds on $trace at $capacity $unit', async ({ trace, unit, capacity }) => {
    const file = `${TRACES}${trace}.txt.gz`
    const limit =
      unit === 'items' ? { maxItems: capacity } : { maxItems: Number.POSITIVE_INFINITY, maxMemory: capacity }
    const memory = traceManager({ policy, ...limit })
    await playTrace(memory, file)
    const given = memory.advise()
    await memory.close()
    for (const advice of given) {
      const real = await carriedOut(file, { policy, ...limit }, advice)
      const off = advice.expected - real
      expect.soft(advice.atLeast ? off : Math.abs(off), advice.text).toBeLessThan(advice.error)
      if (advice.advice !== 'more memory') continue
      const all = await replay(file, { policy, maxItems: Number.MAX_SAFE_INTEGER })
      const most = /above ([\d.]+) %/.exec(advice.text)?.[1]
      if (most === undefined) {
        expect.soft(advice.text).toContain('beyond that nothing')
        expect.soft((all.hit_ratio as number) - real, advice.text).toBeLessThan(0.03)
      } else expect.soft(Math.abs((all.hit_ratio as number) - Number(most) / 100), advice.text).toBeLessThan(0.025)
    }
  })
})

describe.skipIf(!existsSync(TRACES))('advice from shadows', () => {
  test('names a policy that does as well, or better, and what other limits would have hit', async () => {
    const file = `${TRACES}web07.txt.gz`
    const was = { policy: 'lru', maxItems: 1_024 } as const
    const memory = traceManager({ ...was, shadow: ['hybrid', { maxItems: 4_096 }] })
    await playTrace(memory, file)
    const given = memory.advise().filter(({ source }) => source === 'shadow')
    await memory.close()
    expect(given.map(({ advice }) => advice).sort()).toEqual(['other limits', 'other policy'])
    for (const advice of given) {
      expect(Math.abs((await carriedOut(file, was, advice)) - advice.expected), advice.text).toBeLessThan(advice.error)
    }
  })
})

describe.skipIf(!existsSync(TRACES))('the doctor’s advice', () => {
  test.each([
    ['web07', 'hybrid', 205],
    ['lirs-multi1', 'lru', 521],
    ['address-gcc', 'hybrid', 673],
  ] as const)('on %s under %s at %i, taken over as it stands, does what it says', async (trace, policy, maxItems) => {
    const file = `${TRACES}${trace}.txt.gz`
    using files = new AuditFolder()
    const memory = traceManager({ policy, maxItems, audit: files.path(), clock: { now: () => Date.now() } })
    await playTrace(memory, file)
    memory.check()
    const foretold = new Map(memory.advise().map((advice) => [advice.text, advice]))
    await memory.close()
    const history = openHistory(files.path())
    const { items } = await history.doctor()
    await history.close()
    const given = items.filter(({ evidence }) => foretold.has(evidence[0] as string))
    expect(given.length).toBeGreaterThan(0)
    for (const { evidence, setting, value } of given) {
      const { expected, error, atLeast } = foretold.get(evidence[0] as string) as Advice
      const real = (await replay(file, { policy, maxItems, [setting]: value })).hit_ratio as number
      expect(atLeast ? expected - real : Math.abs(expected - real), evidence[0]).toBeLessThan(error)
    }
  })
})

/**
 * Caches under one limit, each with its own load, in turn; the first has twice the requests. The more skewed, the less are most
 * of the entries worth. Returns the manager and the hit ratio.
 */
function sharing(options: MemoryManagerOptions, caches = 2, skew = 0): { memory: MemoryManager; hitRate: number } {
  const memory = traceManager(options)
  const loads = [1.1, 0.8, 0.9, 1, 0.7].map((exponent, i) =>
    zipf([3_000, 1_000, 500, 2_000, 300][i] as number, exponent + skew, i + 3),
  )
  const turns = [0, ...Array.from({ length: caches }, (_, i) => i)].reverse()
  for (let i = 0; i < 40_000 * caches; i++) {
    const which = turns[i % turns.length] as number
    const cache = memory.cache(`c${which}`)
    const key = `k${(loads[which] as (typeof loads)[number]).next()}`
    if (cache.get(key) === undefined) cache.set(key, 1, { size: 1 + (key.length % 4) })
  }
  return { memory, hitRate: memory.stats().hitRate as number }
}

describe('advice for caches that share their room', () => {
  const unlimited = Number.POSITIVE_INFINITY

  test.each<[number, Advice['advice'], MemoryManagerOptions]>([
    [2, 'more memory', { policy: 'lru', maxItems: 500 }],
    [2, 'more memory', { policy: 'lru', maxItems: unlimited, maxMemory: 1_000 }],
    [2, 'more memory', { policy: 'hybrid', maxItems: 500 }],
    [2, 'less memory', { policy: 'lru', maxItems: 3_000 }],
    [2, 'less memory', { policy: 'lru', maxItems: unlimited, maxMemory: 7_500 }],
    [2, 'less memory', { policy: 'hybrid', maxItems: 3_000 }],
    [5, 'more memory', { policy: 'lru', maxItems: 1_000 }],
    [5, 'less memory', { policy: 'lru', maxItems: 5_000 }],
    [5, 'less memory', { policy: 'hybrid', maxItems: 5_000 }],
    [5, 'less memory', { policy: 'hybrid', maxItems: unlimited, maxMemory: 12_500 }],
  ])('holds for %i: %s, %o', async (caches, kind, options) => {
    const skew = kind === 'less memory' ? 0.6 : 0
    const { memory } = sharing(options, caches, skew)
    const given = memory.advise().filter(({ advice }) => advice !== 'other policy')
    await memory.close()
    expect(given.map(({ advice }) => advice)).toContain(kind)
    for (const { setting, to, expected, error, atLeast, text } of given) {
      const carried = sharing({ ...options, [setting]: to }, caches, skew)
      await carried.memory.close()
      const off = expected - carried.hitRate
      expect(atLeast ? off : Math.abs(off), text).toBeLessThan(error)
    }
  })
})

describe('advice', () => {
  test.each(['lfu', 'hybrid'] as const)('says that %s would have done as well, and it does', async (policy) => {
    const options = { policy: 'lru', maxItems: 3_000 } as const
    const { memory } = sharing({ ...options, shadow: [policy] })
    const [advice] = memory.advise().filter(({ source }) => source === 'shadow')
    await memory.close()
    expect(advice?.text).toMatch(new RegExp(`^${policy} would have done as well`))
    const carried = sharing({ ...options, policy })
    await carried.memory.close()
    expect(Math.abs(carried.hitRate - (advice?.expected as number))).toBeLessThan(0.02)
  })

  /** Entries leave after some seconds, whatever their TTL. */
  function churn(ttl: number, audit?: string): { memory: MemoryManager; hitRate: number } {
    let now = Date.now() - 600_000
    const clock = { now: () => now }
    const options = { policy: 'lru', maxItems: 500, clock, caches: { c: { ttl } } } as const
    const memory = traceManager(audit === undefined ? options : { ...options, audit })
    const cache = memory.cache('c')
    const { next } = zipf(5_000, 0.7, 3)
    for (let i = 0; i < 60_000; i++) {
      now += 5
      const key = `k${next()}`
      if (cache.get(key) === undefined) cache.set(key, 1, { size: 1 })
    }
    return { memory, hitRate: memory.stats().hitRate as number }
  }

  test('says that a TTL never matters, and without it the hit rate is the same', async () => {
    const { memory, hitRate } = churn(600_000)
    const [advice] = memory.advise().filter((one) => one.advice === 'needless ttl')
    expect(advice).toMatchObject({ cache: 'c', setting: 'caches.c.ttl', from: 600_000, to: 'Infinity' })
    expect(advice?.text).toMatch(
      /^Half of the entries of c live at most \d+ s before they are evicted: the TTL of 10 min/,
    )
    const without = churn(Number.POSITIVE_INFINITY)
    expect(Math.abs(without.hitRate - hitRate)).toBeLessThan(advice?.error as number)
    await memory.close()
    await without.memory.close()
  })

  test('says nothing of a TTL that does matter, nor of a cache that was hardly used', async () => {
    const { memory } = churn(2_000)
    expect(memory.advise().map(({ advice }) => advice)).not.toContain('needless ttl')
    await memory.close()
    const idle = traceManager({ maxItems: 10 })
    idle.cache('c').get('k')
    expect(idle.advise()).toEqual([])
    await idle.close()
  })

  test('stands in the doctor’s diagnosis, from the audit log alone', async () => {
    using files = new AuditFolder()
    const { memory } = churn(600_000, files.path())
    memory.check()
    const live = memory.advise()
    await memory.close()
    const history = openHistory(files.path())
    const { items } = await history.doctor()
    await history.close()
    const texts = items.flatMap(({ evidence }) => evidence)
    const foretold = live.filter(({ advice }) => advice !== 'needless ttl').map(({ text }) => text)
    expect(foretold.length).toBeGreaterThan(0)
    for (const text of foretold) expect(texts).toContain(text)
    expect(items.map(({ finding }) => finding)).toEqual(expect.arrayContaining(['more memory pays', 'needless TTL']))
  })

  test.each<PolicyName>(['lfu', 'ttl', 'size'])('says of %s only what is known of it', async (policy) => {
    const memory = traceManager({ policy, maxItems: 200 })
    const cache = memory.cache('c')
    const { next } = zipf(2_000, 0.9, 3)
    for (let i = 0; i < 20_000; i++) {
      const key = `k${next()}`
      if (cache.get(key) === undefined) cache.set(key, 1, { size: 1 })
    }
    expect(memory.advise().every(({ advice }) => advice === 'other policy')).toBe(true)
    await memory.close()
  })
})
