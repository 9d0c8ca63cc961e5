/*
 * Three caches under one budget: shares by what each makes of the room, against equal parts for good, and one cache for all, on mixes
 * of the traces of `../shared/traces`. Runs the built package: `npm run bench:division`. Ratios are exact and repeatable.
 */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { MemoryManager } from '../../dist/muninn.js'
import { readTrace } from '../../dist/replay/trace.js'
import { machine, writeSection } from './report.mjs'

const TRACES = new URL('../../../shared/traces/', import.meta.url)
/** Of a longer trace the beginning. */
const MOST_REQUESTS = 600_000
/** Budgets, in percent of all keys of the mix, or their bytes. */
const BUDGETS = [1, 3, 10, 20]

/** Each trace as often as it is long, evenly spread, so that all end together; or each in turn, until the shortest ends. */
const MIXES = [
  { traces: ['lirs-2pools', 'web07', 'corda-vault'] },
  { traces: ['address-gcc', 'lirs-loop', 'orm-busy'] },
  { traces: ['lirs-multi3', 'lirs-scan', 'lirs-multi1'] },
  { traces: ['cdn-sized', 'web07', 'lirs-2pools'] },
  { traces: ['orm-busy', 'corda-vault', 'lirs-loop'] },
  { traces: ['web07', 'lirs-gli', 'lirs-cpp'] },
  { traces: ['address-gcc', 'corda-vault', 'web07'], inTurn: true },
  { traces: ['cdn-sized', 'web07', 'corda-vault'], bySize: true },
  { traces: ['cdn-sized', 'lirs-2pools', 'lirs-multi3'], bySize: true },
]

const WAYS = [
  { name: 'shares', policy: 'hybrid', caches: 'own' },
  { name: 'equal parts, hybrid', policy: 'hybrid', caches: 'limited' },
  { name: 'equal parts, LRU', policy: 'lru', caches: 'limited' },
  { name: 'one cache, LRU', policy: 'lru', caches: 'one' },
  { name: 'one cache, hybrid', policy: 'hybrid', caches: 'one' },
]

/** A size for a key of a trace that has none: by its hash (FNV-1a), 500 to 45,000 bytes, all magnitudes alike. */
function sizeFor(key) {
  let hash = 0x811c9dc5
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return Math.ceil(500 * Math.exp((4.5 * ((hash ^ (hash >>> 16)) >>> 0)) / 2 ** 32))
}

async function read(trace, bySize) {
  const requests = []
  for await (const batch of readTrace(fileURLToPath(new URL(`${trace}.txt.gz`, TRACES)))) {
    for (const { key, size } of batch)
      requests.push({ key, size: !bySize ? 1 : trace === 'cdn-sized' ? size : sizeFor(key) })
    if (requests.length >= MOST_REQUESTS) break
  }
  return requests.slice(0, MOST_REQUESTS)
}

function* mixed(lists, inTurn) {
  const shortest = Math.min(...lists.map(({ length }) => length))
  const lengths = lists.map(({ length }) => (inTurn ? shortest : length))
  const at = lists.map(() => 0)
  for (;;) {
    let which = 0
    for (let i = 1; i < lists.length; i++)
      if ((at[i] + 0.5) / lengths[i] < (at[which] + 0.5) / lengths[which]) which = i
    if (at[which] >= lengths[which]) return
    yield { which, ...lists[which][at[which]++] }
  }
}

function play(mix, lists, budget, { policy, caches: how }) {
  const limit = mix.bySize ? 'maxMemory' : 'maxItems'
  const memory = new MemoryManager({
    maxItems: Number.POSITIVE_INFINITY,
    maxMemory: 2 ** 50,
    maxHeap: 2 ** 50,
    [limit]: budget,
    policy,
    evictionThreshold: 1,
    checkInterval: 0,
    seed: 1,
    clock: { now: () => 1 },
  })
  const own = how === 'limited' ? { [limit]: Math.floor(budget / lists.length) } : {}
  const caches = lists.map((_, i) => memory.cache(how === 'one' ? 'all' : mix.traces[i], own))
  let requests = 0
  let hits = 0
  for (const { which, key, size } of mixed(lists, mix.inTurn)) {
    const known = how === 'one' ? `${which}:${key}` : key
    requests++
    if (caches[which].get(known) === undefined) caches[which].set(known, 1, { size })
    else hits++
  }
  void memory.close()
  return hits / requests
}

function footprint(lists) {
  return lists.reduce((sum, list) => {
    const sizes = new Map(list.map(({ key, size }) => [key, size]))
    return sum + [...sizes.values()].reduce((all, size) => all + size, 0)
  }, 0)
}

async function main() {
  if (!existsSync(TRACES)) throw new Error(`no traces in ${fileURLToPath(TRACES)}`)
  const rows = []
  for (const mix of MIXES) {
    const lists = await Promise.all(mix.traces.map((trace) => read(trace, mix.bySize)))
    const all = footprint(lists)
    for (const percent of BUDGETS) {
      const budget = Math.round((all * percent) / 100)
      const ratios = WAYS.map((way) => play(mix, lists, budget, way))
      rows.push({ mix, budget, ratios })
      process.stderr.write(
        `${mix.traces.join(', ')} at ${budget}: ${ratios.map((ratio) => ratio.toFixed(4)).join(' ')}\n`,
      )
    }
  }
  const meanOf = (part, i) => part.reduce((sum, { ratios }) => sum + ratios[i], 0) / part.length
  const byItems = rows.filter(({ mix }) => !mix.bySize)
  const byBytes = rows.filter(({ mix }) => mix.bySize)
  const line = (cells) => `| ${cells.join(' | ')} |`
  const mean = (name, part) => line([name, '', ...WAYS.map((_, i) => `**${meanOf(part, i).toFixed(4)}**`)])
  const worst = WAYS.map((_, i) => Math.min(...rows.map(({ ratios }) => ratios[0] - ratios[i])))
  const lines = [
    line(['mix', 'budget', ...WAYS.map(({ name }) => name)]),
    line(['---', '--:', ...WAYS.map(() => '--:')]),
    ...rows.map(({ mix, budget, ratios }) =>
      line([
        `${mix.traces.join(', ')}${mix.inTurn ? ', in turn' : ''}`,
        mix.bySize ? `${(budget / 1e6).toFixed(1)} MB` : budget.toLocaleString('en'),
        ...ratios.map((ratio) => ratio.toFixed(4)),
      ]),
    ),
    mean('mean by items', byItems),
    mean('mean by bytes', byBytes),
    line([
      'shares are better by, at least',
      '',
      ...worst.map((by, i) => (i === 0 ? '' : `${by < 0 ? '−' : '+'}${Math.abs(by).toFixed(4)}`)),
    ]),
    '',
    `Measured by \`npm run bench:division\` on ${machine()}.`,
  ]
  console.log(lines.join('\n'))
  writeSection('division', lines)
}

await main()
