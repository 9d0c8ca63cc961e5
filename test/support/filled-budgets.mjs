// Fills a cache to a budget with each shape, and says what the process grew by, as JSON:
// `node --expose-gc filled-budgets.mjs BUDGET AUDIT-FILE|- [name …]`.
import { rmSync } from 'node:fs'
import { MemoryManager } from '../../dist/muninn.js'
import { used } from './shape-growth.mjs'
import { SHAPES } from './shapes.mjs'

const [, , budget, audit, ...names] = process.argv
const MAX_MEMORY = Number(budget)
const key = (i) => Buffer.from(`some:key:${1_000_000 + i}`).toString()

async function fill(make) {
  // Until constructors know their fields; and what a first manager loads is no later one's.
  for (let i = 0; i < 300; i++) make(i)
  // What the last manager held goes once its timers and promises have.
  await new Promise((resolve) => setTimeout(resolve, 50))
  used()
  const before = used()
  const memory = new MemoryManager({
    maxMemory: MAX_MEMORY,
    maxHeap: MAX_MEMORY,
    maxItems: Number.POSITIVE_INFINITY,
    evictionThreshold: 1,
    checkInterval: 0,
    audit: audit === '-' ? false : audit,
  })
  const cache = memory.cache('filled')
  let evicted = false
  memory.on('evicted', () => {
    evicted = true
  })
  for (let i = 0; !evicted; i++) {
    cache.set(key(i), make(i))
    // What the audit log's thread is sent, it takes; a loop that never lets go would only fill its queue.
    if (i % 1000 === 999) await new Promise(setImmediate)
  }
  const grown = used() - before
  const { currentMemoryBytes: bytes, cacheItemCount: items } = memory.stats()
  cache.clear()
  await memory.close()
  return { grown, bytes, items }
}

await fill((i) => i)
const results = []
for (const [name, make] of Object.entries(SHAPES)) {
  if (names.length === 0 || names.includes(name)) results.push({ name, ...(await fill(make)) })
}
if (audit !== '-') for (const suffix of ['', '-wal', '-shm']) rmSync(audit + suffix, { force: true })
process.stdout.write(JSON.stringify(results))
