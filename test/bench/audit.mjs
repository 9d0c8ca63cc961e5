// The audit log under load, and its questions at five million rows: `npm run bench:audit`, or with another number of rows.
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises'
import { resolveAudit } from '../../dist/base/audit-options.js'
import { MemoryManager } from '../../dist/muninn.js'
import { AuditLog } from '../../dist/persist/audit-log.js'
import { openHistory } from '../../dist/query/history.js'
import { machine, writeSection } from './report.mjs'

const ROWS = Number(process.argv[2] ?? 5_000_000)
/** Events that may wait before the producer does: enough to keep the writer busy. */
const MOST_WAITING = 10_000
/** For how long the same load runs without a log, in ms. */
const CALM = 10_000
const SLICE_MS = 1
const KEYS = 2_000_000
const PREFIXES = ['user', 'session', 'report', 'img', ...Array.from({ length: 20 }, (_, i) => `team${i}`)]
const silent = { debug() {}, info() {}, warn() {}, error() {} }

const QUESTIONS = [
  ['`explain` of an evicted key', (history, key) => history.explain(key)],
  ['`evictions` of a key', (history, key) => history.evictions({ key })],
  ['a page of evictions', (history) => history.evictions()],
  ['a page of evictions in a range of time', (history, _, { middle }) => history.evictions({ until: middle })],
  ['`top` of prefixes, rolled up', (history) => history.top()],
  ['`timeline`', (history) => history.timeline()],
  ['`regrets`', (history) => history.regrets()],
  ['a full scan: evictions of keys that begin with a text', (history) => history.evictions({ prefix: 'no such' })],
]

const folder = mkdtempSync(join(tmpdir(), 'muninn-bench-'))
try {
  const host = await hostCost()
  const path = join(folder, 'muninn.db')
  const without = await loopDelayWithout()
  const written = await write(path, ROWS)
  const alone = await ask(path)
  const verified = await verify(path)
  const both = await writeAndAsk(path)
  report({ host, without, written, alone, verified, both })
} finally {
  rmSync(folder, { recursive: true })
}

function report({ host, without, written, alone, verified, both }) {
  const million = (rows) => `${(rows / 1e6).toFixed(1)} million`
  const lines = [
    `Measured by \`npm run bench:audit\` on ${machine()}: ${million(written.rows)} rows, level \`departures\`, no sampling.`,
    '',
    '| | |',
    '|---|---|',
    `| cost on the cache's thread of an evicted entry | ${host.toFixed(2)} µs |`,
    `| rows a second, through the writer's thread | ${Math.round(written.rate).toLocaleString('en')} |`,
    `| CPU of the whole process meanwhile, cache included | ${written.cpu.toFixed(1)} µs a row |`,
    `| event-loop delay meanwhile, median / 99.9 % / worst | ${delayInWords(written.delay)} |`,
    `| the same of this load without a log | ${delayInWords(without)} |`,
    `| events lost | ${written.lost} |`,
    `| file | ${Math.round(written.bytes / written.rows)} bytes a row |`,
    `| \`verify\` | ${(verified / 1000).toFixed(1)} s, ${((verified / written.rows) * 1e3).toFixed(1)} s a million rows |`,
    `| rows a second while questions are asked | ${Math.round(both.rate).toLocaleString('en')} |`,
    '',
    '| question | alone, first / median of 5 | while rows are written, median / worst |',
    '|---|---|---|',
    ...alone.map(({ name, times }, i) => {
      const meanwhile = both.times[i].times
      const ms = (time) => `${time < 10 ? time.toFixed(1) : Math.round(time)} ms`
      const worst = meanwhile.length === 0 ? '-' : `${ms(median(meanwhile))} / ${ms(Math.max(...meanwhile))}`
      return `| ${name} | ${ms(times[0])} / ${ms(median(times))} | ${worst} |`
    }),
  ]
  console.log(lines.join('\n'))
  if (ROWS >= 5_000_000) writeSection('audit', lines)
}

/** µs that `record` takes of the caller's thread, batches, messages and all; the best of many bursts. */
async function hostCost() {
  const log = AuditLog.open(resolveAudit({ path: join(folder, 'host.db'), maxPending: '64MB' }), silent)
  const at = Date.now()
  let seq = 1
  const mayUse = { bytes: 1, source: 'bench', sources: [] }
  const run = { runId: 'host', version: '', seed: 1, settings: { caches: {} }, host: '', pid: 1, node: '', mayUse }
  log.record({ seq, at, type: 'started', ...run })
  let best = Number.POSITIVE_INFINITY
  for (let round = 0; round < 30; round++) {
    const events = Array.from({ length: 10_000 }, (_, i) => evicted(++seq, at, i))
    const start = performance.now()
    for (const event of events) log.record(event)
    best = Math.min(best, ((performance.now() - start) / events.length) * 1000)
    await log.flush()
  }
  await log.close()
  return best
}

