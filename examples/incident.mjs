// The service of docs/post-mortem.md: writes two hours of its audit log in some seconds, then is killed.
//
//   node examples/incident.mjs data/incident.db
//   npx muninn doctor --db data/incident.db
import process from 'node:process'
import { MemoryManager } from 'muninn-cache'

const audit = process.argv[2] ?? 'data/incident.db'
const MINUTE = 60_000
let now = (Math.floor(Date.now() / MINUTE) - 125) * MINUTE
let random = 7
const chance = () => {
  random = (Math.imul(random, 1_664_525) + 1_013_904_223) >>> 0
  return random / 2 ** 32
}

/** An hour of requests to 5,000 tenants, the first of them far more often; reports pass through now and then. */
async function serve(version, bytesPerTenant, minutes, ending) {
  const clock = { now: () => now }
  const options = { maxMemory: '24MB', maxHeap: '24MB', maxItems: 20_000, policy: 'lru' }
  const memory = new MemoryManager({ ...options, clock, seed: 1, checkInterval: 0, audit })
  const tenants = memory.cache('tenant')
  const reports = memory.cache('report')
  for (let minute = 0; minute < minutes; minute++) {
    for (let request = 0; request < 1_200; request++) {
      now += MINUTE / 1_200
      const key = `tenant:${Math.floor(5_000 * chance() ** 1.3)}`
      if (tenants.get(key) === undefined) {
        const load = 20 + Math.floor(chance() * 40)
        tenants.set(key, version, { size: bytesPerTenant, cost: load, actor: `catalog ${version}` })
      }
      if (request % 120 === 0) reports.set(`report/${minute}-${request}`, version, { size: 20_000, ttl: '10m' })
      if (request % 600 === 599) memory.check()
    }
  }
  await ending(memory)
}

await serve('v41', 3_500, 60, (memory) => memory.close())
now += 20_000
// The deploy: the same tenants, each twice as large.
await serve('v42', 7_000, 60, async (memory) => {
  await memory.history.runs() // what was recorded is on disk
  process.kill(process.pid, 'SIGKILL')
})
