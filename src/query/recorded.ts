import { decodeBlock } from '../persist/block.ts'
import type { Database } from '../persist/reader.ts'
import type { KeyRow } from '../persist/rows.ts'

const SELECT_BLOCKS = `
  select data from blocks where run_id = :runId and last_seq >= :first and first_seq <= :last order by first_seq`

/** What a run's blocks hold of a range, in the order of `seq`: hits, misses and loads, at level `all`. */
export function* recorded(database: Database, runId: number, first: number, last: number): Generator<KeyRow> {
  const blocks = database.prepare(SELECT_BLOCKS).pluck().iterate({ runId, first, last }) as IterableIterator<Buffer>
  for (const block of blocks) {
    for (const row of decodeBlock(block)) if (row[0] >= first && row[0] <= last) yield row
  }
}
