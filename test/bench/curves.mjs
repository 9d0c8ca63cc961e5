/*
 * What the live miss-ratio curves cost, and a shadow of the same policy: the same load with and without, a pair of runs after the
 * other; the median of the ratios of CPU time. In several processes, since two caches alike differ by some percent by
 * where they lie in memory. Runs the built package: `npm run bench:curves`.
 */
import { execFileSync } from 'node:child_process'
import { loadavg } from 'node:os'
import { fileURLToPath } from 'node:url'
import { MemoryManager } from '../../dist/muninn.js'
import { machine, writeSection } from './report.mjs'

const PROCESSES = 8
/** In each. */
const PAIRS = 9
const WARM_UPS = 3
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
  if (!withCurve) {
    for (const state of memory.engine.state.cacheList) {
      state.curve = null
      state.followedUpTo = -(2 ** 31)
    }
  }
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

/** By how much the second takes more time, for each pair. */
function compare(contestants, requests) {
  for (const run of contestants) for (let i = 0; i < WARM_UPS; i++) run(requests)
  return Array.from({ length: PAIRS }, (_, i) => {
    const [first, second] = i % 2 === 0 ? contestants : [...contestants].reverse()
    const a = first(requests)
    const b = second(requests)
    return i % 2 === 0 ? b / a : a / b
  })
}

/** The pairs of one process; the order in which its contestants are made alternates. */
function measure({ policy, keys, items, turned }) {
  const requests = load(keys)
  const pair = (withCurves, shadow) => {
    const make = [() => contestant(policy, items, withCurves), () => contestant(policy, items, true, shadow)]
    return turned
      ? make
          .reverse()
          .map((one) => one())
          .reverse()
      : make.map((one) => one())
  }
  return { curve: compare(pair(false, []), requests), shadow: compare(pair(true, [policy]), requests) }
}

function inProcesses(task) {
  const found = Array.from({ length: PROCESSES }, (_, i) => {
    const asked = JSON.stringify({ ...task, turned: i % 2 === 1 })
    return JSON.parse(execFileSync(process.execPath, [fileURLToPath(import.meta.url), asked], { encoding: 'utf8' }))
  })
  const percent = (ratios) => `${((median(ratios) - 1) * 100).toFixed(1)} %`
  return [percent(found.flatMap(({ curve }) => curve)), percent(found.flatMap(({ shadow }) => shadow))]
}

function main() {
  const rows = []
  for (const policy of ['lru', 'hybrid']) {
    for (const items of [1_000, 10_000, 100_000]) {
      const figures = inProcesses({ policy, keys: 10 * items, items })
      rows.push(`| ${policy} | ${items.toLocaleString('en')} | ${figures.join(' | ')} |`)
      console.log(rows.at(-1))
    }
  }
  writeSection('curves', [
    `CPU time that keeping the miss-ratio curve adds, and on top of that one shadow of the same policy; median of ${PROCESSES * PAIRS} interleaved pairs in ${PROCESSES} processes (Zipf 0.99 over ten times as many keys):`,
    '',
    '| policy | entries | curve | shadow |',
    '|---|--:|--:|--:|',
    ...rows,
    '',
    `Measured by \`npm run bench:curves\` on ${machine()}; load average ${loadavg()[0].toFixed(1)}.`,
  ])
}

const [, , task] = process.argv
if (task === undefined) main()
else console.log(JSON.stringify(measure(JSON.parse(task))))
