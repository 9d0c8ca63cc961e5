/*
 * What knowing TTLs is worth: `hybrid` beside itself where the TTLs are kept from it, so that what is past its time stays until it is
 * asked for or its turn comes. And what the time left would be worth to who knows how often each key is asked for. Runs the
 * built package: `npm run bench:ttls`. Ratios are exact and repeatable.
 */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { MemoryManager } from '../../dist/muninn.js'
import { readTrace } from '../../dist/replay/trace.js'
import { zipf } from './load.mjs'
import { machine, writeSection } from './report.mjs'

const TRACES = new URL('../../../shared/traces/', import.meta.url)
/** Entries, and requests for each. A request is a millisecond. */
const ENTRIES = 1_000
const REQUESTS = 200
/** Zipf's keys for each entry. */
const KEYS = 10

/** By key number, in [0, 1). */
function fraction(key, salt) {
  let mixed = Math.imul((key ^ salt) | 0, 0x9e3779b1)
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 32
}

const half = (ttl) => (key) => (fraction(key, 7) < 0.5 ? ttl : Number.POSITIVE_INFINITY)
const manyTtls = (from, to) => (key) =>
  fraction(key, 7) < 0.5 ? Math.round(from * (to / from) ** fraction(key, 8)) : Number.POSITIVE_INFINITY
/** 100 to 2,000 bytes, all magnitudes alike. */
const sizeOf = (key) => Math.round(100 * 20 ** fraction(key, 99))

function countsOf(keys) {
  const counts = new Map()
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1)
  return counts
}

/** The loads: keys, how long each may be kept, and (`rates`) where requests are independent. */
async function loads() {
  const n = ENTRIES
  const popular = zipf(KEYS * n, REQUESTS * n)
  const counts = countsOf(popular)
  const byUse = [...counts.keys()].sort((a, b) => counts.get(b) - counts.get(a))
  const topTenth = new Set(byUse.slice(0, n))
  const drawn = zipf(1.2 * n, REQUESTS * n, 2)
  const drift = drawn.map((key, i) => Math.floor(i / 3) + key)
  const looped = drawn.map((key, i) => (i % 2 === 0 ? 1e6 + ((i / 2) % (1.5 * n)) : key))
  const synthetic = [
    { name: 'Zipf, half of the keys live 0.5 caches', keys: popular, ttlOf: half(0.5 * n), rates: counts },
    { name: 'Zipf, half live 2', keys: popular, ttlOf: half(2 * n), rates: counts },
    { name: 'Zipf, half live 8', keys: popular, ttlOf: half(8 * n), rates: counts },
    { name: 'Zipf, half live 0.2 to 20', keys: popular, ttlOf: manyTtls(0.2 * n, 20 * n), rates: counts },
    {
      name: 'Zipf, the tenth most popular live 2',
      keys: popular,
      ttlOf: (key) => (topTenth.has(key) ? 2 * n : Number.POSITIVE_INFINITY),
      rates: counts,
    },
    {
      name: 'Zipf, all but these live 2',
      keys: popular,
      ttlOf: (key) => (topTenth.has(key) ? Number.POSITIVE_INFINITY : 2 * n),
      rates: counts,
    },
    { name: 'drift, half live 0.5', keys: drift, ttlOf: half(0.5 * n) },
    { name: 'loop of 1.5 caches and Zipf, half live 2', keys: looped, ttlOf: half(2 * n) },
  ].map((load) => ({ ...load, entries: n }))
  return [...synthetic, ...(await Promise.all(['web07', 'cdn-sized', 'lirs-2pools'].map(ofTrace)))]
}

/** A trace at 5 % of its keys. */
async function ofTrace(trace) {
  const numbers = new Map()
  const keys = []
  for await (const batch of readTrace(fileURLToPath(new URL(`${trace}.txt.gz`, TRACES)))) {
    for (const { key } of batch) {
      if (!numbers.has(key)) numbers.set(key, numbers.size)
      keys.push(numbers.get(key))
    }
  }
  const entries = Math.round(0.05 * numbers.size)
  return { name: `${trace}, half live 2`, keys, ttlOf: half(2 * entries), entries }
}

function hitRatio({ keys, ttlOf, entries }, byBytes, tellsTtls) {
  const clock = { time: 1, now: () => clock.time }
  const memory = new MemoryManager({
    policy: 'hybrid',
    maxItems: byBytes ? Number.POSITIVE_INFINITY : entries,
    maxMemory: byBytes ? 630 * entries : 2 ** 50,
    maxHeap: 2 ** 50,
    evictionThreshold: 1,
    checkInterval: 0,
    pressure: false,
    seed: 1,
    clock,
  })
  const cache = memory.cache('c')
  const expiresAt = new Map()
  let hits = 0
  for (const number of keys) {
    const key = `k${number}`
    if (!tellsTtls && expiresAt.get(key) <= clock.time) cache.delete(key)
    if (cache.get(key) === undefined) {
      const ttl = ttlOf(number)
      cache.set(key, 1, { size: byBytes ? sizeOf(number) : 1, ttl: tellsTtls ? ttl : Number.POSITIVE_INFINITY })
      expiresAt.set(key, clock.time + ttl)
    } else hits++
    clock.time++
  }
  void memory.close()
  return hits / keys.length
}

/** A cache that knows the rate of each key, and keeps whoever is worth most; a new key, too, has to be. */
function withRates({ keys, ttlOf, entries, rates }, worth) {
  const held = new Map()
  let hits = 0
  for (let at = 0; at < keys.length; at++) {
    const key = keys[at]
    if (held.get(key) > at) {
      hits++
      continue
    }
    held.set(key, at + ttlOf(key))
    if (held.size <= entries) continue
    let least = key
    let lowest = Number.POSITIVE_INFINITY
    for (const [other, expiresAt] of held) {
      const found = expiresAt <= at ? -1 : worth(rates.get(other) / keys.length, expiresAt - at)
      if (found < lowest) {
        lowest = found
        least = other
      }
    }
    held.delete(least)
  }
  return hits / keys.length
}

async function main() {
  if (!existsSync(TRACES)) throw new Error(`no traces in ${fileURLToPath(TRACES)}`)
  const four = (ratio) => ratio.toFixed(4)
  const rows = []
  for (const load of await loads()) {
    const [items, bytes] = [false, true].map((byBytes) =>
      [true, false].map((tellsTtls) => four(hitRatio(load, byBytes, tellsTtls))),
    )
    const known =
      load.rates === undefined
        ? ['', '']
        : [four(withRates(load, (rate) => rate)), four(withRates(load, (rate, left) => 1 - Math.exp(-rate * left)))]
    rows.push(`| ${[load.name, ...items, ...bytes, ...known].join(' | ')} |`)
    process.stderr.write(`${rows.at(-1)}\n`)
  }
  writeSection('ttls', [
    `Hit ratios with ${ENTRIES.toLocaleString('en')} entries (of a trace 5 % of its keys), or 630 bytes for each with sizes of 100 to 2,000; TTLs in caches' worth of requests, and`,
    'none for the other keys. “Not told”: the TTLs are kept from `hybrid`, and what is past its time stays until it is asked for or its turn',
    'comes. The last two know how often each key is asked for, which no policy does, and give up the least popular, or the least likely to',
    'be asked for again before it expires.',
    '',
    '| load | **`hybrid`** | not told | **`hybrid`, by bytes** | not told | _by rate_ | _by chance of a hit in the time left_ |',
    '|---|--:|--:|--:|--:|--:|--:|',
    ...rows,
    '',
    `Measured by \`npm run bench:ttls\` on ${machine()}.`,
  ])
}

await main()
