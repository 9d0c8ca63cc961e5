import { describe, expect, test } from 'vitest'
import { POLICIES, type PolicyName } from '../../src/base/settings.ts'
import { chance } from '../support/chance.ts'
import { MadeState } from '../support/made-state.ts'

const NEVER = Number.POSITIVE_INFINITY

describe('the sums of what is there', () => {
  test('are those of a plain list of entries, whatever comes, changes and leaves', () => {
    for (let run = 0; run < 10; run++) {
      const below = chance(run)
      const caches = ['a', 'b']
      const made = new MadeState({ policy: POLICIES[run % POLICIES.length] as PolicyName }, caches)
      const { state } = made
      const entries = new Map<string, { size: number; offHeap: number; cost: number; actor: string | null }>()
      let added = 0
      let left = 0
      let most = { bytes: 0, heap_bytes: 0, items: 0 }
      for (let i = 0; i < 300; i++) {
        const [cache, key] = [caches[below(2)] as string, `k${below(12)}`]
        const name = `${cache} ${key}`
        const size = below(100)
        const offHeap = below(3) === 0 ? below(size + 1) : 0
        const said = {
          cache,
          key,
          size,
          offHeap,
          cost: below(3),
          actor: below(2) === 0 ? 'me' : null,
          tags: null,
          prefix: 'p',
        }
        const before = entries.get(name)
        const what = below(5)
        if (before === undefined) {
          made.tell('added', said)
          entries.set(name, said)
          added += size
        } else if (what === 0) {
          made.tell('updated', { ...said, previousSize: before.size })
          entries.set(name, said)
          added += size
          left += before.size
        } else if (what === 1) {
          made.tell('remeasured', { entries: [{ cache, key, size, offHeap, previousSize: before.size }] })
          entries.set(name, { ...before, size, offHeap })
          added += Math.max(0, size - before.size)
          left += Math.max(0, before.size - size)
        } else if (what === 2) {
          made.tell((['removed', 'expired', 'evicted'] as const)[below(3)] as 'removed', { cache, key })
          entries.delete(name)
          left += before.size
        } else made.tell('accessed', { cache, key })
        const all = [...entries.values()]
        const bytes = all.reduce((sum, one) => sum + one.size, 0)
        const heapBytes = bytes - all.reduce((sum, one) => sum + one.offHeap, 0)
        most = {
          bytes: Math.max(most.bytes, bytes),
          heap_bytes: Math.max(most.heap_bytes, heapBytes),
          items: Math.max(most.items, all.length),
        }
        expect([state.items, state.bytes, state.heapBytes]).toEqual([all.length, bytes, heapBytes])
      }
      expect(state.holdings()).toEqual(
        caches.map((cache) => {
          const own = [...entries].filter(([name]) => name.startsWith(cache)).map(([, one]) => one)
          return { cache, items: own.length, bytes: own.reduce((sum, { size }) => sum + size, 0) }
        }),
      )
      const counts = state.cacheList.map((cache) => cache.counts)
      expect(counts.reduce((sum, { bytesAdded }) => sum + bytesAdded, 0)).toBe(added)
      expect(counts.reduce((sum, { bytesLeft }) => sum + bytesLeft, 0)).toBe(left)
      for (const metric of ['bytes', 'heap_bytes', 'items'] as const)
        expect(state.peaks.by[metric].value).toBe(most[metric])
      for (const [name, one] of entries) {
        const [cache = '', key = ''] = name.split(' ')
        const h = made.handleOf(key, cache)
        const { size, storedBy } = state.columns
        expect([size[h], state.offHeapOf(h), state.costOf(h), storedBy[h] ?? null]).toEqual([
          one.size,
          one.offHeap,
          one.cost,
          one.actor,
        ])
      }
      const [cache] = caches as [string]
      const items = state.caches.get(cache)?.items as number
      made.tell('cleared', { cache, count: items, bytes: 0 })
      expect(state.caches.get(cache)).toMatchObject({ items: 0, bytes: 0 })
      expect(state.caches.get(cache)?.counts.cleared).toBe(items)
    }
  })

  test('are counted by what happened', () => {
    const made = new MadeState()
    made.add('k', 5)
    made.tell('updated', { cache: 'c', key: 'k', size: 7 })
    made.tell('accessed', { cache: 'c', key: 'k' })
    made.tell('missed', { cache: 'c', key: 'x', regret: null })
    made.tell('rejected', { cache: 'c', key: 'x' })
    made.run.at += 10
    made.tell('evicted', { cache: 'c', key: 'k', cause: 'heap', cycle: null })
    const { seq } = made.state
    made.tell('missed', { cache: 'c', key: 'k', regret: seq })
    made.tell('missed', { cache: 'c', key: 'k', regret: -seq })
    made.add('k', 1)
    made.tell('expired', { cache: 'c', key: 'k' })
    made.add('k', 1)
    made.tell('removed', { cache: 'c', key: 'k' })
    expect(made.cache().counts).toMatchObject({
      hits: 1,
      misses: 3,
      regrettedMisses: 2,
      regrettedEvictions: 1,
      added: 3,
      updated: 1,
      bytesAdded: 14,
      evicted: 1,
      evictedBytes: 7,
      expired: 1,
      removed: 1,
      rejected: 1,
      bytesLeft: 14,
    })
    expect(made.state.evictionAges.quantile(1)).toBe(11)
    expect([made.state.lastEviction, made.state.evictionRate.perMinute(1_010)]).toEqual([1_010, 0.2])
  })
})

