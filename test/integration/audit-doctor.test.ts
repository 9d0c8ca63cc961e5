import { describe, expect, test } from 'vitest'
import type { MemoryManagerOptions } from '../../src/muninn.ts'
import type { Diagnosis, Finding } from '../../src/query/history.ts'
import { durationInWords } from '../../src/query/words.ts'
import { AuditFolder } from '../support/audit-file.ts'
import { chance } from '../support/chance.ts'
import { Run } from '../support/events.ts'
import { asking, logOf } from '../support/history-log.ts'
import { type Recorded, recordedManager, START } from '../support/recorded-manager.ts'

type Work = (recorded: Recorded) => void

/** What the doctor says of a workload. */
async function diagnosis(options: MemoryManagerOptions, work: Work): Promise<Diagnosis> {
  using files = new AuditFolder()
  await recordedManager(files, options, work)
  return await asking(files, (history) => history.doctor())
}

async function findings(options: MemoryManagerOptions, work: Work): Promise<readonly Finding[]> {
  return (await diagnosis(options, work)).items
}

const named = (all: readonly Finding[], name: string) => all.filter(({ finding }) => finding === name)

/** A read-through of so many keys, `perMinute` times a minute, with a check at each minute's end. */
function readThrough(
  keys: number,
  perMinute: number,
  minutes: number,
  over: { size?: number; prefix?: string; ttl?: number } = {},
): Work {
  const { size = 100, prefix = 'user', ttl = Number.POSITIVE_INFINITY } = over
  return ({ memory, pass }) => {
    const random = chance(5)
    const cache = memory.cache('tenant')
    for (let step = 1; step <= minutes * perMinute; step++) {
      pass(60_000 / perMinute)
      const key = `${prefix}:${random(keys)}`
      if (cache.get(key) === undefined) cache.set(key, step, { size, ttl })
      if (step % perMinute === 0) memory.check()
    }
  }
}

const FITS: MemoryManagerOptions = { maxMemory: 1_000_000, maxHeap: 1_000_000, maxItems: 1000 }

