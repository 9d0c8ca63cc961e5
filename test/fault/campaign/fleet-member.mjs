// One of several processes that keep one log, some with worker threads of their own that keep it, too: each plays a cache at
// random, and tells in the end what it knows of its log. By its last parameter it ends: by close(), by itself, or not at all.
import process from 'node:process'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { MemoryManager } from '../../../dist/muninn.js'

const { path, seed, threads, ending } = isMainThread ? JSON.parse(process.argv[2]) : workerData

let state = seed >>> 0
const chance = (n) => {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
  return Math.floor((state / 2 ** 32) * n)
}

const memory = new MemoryManager({
  maxItems: 200,
  checkInterval: 20,
  audit: { path, flushInterval: 10, sampleAbove: Number.POSITIVE_INFINITY },
})
let kept = 1
for (const type of [
  'evicted',
  'expired',
  'removed',
  'cleared',
  'rejected',
  'warned',
  'checked',
  'peaked',
  'configured',
  'stopped',
  'cycle-started',
  'cycle-continued',
  'cycle-completed',
])
  memory.on(type, () => kept++)
memory.on('missed', ({ firstRegret }) => (kept += firstRegret ? 1 : 0))
const cache = memory.cache('fleet')
const tell = (fact) => (isMainThread ? process.stdout.write(`${JSON.stringify(fact)}\n`) : parentPort.postMessage(fact))

const members = Array.from({ length: threads ?? 0 }, (_, n) => {
  const worker = new Worker(new URL(import.meta.url), { workerData: { path, seed: seed + n + 1, ending: 'close' } })
  worker.on('message', tell)
  return new Promise((resolve) => worker.on('exit', resolve))
})

for (let turn = 0; turn < 60; turn++) {
  for (let call = 0; call < 60; call++) {
    const key = `k:${chance(2_000)}`
    const deed = chance(20)
    if (deed < 14) cache.set(key, turn, { ttl: 1 + chance(500) })
    else if (deed < 18) cache.get(key)
    else if (deed === 18) cache.delete(key)
    else if (chance(30) === 0) memory.setPolicy(['lru', 'lfu', 'ttl', 'size', 'hybrid'][chance(5)])
  }
  const { cacheItemCount, imbalances } = memory.stats()
  if (cacheItemCount > 200 || imbalances > 0) throw new Error(`${cacheItemCount} items, ${imbalances} imbalances`)
  if (ending === 'killed' && turn === 30) process.kill(process.pid, 'SIGKILL')
  if (ending === 'exit' && turn === 40) process.exit(0)
  await new Promise((resolve) => setTimeout(resolve, chance(8)))
}
await Promise.all(members)
await memory.close()
const { writtenEvents, lostEvents } = memory.stats().audit
tell({ run: memory.runId, kept, writtenEvents, lostEvents })
