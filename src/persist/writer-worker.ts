import { parentPort, workerData } from 'node:worker_threads'
import type { Batch } from './batch.ts'
import { loadDriver } from './driver.ts'
import { inWords, isBusy } from './problem.ts'
import { BUSY, FAILED, type FromWriter, ON_DISK, STOP, type ToWriter, type WriterData } from './wire.ts'
import { Writer } from './writer.ts'

/*
 * The writer's thread. It takes batches strictly in order: after one that failed, those behind it are ignored until
 * the host sends that one again. An acknowledgement is put where a host that is blocked can see it, then sent.
 *
 * The process must not end while this thread is inside better-sqlite3: an error that SQLite returns to a thread being
 * torn down aborts the whole process. So it says when it is (`BUSY`), never stays there for long, and keeps out when
 * the host says `STOP`.
 */

/** ms that SQLite itself may wait for a lock, and that all attempts together may. */
const LOCK_SLICE = 25
const LOCK_PATIENCE = 2_000
/** ms that upkeep may take when the run ends. */
const LAST_UPKEEP = 200

const { path, header, expected: first, shared } = workerData as WriterData
const numbers = new Int32Array(shared)
const writer = new Writer(path, header, LOCK_SLICE, (setAside, problem) => tell({ setAside, problem }))
let expected = first
let toldShare = 1
let isUpkeepDue = false
let isEnding = false

// The host had set it when it started this thread: loading the native half is no time to end, either.
loadDriver()
setBusy(0)

parentPort?.on('message', (message: ToWriter) =>
  whileBusy(() => {
    if ('end' in message) {
      isEnding = true
      finishUpkeep()
      writer.close()
      parentPort?.close()
    } else if (message.batch.number === expected) {
      take(message.batch)
      upkeep()
    }
  }),
)

/** Does something with the database, unless the host has said that nothing more may be done with it. */
function whileBusy(work: () => void): void {
  setBusy(1)
  try {
    if (Atomics.load(numbers, STOP) === 0) work()
  } finally {
    setBusy(0)
  }
}

/** One step after each batch, so that it keeps up with them, and the rest while there are none. */
function upkeep(): void {
  const hasMore = writer.upkeep()
  if (!hasMore || isUpkeepDue || isEnding) return
  isUpkeepDue = true
  setImmediate(() => {
    isUpkeepDue = false
    if (!isEnding) whileBusy(upkeep)
  })
}

/** What the next run would find to do first: this run's last keys. */
function finishUpkeep(): void {
  const deadline = performance.now() + LAST_UPKEEP
  while (performance.now() < deadline && writer.upkeep());
}

function take(batch: Batch): void {
  try {
    const lost = writeInTurn(batch)
    expected++
    announce(ON_DISK, batch.number)
    tell({ acknowledged: batch.number, lost })
    if (writer.share !== toldShare) {
      toldShare = writer.share
      tell({ share: toldShare })
    }
  } catch (error) {
    announce(FAILED, batch.number)
    tell({ failed: batch.number, problem: inWords(error, path) })
  }
}

/** Writes the batch, after whoever has the lock. */
function writeInTurn(batch: Batch): number {
  const deadline = performance.now() + LOCK_PATIENCE
  for (;;) {
    try {
      return writer.write(batch)
    } catch (error) {
      if (!isBusy(error) || performance.now() > deadline || Atomics.load(numbers, STOP) === 1) throw error
    }
  }
}

/** A blocked host waits at `ON_DISK`, whichever number it is woken for. */
function announce(index: number, batch: number): void {
  Atomics.store(numbers, index, batch)
  Atomics.notify(numbers, ON_DISK)
}

function setBusy(busy: 0 | 1): void {
  Atomics.store(numbers, BUSY, busy)
  Atomics.notify(numbers, BUSY)
}

function tell(message: FromWriter): void {
  parentPort?.postMessage(message)
}
