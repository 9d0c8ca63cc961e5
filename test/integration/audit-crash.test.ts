import { describe, expect, test } from 'vitest'
import type { AuditLog } from '../../src/persist/audit-log.ts'
import type { RunRecord } from '../../src/query/answers.ts'
import { evidenceOfExit } from '../../src/query/crash-evidence.ts'
import { AuditFolder } from '../support/audit-file.ts'
import { Run, SETTINGS } from '../support/events.ts'
import { asking } from '../support/history-log.ts'

const START = Date.UTC(2026, 0, 2, 3, 0, 0)
const MB = 1024 ** 2
const cacheSample = (cache: string, bytes: number) => ({
  cache,
  items: 10,
  bytes,
  hits: 5,
  misses: 1,
  bytesAdded: bytes,
  writers: [{ cache, prefix: `${cache}-writer`, bytes, error: 0 }],
  curve: null,
})

/** A run that says nothing of its end, on a host that isn't this one: twenty checks, memory as the test says. */
async function silentRun(
  files: AuditFolder,
  memory: (minute: number) => { rss: number; heapUsed: number },
  tell: (log: AuditLog, run: Run) => void = () => {},
  id = 'one',
): Promise<void> {
  const log = files.open()
  const run = new Run(id)
  run.at = START
  log.record(
    run.started({
      host: 'elsewhere',
      mayUse: {
        bytes: 1000 * MB,
        source: 'cgroup',
        sources: [],
        heapLimit: 500 * MB,
        heapSource: 'V8',
        heapSources: [],
      },
      settings: { ...SETTINGS, checkInterval: 60_000 },
    }),
  )
  for (let minute = 1; minute <= 20; minute++) {
    run.at = START + minute * 60_000
    log.record(
      run.event('checked', {
        ...memory(minute),
        bytes: minute * MB,
        usage: minute / 25,
        caches: [cacheSample('tenant', minute * MB), cacheSample('page', 100)],
      }),
    )
  }
  tell(log, run)
  await log.close()
}

