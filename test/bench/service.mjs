// The service under load from another process: GET of an item beside bare fastify in the same run, with and without a
// thousand idle listeners, and starts. `npm run bench:service`; `soak.mjs` is the load that lasts.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import autocannon from 'autocannon'
import { machine, writeSection } from './report.mjs'
import { body, listeners, median, number, serve as serveAt, start, stop } from './served.mjs'

const BARE = fileURLToPath(new URL('bare-fastify.mjs', import.meta.url))
const ROUNDS = 5
const SECONDS = 4
const CONNECTIONS = 50
const IDLE = 1000

const folder = mkdtempSync(join(tmpdir(), 'muninn-bench-'))
const serve = (name) => serveAt(join(folder, `${name}.db`))

const load = (url, options = {}) => autocannon({ url, connections: CONNECTIONS, duration: SECONDS, ...options })

async function reads() {
  const bare = await start([BARE, body])
  const muninn = await serve('reads')
  const item = `${muninn.url}/api/cache/tenant/items/acme%3Areport`
  await fetch(item, { method: 'PUT', headers: { 'content-type': 'application/json' }, body })
  const contestants = [
    ['bare fastify, a static answer', `${bare.url}/item`, false],
    ['GET of an item', item, false],
    [`GET of an item, ${number(IDLE)} idle listeners`, item, true],
  ]
  for (const [, url] of contestants) await load(url, { duration: 2 })
  const results = contestants.map(() => [])
  for (let round = 0; round < ROUNDS; round++) {
    for (const [index, [, url, isHeard]] of contestants.entries()) {
      const idle = isHeard ? await listeners(muninn.url, IDLE, '?type=evicted,warned') : null
      results[index].push(await load(url))
      idle?.close()
    }
  }
  await stop(bare)
  await stop(muninn)
  const base = median(results[0].map(({ requests }) => requests.average))
  return contestants.map(([name], index) => {
    const of = (figure) => median(results[index].map(figure))
    const average = of(({ requests }) => requests.average)
    const errors = results[index].reduce((sum, one) => sum + one.errors + one.non2xx, 0)
    return `| ${name} | ${number(average)} | ${(average / base).toFixed(2)} | ${of(({ latency }) => latency.p50)} ms | ${of(({ latency }) => latency.p99)} ms | ${errors} |`
  })
}

/** ms of it that a process has used in all its threads, by Linux, where a tick is 10 ms. */
function processorTime(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}

async function starts() {
  const took = []
  const cpu = []
  const empty = []
  for (let index = 0; index < 15; index++) {
    const one = await serve('starts')
    await fetch(`${one.url}/livez`)
    took.push(performance.now() - one.begun)
    cpu.push(processorTime(one.child.pid))
    await stop(one)
    empty.push((await start(['--eval', 'console.log("{}")'])).took)
  }
  return { median: median(took), least: Math.min(...took), cpu: median(cpu), empty: median(empty) }
}

try {
  const table = await reads()
  const started = await starts()
  const lines = [
    `Measured by \`npm run bench:service\` on ${machine()}. The load is autocannon's, in a process of its own on the same machine: ${CONNECTIONS} connections, ${SECONDS} s a round, in turns, median of ${ROUNDS} rounds. The item is ${body.length} bytes of JSON, on both sides.`,
    '',
    '| | requests/s | relative | p50 | p99 | errors |',
    '|---|---|---|---|---|---|',
    ...table,
    '',
    `From the spawn of \`muninn serve\` to its first 200 of \`/livez\`: at least ${number(started.least)} ms, median ${number(started.median)} ms of 15; processor time of all its threads ${number(started.cpu)} ms. A Node process that does nothing, in turns with it: ${number(started.empty)} ms. Load average of the machine: ${loadavg()[0].toFixed(1)}.`,
  ]
  console.log(lines.join('\n'))
  if (!process.argv.includes('--dry')) writeSection('service', lines)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