describe('an entry', () => {
  test('knows when it came and was used, its hits since it was stored, and its uses in all', () => {
    const made = new MadeState()
    made.add('k', 5)
    const h = made.handleOf('k')
    const { columns } = made.state
    const known = () => [
      columns.storedAt[h],
      columns.usedAt[h],
      columns.usedSeq[h],
      columns.addedSeq[h],
      columns.hits[h],
      columns.uses(h),
    ]
    expect(known()).toEqual([1_000, 1_000, 2, 2, 0, 1])
    made.run.at = 2_000
    made.tell('accessed', { cache: 'c', key: 'k' })
    expect(known()).toEqual([1_000, 2_000, 3, 2, 1, 2])
    made.run.at = 3_000
    made.tell('updated', { cache: 'c', key: 'k', size: 6 })
    expect(known()).toEqual([3_000, 3_000, 4, 2, 0, 3])
    // Uses are counted up to what 32 bits hold.
    columns.carried[h] = 0xffffffff
    made.tell('updated', { cache: 'c', key: 'k', size: 6 })
    expect(columns.uses(h)).toBe(0xffffffff)
  })

  test.each([
    ['bytes off the heap', { offHeap: 3 }],
    ['a cost', { cost: 3 }],
    ['tags', { tags: ['t'] }],
    ['a name', { actor: 'me' }],
  ])('has %s where it has nothing else', (_, fields) => {
    const made = new MadeState()
    made.add('k', 5, fields)
    const { columns } = made.state
    const known = {
      offHeap: made.state.offHeapOf(0),
      cost: made.state.costOf(0),
      tags: columns.tags[0],
      actor: columns.storedBy[0],
    }
    expect(known).toMatchObject(fields)
  })

  test('lets the place for tags, names and costs be made when the first has one', () => {
    const made = new MadeState()
    const { columns } = made.state
    const lengths = () => [columns.offHeap.length, columns.cost.length, columns.tags.length, columns.storedBy.length]
    made.add('k', 5)
    expect(lengths()).toEqual([0, 0, 0, 0])
    made.add('x', 5, { offHeap: 1, cost: 2, tags: ['t'], actor: 'me' })
    expect([columns.tags[1], columns.storedBy[1]]).toEqual([['t'], 'me'])
    expect(lengths().slice(0, 2)).toEqual([columns.capacity, columns.capacity])
    made.tell('updated', { cache: 'c', key: 'x', size: 5 })
    const x = made.handleOf('x')
    expect([columns.tags[x], columns.storedBy[x], made.state.costOf(x), made.state.offHeapOf(x)]).toEqual([
      null,
      null,
      0,
      0,
    ])
    const other = new MadeState()
    other.add('k', 5)
    other.tell('remeasured', { entries: [{ cache: 'c', key: 'k', size: 5, offHeap: 4, previousSize: 5 }] })
    expect(other.state.heapBytes).toBe(1)
  })
})

