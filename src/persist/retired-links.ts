import { Chain } from './chain.ts'
import type { Database } from './driver.ts'
import { HASHED_COLUMNS, hashRetired, hashRows, type SamplingLink, SELECT_SAMPLINGS } from './link-hash.ts'
import type { Value } from './rows.ts'

/** Retired links are joined as long as what is left of them has no more rows: each joining reads those again. */
const MOST_LEFT = 1_000

const SELECT_LINKS = `
  select b.first_seq as first, b.last_seq as last, b.kind, b.hash,
    (select count(*) from events e where e.run_id = b.run_id and e.seq between b.first_seq and b.last_seq) as rowsLeft
  from batches b where b.run_id = :id and b.last_seq <= :last
  order by b.first_seq`

const SELECT_LEFT = `
  select ${HASHED_COLUMNS.events.join(', ')} from events
  where run_id = :id and seq between :first and :last order by seq`

const DELETE_LINKS = 'delete from batches where run_id = :id and first_seq between :first and :last'

const INSERT_RETIRED = `
  insert into batches (run_id, first_seq, last_seq, row_count, kind, departures_hash, events_hash, hash, row_sums)
  values (:id, :first, :last, :rowsLeft, 'retired', :seal, :events, :hash, :sums)`

interface Link {
  readonly first: number
  readonly last: number
  readonly kind: 'rows' | 'retired'
  readonly hash: Buffer | null
  readonly rowsLeft: number
}

/** Links without a gap between them that become one. */
interface Stretch {
  readonly first: number
  last: number
  hash: Buffer | null
  rowsLeft: number
  /** Whether it has a batch in it that isn't retired yet. */
  isNew: boolean
}

/**
 * Puts links that say `retired` in the place of a run's batches up to `last`, whose departures retention has deleted.
 * Called in the transaction of the deletion. They keep the last hash that goes, for the next link to follow, and hash anew
 * what is left of the range: events that have no key. Gaps stay, and remain links of their own.
 */
export function retireLinks(database: Database, id: number, last: number): void {
  const left = database.prepare(SELECT_LEFT).raw()
  const remove = database.prepare(DELETE_LINKS)
  const insert = database.prepare(INSERT_RETIRED)
  const samplings = database.prepare(SELECT_SAMPLINGS)
  const run = new Chain(database).start(id)
  for (const { first, last: end, hash, rowsLeft, isNew } of stretchesUpTo(database, id, last)) {
    if (!isNew) continue
    const events = left.all({ id, first, last: end }) as Value[][]
    const hashes = hashRows({ evictions: [], keyEvents: [], blocks: [], events })
    remove.run({ id, first, last: end })
    const link = { first, last: end, rowCount: rowsLeft, hash, events: hashes.events, sums: hashes.sums }
    const seal = hashRetired(run, link, samplings.all({ id, first, last: end }) as SamplingLink[])
    insert.run({ id, rowsLeft, seal, ...link })
  }
}

function stretchesUpTo(database: Database, id: number, last: number): readonly Stretch[] {
  const stretches: Stretch[] = []
  for (const link of database.prepare(SELECT_LINKS).all({ id, last }) as Link[]) {
    const isNew = link.kind === 'rows'
    const before = stretches.at(-1)
    if (before === undefined || before.last + 1 !== link.first || before.rowsLeft + link.rowsLeft > MOST_LEFT) {
      stretches.push({ ...link, isNew })
      continue
    }
    before.last = link.last
    before.hash = link.hash
    before.rowsLeft += link.rowsLeft
    before.isNew ||= isNew
  }
  return stretches
}
