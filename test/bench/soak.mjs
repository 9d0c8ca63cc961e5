// The service for hours: reads, writes, deletes, bulk requests and questions of the audit log over five times as many
// keys as there is room for, with listeners that hear of all departures and one that comes and goes. Does memory stay
// flat, is a row of the audit log lost, does a request fail? `npm run soak [seconds]`, 3,600 by default.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import autocannon from 'autocannon'
import { openHistory } from '../../dist/query/history.js'
import { zipf } from './load.mjs'
import { machine, writeSection } from './report.mjs'
import { body, json, listeners, median, number, serve, stop } from './served.mjs'

const SECONDS = Number(process.argv[2] ?? 3600)
const RATE = 2000
const KEYS = 5000
const ROOM = 1000
/** ms between two samples of the process's memory. */
const SAMPLE = 2000
/** Parts that the time is told in. */
const PARTS = 10

const folder = mkdtempSync(join(tmpdir(), 'muninn-soak-'))
const database = join(folder, 'soak.db')
const drawn = zipf(KEYS, 1_000_000)
let next = 0
const key = () => `soak:${drawn[next++ % drawn.length]}`
const path = (query = '') => `/api/cache/general/items/${encodeURIComponent(key())}${query}`
const JSON_TYPE = { 'content-type': 'application/json' }

const get = { method: 'GET', setupRequest: (asked) => ({ ...asked, path: path() }) }
const put = { method: 'PUT', headers: JSON_TYPE, setupRequest: (asked) => ({ ...asked, path: path(), body }) }
const brief = { ...put, setupRequest: (asked) => ({ ...asked, path: path('?ttl=20000'), body }) }
const larger = { ...put, setupRequest: (asked) => ({ ...asked, path: path(), body: body.padEnd(20_000) }) }
const remove = { method: 'DELETE', setupRequest: (asked) => ({ ...asked, path: path() }) }
const bulk = {
  method: 'POST',
  headers: JSON_TYPE,
  setupRequest: (asked) => ({
    ...asked,
    path: '/api/cache/general/bulk',
    body: JSON.stringify({
      operations: [
        { op: 'get', key: key() },
        { op: 'put', key: key(), text: 'bulk' },
        { op: 'get', key: key() },
      ],
    }),
  }),
}
const MIX = [
  get,
  put,
  get,
  put,
  get,
  brief,
  get,
  larger,
  get,
  remove,
  get,
  put,
  get,
  put,
  get,
  put,
  get,
  put,
  get,
  bulk,
]

/** What a dashboard and a Prometheus ask meanwhile, in turns. */
const QUESTIONS = [
  '/metrics',
  '/api/audit/evictions?limit=100',
  '/api/cache/status',
  '/api/audit/timeline?since=-10m',
  '/api/cache/general/items?order=size&limit=50',
  '/api/audit/doctor?since=-10m',
]

const muninn = await serve(database, {
  CACHE_MAX_ITEMS: String(ROOM),
  MUNINN_CHECK_INTERVAL: '1000',
  MUNINN_AUDIT_MAX_SIZE: 'Infinity',
})
try {
  const live = await listeners(muninn.url, 10, '?type=evicted,removed,expired,warned')
  const idle = await listeners(muninn.url, 100, '?type=warned')
  const samples = []
  let wrong = 0
  let asked = 0
  const beside = setInterval(async () => {
    try {
      samples.push((await json(`${muninn.url}/api/cache/memory`)).process)
      const answer = await fetch(muninn.url + QUESTIONS[asked++ % QUESTIONS.length])
      await answer.arrayBuffer()
      if (answer.status !== 200) wrong++
      const guest = await listeners(muninn.url, 1, '')
      guest.close()
    } catch {
      wrong++
    }
  }, SAMPLE)
  const result = await autocannon({
    url: muninn.url,
    connections: 20,
    duration: SECONDS,
    overallRate: RATE,
    requests: MIX,
  })
  clearInterval(beside)
  await new Promise((resolve) => setTimeout(resolve, 1000))
  const stats = await json(`${muninn.url}/api/cache/memory`)
  const { told } = live
  const failed = told.failed + idle.told.failed
  live.close()
  idle.close()
  await stop(muninn)

  const history = openHistory(database)
  const { intact, rows } = await history.verify()
  const { items } = await history.runs()
  let departures = 0
  for await (const { type } of history.export({ types: ['evicted', 'gap'] })) {
    if (type === 'gap') throw new Error('the log has a gap')
    departures++
  }
  await history.close()

  const parts = Array.from({ length: PARTS }, (_, part) => {
    const some = samples.slice((part * samples.length) / PARTS, ((part + 1) * samples.length) / PARTS)
    const megabytes = (of) => Math.round(median(some.map(of)) / 2 ** 20)
    const least = Math.round(Math.min(...some.map((one) => one.heap_used)) / 2 ** 20)
    return `| ${Math.round(((part + 1) * SECONDS) / PARTS / 60)} min | ${megabytes((one) => one.rss)} MB | ${megabytes((one) => one.heap_used)} MB | ${least} MB |`
  })
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim()
  const { latency } = result
  const lines = [
    `Measured by \`npm run soak ${SECONDS}\` at commit ${commit} on ${machine()}; load average at the end ${loadavg()[0].toFixed(1)}. ${number(SECONDS / 60)} minutes of at most ${number(RATE)} requests a second over 20 connections: of 20, ten GETs, eight PUTs (one with a TTL of 20 s, one of 20 kB), a DELETE and a bulk request, over ${number(KEYS)} keys with room for ${number(ROOM)}. 10 listeners hear of all departures, 100 are idle, one comes and goes; every 2 s a question as the dashboard and Prometheus ask them.`,
    '',
    '| | |',
    '|---|---|',
    `| requests, answered otherwise than 2xx or 404, failed | ${number(result['2xx'] + result['4xx'])}, ${number(result.non2xx - (result.statusCodeStats['404']?.count ?? 0))}, ${number(result.errors + result.timeouts)} |`,
    `| questions beside them, failed | ${number(samples.length + asked)}, ${wrong} |`,
    `| latency p50, p99, p99.9, worst | ${latency.p50} ms, ${latency.p99} ms, ${latency.p99_9} ms, ${latency.max} ms |`,
    `| evictions: counted, rows in the audit log, lost | ${number(stats.evicted_items)}, ${number(departures)}, ${number(items[0].lostEvents)} |`,
    `| audit log afterwards: size, rows, as it was written | ${number(statSync(database).size / 2 ** 20)} MB, ${number(rows)}, ${intact ? 'yes' : 'no'} |`,
    `| events told to 10 listeners, notes of missed ones, connections that broke | ${number(told.events)}, ${told.missed}, ${failed} |`,
    '',
    '| after | resident (median) | heap used (median) | heap used (least) |',
    '|---|---|---|---|',
    ...parts,
  ]
  console.log(lines.join('\n'))
  if (!process.argv.includes('--dry')) writeSection('soak', lines)
} finally {
  muninn.child.kill()
  rmSync(folder, { recursive: true, force: true })
}
