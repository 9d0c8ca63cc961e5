// The embedded cache for hours: memory after garbage collection, delay of the event loop, books and rows of the audit log
// over time. `npm run soak:cache [seconds] [folder]`, an hour by default: samples go to samples.jsonl as they come, and are
// drawn in soak.html when it ends, also by Ctrl-C. Ends with exit code 1 where the books don't balance or rows are lost.
import { appendFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises'
import { MemoryManager } from '../../dist/muninn.js'
import { zipf } from './load.mjs'
import { machine } from './report.mjs'

const SECONDS = Number(process.argv[2] ?? 3600)
const FOLDER = process.argv[3] ?? join(tmpdir(), 'muninn-soak-cache')
/** Samples drawn at most; so many are taken, too. */
const SAMPLES = 600
const KEYS = 200_000
/** Calls in one turn of the event loop, some 1 ms of them. */
const CALLS = 500
const MIB = 2 ** 20
const POLICIES = ['hybrid', 'lru', 'lfu', 'ttl', 'size']

mkdirSync(FOLDER, { recursive: true })
const file = join(FOLDER, 'samples.jsonl')
const database = join(FOLDER, 'soak.db')
for (const old of [file, database, `${database}-wal`, `${database}-shm`]) rmSync(old, { force: true })

const memory = new MemoryManager({
  maxMemory: '48MB',
  maxItems: Number.POSITIVE_INFINITY,
  checkInterval: 1_000,
  audit: { path: database, retention: { maxAge: '10m', maxSize: '64MB' } },
})
const caches = ['users', 'pages', 'blobs'].map((name) => memory.cache(name))
const drawn = zipf(KEYS, 1_000_000)
let next = 0
let calls = 0

/** Objects, text, Buffers: each cache has its own shape, and sizes differ by a hundred times. */
const MAKE = [
  (n) => ({ id: n, name: `user ${n}`, roles: ['a', 'b'], seen: Date.now(), nested: { n } }),
  (n) => 'x'.repeat(100 + (n % 4_000)),
  (n) => Buffer.alloc(500 + (n % 20_000)),
]

function work() {
  for (let i = 0; i < CALLS; i++, calls++) {
    const n = drawn[next++ % drawn.length]
    const cache = caches[n % 3]
    const key = `${['user', 'page', 'blob'][n % 3]}:${n}`
    if (cache.get(key) !== undefined) {
      if (i % 50 === 0) cache.delete(key)
    } else cache.set(key, MAKE[n % 3](n), n % 10 === 0 ? { ttl: 1 + (n % 60_000) } : undefined)
  }
}

/** What an operator does now and then. */
function meddle(sample) {
  if (sample % 20 === 7) memory.setPolicy(POLICIES[((sample / 20) % POLICIES.length) | 0])
  if (sample % 50 === 13) memory.setLimits({ maxMemory: sample % 100 === 13 ? '24MB' : '48MB' })
  if (sample % 70 === 23) caches[sample % 3].clear()
}

/** How late a timer of so many ms came, since the last sample: what another request of the host would have waited. */
const TICK = 5
let late = []
let ticked = performance.now()
const ticking = setInterval(() => {
  const now = performance.now()
  late.push(Math.max(0, now - ticked - TICK))
  ticked = now
}, TICK)
const begun = performance.now()
const samples = []
let stopped = false
process.once('SIGINT', () => {
  stopped = true
})

for (let due = SECONDS / SAMPLES; !stopped && performance.now() - begun < SECONDS * 1000; ) {
  work()
  await turn()
  if ((performance.now() - begun) / 1000 < due) continue
  due += SECONDS / SAMPLES
  globalThis.gc?.()
  // What a Buffer leaves behind is freed a turn later.
  await sleep(1)
  sample()
  meddle(samples.length)
}

function sample() {
  late.sort((a, b) => a - b)
  const { rss, heapUsed, external } = process.memoryUsage()
  const { currentMemoryBytes, maxMemoryBytes, cacheItemCount, imbalances, evictedItems, audit } = memory.stats()
  const row = {
    second: (performance.now() - begun) / 1000,
    rss: rss / MIB,
    heap: heapUsed / MIB,
    external: external / MIB,
    charged: currentMemoryBytes / MIB,
    budget: maxMemoryBytes / MIB,
    delayP99: late[Math.floor(late.length * 0.99)] ?? 0,
    delayMax: late.at(-1) ?? 0,
    items: cacheItemCount,
    calls,
    evicted: evictedItems,
    imbalances,
    observerErrors: memory.stats().observerErrors,
    auditPending: audit.pendingEvents,
    auditLost: audit.lostEvents,
  }
  late = []
  samples.push(row)
  appendFileSync(file, `${JSON.stringify(row)}\n`)
}

clearInterval(ticking)
memory.check()
await memory.close()
const { imbalances, audit } = memory.stats()
const charts = [
  ['Memory, MiB', ['rss', 'heap', 'external', 'charged', 'budget']],
  ['Delay of the event loop, ms (p99 of a sample; the calls of a turn and garbage collection are in it)', ['delayP99']],
  ['Longest delay, ms', ['delayMax']],
  ['Entries', ['items']],
  ['Books: imbalances, observers that threw, rows lost', ['imbalances', 'observerErrors', 'auditLost']],
  ['Rows that wait to be written', ['auditPending']],
]
const summary = `${Math.round(samples.at(-1)?.second ?? 0)} s on ${machine()}: ${calls.toLocaleString('en')} calls, ${imbalances} imbalances, ${audit.lostEvents} rows lost`
writeFileSync(join(FOLDER, 'soak.html'), page(summary, charts.map(([title, names]) => chart(title, names)).join('')))
process.stdout.write(`${summary}\n${join(FOLDER, 'soak.html')}\n`)
process.exitCode = imbalances > 0 || audit.lostEvents > 0 ? 1 : 0

/** Lines over time as an SVG: nothing to load, nothing to run. */
function chart(title, names) {
  const [width, height] = [900, 160]
  const top = Math.max(1, ...samples.flatMap((row) => names.map((name) => row[name])))
  const colours = ['#1f77b4', '#d62728', '#2ca02c', '#9467bd', '#7f7f7f']
  const lines = names.map((name, n) => {
    const points = samples.map((row, i) => {
      const x = (i / Math.max(1, samples.length - 1)) * width
      return `${x.toFixed(1)},${(height - (row[name] / top) * height).toFixed(1)}`
    })
    return `<polyline fill="none" stroke="${colours[n]}" points="${points.join(' ')}"/>`
  })
  const legend = names.map(
    (name, n) => `<b style="color:${colours[n]}">${name} ${(samples.at(-1)?.[name] ?? 0).toFixed(1)}</b>`,
  )
  return `<h2>${title}</h2><p>${legend.join(' ')} · top ${top.toFixed(1)}</p><svg viewBox="0 0 ${width} ${height}">${lines.join('')}</svg>`
}

function page(text, body) {
  return `<!doctype html><meta charset="utf-8"><title>muninn soak</title><style>body{font:14px sans-serif;max-width:60rem;margin:auto}svg{border:1px solid #ccc;width:100%}h2{font-size:1rem}</style><p>${text}</p>${body}\n`
}
