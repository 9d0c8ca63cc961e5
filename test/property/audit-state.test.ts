import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MemoryManager, type MuninnEvent } from '../../src/muninn.ts'
import { runHeader } from '../../src/persist/batch.ts'
import { KEPT } from '../../src/persist/levels.ts'
import { Outbox } from '../../src/persist/outbox.ts'
import { openForReading } from '../../src/persist/reader.ts'
import { Writer } from '../../src/persist/writer.ts'
import type { StateAnswer, StateEntry } from '../../src/query/answers.ts'
import type { AskedState } from '../../src/query/question.ts'
import { state } from '../../src/query/state.ts'
import { AuditFolder, auditSettings } from '../support/audit-file.ts'
import { startedOf } from '../support/fold-law.ts'

const RUNS = process.env.MUNINN_NIGHT === '1' ? 40 : 1
const MINUTE = 60_000

/** What was there, copied while it was. */
interface Copy {
  readonly run: string
  readonly seq: number
  readonly at: number
  /** Whether nothing else happened at that time. */
  isLast: boolean
  readonly live: readonly string[]
  /** Those past their time, and not freed yet, included. */
  readonly items: Readonly<Record<string, number>>
}

/** A real manager in virtual time whose events a test writes when it says so. */
class LoggedManager {
  readonly memory: MemoryManager
  readonly #writer: Writer
  readonly #outbox = new Outbox()

  constructor(path: string, clock: { now(): number }, level: 'changes' | 'all', maxItems: number) {
    this.memory = new MemoryManager({ clock, seed: 1, checkInterval: 0, policy: 'lru', maxItems, maxMemory: 4_000 })
    const settings = auditSettings({ path, level, retention: { maxAge: '2h' } })
    this.#writer = new Writer(path, runHeader(startedOf(this.memory), settings), 1_000)
    this.#take(startedOf(this.memory))
    this.memory.events$.subscribe((event) => {
      if (KEPT[level].includes(event.type)) this.#take(event)
    })
    // So that each run is in the file when others look for their successors.
    this.write()
  }

  write(): void {
    const batch = this.#outbox.cut()
    if (batch !== null) this.#writer.write(batch)
    while (this.#writer.upkeep()) {
      // Retention, in steps.
    }
  }

  end(): void {
    void this.memory.close()
    this.write()
    this.#writer.close()
  }

  #take(event: MuninnEvent): void {
    if (this.#outbox.add(event)) this.write()
  }
}

function copyOf(memory: MemoryManager, seq: number, at: number): Copy {
  const live: string[] = []
  const items: Record<string, number> = {}
  for (const name of memory.cacheNames()) {
    const cache = memory.cache(name)
    if (cache.size > 0) items[name] = cache.size
    for (const key of cache.keys()) {
      const info = cache.info(key)
      if (info !== undefined) live.push(place({ cache: name, key, ...info }))
    }
  }
  return { run: memory.runId, seq, at, isLast: false, live: live.sort(), items }
}

function place(entry: {
  cache: string
  key: string
  size: number
  storedAt: number
  expiresAt: number | null
  cost: number
}) {
  const { cache, key, size, storedAt, expiresAt, cost } = entry
  return JSON.stringify([cache, key, size, storedAt, Number.isFinite(expiresAt) ? expiresAt : null, cost])
}

const CACHES = ['a', 'b', '__proto__x'] as const
const command = fc.record({
  of: fc.nat(1),
  do: fc.constantFrom(
    'set',
    'set',
    'set',
    'set',
    'get',
    'delete',
    'clear',
    'drop',
    'evict',
    'check',
    'pass',
    'pass',
    'write',
    'copy',
    'copy',
    'restart',
  ),
  cache: fc.constantFrom(...CACHES),
  key: fc.constantFrom('k1', 'k2', 'k3', 'k4', 'k5', 'k6', 'k7', '__proto__', ''),
  size: fc.integer({ min: 1, max: 900 }),
  ttl: fc.constantFrom(undefined, undefined, 5 * MINUTE, 40 * MINUTE),
  minutes: fc.nat(40),
})
type Command = typeof command extends fc.Arbitrary<infer T> ? T : never

function play(memory: MemoryManager, { do: what, cache, key, size, ttl }: Command): void {
  if (what === 'set') memory.cache(cache).set(key, 0, { size, cost: size % 7, ...(ttl === undefined ? {} : { ttl }) })
  else if (what === 'get') memory.cache(cache).get(key)
  else if (what === 'delete') memory.cache(cache).delete(key)
  else if (what === 'clear') memory.cache(cache).clear()
  else if (what === 'drop') memory.drop(cache)
  else if (what === 'evict') memory.evict()
  else if (what === 'check') memory.check()
}

