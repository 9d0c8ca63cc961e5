// The writer's thread as it is built, on a disk that misbehaves as the test says in shared memory: SQLite itself runs into
// its limits here, so that what it answers is what it answers on such a disk.
import { createRequire } from 'node:module'
import { workerData } from 'node:worker_threads'

/** Indexes: ms that each transaction takes longer; whether it waits (1) until that is over; no page more; no writing; too much memory. */
const [SLOW, STALL, FULL, READ_ONLY, HOARD, NOBODY] = [0, 1, 2, 3, 4, 5]

const Database = createRequire(import.meta.url)('better-sqlite3')
const faults = new Int32Array(workerData.faults)
const { transaction } = Database.prototype

Database.prototype.transaction = function (work) {
  const slow = Atomics.load(faults, SLOW)
  if (slow > 0) Atomics.wait(faults, NOBODY, 0, slow)
  Atomics.wait(faults, STALL, 1, 5_000)
  const pages = Atomics.load(faults, FULL) === 1 ? this.pragma('page_count', { simple: true }) : 2 ** 30
  this.pragma(`max_page_count = ${Math.max(1, pages)}`)
  this.pragma(`query_only = ${Atomics.load(faults, READ_ONLY)}`)
  if (Atomics.exchange(faults, HOARD, 0) === 1)
    for (const hoard = []; ; ) hoard.push(new Array(100_000).fill(hoard.length))
  return transaction.call(this, work)
}

await import('../../../dist/persist/writer-worker.js')
