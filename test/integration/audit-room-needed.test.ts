import { describe, expect, test } from 'vitest'
import type { AuditLevel } from '../../src/base/audit-options.ts'
import type { EventOf, MemoryManagerOptions, MuninnEvent } from '../../src/muninn.ts'
import { AuditFolder } from '../support/audit-file.ts'
import { chance } from '../support/chance.ts'
import { asking } from '../support/history-log.ts'
import { recordedManager } from '../support/recorded-manager.ts'

const STEPS = 1_500
const sizeOf = (key: string) => 10 + (Number(key.split(':')[1]) % 7) * 15

/** A read-through of keys that come again, the same each time, whatever the limits; one step a millisecond. */
async function readThrough(files: AuditFolder, options: MemoryManagerOptions, level: AuditLevel, isDeleting = false) {
  const random = chance(11)
  const work = ({ memory, pass }: Parameters<Parameters<typeof recordedManager>[2]>[0]) => {
    const caches = [memory.cache('a'), memory.cache('b')]
    for (let step = 0; step < STEPS; step++) {
      pass(1)
      const cache = caches[random(3) === 0 ? 1 : 0]
      const key = `k:${Math.min(random(90), random(90))}`
      if (isDeleting && step % 9 === 0) cache?.delete(key)
      else if (cache?.get(key) === undefined) cache?.set(key, step, { size: sizeOf(key) })
      if (step % 200 === 199) memory.check()
    }
  }
  return recordedManager(files, { evictionThreshold: 1, ...options, audit: { path: '', level } }, work)
}

/** Evictions of keys that were asked for again, the last of each key: what `explain` tells of. */
function askedAgain(events: readonly MuninnEvent[]): { evicted: EventOf<'evicted'>; ask: EventOf<'missed'> }[] {
  const last = new Map<string, EventOf<'evicted'>>()
  for (const event of events) if (event.type === 'evicted') last.set(`${event.cache} ${event.key}`, event)
  return [...last.values()].flatMap((evicted) => {
    const ask = events.find((event) => event.type === 'missed' && event.regret === evicted.seq && event.firstRegret)
    return ask?.type === 'missed' ? [{ evicted, ask }] : []
  })
}

const hitAt = (events: readonly MuninnEvent[], { cache, key, at }: EventOf<'missed'>) =>
  events.some((event) => event.type === 'accessed' && event.cache === cache && event.key === key && event.at === at)

describe.each<[string, (more: number) => MemoryManagerOptions, AuditLevel]>([
  ['items', (more) => ({ maxItems: 30 + more }), 'all'],
  ['bytes', (more) => ({ maxMemory: 1_600 + more, maxHeap: 1e9, maxItems: 1e6 }), 'changes'],
  ['items of one cache', (more) => ({ maxItems: 1e6, caches: { a: { maxItems: 25 + more } } }), 'changes'],
  ['bytes of one cache', (more) => ({ maxItems: 1e6, caches: { a: { maxMemory: 1_300 + more } } }), 'all'],
])('the room that would have kept an entry, in %s', (_, limited, level) => {
  test('is exact where every store is recorded: so much keeps it, one less does not; and no less than the bound of the default level', async () => {
    using files = new AuditFolder()
    using bare = new AuditFolder()
    const { events } = await readThrough(files, limited(0), level)
    await readThrough(bare, limited(0), 'departures')
    const asked = askedAgain(events)
    expect(asked.length).toBeGreaterThan(5)
    for (const { evicted, ask } of asked.slice(0, 4)) {
      const question = { cache: evicted.cache }
      const full = await asking(files, (history) => history.explain(evicted.key, question))
      const exact = full.roomNeeded?.more ?? 0
      expect(full.roomNeeded).toMatchObject({ isExact: true, askedAt: ask.at })
      expect(full.summary.join('\n')).toContain('Exactly ')
      using enough = new AuditFolder()
      using short = new AuditFolder()
      expect(hitAt((await readThrough(enough, limited(exact), 'departures')).events, ask)).toBe(true)
      expect(hitAt((await readThrough(short, limited(exact - 1), 'departures')).events, ask)).toBe(false)
      const least = await asking(bare, (history) => history.explain(evicted.key, question))
      if (least.roomNeeded === null) continue
      expect(least.roomNeeded).toMatchObject({ isExact: false, askedAt: ask.at })
      expect(least.roomNeeded?.more).toBeLessThanOrEqual(exact)
      expect(least.summary.join('\n')).toContain('an observed lower bound')
    }
  })
})