/** All pages, one after another. */
function whole(path: string, question: AskedState): StateAnswer {
  const database = openForReading(path, 1_000)
  try {
    const items: StateEntry[] = []
    let answer = state(database, { ...question, limit: 5 })
    items.push(...answer.items)
    while (answer.next !== null) {
      answer = state(database, { ...question, limit: 5, cursor: answer.next })
      items.push(...answer.items)
    }
    return { ...answer, items }
  } finally {
    database.close()
  }
}

function compare(answer: StateAnswer, copy: Copy): void {
  const items = answer.items.filter(({ run }) => run === copy.run)
  const live = items.filter(({ expiresAt }) => expiresAt === null || expiresAt > copy.at)
  expect(live.map(place).sort()).toEqual(copy.live)
  const counted = answer.runs.find(({ run }) => run === copy.run)?.caches ?? []
  expect(Object.fromEntries(counted.map(({ cache, items: count }) => [cache, count]))).toEqual(copy.items)
}

describe('state --at', () => {
  test('is what was there, as copied live at random moments, across runs alive at once, restarts and retention', () => {
    const seen = { bySeq: 0, byTime: 0, retired: 0, both: 0 }
    fc.assert(
      fc.property(
        fc.array(command, { minLength: 40, maxLength: 250, size: 'max' }),
        fc.constantFrom('changes', 'all' as const),
        (commands, level) => {
          using files = new AuditFolder()
          const clock = { time: 1_000_000, now: () => clock.time }
          const start = (of: number) => new LoggedManager(files.path(), clock, level, 4 + of * 30)
          const managers = [start(0), start(1)]
          const copies: Copy[] = []
          for (const one of commands) {
            const manager = managers[one.of] as LoggedManager
            if (one.do === 'pass') {
              for (const copy of copies) {
                const now = managers.find(({ memory }) => memory.runId === copy.run)
                copy.isLast ||= copy.at === clock.time && now !== undefined && seqOf(now.memory) === copy.seq
              }
              clock.time += one.minutes * MINUTE + 1
            } else if (one.do === 'write') manager.write()
            else if (one.do === 'restart') {
              manager.end()
              managers[one.of] = start(one.of)
            } else if (one.do === 'copy') {
              copies.push(copyOf(manager.memory, seqOf(manager.memory), clock.time))
            } else play(manager.memory, one)
          }
          for (const manager of managers) manager.write()
          verify(files, copies, seen)
          for (const manager of managers) manager.end()
        },
      ),
      { numRuns: 12 * RUNS, endOnFailure: true, seed: 4 },
    )
    for (const [what, times] of Object.entries(seen)) expect(times, what).toBeGreaterThan(10)
  })
})

function seqOf(memory: MemoryManager): number {
  return (memory as unknown as { engine: { state: { seq: number } } }).engine.state.seq
}

function verify(
  files: AuditFolder,
  copies: readonly Copy[],
  seen: { bySeq: number; byTime: number; retired: number; both: number },
): void {
  const horizons = new Map(
    files
      .rows<{ run: string; seq: number }>(
        `select r.run, h.seq from horizons h join runs r on r.id = h.run_id where h.kind = 'departures'`,
      )
      .map(({ run, seq }) => [run, seq]),
  )
  for (const copy of copies) {
    const { run, seq, at } = copy
    const last = files.rows<{ seq: number }>(`select last_seq as seq from runs where run = '${run}'`)[0]?.seq ?? 0
    // Reads are no rows at level changes: after the last row there may be more.
    const answer = whole(files.path(), { run, seq: Math.min(seq, last) })
    if (seq < (horizons.get(run) ?? 0)) {
      expect(answer.no).toMatch(/no record before .*retention/)
      seen.retired++
      continue
    }
    expect(answer.no).toBeNull()
    compare(answer, copy)
    seen.bySeq++
    if (!copy.isLast) continue
    const then = whole(files.path(), { at })
    if (then.no !== null || !then.runs.some((one) => one.run === run)) continue
    compare(then, copy)
    for (const entry of then.items) expect(entry.isExpired).toBe(entry.expiresAt !== null && entry.expiresAt <= at)
    seen.byTime++
    if (then.runs.length > 1) seen.both++
  }
}
