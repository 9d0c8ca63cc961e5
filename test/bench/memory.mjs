// Heap plus external bytes per entry, keys and values made beforehand, and time per operation as the entries grow.
// Each contestant and size in a process of its own: `npm run bench:memory`.
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { contestants } from './contestants.mjs'
import { makeKeys, zipf } from './load.mjs'
import { machine, writeSection } from './report.mjs'

const SIZES = [1_000, 10_000, 100_000, 1_000_000]
const NAMES = ['lru-cache', 'mnemonist', '@cacheable/memory', 'transitory', 'muninn lru', 'muninn hybrid']
const OPERATIONS = 2_000_000

const [, , name, entries] = process.argv
if (name === undefined) report()
else console.log(JSON.stringify({ ...bytesPerEntry(name, Number(entries)), ...nsPerOperation(name, Number(entries)) }))

function report() {
  const script = fileURLToPath(import.meta.url)
  const rows = NAMES.map((contestant) => ({
    contestant,
    cells: SIZES.map((size) =>
      JSON.parse(
        execFileSync(process.execPath, ['--expose-gc', script, contestant, String(size)], { encoding: 'utf8' }),
      ),
    ),
  }))
  const heads = SIZES.map((size) => `${size / 1000}k entries`)
  const table = (title, cell) => [
    `| ${title} | ${heads.join(' | ')} |`,
    `|---|${heads.map(() => '---').join('|')}|`,
    ...rows.map(
      ({ contestant, cells }) =>
        `| ${contestant} | ${cells.map((one, i) => cell(one, rows[0].cells[i])).join(' | ')} |`,
    ),
  ]
  const lines = [
    `Measured by \`npm run bench:memory\` on ${machine()}. One cache, an item limit of the given entries, a TTL and a stated size for each (lru-cache with max, maxSize, ttl and dispose); in brackets relative to lru-cache.`,
    '',
    ...table(
      'heap and external bytes per entry',
      (one, base) => `${one.bytes.toFixed(0)} (${(one.bytes / base.bytes).toFixed(2)})`,
    ),
    '',
    `Zipf 0.99 get-or-set over twice as many keys as entries, ns per operation, median of ${OPERATIONS / 1e6} M operations' slices:`,
    '',
    ...table('ns per operation', (one, base) => `${one.ns.toFixed(0)} (${(one.ns / base.ns).toFixed(2)})`),
  ]
  console.log(lines.join('\n'))
  writeSection('memory', lines)
}

function bytesPerEntry(contestant, count) {
  // Small caches are measured as many at once: one would drown in what the process allocates besides.
  const caches = Math.max(1, Math.round(200_000 / count))
  // A fifth more than fits: what a cache keeps of evicted entries is counted, too.
  const keys = makeKeys(Math.ceil(1.2 * count))
  contestants[contestant](10).close?.()
  const before = used()
  const kept = []
  for (let i = 0; i < caches; i++) {
    const cache = contestants[contestant](count)
    for (const key of keys) cache.set(key, 1)
    kept.push(cache)
  }
  const bytes = (used() - before) / (caches * count)
  for (const cache of kept) cache.close?.()
  return { bytes }
}

function used() {
  globalThis.gc()
  globalThis.gc()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

function nsPerOperation(contestant, count) {
  const keys = makeKeys(2 * count)
  const requests = zipf(2 * count, OPERATIONS)
  const cache = contestants[contestant](count)
  const slices = []
  const slice = OPERATIONS / 20
  for (let at = 0; at < OPERATIONS; at += slice) {
    const start = process.hrtime.bigint()
    for (let i = at; i < at + slice; i++) {
      const key = keys[requests[i]]
      if (cache.get(key) === undefined) cache.set(key, i + 1)
    }
    slices.push(Number(process.hrtime.bigint() - start) / slice)
  }
  slices.sort((a, b) => a - b)
  cache.close?.()
  return { ns: slices[slices.length >> 1] }
}
