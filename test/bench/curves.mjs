/*
 * What the live miss-ratio curves cost, and a shadow of the same policy: the same load with and without, interleaved, a pair of runs after the other; the median
 * of the ratios of CPU time. Runs the built package: `npm run bench:curves`.
 */
import { MemoryManager } from '../../dist/muninn.js'
import { machine, writeSection } from './report.mjs'

const PAIRS = 31
const OPERATIONS = 300_000

/** Zipf 0.99, keys made before. */
function load(keys) {
  const sums = new Float64Array(keys)
  let sum = 0
  for (let i = 0; i < keys; i++) sums[i] = sum += 1 / (i + 1) ** 0.99
  const names = Array.from({ length: keys }, (_, i) => `key:${(i * 7919) % keys}`)
  let random = 1
  return Array.from({ length: 1 << 19 }, () => {
    random = (Math.imul(random, 1_664_525) + 1_013_904_223) | 0
    const at = ((random >>> 0) / 2 ** 32) * sum
    let low = 0
    let high = keys - 1
    while (low < high) {
      const middle = (low + high) >> 1
      if (sums[middle] < at) low = middle + 1
      else high = middle
    }
    return names[low]
  })
}

function contestant(policy, maxItems, withCurve, shadow = []) {
  const memory = new MemoryManager({
    policy,
    maxItems,
    maxMemory: 2 ** 40,
    maxHeap: 2 ** 40,
    checkInterval: 0,
    seed: 1,
    shadow,
  })
  const cache = memory.cache('c')
  // There is no option for it: whoever measures takes it out.
  if (!withCurve) for (const state of memory.engine.state.cacheList) state.curve = null
  let at = 0
  return (keys) => {
    const started = process.cpuUsage()
    for (let i = 0; i < OPERATIONS; i++) {
      const key = keys[at++ & (keys.length - 1)]
      if (cache.get(key) === undefined) cache.set(key, 1, { size: 1 })
    }
    const { user, system } = process.cpuUsage(started)
    return user + system
  }
}

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1]

/** How much more time the second takes, in percent. */
function compare(contestants, requests) {
  const ratios = Array.from({ length: PAIRS }, (_, i) => {
    const [first, second] = i % 2 === 0 ? contestants : [...contestants].reverse()
    const a = first(requests)
    const b = second(requests)
    return i % 2 === 0 ? b / a : a / b
  })
  return ((median(ratios) - 1) * 100).toFixed(1)
}

const rows = []
for (const policy of ['lru', 'hybrid']) {
  for (const [keys, items] of [
    [10_000, 1_000],
    [100_000, 10_000],
    [1_000_000, 100_000],
  ]) {
    const requests = load(keys)
    const contestants = [contestant(policy, items, false), contestant(policy, items, true)]
    for (const run of contestants) for (let i = 0; i < 3; i++) run(requests)
    const curve = compare(contestants, requests)
    const shadowed = [contestants[1], contestant(policy, items, true, [policy])]
    for (let i = 0; i < 3; i++) shadowed[1](requests)
    const shadow = compare(shadowed, requests)
    rows.push(`| ${policy} | ${items.toLocaleString('en')} | ${curve} % | ${shadow} % |`)
    console.log(rows.at(-1))
  }
}
writeSection('curves', [
  `CPU time that keeping the miss-ratio curve adds, and on top of that one shadow of the same policy; median of ${PAIRS} interleaved pairs (Zipf 0.99 over ten times as many keys):`,
  '',
  '| policy | entries | curve | shadow |',
  '|---|--:|--:|--:|',
  ...rows,
  '',
  `Measured by \`npm run bench:curves\` on ${machine()}.`,
])