describe('expiry', () => {
  test('moves on with what is stored and leaves, so that nobody looks before there is something', () => {
    const made = new MadeState({}, ['a', 'b'])
    const soonest = () => made.state.soonestExpiry
    expect(soonest()).toBe(NEVER)
    made.add('late', 1, { cache: 'a', expiresAt: 90_000 })
    made.add('soon', 1, { cache: 'b', expiresAt: 5_000 })
    expect(soonest()).toBe(5_000)
    made.run.at = 6_000
    made.tell('expired', { cache: 'b', key: 'soon' })
    expect(soonest()).toBeGreaterThan(6_000)
    expect(soonest()).toBeLessThanOrEqual(90_000)
    made.run.at = 95_000
    made.add('another', 1, { cache: 'b' })
    expect(soonest()).toBe(95_000)
    made.tell('removed', { cache: 'a', key: 'late' })
    made.run.at++
    made.tell('checked', { caches: [] })
    expect(soonest()).toBe(NEVER)
  })
})

describe('a reset of the statistics', () => {
  test('moves what is counted from, forgets rates, ages and peaks, and nothing else', () => {
    const made = new MadeState({}, ['c', 'gone'])
    const { state } = made
    made.tell('missed', { cache: 'gone', key: 'x' })
    made.tell('configured', { to: { caches: { gone: null } } })
    made.add('k', 50)
    made.add('l', 30)
    made.tell('evicted', { cache: 'c', key: 'k', cycle: null })
    made.tell('cycle-started', { trigger: 'forced' })
    made.tell('warned', { level: 'critical', to: 'critical' })
    made.tell('warned', { level: 'recovered', to: 'normal' })
    made.run.at += 7
    made.tell('stats-reset')
    expect(state).toMatchObject({ lastReset: 1_007, cycles: 1, cyclesAtReset: 1, warnings: 1, warningsAtReset: 1 })
    expect([state.lastEviction, state.evictionRate.perMinute(1_007), state.evictionAges.quantile(1)]).toEqual([
      Number.NaN,
      0,
      null,
    ])
    expect([state.dropped.misses, state.droppedAtReset.misses]).toEqual([1, 1])
    expect(state.peaks.by.bytes).toMatchObject({ value: 30, at: 1_007 })
    expect(state.peaks.ofRun('bytes')).toMatchObject({ value: 80, at: 1_000 })
    expect(made.cache().countsAtReset).toEqual(made.cache().counts)
    made.tell('missed', { cache: 'c', key: 'x' })
    expect(made.cache().counts.since(made.cache().countsAtReset)).toMatchObject({ misses: 1, added: 0, evicted: 0 })
  })
})

test('a check and a level take down how much had been written, and by whom', () => {
  const made = new MadeState()
  made.add('user:1', 10)
  made.run.at += 5
  made.tell('checked', { caches: [] })
  made.add('user:2', 20)
  made.tell('warned', { level: 'warning', to: 'warning' })
  made.add('user:3', 40)
  const cache = made.cache()
  expect([cache.writersAtCheck.get('user'), cache.writersAtLevel.get('user'), cache.bytesAddedAtLevel]).toEqual([
    10, 30, 30,
  ])
  expect([cache.countsAtCheck.bytesAdded, made.state.lastCheck, cache.lastUpdated]).toEqual([10, 1_005, 1_005])
  expect(made.state).toMatchObject({ lastLevelAt: 1_005, bytesAtLevel: 30, heapBytesAtLevel: 30 })
})

describe('what a fresh peak consisted of', () => {
  /** Two entries of 50 and 40 bytes, the peak of both; what `act` leaves of what was held then. */
  function heldAfter(act: (made: MadeState) => void): unknown {
    const made = new MadeState()
    made.add('k', 50)
    made.add('l', 40)
    act(made)
    return made.state.peaks.by.bytes.held
  }
  const held = [{ cache: 'c', items: 2, bytes: 90 }]
  const said = { cache: 'c', key: 'k', offHeap: 0, previousSize: 50 }

  test('is kept when something leaves, or becomes less', () => {
    expect(heldAfter((made) => made.tell('removed', said))).toEqual(held)
    expect(heldAfter((made) => made.tell('updated', { ...said, size: 49 }))).toEqual(held)
    expect(heldAfter((made) => made.tell('remeasured', { entries: [{ ...said, size: 49 }] }))).toEqual(held)
  })

  test('is what is there while that becomes more, or stays', () => {
    for (const size of [50, 51]) {
      expect(heldAfter((made) => made.tell('updated', { ...said, size }))).toBeNull()
      expect(heldAfter((made) => made.tell('remeasured', { entries: [{ ...said, size }] }))).toBeNull()
    }
  })

  test('is kept once: what leaves later was not all of it', () => {
    const later = heldAfter((made) => {
      made.tell('removed', said)
      made.tell('removed', { ...said, key: 'l' })
    })
    expect(later).toEqual(held)
  })
})