describe('the room that would have kept an entry', () => {
  test.each<AuditLevel>(['departures', 'changes'])(
    'is never exact, and no more than enough, where another limit evicts too (%s)',
    async (level) => {
      const limited = (more: number) => ({ maxItems: 30 + more, caches: { b: { maxItems: 5 } } })
      using files = new AuditFolder()
      const { events } = await readThrough(files, limited(0), level)
      const asked = askedAgain(events).filter(({ evicted }) => evicted.cause === 'items')
      expect(asked.length).toBeGreaterThan(5)
      for (const { evicted, ask } of asked.slice(0, 5)) {
        const { roomNeeded } = await asking(files, (history) => history.explain(evicted.key, { cache: evicted.cache }))
        if (roomNeeded === null) continue
        expect(roomNeeded).toMatchObject({ isLowerBound: true })
        using short = new AuditFolder()
        expect(hitAt((await readThrough(short, limited(roomNeeded.more - 1), 'departures')).events, ask)).toBe(false)
      }
    },
  )

  test('is an estimate, and says so, where entries were deleted meanwhile or have a TTL', async () => {
    for (const options of [{}, { caches: { a: { ttl: 10_000 }, b: { ttl: 10_000 } } }]) {
      using files = new AuditFolder()
      const { events } = await readThrough(files, { maxItems: 30, ...options }, 'changes', !('caches' in options))
      const found = askedAgain(events).slice(0, 5)
      const answers = await asking(files, (history) =>
        Promise.all(found.map(({ evicted: { key, cache } }) => history.explain(key, { cache }))),
      )
      const known = answers.filter(({ roomNeeded }) => roomNeeded !== null)
      expect(known.length).toBeGreaterThan(0)
      for (const { roomNeeded, summary } of known) {
        expect(roomNeeded).toMatchObject({ isExact: false, isLowerBound: false })
        expect(summary.join('\n')).toContain('an estimate')
      }
    }
  })

  test('from cycles, is a lower bound: with less a larger budget does not keep it either', async () => {
    const limited = (more: number) => ({ maxMemory: 2_500 + more, maxHeap: 1e9, maxItems: 1e6, evictionThreshold: 0.9 })
    using files = new AuditFolder()
    const { events } = await readThrough(files, limited(0), 'departures')
    const asked = askedAgain(events)
    let most = 0
    for (const { evicted, ask } of asked.slice(0, 20)) {
      const { roomNeeded } = await asking(files, (history) => history.explain(evicted.key, { cache: evicted.cache }))
      if (roomNeeded === null) continue
      expect(roomNeeded).toMatchObject({ measure: 'bytes', isExact: false, askedAt: ask.at })
      const less = roomNeeded.more - 1
      most = Math.max(most, less)
      using larger = new AuditFolder()
      expect(hitAt((await readThrough(larger, limited(less), 'departures')).events, ask)).toBe(false)
    }
    expect(most).toBeGreaterThan(100)
  })

  test('is not known under hybrid, nor of what was not asked for again', async () => {
    using files = new AuditFolder()
    const { events } = await readThrough(files, { maxItems: 30, policy: 'hybrid' }, 'departures')
    const [first] = askedAgain(events)
    await asking(files, async (history) => {
      const known = await history.explain(first?.evicted.key ?? '', { cache: first?.evicted.cache ?? '' })
      expect(known.summary.join('\n')).toContain('not known under policy hybrid')
    })
    using once = new AuditFolder()
    await recordedManager(once, { maxItems: 1 }, ({ memory }) => {
      memory.cache('a').set('k:1', 1)
      memory.cache('a').set('k:2', 1)
    })
    const answer = await asking(once, (history) => history.explain('k:1'))
    expect(answer.summary.join('\n')).toContain('it was not asked for again')
  })

  test('would have been no use for one whose time was over before it was asked for', async () => {
    using files = new AuditFolder()
    await recordedManager(files, { maxItems: 1 }, ({ memory, pass }) => {
      const cache = memory.cache('a')
      cache.set('k:1', 1, { ttl: 100 })
      cache.set('k:2', 1)
      pass(200)
      cache.get('k:1')
    })
    const answer = await asking(files, (history) => history.explain('k:1'))
    expect(answer.summary.join('\n')).toContain('More room would not have kept it')
  })
})
