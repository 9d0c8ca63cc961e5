import { OTHERS } from '../base/prefix.ts'
import type { Batch, RunHeader } from './batch.ts'
import { decodeRows } from './decoder.ts'
import { Rollup, type Sums } from './rollup.ts'
import { emptyTally, join } from './tally.ts'
import { type SetAsideListener, Writer } from './writer.ts'

/** ms that the gap in place of what there is no time for, and the last batch behind it, may take. */
const RESERVE = 80
/** Those of them that are kept for writing, when counting what is lost takes long. */
const WRITING = 50

/**
 * Writes what a run still has waiting from this thread: the process exits, and no other is left to do it. What the
 * time (until `deadline`, of `performance.now()`) does not suffice for becomes a gap.
 */
export function writeRest(
  path: string,
  header: RunHeader,
  waiting: readonly Batch[],
  deadline: number,
  onSetAside?: SetAsideListener,
): void {
  // The file is opened twice, and a transaction begun: each may wait for a lock.
  const writer = new Writer(path, header, Math.max(1, Math.floor((deadline - performance.now()) / 3)), onSetAside)
  try {
    for (const [index, batch] of waiting.entries()) {
      // The last says how the run ended, and is a few milliseconds' work: it is written whatever becomes of the others.
      const lost = waiting.slice(index, -1)
      if (index > 0 && lost.length > 0 && performance.now() > deadline - RESERVE) {
        writer.write(gapInPlaceOf(lost, deadline - WRITING))
        writer.write(waiting.at(-1) as Batch)
        return
      }
      writer.write(batch)
    }
  } finally {
    writer.close()
  }
}

/** A gap that stands for these batches; their counts are kept. */
function gapInPlaceOf(batches: readonly Batch[], deadline: number): Batch {
  const first = batches[0] as Batch
  const last = batches.at(-1) as Batch
  const tally = emptyTally()
  let lost = 0
  for (const batch of batches) {
    join(tally, batch.tally)
    lost += batch.events + (batch.gap?.lost ?? 0)
  }
  const gap = { lost, fromAt: first.gap?.fromAt ?? first.at, reason: 'exit' } as const
  return {
    ...last,
    first: first.first,
    events: 0,
    rows: null,
    bytes: 0,
    tally,
    gap,
    lostSums: sumsOf(batches, deadline),
  }
}

/** What the batches add to the rollups, as far as there is time to count: their keys' prefixes aren't told apart. */
function sumsOf(batches: readonly Batch[], deadline: number): Sums {
  const rollup = new Rollup(() => OTHERS)
  for (const { rows } of batches) {
    if (performance.now() > deadline) break
    if (rows !== null) rollup.addRows(decodeRows(rows))
  }
  const parts = [rollup.sums, ...batches.flatMap(({ lostSums }) => (lostSums === null ? [] : [lostSums]))]
  return {
    cells: parts.flatMap(({ cells }) => cells),
    spreads: parts.flatMap(({ spreads }) => spreads),
    uses: parts.flatMap(({ uses }) => uses),
  }
}
