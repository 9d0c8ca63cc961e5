// One contestant in a process of its own, so that no JIT feedback is shared; runs a slice whenever it is asked to.
import { contestants } from './contestants.mjs'
import { makeKeys, zipf } from './load.mjs'

const SLICE = 200_000

process.on('message', (message) => {
  if (message.prepare !== undefined) prepare(message.prepare)
  else if (message.run) process.send({ ns: slice() })
  else process.exit(0)
})

let cache
let keys
let requests
let at = 0

function prepare({ name, keyCount, capacity }) {
  keys = makeKeys(keyCount)
  requests = zipf(keyCount, 2_000_000)
  cache = contestants[name](capacity)
  for (let i = 0; i < capacity; i++) cache.set(keys[i % keyCount], i + 1)
  const rounds = Math.max(5, Math.ceil((3 * capacity) / SLICE))
  for (let i = 0; i < rounds; i++) slice()
  process.send({ ready: true })
}

function slice() {
  const start = process.hrtime.bigint()
  for (let i = 0; i < SLICE; i++) {
    const key = keys[requests[at]]
    at = at + 1 === requests.length ? 0 : at + 1
    if (cache.get(key) === undefined) cache.set(key, i + 1)
  }
  return Number(process.hrtime.bigint() - start) / SLICE
}
