import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Evicted, MuninnEvent, Started } from '../../src/event/catalogue.ts'
import { runHeader } from '../../src/persist/batch.ts'
import { Outbox } from '../../src/persist/outbox.ts'
import { bucketOf } from '../../src/persist/rollup.ts'
import { Writer } from '../../src/persist/writer.ts'
import { AuditFolder, auditSettings } from '../support/audit-file.ts'
import { Run } from '../support/events.ts'
import { propertySeed } from '../support/property-seed.ts'

const RUNS = process.env.MUNINN_NIGHT === '1' ? 300 : 20
const MINUTE = 60_000

const cache = fc.constantFrom('tenant', 'mimir')
const key = fc.constantFrom('user:1', 'user:2', 'img/1', 'plain', 'ключ:1', `${'x'.repeat(64)}:1`)
const size = fc.nat(5_000)
const hits = fc.nat(3)
const age = fc.oneof(fc.nat(100), fc.nat(10_000_000_000))
const cost = fc.nat(9)

/** What happens next, how much later, and whether there is room for it in the log. */
const step = fc.record({
  what: fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        type: fc.constant('evicted' as const),
        cache,
        key,
        size,
        hits,
        age,
        idle: fc.nat(50),
        cost,
        cause: fc.constantFrom('items' as const, 'threshold' as const),
        policy: fc.constantFrom('lru' as const, 'hybrid' as const),
      }),
    },
    fc.record({ type: fc.constant('expired' as const), cache, key, size, hits, age, idle: fc.nat(50) }),
    fc.record({
      type: fc.constant('removed' as const),
      cache,
      key,
      size,
      hits,
      age,
      cause: fc.constantFrom('deleted' as const, 'replaced' as const),
    }),
    fc.record({
      type: fc.constant('rejected' as const),
      cache,
      key,
      size,
      reason: fc.constantFrom('full' as const, 'too-large' as const),
    }),
    fc.record({ type: fc.constant('cleared' as const), cache, count: fc.nat(9), bytes: size }),
    fc.record({ type: fc.constant('regret' as const), of: fc.nat(99) }),
    fc.record({
      type: fc.constant('checked' as const),
      bytes: size,
      items: fc.nat(9),
      usage: fc.constantFrom(0.1, 0.5, 1),
      rss: fc.nat(9),
      heapUsed: fc.nat(9),
      caches: fc.uniqueArray(
        fc.record({ cache, items: size, bytes: size, hits, misses: hits, bytesAdded: size, writers: fc.constant([]) }),
        { selector: (sample) => sample.cache, maxLength: 2 },
      ),
    }),
  ),
  later: fc.oneof({ weight: 4, arbitrary: fc.nat(500) }, fc.nat(3 * MINUTE)),
  room: fc.boolean(),
})

/** What becomes of the batch: cut here or not, sent twice, and whether another writer takes over. */
const cutting = fc.record({ cut: fc.boolean(), again: fc.boolean(), anew: fc.boolean() })

type Sums = Map<string, number[]>

function add(sums: Sums, key: readonly unknown[], values: readonly number[]): void {
  const name = JSON.stringify(key)
  const so = sums.get(name) ?? values.map(() => 0)
  sums.set(
    name,
    so.map((sum, i) => sum + (values[i] as number)),
  )
}

/** The rollups that a list of all events gives, one by one. */
class BruteForce {
  readonly rollups: Sums = new Map()
  readonly histograms: Sums = new Map()
  readonly usage = new Map<string, readonly (number | null)[]>()
  readonly #evictions = new Map<number, Evicted>()