function evicted(seq, at, i) {
  return {
    seq,
    at,
    type: 'evicted',
    cache: 'tenant',
    key: flat(`user:${100_000 + i}:profile`),
    age: 5_000 + i,
    hits: i % 7,
    size: 1_000 + i,
    cause: 'items',
    policy: 'hybrid',
    storedAt: at - 5_000 - i,
    storedBy: null,
    idle: i,
    ttlLeft: Number.POSITIVE_INFINITY,
    cost: 0,
    score: i * 0.33,
    runnerUp: flat(`user:${100_001 + i}:profile`),
    runnerUpScore: i * 0.34,
    trigger: { cache: 'tenant', key: flat(`user:${900_000 + i}:profile`), size: 500 },
    cycle: null,
  }
}

/** A key as a cache has it: its hash was taken. */
function flat(key) {
  key.charCodeAt(0)
  return key
}

function openCache(path) {
  const audit = path !== null && {
    path,
    sampleAbove: Number.POSITIVE_INFINITY,
    retention: { maxSize: '64GB', maxAge: '365d' },
  }
  const memory = new MemoryManager({ audit, maxItems: 20_000, policy: 'lru', checkInterval: 1_000 })
  return { memory, caches: [memory.cache('tenant'), memory.cache('mimir')] }
}

/** Gets or sets for a slice; nearly every set evicts. */
function fill(caches, next) {
  const end = performance.now() + SLICE_MS
  do {
    for (let i = 0; i < 20; i++) {
      const number = next()
      const cache = caches[number & 1]
      const key = keyOf(number)
      if (cache.get(key) === undefined) cache.set(key, 0, { size: 100 + (number % 5_000) })
    }
  } while (performance.now() < end)
}

/** Median, 99.9 % and worst, in ms; the timer that measures is 1 ms late by itself. */
function delaysOf(delay) {
  return [delay.percentile(50), delay.percentile(99.9), delay.max].map((ns) => Math.max(0, ns / 1e6 - 1))
}

function delayInWords(delays) {
  return `${delays.map((ms) => ms.toFixed(1)).join(' / ')} ms`
}

async function loopDelayWithout() {
  const { memory, caches } = openCache(null)
  const next = numbers()
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  for (const end = performance.now() + CALM; performance.now() < end; ) {
    fill(caches, next)
    await turn()
  }
  delay.disable()
  await memory.close()
  return delaysOf(delay)
}

/** The producer is faster than any writer: it waits where a service would lose events. */
async function room(memory) {
  while (memory.stats().audit.pendingEvents > MOST_WAITING) await sleep(2)
}

function keyOf(number) {
  return `${PREFIXES[number % PREFIXES.length]}:${number}:profile`
}

/** A generator of key numbers: every run draws the same. */
function numbers() {
  let state = 1
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * KEYS)
  }
}

async function write(path, rows) {
  const { memory, caches } = openCache(path)
  const next = numbers()
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  const cpu = process.cpuUsage()
  const start = performance.now()
  for (let written = 0; written < rows; ) {
    fill(caches, next)
    const { audit } = memory.stats()
    written = audit.writtenEvents + audit.pendingEvents
    await turn()
    await room(memory)
  }
  delay.disable()
  const { audit } = memory.stats()
  const rate = audit.writtenEvents / ((performance.now() - start) / 1000)
  const { user, system } = process.cpuUsage(cpu)
  await memory.close()
  return {
    rate,
    cpu: (user + system) / audit.writtenEvents,
    rows: memory.stats().audit.writtenEvents,
    lost: audit.lostEvents,
    delay: delaysOf(delay),
    bytes: statSync(path).size,
  }
}

async function ask(path) {
  const history = openHistory(path)
  const range = await rangeOf(history)
  const next = numbers()
  const answers = []
  for (const [name, question] of QUESTIONS) {
    const times = []
    for (let i = 0; i < 5; i++) times.push(await timed(() => question(history, keyOf(next()), range)))
    answers.push({ name, times })
  }
  await history.close()
  return answers
}

async function rangeOf(history) {
  const [run] = (await history.runs()).items
  return { middle: (run.startedAt + run.lastAt) / 2 }
}

async function verify(path) {
  const history = openHistory(path)
  let found
  const took = await timed(async () => {
    found = await history.verify()
  })
  await history.close()
  if (!found.intact) throw new Error(`the log is not intact: ${JSON.stringify(found.runs)}`)
  return took
}

/** Questions, one after the other, while the cache evicts as fast as the writer writes. */
async function writeAndAsk(path) {
  const { memory, caches } = openCache(path)
  const next = numbers()
  const history = openHistory(path)
  const range = await rangeOf(history)
  let asking = true
  const times = QUESTIONS.map(([name]) => ({ name, times: [] }))
  const asked = (async () => {
    for (let round = 0; round < 5; round++) {
      for (const [i, [, question]] of QUESTIONS.entries()) {
        times[i].times.push(await timed(() => question(history, keyOf(i * 7 + round), range)))
      }
    }
    asking = false
  })()
  const start = performance.now()
  while (asking) {
    fill(caches, next)
    await turn()
    await room(memory)
  }
  const rate = memory.stats().audit.writtenEvents / ((performance.now() - start) / 1000)
  await asked
  await history.close()
  await memory.close()
  return { rate, times }
}

async function timed(work) {
  const start = performance.now()
  await work()
  return performance.now() - start
}

function median(times) {
  return times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)]
}
