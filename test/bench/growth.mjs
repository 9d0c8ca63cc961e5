// The calls whose cost grows with the contents, and the worst single set while a cache grows: `npm run bench:growth`.
import { MemoryManager } from '../../dist/muninn.js'
import { makeKeys } from './load.mjs'
import { machine, writeSection } from './report.mjs'

const SIZES = [100_000, 1_000_000]
const GIB = 2 ** 30

const rows = SIZES.map(measure)
const cell = (name) => rows.map((row) => `${row[name].toFixed(1)} ms`).join(' | ')
const lines = [
  `Measured by \`npm run bench:growth\` on ${machine()}, policy \`lru\`, one cache without an item limit.`,
  '',
  `| | ${SIZES.map((size) => `${size / 1000}k entries`).join(' | ')} |`,
  `|---|${SIZES.map(() => '---').join('|')}|`,
  `| worst single \`set\` while filling | ${cell('worst')} |`,
  `| 99.9 % of them | ${cell('common')} |`,
  `| \`setPolicy('hybrid')\` | ${cell('policy')} |`,
  `| \`evict()\` of half of the entries | ${cell('evict')} |`,
  `| \`clear()\` of the rest | ${cell('clear')} |`,
]
console.log(lines.join('\n'))
writeSection('growth', lines)

function measure(count) {
  const keys = makeKeys(count)
  const memory = new MemoryManager({
    policy: 'lru',
    maxItems: Number.POSITIVE_INFINITY,
    maxMemory: GIB,
    maxHeap: GIB,
    checkInterval: 0,
  })
  const cache = memory.cache('bench', { ttl: 3_600_000 })
  const times = new Float64Array(count)
  for (let i = 0; i < count; i++) {
    const start = performance.now()
    cache.set(keys[i], i, { size: 100 })
    times[i] = performance.now() - start
  }
  times.sort()
  const policy = timed(() => memory.setPolicy('hybrid'))
  const evict = timed(() => memory.evict({ target: (count / 2) * 100 }))
  const clear = timed(() => cache.clear())
  memory.close()
  return { worst: times[count - 1], common: times[Math.floor(count * 0.999)], policy, evict, clear }
}

function timed(run) {
  const start = performance.now()
  run()
  return performance.now() - start
}
