import { describe, expect, test } from 'vitest'
import { AuditFolder } from '../support/audit-file.ts'
import { asking, logOf } from '../support/history-log.ts'

describe('explain', () => {
  test('tells of an eviction when, why, for whom, what it cost and what would have kept it', async () => {
    using files = new AuditFolder()
    await logOf(files, (log, run) => {
      log.record(run.event('configured', { from: { maxItems: 100 }, to: { maxItems: 200 } }))
      run.at = Date.UTC(2026, 0, 2, 3, 0, 0)
      log.record(run.event('evicted', { key: 'user:1', storedBy: 'job' }))
      const regret = run.seq
      run.at += 340
      log.record(run.event('missed', { key: 'user:1', regret, firstRegret: true }))
    })
    const answer = await asking(files, (history) => history.explain('user:1'))
    expect(answer).toMatchObject({ key: 'user:1', cache: 'tenant', verdict: 'evicted', incomplete: null })
    expect(answer.summary).toEqual([
      '"user:1" of cache "tenant" was evicted at 2026-01-02T03:00:00.000Z (run one, seq 3), because the limit of items over all caches was reached.',
      'The write that needed room: "newcomer" of cache "mimir", 2 KB.',
      'It held 100 bytes, stored 5 s before, by "job", hit 2 times, unused for 400 ms; it had no TTL.',
      'Policy lru scored it 7; next in line was "next" (8).',
      'What it cost: it was missed at 2026-01-02T03:00:00.340Z, 340 ms later.',
      "What would have kept it: a higher maxItems (it was 200 items). Or onFull: 'reject', which refuses the new write instead.",
      'At least room for 1 more item, until it was asked for again 340 ms later: an observed lower bound, from what was evicted after it and not asked for again (stores without a miss before them are not seen at this level).',
      'The log keeps level "departures": stores and reads are not in it.',
    ])
    expect(answer.life.map(({ type, text }) => [type, text])).toEqual([
      [
        'evicted',
        'evicted, because the limit of items over all caches was reached: 100 bytes, 5 s old, 2 hits; missed 340 ms later',
      ],
      ['missed', 'missed, and it had been evicted (seq 3)'],
    ])
  })

  test.each([
    ['memory', 'maxMemory (it was 976.6 KB)'],
    ['heap', 'maxHeap (it was unlimited)'],
    ['cache-items', 'caches.tenant.maxItems (it was 50 items)'],
    ['cache-memory', 'caches.tenant.maxMemory (it was unlimited)'],
    ['threshold', 'evictionThreshold (it was 0.9'],
    ['pressure', 'more memory for the process'],
    ['forced', 'the call to evict() asked for it'],
    ['limit-lowered', 'the former limit'],
    ['admission', 'a policy without admission'],
  ] as const)('names what was the binding limit where the cause is %s', async (cause, words) => {
    using files = new AuditFolder()
    await logOf(files, (log, run) => log.record(run.event('evicted', { cause })))
    const { summary } = await asking(files, (history) => history.explain('k'))
    expect(summary.find((line) => line.startsWith('What would have kept it'))).toContain(words)
  })

  test('tells of the cycle in which it went, and whose call that was', async () => {
    using files = new AuditFolder()
    await logOf(files, (log, run) => {
      log.record(run.event('cycle-started', { trigger: 'forced', actor: 'admin' }))
      log.record(run.event('evicted', { cause: 'forced', trigger: null, cycle: 'cycle-1' }))
      log.record(run.event('cycle-completed', { trigger: 'forced' }))
    })
    const { summary } = await asking(files, (history) => history.explain('k'))
    expect(summary).toContain('It went in cycle cycle-1 (forced, by "admin"), which gave up 10 entries.')
  })

  test('tells by which of its modes hybrid ran the cache then', async () => {
    using files = new AuditFolder()
    await logOf(files, (log, run) => {
      run.at = Date.UTC(2026, 0, 2)
      const reason = '9 hits more in 12 sampled requests that only one of them would have hit'
      for (const to of ['lru', 'lirs']) log.record(run.event('adapted', { cache: 'tenant', to, reason }))
      log.record(run.event('adapted', { cache: 'mimir', to: 'lfu-1' }))
      log.record(run.event('evicted', { policy: 'hybrid' }))
      log.record(run.event('adapted', { cache: 'tenant', to: 'lfu-15' }))
    })
    const { summary } = await asking(files, (history) => history.explain('k'))
    expect(summary).toContain(
      'Policy hybrid ran cache "tenant" in mode lirs since 2026-01-02T00:00:00.000Z: 9 hits more in 12 sampled requests that only one of them would have hit.',
    )
  })

  test.each([
    ['expired', 'expired', 'a longer ttl, given to set() or as caches.tenant.ttl (it was 1 m)'],
    ['removed', 'removed', 'whoever deleted it asked for it'],
    ['rejected', 'rejected', 'a higher maxMemory (it was 976.6 KB)'],
  ] as const)('tells of a key that was last %s', async (type, verdict, words) => {
    using files = new AuditFolder()
    await logOf(files, (log, run) => {
      log.record(run.event('evicted'))
      log.record(run.event(type))
    })
    const answer = await asking(files, (history) => history.explain('k', { cache: 'tenant' }))
    expect(answer.verdict).toBe(verdict)
    expect(answer.summary.join('\n')).toContain(words)
    expect(answer.life.map((event) => event.type)).toEqual(['evicted', type])
  })

  test('knows where stores are kept that the key went with its cache', async () => {
    using files = new AuditFolder()
    await logOf(
      files,
      (log, run) => {
        log.record(run.event('added'))
        log.record(run.event('cleared', { cache: 'mimir' }))
        log.record(run.event('cleared', { actor: 'ops' }))
        log.record(run.event('cleared'))
      },
      { level: 'changes' },
    )
    const answer = await asking(files, (history) => history.explain('k'))
    expect(answer.verdict).toBe('cleared')
    expect(answer.life.map(({ type, seq }) => [type, seq])).toEqual([
      ['added', 2],
      ['cleared', 4],
    ])
    expect(answer.summary[0]).toMatch(
      /^Cache "tenant" was cleared at .* by "ops", and it went with the rest \(3 entries, 300 bytes\)\.$/,
    )
  })

  test('where stores are not kept says of a clearing only what may be', async () => {
    using files = new AuditFolder()
    await logOf(files, (log, run) => {
      log.record(run.event('evicted'))
      log.record(run.event('cleared'))
    })
    await asking(files, async (history) => {
      const known = await history.explain('k')
      expect(known.verdict).toBe('evicted')
      expect(known.summary.at(-2)).toMatch(
        /^Afterwards, at .*, its cache was cleared: .*; had it been stored again by then/,
      )
      const unknown = await history.explain('stranger', { cache: 'tenant' })
      expect(unknown.verdict).toBe('cleared')
      expect(unknown.summary[0]).toContain('if it was there, it went with the rest')
      expect((await history.explain('stranger')).verdict).toBe('no record')
    })
  })

  test('at level all has the hits and the misses, and knows that the run has ended', async () => {
    using files = new AuditFolder()
    const tell: Parameters<typeof logOf>[1] = (log, run) => {
      log.record(run.event('added'))
      log.record(run.event('accessed'))
      log.record(run.event('updated'))
      log.record(run.event('missed', { key: 'other' }))
    }
    await logOf(files, tell, { level: 'all' })
    const answer = await asking(files, (history) => history.explain('k'))
    expect(answer.verdict).toBe('run ended')
    expect(answer.life.map(({ type }) => type)).toEqual(['added', 'accessed', 'updated'])
    expect(answer.summary[1]).toMatch(
      /^Its run ended at .* \(closed\), and what was in the caches went with the process\.$/,
    )
  })

  test('of a key without rows says no record, and what the log keeps', async () => {
    using files = new AuditFolder()
    await logOf(files, (log, run) => log.record(run.event('evicted')))
    await asking(files, async (history) => {
      const answer = await history.explain('nobody', { cache: 'tenant' })
      expect(answer).toMatchObject({ verdict: 'no record', cache: 'tenant', life: [] })
      expect(answer.summary.join('\n')).toContain('keeps level "departures"')
      expect(answer.incomplete).toContain('does not keep stores and reads')
      expect((await history.explain('k', { run: 'another' })).verdict).toBe('no record')
    })
  })

  test('looks through every run, and counts how often the key was evicted', async () => {
    using files = new AuditFolder()
    await logOf(files, (log, run) => log.record(run.event('evicted')))
    await logOf(files, (log, run) => log.record(run.event('evicted')), { id: 'two' })
    await asking(files, async (history) => {
      const answer = await history.explain('k')
      expect(answer.life.map(({ run }) => run)).toEqual(['one', 'two'])
      expect(answer.summary).toContain('In all it was evicted 2 times, and missed afterwards 0 times.')
      expect((await history.explain('k', { run: 'one' })).life).toHaveLength(1)
    })
  })
})
