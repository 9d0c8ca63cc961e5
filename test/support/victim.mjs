// A process under load that somebody kills: a cache of the built package that evicts, and tells a side file what left it
// and what its audit log has acknowledged. The side file is written after the fact, so it never tells too much.
import { openSync, writeSync } from 'node:fs'
import process from 'node:process'
import { MemoryManager } from '../../dist/muninn.js'

const [, , path, told, load, ending, audit] = process.argv
/** 'flood': more than any writer can take; 'steady': some 20,000 departures a second; 'calm': a tenth of that. */
const PACE = {
  flood: { sets: 200, next: setImmediate },
  steady: { sets: 40, next: (fn) => setTimeout(fn, 1) },
  calm: { sets: 4, next: (fn) => setTimeout(fn, 1) },
}[load]
/** Turns before a process ends in its own way. */
const TURNS = 150

const log = {
  debug() {},
  info: (_, message) => process.stderr.write(`info ${message}\n`),
  warn: (fields, message) => process.stderr.write(`warn ${message} ${JSON.stringify(fields)}\n`),
  error: (fields, message) => process.stderr.write(`error ${message} ${JSON.stringify(fields)}\n`),
}
const memory = new MemoryManager({
  maxItems: 500,
  checkInterval: 50,
  audit: { path, flushInterval: 20, sampleAbove: Number.POSITIVE_INFINITY, ...JSON.parse(audit) },
  logger: log,
})
const cache = memory.cache('load')
const side = openSync(told, 'a')
/** seq and number of the key, in turn, of what left in this turn of the loop. */
let left = []
for (const type of ['evicted', 'removed', 'expired', 'rejected']) {
  memory.on(type, ({ seq, key }) => left.push(seq, Number(key.slice(key.indexOf(':') + 1))))
}
writeSync(side, `${JSON.stringify({ run: memory.runId, pid: process.pid })}\n`)
process.stdout.write('begun')

let next = 0
let turns = 0
let isWritten = false
let isClosing = false
const parent = process.ppid
const hoard = []

function turn() {
  // Whoever started it is gone: nobody is left to kill it.
  if (process.ppid !== parent) process.kill(process.pid, 'SIGKILL')
  if (isClosing) return
  for (let i = 0; i < PACE.sets; i++) {
    cache.set(`user:${next}`, next, next % 7 === 0 ? { ttl: 3 } : undefined)
    if (next % 11 === 0) cache.delete(`user:${next - 5}`)
    if (next % 13 === 0) cache.get(`user:${next - 900}`)
    next++
  }
  const { acknowledgedSeq, pendingEvents, lostEvents } = memory.stats().audit
  writeSync(side, `${JSON.stringify({ at: Date.now(), acknowledgedSeq, pendingEvents, lostEvents, left })}\n`)
  left = []
  if (!isWritten && acknowledgedSeq > 0) {
    isWritten = true
    process.stdout.write('written')
  }
  if (ending === 'memory' && isWritten) hoard.push(new Array(20_000).fill(turns).map((n, i) => ({ n, i })))
  if (++turns >= TURNS && isWritten) end()
  PACE.next(turn)
}

function end() {
  if (ending === 'throw') throw new Error('nobody catches this')
  if (ending === 'reject') void Promise.reject(new Error('nobody handles this'))
  if (ending === 'signal') process.kill(process.pid, 'SIGTERM')
  if (ending === 'exit') process.exit(0)
  if (ending === 'abort') process.abort()
}

process.on('SIGTERM', () => process.exit(7))
process.on('SIGINT', async () => {
  isClosing = true
  await memory.close()
  process.exit(0)
})
setImmediate(turn)
