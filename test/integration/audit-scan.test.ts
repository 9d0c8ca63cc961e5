import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Started } from '../../src/event/catalogue.ts'
import { runHeader } from '../../src/persist/batch.ts'
import { Outbox } from '../../src/persist/outbox.ts'
import { Writer } from '../../src/persist/writer.ts'
import type { EvictionQuestion, EvictionRecord } from '../../src/query/answers.ts'
import { AuditFolder, auditSettings } from '../support/audit-file.ts'
import { Run } from '../support/events.ts'
import { asking } from '../support/history-log.ts'

const files = new AuditFolder()
const TOLD: Pick<EvictionRecord, 'run' | 'seq' | 'at' | 'key' | 'cause'>[] = []

/** Two runs that take turns in time, of more rows together than are looked through by the index of times. */
beforeAll(() => {
  for (const [id, from] of [
    ['one', 0],
    ['two', 500],
  ] as const) {
    const run = new Run(id)
    const started = run.started() as Started
    const outbox = new Outbox()
    outbox.add(started)
    const settings = auditSettings({ sampleAbove: Number.POSITIVE_INFINITY })
    const writer = new Writer(files.path(), runHeader(started, settings), 1_000)
    for (let i = 0; i < 75_000; i++) {
      run.at = 1_000 + from + Math.floor(i / 1_000) * 1_000
      const key = `k${i % 7_001}`
      const cause = i % 9_973 === 5 ? 'forced' : 'items'
      const isFull = outbox.add(run.event('evicted', { key, cause }))
      TOLD.push({ run: id, seq: run.seq, at: run.at, key, cause })
      const batch = isFull ? outbox.cut() : null
      if (batch !== null) writer.write(batch)
    }
    const batch = outbox.cut()
    if (batch !== null) writer.write(batch)
    writer.close()
  }
})

afterAll(() => files[Symbol.dispose]())

test.each<[string, EvictionQuestion, (told: (typeof TOLD)[number]) => boolean]>([
  ['a rare cause', { cause: 'forced' }, ({ cause }) => cause === 'forced'],
  ['of one run', { cause: 'forced', run: 'one' }, ({ cause, run }) => cause === 'forced' && run === 'one'],
  ['a rare prefix', { prefix: 'k700' }, ({ key }) => key.startsWith('k700')],
  [
    'in a range of time',
    { prefix: 'k700', since: 3_500, until: 70_000 },
    ({ key, at }) => key.startsWith('k700') && at >= 3_500 && at < 70_000,
  ],
  ['that nothing has', { cause: 'pressure' }, () => false],
])('evictions are found page by page, however few among many: %s', async (_, question, isMeant) => {
  const order = { one: 0, two: 1 } as Record<string, number>
  const expected = TOLD.filter(isMeant)
    .sort((a, b) => b.at - a.at || (order[b.run] ?? 0) - (order[a.run] ?? 0) || b.seq - a.seq)
    .map(({ run, seq }) => `${run}:${seq}`)
  const found: string[] = []
  await asking(files, async (history) => {
    let cursor: string | null | undefined
    do {
      const page = await history.evictions({ ...question, limit: 50, ...(cursor == null ? {} : { cursor }) })
      found.push(...page.items.map(({ run, seq }) => `${run}:${seq}`))
      cursor = page.next
    } while (cursor !== null)
  })
  expect(found).toEqual(expected)
})