describe('doctor', () => {
  test('tells after how long evicted entries were asked for again, also where rows are sampled', async () => {
    using files = new AuditFolder()
    const audit = { path: files.path(), sampleAbove: 1 }
    await recordedManager(files, { maxItems: 20, audit }, readThrough(100, 6_000, 4))
    await asking(files, async (history) => {
      const { items, total } = { ...(await history.doctor()), total: (await history.regrets()).total }
      const [thrashing] = named(items, 'thrashing')
      expect(files.rows('select min(share) < 0.5 as sampled from samplings')).toEqual([{ sampled: 1 }])
      expect(thrashing?.evidence[1]).toContain(`${durationInWords(total.delay ?? 0)} later on average`)
    })
  })

  test('of a healthy log finds nothing, and says what it looked at', async () => {
    const { items, looked, incomplete, since } = await diagnosis(FITS, readThrough(300, 600, 20))
    expect(items).toEqual([])
    expect(incomplete).toBeNull()
    expect(since).not.toBeNull()
    for (const subject of [
      'evictions by limits',
      'age at eviction',
      'hit rates',
      'levels entered',
      "process's memory",
      'who writes',
      'larger than a limit',
      'refused for want of room',
      'changed after they were stored',
      'settings that fight',
    ])
      expect(looked.join('\n')).toContain(subject)
  })

  test('what happened before a change of settings is no evidence about the new ones', async () => {
    const small = { ...FITS, maxItems: 100 }
    const thrash = readThrough(1000, 6_000, 5)
    expect((await findings(small, thrash)).length).toBeGreaterThan(0)
    const settled: Work = ({ memory, pass }) => {
      pass(60_000)
      memory.setLimits({ maxItems: 1000 })
    }
    const at = await diagnosis(small, (recorded) => {
      thrash(recorded)
      settled(recorded)
    })
    expect(at.items).toEqual([])
    expect(at.looked[0]).toContain('settings changed at')
    const later = await diagnosis(small, (recorded) => {
      thrash(recorded)
      settled(recorded)
      readThrough(300, 600, 20)(recorded)
    })
    expect(later.items).toEqual([])
    expect(later.since).toBeGreaterThan(Number(at.since) - 60_000)
  })

  test('what happened before a restart with other settings is no evidence about the new ones', async () => {
    const small = { ...FITS, maxItems: 100 }
    const thrash = readThrough(1000, 6_000, 5)
    const settled = readThrough(300, 600, 20)
    const restarted = async (options: MemoryManagerOptions, change: Work = () => undefined) => {
      using files = new AuditFolder()
      await recordedManager(files, small, (recorded) => {
        thrash(recorded)
        change(recorded)
      })
      await recordedManager(files, options, settled, START + 3_600_000)
      return await asking(files, (history) => history.doctor())
    }
    expect(named((await restarted(small)).items, 'thrashing')).toHaveLength(1)
    const at = await restarted(FITS)
    expect(at.items).toEqual([])
    expect(at.looked[0]).toContain('settings changed at')
    // Whoever raised it at run time and restarts with the old setting has the old one again.
    const reverted = await restarted(small, ({ memory }) => memory.setLimits({ maxItems: 1000 }))
    expect(
      named(reverted.items, 'thrashing')
        .flatMap(({ evidence }) => evidence)
        .join(),
    ).not.toContain('6,000')
    expect(reverted.looked[0]).toContain('settings changed at')
  })

  test('a service that fills its cache and restarts, night after night, is healthy', async () => {
    using files = new AuditFolder()
    for (let night = 0; night < 6; night++) {
      await recordedManager(files, { maxMemory: 100_000, maxHeap: 100_000 }, ({ memory, pass }) => {
        for (let index = 0; index < 85; index++) memory.cache('tenant').set(`k${index}`, 1, { size: 1000 })
        pass(1000)
      })
    }
    await asking(files, async (history) => {
      expect((await history.warnings()).items.filter(({ level }) => level === 'warning').length).toBeGreaterThanOrEqual(
        5,
      )
      expect(named((await history.doctor()).items, 'memory warnings')).toEqual([])
    })
  })

  test('a cache that is full and evicts now and then is healthy, too', async () => {
    const work: Work = ({ memory, pass }) => {
      const random = chance(5)
      for (let step = 1; step <= 12_000; step++) {
        pass(1000)
        // Most uses are of few keys: what is evicted is old, and not missed.
        const key = random(20) === 0 ? `user:${step}` : `user:${random(200)}`
        if (memory.cache('tenant').get(key) === undefined) memory.cache('tenant').set(key, step, { size: 1_000 })
        if (step % 60 === 0) memory.check()
      }
    }
    // What could be saved is no fault.
    const faults = (await findings({ ...FITS, maxItems: 900 }, work)).filter(
      ({ finding }) => finding !== 'memory to spare',
    )
    expect(faults).toEqual([])
  })

  test('high eviction rate and thrashing: too little room for what is used again', async () => {
    const all = await findings({ ...FITS, maxItems: 200 }, readThrough(400, 1_200, 10, { size: 4_000 }))
    expect(named(all, 'thrashing')).toMatchObject([
      { cache: 'tenant', severity: 'critical', setting: 'maxItems', from: '200', to: '400' },
    ])
    expect(named(all, 'thrashing')[0]?.evidence.join(' ')).toMatch(/younger than some .*asked for again/)
    expect(named(all, 'high eviction rate')).toMatchObject([{ cache: null, setting: 'maxItems' }])
    expect(named(all, 'high eviction rate')[0]?.evidence.join(' ')).toContain('a minute')
    const none = await findings({ ...FITS, maxItems: 400 }, readThrough(400, 1_200, 10, { size: 1_000 }))
    expect(none).toEqual([])
  })

  test('a scan under lru is thrashing that another policy cures', async () => {
    const scan: Work = ({ memory, pass }) => {
      for (let step = 1; step <= 6_000; step++) {
        pass(100)
        memory.cache('tenant').set(`row:${step}`, 1, { size: 4_000 })
        if (step % 600 === 0) memory.check()
      }
    }
    expect(named(await findings({ ...FITS, maxItems: 200 }, scan), 'thrashing')).toMatchObject([
      { setting: 'policy', from: 'lru', to: 'hybrid' },
    ])
    expect(named(await findings({ ...FITS, maxItems: 200, policy: 'hybrid' }, scan), 'thrashing')).toEqual([])
  })

  test('poor hit rate: by evictions, by expiry, or by keys that never repeat', async () => {
    const evicted = await findings({ ...FITS, maxItems: 200 }, readThrough(1_000, 1_200, 10, { size: 4_000 }))
    expect(named(evicted, 'poor hit rate')).toMatchObject([{ cache: 'tenant', setting: 'maxItems' }])
    const ttl = { ...FITS, caches: { tenant: { ttl: 5_000 } } }
    const expired = await findings(ttl, readThrough(300, 300, 20, { ttl: 5_000 }))
    expect(named(expired, 'poor hit rate')).toMatchObject([{ setting: 'caches.tenant.ttl', from: '5 s', to: '10 s' }])
    const unique = await findings(
      { ...FITS, maxItems: 100_000, maxMemory: 100_000_000, maxHeap: 100_000_000 },
      readThrough(1e9, 300, 20),
    )
    expect(named(unique, 'poor hit rate')).toMatchObject([{ setting: 'the keys of prefix "user"' }])
    expect(named(await findings(FITS, readThrough(300, 300, 20)), 'poor hit rate')).toEqual([])
  })

  test('poor hit rate: gives no reasons where many rows are missing', async () => {
    const narrow = { ...FITS, maxItems: 200, audit: { path: '', maxPending: '64KB' } } as const
    const { items, looked, incomplete } = await diagnosis(narrow, readThrough(5_000, 1_200, 10))
    expect(incomplete).toMatch(/missing/)
    expect(named(items, 'poor hit rate')).toEqual([])
    expect(looked.join('\n')).toContain('no reasons are given')
  })

  test('poor hit rate: keys that come back later than the cache remembers evictions do not fit, and are not called unique', async () => {
    const far = await findings({ ...FITS, maxItems: 200 }, readThrough(5_000, 1_200, 10))
    const [finding] = named(far, 'poor hit rate')
    expect(finding).toMatchObject({ cache: 'tenant', setting: 'maxItems' })
    expect(finding?.evidence.at(-1)).toMatch(/newest [\d,]+ evictions were of [\d,]+ keys/)
  })

  test('poor hit rate: what the miss-ratio curve knows to come back is not called unique, however rare in the newest evictions', async () => {
    const far = await findings({ ...FITS, maxItems: 200 }, readThrough(45_000, 4_500, 10))
    const [finding] = named(far, 'poor hit rate')
    expect(finding).toMatchObject({ cache: 'tenant', setting: 'maxItems' })
    expect(finding?.evidence.at(-1)).toMatch(
      /^With room for all it would answer \d+ %, by its miss-ratio curve: keys come back/,
    )
  })

  test('memory warnings: a level above the first, with who wrote and the setting that lets it happen', async () => {
    const options = { maxMemory: 100_000, maxHeap: 100_000, maxItems: 10_000 }
    const fill: Work = (recorded) => readThrough(2_000, 300, 10, { size: 1_000 })(recorded)
    const off = await findings({ ...options, evictionThreshold: 1 }, fill)
    expect(named(off, 'memory warnings')).toMatchObject([
      { severity: 'critical', setting: 'evictionThreshold', from: '1' },
    ])
    expect(named(off, 'memory warnings')[0]?.evidence.join(' ')).toContain('prefix "user" of cache "tenant"')
    const rejecting = await findings({ ...options, onFull: 'reject' }, fill)
    expect(named(rejecting, 'memory warnings')).toMatchObject([{ setting: 'onFull', from: 'reject', to: 'evict' }])
    expect(named(rejecting, 'refused adds')).toMatchObject([{ setting: 'onFull', from: 'reject', to: 'evict' }])
    // Full and healthy: the first level, once.
    expect(named(await findings(options, fill), 'memory warnings')).toEqual([])
    expect(named(await findings(options, fill), 'refused adds')).toEqual([])
  })

  test('values that are changed after they were stored', async () => {
    const changing = (grows: number, sizing: 'heap' | (() => number) = 'heap') => {
      const work: Work = ({ memory, pass }) => {
        const values = Array.from({ length: 100 }, () => [new ArrayBuffer(1_000)])
        for (const [i, value] of values.entries()) {
          memory.cache(i < 20 ? 'page' : 'tenant').set(`user:${i}`, value)
        }
        for (let minute = 0; minute < 10; minute++) {
          pass(60_000)
          for (const value of values.slice(0, grows)) value.push(new ArrayBuffer(1_000))
          memory.check()
        }
      }
      return diagnosis({ ...FITS, maxHeap: 900_000, sizing, remeasure: 100 }, work)
    }
    const { items, looked } = await changing(30)
    expect(named(items, 'size drift')).toMatchObject([
      { cache: 'page', severity: 'warning', setting: 'clone', from: 'false', to: 'true', value: null },
    ])
    const evidence = named(items, 'size drift')[0]?.evidence.join(' ')
    expect(evidence).toMatch(/1,000 entries again; 300 had changed .* cache "page" were charged .* "user:\d+" went/)
    expect(looked.join('\n')).toContain('300 of 1000 sized again')
    const still = await changing(0)
    expect(still.items).toEqual([])
    expect(still.looked.join('\n')).toContain('0 of 1000 sized again')
    let weight = 100
    expect(named((await changing(0, () => weight++)).items, 'size drift')).toMatchObject([{ setting: 'sizing' }])
    const never = await diagnosis(FITS, readThrough(300, 600, 5))
    expect(never.looked.join('\n')).toContain('no check sizes entries again (option remeasure)')
  })

  test('a process that grows while its caches do not', async () => {
    const grown = async (rss: (minute: number) => number) => {
      using files = new AuditFolder()
      await logOf(files, (log, run: Run) => {
        for (let minute = 0; minute < 40; minute++) {
          run.at = minute * 60_000
          log.record(run.event('checked', { rss: rss(minute) * 1024 ** 2, bytes: 500_000 }))
        }
      })
      return (await asking(files, (history) => history.doctor())).items
    }
    expect(named(await grown((minute) => 200 + minute * 10), 'growing process')).toMatchObject([
      { severity: 'warning' },
    ])
    expect(named(await grown((minute) => 200 + minute / 10), 'growing process')).toEqual([])
  })

  test('one key prefix that crowds out the rest', async () => {
    const crowd = (reports: number): Work => {
      return ({ memory, pass }) => {
        const random = chance(5)
        const cache = memory.cache('tenant')
        for (let step = 1; step <= 6_000; step++) {
          pass(100)
          const key = `user:${random(300)}`
          if (cache.get(key) === undefined) cache.set(key, step, { size: 100 })
          if (step % 10 < reports) cache.set(`report/${step}`, step, { size: 900 })
          if (step % 600 === 0) memory.check()
        }
      }
    }
    const all = await findings({ ...FITS, maxItems: 400 }, crowd(6))
    expect(named(all, 'crowding prefix')).toMatchObject([{ cache: 'tenant', setting: 'caches.report.maxMemory' }])
    expect(named(all, 'crowding prefix')[0]?.evidence.join(' ')).toMatch(/"report" stored .* Of other prefixes/)
    expect(named(await findings({ ...FITS, maxItems: 400 }, crowd(0)), 'crowding prefix')).toEqual([])
  })

  test('items that are too large, with the limit in their way', async () => {
    const items = (size: number): Work => {
      return ({ memory, pass }) => {
        for (let step = 1; step <= 20; step++) {
          pass(1_000)
          memory.cache('tenant').set(`file:${step}`, 1, { size })
        }
        memory.check()
      }
    }
    const limited = { ...FITS, caches: { tenant: { maxMemory: 50_000 } } }
    const [found] = named(await findings(limited, items(80_000)), 'too-large items')
    expect(found).toMatchObject({ cache: 'tenant', setting: 'caches.tenant.maxMemory', from: '48.8 KB' })
    expect(found?.evidence.join(' ')).toContain('"file:20", 78.1 KB; the limit "cache-memory" allows 48.8 KB')
    expect(await findings(limited, items(2_000))).toEqual([])
  })

  test.each<[string, MemoryManagerOptions, Work, Partial<Finding>]>([
    [
      'an item limit that evicts while the budget is empty',
      { ...FITS, maxItems: 200 },
      readThrough(250, 300, 20, { size: 10 }),
      { setting: 'maxItems', from: '200' },
    ],
    [
      "caches' own limits that the total never lets them reach",
      { ...FITS, maxItems: 200, caches: { tenant: { maxItems: 300 }, page: { maxItems: 200 } } },
      readThrough(250, 300, 20, { size: 4_000 }),
      { setting: 'maxItems', from: '200', to: '500' },
    ],
    [
      'a cache that may hold more than the whole',
      { ...FITS, maxMemory: 4_000_000, caches: { tenant: { maxMemory: 2_000_000 } } },
      (recorded: Recorded) => {
        recorded.memory.setLimits({ maxMemory: 1_000_000 })
        readThrough(10, 60, 2)(recorded)
      },
      { setting: 'caches.tenant.maxMemory' },
    ],
    [
      'a target at the threshold',
      { maxMemory: 1_000_000, maxHeap: 1_000_000, maxItems: 100_000, evictionThreshold: 0.9, evictionTarget: 0.895 },
      readThrough(2_000, 600, 10, { size: 1_000 }),
      { setting: 'evictionTarget', from: '0.895', to: '0.80' },
    ],
    [
      'a warning that comes after eviction',
      { maxMemory: 100_000, maxHeap: 100_000, maxItems: 10_000, memoryThreshold: 0.85, evictionThreshold: 0.7 },
      readThrough(2_000, 60, 10, { size: 1_000 }),
      { setting: 'memoryThreshold', from: '0.85' },
    ],
    [
      'policy ttl without any TTL',
      { ...FITS, policy: 'ttl', maxItems: 200 },
      readThrough(250, 300, 20, { size: 4_000 }),
      { setting: 'policy', from: 'ttl', to: 'hybrid' },
    ],
    [
      'a heap budget far below the budget',
      { maxMemory: 10_000_000, maxHeap: 100_000, maxItems: 10_000, evictionThreshold: 1 },
      readThrough(250, 300, 20, { size: 1_000 }),
      { setting: 'maxHeap' },
    ],
  ])('settings that fight each other: %s', async (_, options, work, expected) => {
    const fights = named(await findings(options, work), 'fighting settings')
    expect(fights).toEqual(expect.arrayContaining([expect.objectContaining(expected)]))
  })

  test('of a log without runs says so', async () => {
    using files = new AuditFolder()
    const log = files.open()
    const run = new Run('one')
    log.record(run.started())
    await log.close()
    await asking(files, async (history) => {
      expect((await history.doctor({ run: 'nobody' })).looked).toEqual(['this log has no run nobody'])
      const long = { since: 1e9, until: 2e9 }
      expect((await history.compare(long, long)).incomplete).toContain('no run of the log lived between')
      expect((await history.doctor({ since: 9e12, until: 9.1e12 })).looked).toEqual(['no run of the log lived then'])
    })
  })
})