describe('crash', () => {
  test('of a run whose last event could not be written does not say what it cannot know', () => {
    const run = { run: 'one', stoppedAt: START, lastAt: START, exitCode: 1 } as RunRecord
    const { certainty, summary } = evidenceOfExit(run, null)
    expect(certainty).toBe('unknown')
    expect(summary.join()).toContain('its last events were not written')
    expect(summary.join()).not.toContain('No exception was seen')
  })

  test('of a run whose memory was near what it may use says out of memory, and shows its last minutes', async () => {
    using files = new AuditFolder()
    await silentRun(
      files,
      (minute) => ({ rss: minute * 47 * MB, heapUsed: 100 * MB }),
      (log, run) => {
        run.at += 5_000
        log.record(run.event('warned'))
        log.record(run.event('configured', { actor: 'ops' }))
        log.record(run.event('cycle-started', { cycle: 'left open' }))
        for (let i = 0; i < 30; i++) log.record(run.event('evicted', { key: `user:${i}`, cause: 'memory' }))
        log.record(run.event('evicted', { key: 'user:last', cause: 'heap', cache: 'page' }))
      },
    )
    const report = await asking(files, (history) => history.crash())
    expect(report).toMatchObject({
      run: { run: 'one', state: 'crashed' },
      verdict: 'out of memory',
      certainty: 'likely',
      memory: { rss: 940 * MB, mayUse: 1000 * MB, mayUseSource: 'cgroup', heapLimit: 500 * MB, rssGrowth: 47 * MB },
      gap: { afterSeq: 55, at: START + 20 * 60_000 + 5_000, until: null },
      evictions: [
        { cache: 'tenant', cause: 'memory', count: 30, bytes: 3_000 },
        { cache: 'page', cause: 'heap', count: 1, bytes: 100 },
      ],
      unfinishedCycles: ['left open'],
      levels: [{ level: 'warning' }],
      changes: [{ type: 'configured', actor: 'ops', data: { to: { maxItems: 200 } } }],
    })
    // Ten minutes, and not more.
    expect(report.samples.map(({ bytes }) => bytes / MB)).toEqual([11, 12, 13, 14, 15, 16, 17, 18, 19, 20])
    expect(report.writers[0]).toEqual({ cache: 'tenant', prefix: 'tenant-writer', bytes: 155 * MB, error: 0 })
    expect(report.lastEvictions.at(-1)?.key).toBe('user:last')
    expect(report.summary.join(' ')).toContain('94 % of what it may use (cgroup)')
    expect(report.incomplete).toContain('ended without a word')
    const wider = await asking(files, (history) => history.crash({ window: 1_200_000 }))
    expect(wider.samples).toHaveLength(20)
  })

  test('tells by its growth that it would have reached the limit before the next check', async () => {
    using files = new AuditFolder()
    await silentRun(files, (minute) => ({
      rss: (minute < 15 ? 50 : 50 + (minute - 14) * 135) * MB,
      heapUsed: 100 * MB,
    }))
    const report = await asking(files, (history) => history.crash())
    expect(report.verdict).toBe('out of memory')
    expect(report.summary.at(-1)).toContain('at that rate')
  })

  test('tells the V8 heap from the rest of the process', async () => {
    using files = new AuditFolder()
    await silentRun(files, () => ({ rss: 600 * MB, heapUsed: 460 * MB }))
    const report = await asking(files, (history) => history.crash())
    expect(report).toMatchObject({ verdict: 'heap out of memory', certainty: 'likely' })
    expect(report.summary.at(-1)).toContain('92 % of its limit')
  })

  test('where nothing points to memory says killed, and that it can not tell', async () => {
    using files = new AuditFolder()
    await silentRun(files, () => ({ rss: 300 * MB, heapUsed: 100 * MB }))
    await silentRun(files, () => ({ rss: 300 * MB, heapUsed: 100 * MB }), undefined, 'two')
    await asking(files, async (history) => {
      expect(await history.crash()).toMatchObject({ run: { run: 'two' }, verdict: 'killed', certainty: 'unknown' })
      const first = await history.crash({ run: 'one' })
      expect(first.gap).toMatchObject({ until: START })
      expect(first.summary.at(-1)).toContain('30 % of what it may use')
    })
  })

  test.each([
    [{ code: 1, error: 'TypeError' }, 'exception', 'TypeError'],
    [{ code: 143, error: null }, 'signal', 'SIGTERM'],
    [{ code: 3, error: null }, 'exit code', 'process.exit(3)'],
  ] as const)('of a run that exited with %o says so', async (end, verdict, words) => {
    using files = new AuditFolder()
    const log = files.open()
    const run = new Run('one')
    log.record(run.started())
    log.record(run.event('stopped', { reason: 'exit', ...end }))
    await log.close()
    const report = await asking(files, (history) => history.crash())
    expect(report).toMatchObject({ verdict, gap: null, run: { exitCode: end.code } })
    expect(report.summary.join(' ')).toContain(words)
  })

  test('of runs that said goodbye says that there is none, and of one by name that it did not', async () => {
    using files = new AuditFolder()
    const log = files.open()
    const run = new Run('one')
    log.record(run.started())
    log.record(run.event('stopped'))
    await log.close()
    await asking(files, async (history) => {
      expect(await history.crash()).toMatchObject({
        run: null,
        verdict: 'no crash',
        summary: ['No run of this log ended without saying goodbye (it has one run).'],
      })
      expect(await history.crash({ run: 'one' })).toMatchObject({ run: { run: 'one' }, verdict: 'no crash' })
      expect(await history.crash({ run: 'nobody' })).toMatchObject({ run: null, certainty: 'unknown' })
      await expect(history.crash({ window: 0 })).rejects.toThrow(/window/)
    })
  })
})
