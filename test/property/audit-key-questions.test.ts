import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Evicted, MuninnEvent } from '../../src/event/catalogue.ts'
import { openForReading } from '../../src/persist/reader.ts'
import { evictions } from '../../src/query/evictions.ts'
import { readLife } from '../../src/query/life.ts'
import { AuditFolder } from '../support/audit-file.ts'
import { WrittenRun } from '../support/audit-run.ts'
import { propertySeed } from '../support/property-seed.ts'

const RUNS = process.env.MUNINN_NIGHT === '1' ? 40 : 1
const MINUTE = 60_000
const KEYS = ['', 'a', 'a:1', 'a:2', 'b/1', 'ä:1', '__proto__', 'a\u0000b']

type Step =
  | {
      readonly do: 'tell'
      readonly run: number
      readonly type: 'evicted' | 'expired' | 'removed'
      readonly key: string
    }
  | { readonly do: 'pass'; readonly run: number; readonly minutes: number }
  | { readonly do: 'write' | 'keepUp' | 'stop' | 'reopen'; readonly run: number }

const run = fc.nat(2)
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constant('tell' as const),
      run,
      type: fc.constantFrom('evicted' as const, 'evicted' as const, 'expired' as const, 'removed' as const),
      key: fc.constantFrom(...KEYS),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('pass' as const), run, minutes: fc.nat(50) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('write' as const, 'keepUp' as const), run }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('stop' as const, 'reopen' as const), run }) },
)

/** Plays the steps into a file; returns what each run told, in the order in which the runs got their ids. */
function play(files: AuditFolder, steps: readonly Step[]): MuninnEvent[][] {
  const runs: WrittenRun[] = []
  const stopped = new Set<WrittenRun>()
  for (const one of [{ do: 'write', run: 0 } as Step, ...steps]) {
    runs[one.run] ??= begun(files, `run ${one.run}`)
    const at = runs[one.run] as WrittenRun
    if (stopped.has(at)) continue
    if (one.do === 'tell') at.tell(one.type, { key: one.key })
    else if (one.do === 'pass') at.passTo(at.at + one.minutes * MINUTE)
    else if (one.do === 'write') at.write()
    else if (one.do === 'keepUp') at.keepUp()
    else if (one.do === 'reopen') at.writer.close()
    else {
      at.stop()
      stopped.add(at)
    }
  }
  for (const one of runs) one?.write()
  for (const one of runs) one?.writer.close()
  const ids = files.rows<{ run: string }>('select run from runs order by id')
  return ids.map(({ run }) => runs[Number(run.at(-1))]?.events ?? [])
}

function begun(files: AuditFolder, id: string): WrittenRun {
  const run = new WrittenRun(id, { path: files.path(), retention: { maxAge: Number.POSITIVE_INFINITY } })
  run.write()
  return run
}

describe('questions about a key', () => {
  test('find what reading every row finds, however segments were cut and sealed', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 150, size: 'max' }), (steps) => {
        using files = new AuditFolder()
        const runs = play(files, steps)
        const database = openForReading(files.path(), 1_000)
        for (const key of KEYS) {
          const told = runs.map((events) => events.filter((event) => 'key' in event && event.key === key))
          const evicted = told.flatMap((events, id) =>
            events
              .filter((event): event is Evicted => event.type === 'evicted')
              .map(({ seq, at }) => ({ at, id, seq })),
          )
          evicted.sort((a, b) => b.at - a.at || b.id - a.id || b.seq - a.seq)
          const found = evictions(database, { keys: [key], secretId: null, limit: 1_000 }).items
          expect(found.map(({ at, seq }) => [at, seq])).toEqual(evicted.map(({ at, seq }) => [at, seq]))
          expect(
            readLife(database, { key, keys: [key], secretId: null }).map(({ runId, seq }) => [runId, seq]),
          ).toEqual(told.flatMap((events, id) => events.map(({ seq }) => [id + 1, seq])))
        }
        database.close()
        const strays = (table: string) => `select count(*) as n from ${table} e where (select count(*) from segments s
          where s.run_id = e.run_id and e.seq between s.first_seq and s.last_seq) <> 1`
        expect(files.rows(`${strays('evictions')} union all ${strays('key_events')}`)).toEqual([{ n: 0 }, { n: 0 }])
        expect(
          files.rows(
            `select (select count(*) from key_index) - coalesce(sum(row_count), 0) as n from segments where sealed`,
          ),
        ).toEqual([{ n: 0 }])
      }),
      { seed: propertySeed(1), numRuns: 25 * RUNS },
    )
  })

  test('are answered without a scan of all rows', () => {
    using files = new AuditFolder()
    using run = begun(files, 'run 0')
    for (let i = 0; i < 1_500; i++) run.tell('evicted', { key: `k${i}` })
    run.stop()
    run.keepUp()
    const database = openForReading(files.path(), 1_000)
    const plans: string[] = []
    const asked = new Proxy(database, {
      get: (target, name) =>
        name !== 'prepare'
          ? Reflect.get(target, name)
          : (sql: string) => {
              if (sql.includes(':keys')) {
                const statement = target.prepare(`explain query plan ${sql}`)
                // Its parameters don't matter to the plan.
                plans.push(...(statement.all(PARAMETERS) as { detail: string }[]).map(({ detail }) => detail))
              }
              return target.prepare(sql)
            },
    })
    evictions(asked, { keys: ['k7'], secretId: null })
    readLife(asked, { key: 'k7', keys: ['k7'], secretId: null })
    database.close()
    // Segments are few: an hour or 32,768 rows each. Nothing else is read from end to end, but the keys asked for.
    const scanned = plans.filter((plan) => plan.startsWith('SCAN') && !/^SCAN (w$|json_each )/.test(plan))
    expect(new Set(scanned)).toEqual(new Set(['SCAN s', 'SCAN s USING INDEX segments_open']))
    expect(new Set(plans.filter((plan) => plan.startsWith('SEARCH')))).toEqual(
      new Set([
        'SEARCH k USING PRIMARY KEY (segment=? AND key=?)',
        'SEARCH o USING PRIMARY KEY (run_id=? AND seq>? AND seq<?)',
        'SEARCH e USING PRIMARY KEY (run_id=? AND seq=?)',
        'SEARCH r USING INTEGER PRIMARY KEY (rowid=?)',
      ]),
    )
  })
})

const PARAMETERS = { keys: '["k7"]', cache: null, run: null, limit: 101 }
