/*
 * A program whose cache never stops growing, and that needs a growing share of its heap for itself. Runs one scenario, given as
 * JSON, against the built package, and prints what became of it. In a worker where the scenario says so.
 */

import { writeSync } from 'node:fs'
import { constants, PerformanceObserver } from 'node:perf_hooks'
import { setImmediate as immediate, setTimeout as sleep } from 'node:timers/promises'
import { getHeapStatistics } from 'node:v8'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { MemoryManager } from '../../dist/muninn.js'

const MIB = 1024 ** 2

/** As `test/support/chance.ts`, which a plain program can't import. */
function mulberry32(seed) {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const times = (n, make) => Array.from({ length: n }, (_, i) => make(i))

/** Values by shape; `n` is a whole number that sets the size. */
const SHAPES = {
  'short strings': (n, i) => `value ${i} of ${n}`,
  strings: (n) => Buffer.alloc(n, 120).toString('latin1'),
  'two-byte strings': (n) => 'ж'.repeat(n).normalize(),
  'large strings': (n) => Buffer.alloc(n * 512, 120).toString('latin1'),
  'flat objects': (n, i) => ({
    id: i,
    name: `n${i}`,
    at: i * 1.5,
    ok: true,
    none: null,
    a: n,
    b: `b${i}`,
    c: i,
    d: -i,
    e: 0.5 + i,
  }),
  'nested objects': (n, i) => ({
    id: i,
    of: times(1 + (n % 20), (k) => ({ k, v: `v${k}${i}`, in: { x: k / 3, y: [k] } })),
  }),
  'records with many keys': (n, i) => Object.fromEntries(times(1 + (n % 200), (k) => [`key-${i % 7}-${k}`, k])),
  'arrays of numbers': (n, i) => times(n % 4000, (k) => k + i),
  'arrays of doubles': (n, i) => times(n % 4000, (k) => k / 7 + i),
  maps: (n, i) => new Map(times(n % 300, (k) => [`k${k}`, { i }])),
  sets: (n, i) => new Set(times(n % 300, (k) => k * i)),
  'dates and patterns': (_, i) => [new Date(i), /a+/, BigInt(i) ** 9n, new Error('none')],
  'parsed JSON': (n, i) =>
    JSON.parse(JSON.stringify({ i, list: times(n % 100, (k) => ({ k, text: `t${k}`, f: k / 3 })) })),
  'small Buffers': (n) => Buffer.alloc(1 + (n % 4096), 1),
  'large Buffers': (n) => Buffer.alloc(n * 64, 1),
  'typed arrays': (n) => new Float64Array(n).fill(1),
  numbers: (_, i) => i,
}
const NAMES = Object.keys(SHAPES)

/** What the rest of the program keeps: some 64 KB at a time, of several kinds. */
const OWN = [
  (i) => times(8192, (k) => k + i + 0.5),
  (i) => times(800, (k) => ({ k, i, text: `own ${k}` })),
  () => Buffer.alloc(65_000, 121).toString('latin1'),
  (i) => new Map(times(700, (k) => [k, { i }])),
]
const CHUNK = 64 * 1024

export async function play(scenario) {
  const { seed, shape, sizing, options, own, rhythm, ms, reads } = scenario
  const chance = mulberry32(seed)
  const dice = (n) => Math.floor(chance() * n)
  const changes = []
  const memory = new MemoryManager({
    maxItems: Number.POSITIVE_INFINITY,
    ...options,
    ...(sizing === 'function' ? { sizing: () => 100 } : sizing === 'stated' ? {} : { sizing }),
  })
  memory.on('budget-changed', (e) => {
    if (process.env.MUNINN_PRESSURE_TRACE !== undefined) writeSync(2, `${JSON.stringify(e)}\n`)
    if (changes.length < 10_000)
      changes.push([e.reason, e.evidence?.watched, e.to.maxMemory, e.to.maxHeap, e.evidence?.afterCollection])
  })
  const cache = memory.cache('endless')
  const heapLimit = scenario.heapMb * MIB
  const mine = []
  const peak = { afterCollection: 0, rss: 0 }
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      if (entry.detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR)
        peak.afterCollection = Math.max(peak.afterCollection, getHeapStatistics().used_heap_size)
    }
  })
  observer.observe({ entryTypes: ['gc'] })

  let adds = 0
  let stored = 0
  const started = performance.now()
  const progress = () => (performance.now() - started) / ms
  /** The rest of the program, as large as it should be by now. */
  const allocate = () => {
    const wanted =
      own.share * heapLimit * (own.kind === 'sawtooth' ? (progress() * 3) % 1 : Math.min(1, progress() * 1.3))
    let given = 0
    while (mine.length * CHUNK < wanted && given++ < own.step) mine.push(OWN[dice(OWN.length)](mine.length))
    while (mine.length * CHUNK > wanted + CHUNK) mine.pop()
    if (own.garbage > 0) times(own.garbage, (i) => OWN[dice(OWN.length)](i))
  }
  const add = () => {
    const name = shape === 'any' ? NAMES[dice(NAMES.length)] : shape
    // Mostly small, now and then large.
    const n = 1 + Math.floor(scenario.size ** chance())
    const value = SHAPES[name](n, adds)
    const key = `${name}:${scenario.keys === 0 ? adds : dice(scenario.keys)}`
    adds++
    if (cache.set(key, value, sizing === 'stated' ? { size: 1 } : undefined)) stored++
    for (let i = 0; i < reads; i++) cache.get(`${name}:${dice(adds)}`)
  }
  while (progress() < 1) {
    allocate()
    const until = performance.now() + rhythm.burst
    let turn = 0
    do {
      for (let k = 0; k < rhythm.between; k++) add()
      if (own.inside && turn++ % 4 === 0) allocate()
    } while (performance.now() < until && progress() < 1)
    if (rhythm.pause === 0) await immediate()
    else await sleep(rhythm.pause)
    peak.rss = Math.max(peak.rss, process.memoryUsage.rss())
  }
  const seconds = (performance.now() - started) / 1000
  const stats = memory.stats()
  observer.disconnect()
  await memory.close()
  return {
    adds,
    stored,
    seconds,
    addsPerSecond: Math.round(adds / seconds),
    own: mine.length * CHUNK,
    peak,
    causes: stats.evictedByCause,
    pressure: stats.pressure,
    bytes: stats.currentMemoryBytes,
    budget: { maxMemory: stats.maxMemoryBytes, maxHeap: stats.maxHeapBytes },
    imbalances: stats.imbalances,
    changes: changes.length,
    trail: changes.slice(0, scenario.trail ?? 0),
  }
}

const scenario = isMainThread ? JSON.parse(process.argv[2]) : workerData
if (!isMainThread) parentPort.postMessage(await play(scenario))
else if (scenario.worker) {
  const worker = new Worker(new URL(import.meta.url), {
    workerData: scenario,
    resourceLimits: { maxOldGenerationSizeMb: scenario.heapMb },
  })
  worker.on('message', (result) => process.stdout.write(`${JSON.stringify(result)}\n`))
  worker.on('error', (error) => {
    process.stderr.write(`${error.code}: ${error.message}\n`)
    process.exitCode = 70
  })
} else process.stdout.write(`${JSON.stringify(await play(scenario))}\n`)