  take(event: MuninnEvent, isLost: boolean): void {
    const minute = Math.floor(event.at / MINUTE) * MINUTE
    const prefix = 'key' in event ? (isLost ? '*' : prefixOf(event.key)) : ''
    const put = (cache: string, cause: string, policy: string, ...sums: number[]) =>
      add(this.rollups, [minute, cache, event.type, cause, policy, prefix], [...sums, 0, 0, 0, 0])
    switch (event.type) {
      case 'evicted': {
        const { cache, cause, policy, size, hits, age, idle, cost } = event
        put(cache, cause, policy, 1, size, hits, Number(hits === 0), age, idle, cost)
        add(this.histograms, [minute, cache, 'age', bucketOf(age)], [1])
        add(this.histograms, [minute, cache, 'size', bucketOf(size)], [1])
        if (!isLost) this.#evictions.set(event.seq, event)
        break
      }
      case 'expired':
        put(event.cache, '', '', 1, event.size, event.hits, Number(event.hits === 0), event.age, event.idle, 0)
        break
      case 'removed':
        put(event.cache, event.cause, '', 1, event.size, event.hits, Number(event.hits === 0), event.age, 0, 0)
        break
      case 'rejected':
        put(event.cache, event.reason, '', 1, event.size, 0, 0, 0, 0, 0)
        break
      case 'cleared':
        put(event.cache, '', '', event.count, event.bytes, 0, 0, 0, 0, 0)
        break
      case 'missed': {
        if (isLost) break
        const {
          cause = '',
          policy = '',
          size = 0,
          cost = 0,
          at = event.at,
        } = this.#evictions.get(event.regret ?? 0) ?? {}
        const regret = [1, size, cost, event.at - at]
        if (policy !== '') add(this.histograms, [minute, event.cache, 'delay', bucketOf(event.at - at)], [1])
        add(this.rollups, [minute, event.cache, 'evicted', cause, policy, prefix], [0, 0, 0, 0, 0, 0, 0, ...regret])
        break
      }
      case 'checked': {
        const { caches, bytes, items, usage, rss, heapUsed } = event
        const all = (field: 'hits' | 'misses' | 'bytesAdded') => caches.reduce((sum, one) => sum + one[field], 0)
        this.#use(minute, '', [
          all('hits'),
          all('misses'),
          all('bytesAdded'),
          items,
          bytes,
          bytes,
          usage,
          rss,
          heapUsed,
        ])
        for (const { cache, hits, misses, bytesAdded, items, bytes } of caches) {
          this.#use(minute, cache, [hits, misses, bytesAdded, items, bytes, bytes, null, null, null])
        }
        break
      }
      default:
    }
  }

  #use(minute: number, cache: string, now: readonly (number | null)[]): void {
    const name = JSON.stringify([minute, cache])
    const so = this.usage.get(name)
    this.usage.set(
      name,
      so === undefined
        ? now
        : now.map((value, i) => {
            const before = so[i] as number | null
            if (value === null || before === null || i === 3 || i === 4) return value
            return i < 3 ? before + value : Math.max(before, value)
          }),
    )
  }
}

function prefixOf(key: string): string {
  return /^([^:/]{1,64})[:/]/.exec(key)?.[1] ?? ''
}

function read(files: AuditFolder, sql: string, keys: number): [string, unknown[]][] {
  return files.rows<Record<string, unknown>>(sql).map((row) => {
    const values = Object.values(row)
    return [JSON.stringify(values.slice(0, keys)), values.slice(keys)]
  })
}

