// The service under load from another process: GET of an item beside bare fastify in the same run, with and without a
// thousand idle listeners, starts, and a soak with evictions and live listeners. `npm run bench:service [soak seconds]`.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import autocannon from 'autocannon'
import Database from 'better-sqlite3'
import { zipf } from './load.mjs'
import { machine, writeSection } from './report.mjs'

const MAIN = fileURLToPath(new URL('../../dist/serve/cli/main.js', import.meta.url))
const BARE = fileURLToPath(new URL('bare-fastify.mjs', import.meta.url))
const ROUNDS = 5
const SECONDS = 4
const CONNECTIONS = 50
const IDLE = 1000
const SOAK = Number(process.argv[2] ?? 180)

const folder = mkdtempSync(join(tmpdir(), 'muninn-bench-'))
const body = JSON.stringify({
  tenant: 'acme',
  rows: Array.from({ length: 24 }, (_, id) => ({ id, name: `row ${id}` })),
})
const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]
const number = (value) => Math.round(value).toLocaleString('en')

async function start(args, env = {}) {
  const begun = performance.now()
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'], env: { ...process.env, ...env } })
  let text = ''
  await new Promise((resolve, reject) => {
    child.once('exit', reject)
    child.stdout.on('data', (chunk) => {
      text += chunk
      if (text.endsWith('}\n')) resolve()
    })
  })
  return { child, url: JSON.parse(text).url, took: performance.now() - begun }
}

const serve = (name, env) =>
  start([MAIN, 'serve', '--json', '--port', '0', '--db', join(folder, `${name}.db`)], {
    MUNINN_LOG_LEVEL: 'warn',
    ...env,
  })

async function stop({ child }) {
  child.kill('SIGTERM')
  if (child.exitCode === null) await once(child, 'exit')
}

const load = (url, options = {}) => autocannon({ url, connections: CONNECTIONS, duration: SECONDS, ...options })

async function json(url, options) {
  return (await fetch(url, options)).json()
}

/** Connections that listen, and count what they are told. */
async function listeners(url, count, query) {
  const agent = new Agent({ maxSockets: Number.POSITIVE_INFINITY })
  const told = { events: 0, missed: 0 }
  const open = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise((resolve, reject) => {
          const sent = request(`${url}/api/events${query}`, { agent }, (response) => {
            response.on('data', (chunk) => {
              const text = chunk.toString()
              told.events += text.split('\nid: ').length - 1 + (text.startsWith('id: ') ? 1 : 0)
              if (text.includes('stream-missed')) told.missed++
              resolve(sent)
            })
          })
          sent.on('error', reject)
          sent.end()
        }),
    ),
  )
  return {
    told,
    close: () => {
      for (const sent of open) {
        sent.on('error', () => {})
        sent.destroy()
      }
    },
  }
}

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

async function starts() {
  const took = []
  const empty = []
  for (let index = 0; index < 7; index++) {
    const one = await serve('starts')
    took.push(one.took)
    await stop(one)
    empty.push((await start(['--eval', 'console.log("{}")'])).took)
  }
  return { median: median(took), least: Math.min(...took), empty: median(empty) }
}

/** Reads, writes and deletes over five times as many keys as there is room for, with listeners that hear of all of it. */
async function soak() {
  const muninn = await serve('soak', { CACHE_MAX_ITEMS: '1000', MUNINN_CHECK_INTERVAL: '1000' })
  const live = await listeners(muninn.url, 10, '?type=evicted,removed,warned,cycle-completed')
  const idle = await listeners(muninn.url, 100, '?type=warned')
  const drawn = zipf(5000, 1_000_000)
  let next = 0
  const key = () => `/api/cache/general/items/soak%3A${drawn[next++ % drawn.length]}`
  const step = (method) => ({
    method,
    ...(method === 'PUT' ? { body, headers: { 'content-type': 'application/json' } } : {}),
    setupRequest: (asked) => ({ ...asked, path: key() }),
  })
  const samples = []
  const sampling = setInterval(async () => {
    samples.push((await json(`${muninn.url}/api/cache/memory`)).process)
  }, 2000)
  const result = await load(muninn.url, {
    connections: 20,
    duration: SOAK,
    overallRate: 3000,
    requests: ['GET', 'PUT', 'GET', 'PUT', 'GET', 'PUT', 'GET', 'PUT', 'GET', 'DELETE'].map(step),
  })
  clearInterval(sampling)
  const stats = await json(`${muninn.url}/api/cache/memory`)
  await new Promise((resolve) => setTimeout(resolve, 500))
  const told = live.told
  live.close()
  idle.close()
  await stop(muninn)
  const database = new Database(join(folder, 'soak.db'), { readonly: true })
  const rows = database.prepare('select count(*) from evictions').pluck().get()
  database.close()
  const part = (from, to) => samples.slice(Math.floor(from * samples.length), Math.ceil(to * samples.length))
  const rss = (some) => Math.round(median(some.map((one) => one.rss)) / 2 ** 20)
  const answered = result['2xx'] + result['4xx']
  return [
    `| requests, answered otherwise than 2xx or 404, failed | ${number(answered)}, ${number(result.non2xx - result['4xx'])}, ${number(result.errors)} |`,
    `| latency p50, p99, worst | ${result.latency.p50} ms, ${result.latency.p99} ms, ${result.latency.max} ms |`,
    `| evictions: counted, rows in the audit log, lost | ${number(stats.evicted_items)}, ${number(rows)}, ${number(stats.audit.lost_events)} |`,
    `| events told to 10 listeners, notes of missed ones | ${number(told.events)}, ${told.missed} |`,
    `| resident memory (median): second fifth, middle, last fifth | ${rss(part(0.2, 0.4))} MB, ${rss(part(0.4, 0.6))} MB, ${rss(part(0.8, 1))} MB |`,
  ]
}

try {
  const table = await reads()
  const started = await starts()
  const soaked = await soak()
  const lines = [
    `Measured by \`npm run bench:service\` on ${machine()}. The load is autocannon's, in a process of its own on the same machine: ${CONNECTIONS} connections, ${SECONDS} s a round, in turns, median of ${ROUNDS} rounds. The item is ${body.length} bytes of JSON, on both sides.`,
    '',
    '| | requests/s | relative | p50 | p99 | errors |',
    '|---|---|---|---|---|---|',
    ...table,
    '',
    `From \`muninn serve\` to listening: ${number(started.median)} ms, median of 7; least ${number(started.least)} ms. A Node process that does nothing, in turns with it: ${number(started.empty)} ms. Load average of the machine: ${loadavg()[0].toFixed(1)}.`,
    '',
    `Soak, ${SOAK} s of at most 3,000 requests/s, five GETs to four PUTs and a DELETE over 5,000 keys with room for 1,000, 10 listeners to all departures and 100 idle ones:`,
    '',
    '| | |',
    '|---|---|',
    ...soaked,
  ]
  console.log(lines.join('\n'))
  if (process.argv[3] !== '--dry') writeSection('service', lines)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