test('an order by size follows what an entry is charged', () => {
  const made = new MadeState({ policy: 'size' })
  made.add('k', 50)
  made.add('l', 40)
  made.tell('remeasured', { entries: [{ cache: 'c', key: 'k', size: 30, offHeap: 0, previousSize: 50 }] })
  expect(made.state.columns.keys[made.cache().order.victim(-1, 0)]).toBe('l')
})

test('while a level holds, it is known since when usage is below it: by stores, new sizes and departures', () => {
  for (const way of ['updated', 'remeasured', 'removed'] as const) {
    const made = new MadeState({ maxMemory: 100 })
    made.add('k', 85)
    expect(made.state.levels.belowSince[1]).toBe(NEVER)
    made.tell('warned', { to: 'warning' })
    made.run.at = 2_000
    const said = { cache: 'c', key: 'k', size: 10, offHeap: 0, previousSize: 85 }
    if (way === 'remeasured') made.tell(way, { entries: [said] })
    else made.tell(way, said)
    expect(made.state.levels.belowSince[1]).toBe(2_000)
  }
})

test('cycles that go on are those of a threshold and of pressure', () => {
  for (const trigger of ['threshold', 'pressure', 'forced', 'limit-lowered'] as const) {
    const made = new MadeState()
    made.tell('cycle-started', { trigger })
    expect(made.state.cycle?.started.trigger ?? null).toBe(['threshold', 'pressure'].includes(trigger) ? trigger : null)
  }
})

test('what an entry was charged before is kept of the sample that showed it', () => {
  const made = new MadeState()
  made.add('k', 50)
  const entries = [{ cache: 'c', key: 'k', size: 70, offHeap: 0, previousSize: 50 }]
  made.tell('remeasured', { sampled: 9, bytesBefore: 100, bytesAfter: 120, entries })
  expect(made.state.drift).toEqual({ at: 1_000, sampled: 9, changed: 1, bytesBefore: 100, bytesAfter: 120 })
})

test('handles are in the order in which entries came, which overwriting keeps; a policy takes them over by their use', () => {
  const made = new MadeState()
  for (const key of ['a', 'b', 'c']) made.add(key, 1)
  made.tell('removed', { cache: 'c', key: 'a' })
  made.add('d', 1)
  made.tell('updated', { cache: 'c', key: 'b', size: 2 })
  const keysOf = (handles: readonly number[]) => handles.map((h) => made.state.columns.keys[h])
  expect(keysOf(made.cache().handles())).toEqual(['b', 'c', 'd'])
  made.tell('configured', { to: { policy: 'lfu' } })
  made.tell('configured', { to: { policy: 'lru' } })
  const { order } = made.cache()
  expect(keysOf([order.victim(-1, 0), order.victim(order.victim(-1, 0), 0)])).toEqual(['c', 'd'])
})

test('an order by expiry under hybrid is asked of the wheel: who is nearly expired goes first', () => {
  const made = new MadeState({ policy: 'hybrid' })
  for (let n = 0; n < 20; n++) made.add(`k${n}`, 1)
  made.add('dying', 1, { expiresAt: 2_000 })
  made.run.at = 1_900
  expect(made.state.columns.keys[made.cache().order.victim(-1, made.run.at)]).toBe('dying')
  made.tell('configured', { to: { policy: 'lru' } })
  made.tell('configured', { to: { policy: 'hybrid' } })
  expect(made.state.columns.keys[made.cache().order.victim(-1, made.run.at)]).toBe('dying')
})