describe('rollups', () => {
  test('are what counting all events gives, those that were dropped and those sent twice as well', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(step, cutting), { minLength: 1, maxLength: 60 }), (steps) => {
        using files = new AuditFolder()
        const run = new Run('one')
        run.at = 1_700_000_000_000
        const started = run.started() as Started
        const outbox = new Outbox()
        const header = runHeader(started, auditSettings())
        let writer = new Writer(files.path(), header, 100)
        const expected = new BruteForce()
        const evicted: number[] = []
        outbox.add(started)
        for (const [{ what, later, room }, { cut, again, anew }] of steps) {
          run.at += later
          const event = eventOf(run, what, evicted)
          if (event === null) continue
          expected.take(event, !room)
          const cuts = []
          if (!room) {
            cuts.push(outbox.cut())
            outbox.drop(event)
          } else {
            if (outbox.losing) cuts.push(outbox.cutGap('overflow'))
            outbox.add(event)
            if (cut) cuts.push(outbox.cut())
          }
          for (const batch of cuts) {
            if (batch === null) continue
            writer.write(structuredClone(batch))
            if (again) writer.write(batch)
          }
          if (anew) {
            writer.close()
            writer = new Writer(files.path(), header, 100)
          }
        }
        for (const batch of [outbox.cut(), outbox.cutGap('overflow')]) if (batch !== null) writer.write(batch)
        writer.close()
        const { rollups, histograms, usage } = expected
        const rows = read(
          files,
          `select from_at, cache, type, cause, policy, prefix, count, bytes, hits, unused, age, idle, cost, regretted,
            regretted_bytes, regretted_cost, regret_delay from rollups`,
          6,
        )
        expect(new Map(rows)).toEqual(rollups)
        expect(new Map(read(files, 'select from_at, cache, measure, bucket, count from histograms', 4))).toEqual(
          histograms,
        )
        expect(
          new Map(
            read(
              files,
              `select from_at, cache, hits, misses, bytes_added, items, bytes, most_bytes, most_usage, most_rss, most_heap_used
              from usage`,
              2,
            ),
          ),
        ).toEqual(usage)
      }),
      { seed: propertySeed(1), numRuns: RUNS },
    )
  })

  test('tell 64 prefixes of a minute and cache apart, whichever writer comes, and count the rest together', () => {
    using files = new AuditFolder()
    const run = new Run('one')
    const outbox = new Outbox()
    const started = run.started() as Started
    const header = runHeader(started, auditSettings())
    outbox.add(started)
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 100; i++) outbox.add(run.event('evicted', { key: `p${i + round}:k`, size: 10 }))
      const writer = new Writer(files.path(), header, 100)
      const batch = outbox.cut()
      if (batch !== null) writer.write(batch)
      writer.close()
    }
    expect(
      files.rows('select count(distinct prefix) as prefixes, sum(count) as n, sum(bytes) as bytes from rollups'),
    ).toEqual([{ prefixes: 65, n: 300, bytes: 3_000 }])
    expect(files.rows(`select count from rollups where prefix = '*'`)).toEqual([{ count: 300 - 64 * 3 + 3 }])
  })

  test('go by the user’s own rule for prefixes, where there is one', () => {
    using files = new AuditFolder()
    const run = new Run('one')
    const outbox = new Outbox((key) => (key.startsWith('a') ? 'A\ud800' : ''))
    const started = run.started() as Started
    outbox.add(started)
    for (const key of ['a:1', 'ab', 'b:1']) outbox.add(run.event('evicted', { key }))
    outbox.add(run.event('missed', { key: 'ab', regret: run.seq - 1, firstRegret: true }))
    const writer = new Writer(files.path(), runHeader(started, auditSettings()), 100)
    const batch = outbox.cut()
    if (batch !== null) writer.write(batch)
    writer.close()
    expect(files.rows('select prefix, count, regretted from rollups order by prefix')).toEqual([
      { prefix: '', count: 1, regretted: 0 },
      { prefix: 'A\ufffd', count: 2, regretted: 1 },
    ])
  })
})

type What = typeof step extends fc.Arbitrary<infer T> ? (T extends { what: infer W } ? W : never) : never

/** The next event; a regret is one of an eviction that nobody has regretted, or none at all. */
function eventOf(run: Run, what: What, evicted: number[]): MuninnEvent | null {
  if (what.type === 'regret') {
    const [regret] = evicted.splice(what.of % (evicted.length + 1), 1)
    return regret === undefined ? null : run.event('missed', { key: 'user:1', regret, firstRegret: true })
  }
  const { type, ...fields } = what
  const event = run.event(type, fields)
  if (type === 'evicted') evicted.push(event.seq)
  return event
}
