import { EVENT_KINDS, type HashedRows, kindOf } from '../persist/link-hash.ts'
import type { ChainFault } from './answers.ts'

type Named = Pick<ChainFault, 'kind' | 'table' | 'seq' | 'text'>

/** Which of a batch's rows is the first that isn't as it was written, by the sums of its rows then and now. */
export function nameRow({ evictions, keyEvents, blocks, events }: HashedRows, now: Buffer, then: Buffer): Named {
  const rows = [
    ...evictions.map((row) => ({ table: 'evictions', seq: Number(row[0]) })),
    ...keyEvents.map((row) => ({ table: 'key_events', seq: Number(row[0]) })),
    ...blocks.map((row) => ({ table: 'blocks', seq: Number(row[0]) })),
    ...EVENT_KINDS.flatMap((kind) =>
      events.filter((row) => kindOf(String(row[2])) === kind).map((row) => ({ table: 'events', seq: Number(row[0]) })),
    ),
  ]
  const place = rows.findIndex((_, row) => sum(now, row) !== sum(then, row))
  const row = rows[place]
  if (row === undefined) {
    const lost = then.length / 4 - rows.length
    const text =
      lost > 0 ? `${lost} of its rows are missing, the last ones` : 'its rows are not those that were written'
    return { kind: lost > 0 ? 'missing' : 'changed', table: null, seq: null, text }
  }
  if (sum(now, place) === sum(then, place + 1)) {
    const before = rows[place - 1]
    const text = `a row${before?.table === row.table ? ` between seq ${before.seq} and this one` : ' before this one'} is missing`
    return { kind: 'missing', ...row, text: `${row.table}: ${text}` }
  }
  if (sum(now, place + 1) === sum(then, place))
    return { kind: 'added', ...row, text: `${row.table}: this row was added` }
  return { kind: 'changed', ...row, text: `${row.table}: this row was changed` }
}

/** `null` beyond the end. */
function sum(sums: Buffer, row: number): number | null {
  return row * 4 + 4 <= sums.length ? sums.readUInt32LE(row * 4) : null
}
