// Feeds a running service with a trace over HTTP: a GET for each line and, after a 404, a PUT. One request at a time.
//
//   node examples/feed.mjs TRACE [LINES]        (TRACE: one key a line, .gz by name; LINES: 5000)
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'

const [file, lines = '5000'] = process.argv.slice(2)
const bytes = readFileSync(file)
const text = (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString()
const pages = text.split('\n').filter(Boolean).slice(0, Number(lines))

let hits = 0
for (const page of pages) {
  const url = `http://127.0.0.1:8080/api/cache/general/items/${encodeURIComponent(`page:${page}`)}`
  const got = await fetch(url)
  await got.arrayBuffer()
  if (got.ok) hits++
  else await (await fetch(url, { method: 'PUT', body: `<h1>Page ${page}</h1>`.repeat(30) })).json()
}
console.log(`${pages.length} requests, ${hits} hits`)
