import type { Stored } from '../event/catalogue.ts'
import type { Database } from '../persist/reader.ts'

/** A store as JSON has it: `null` for never. */
type StoredInLog = Omit<Stored, 'expiresAt'> & { readonly expiresAt: number | null }

/** What was there. */
export interface Held {
  readonly entries: readonly {
    readonly cache: string
    readonly key: string
    readonly seq: number
    readonly at: number
    readonly stored: StoredInLog
  }[]
  /** Time of the last change up to then. */
  readonly until: number
  /** Whether clearings may be missing that would have emptied a cache. */
  readonly isDoubtful: boolean
}

/** The last first. Each of the three is in the order of its primary key: they are merged, and read no further than asked. */
const SELECT_BACKWARDS = `
  select seq, at, type, cache, key, data, 1 as entries from key_events
    where run_id = :runId and seq between :first and :last and type in ('added', 'updated', 'expired', 'removed')
  union all
  select seq, at, 'evicted', cache, key, '', 1 from evictions where run_id = :runId and seq between :first and :last
  union all
  select seq, at, type, cache, '', '', json_extract(data, '$.count') from events
    where run_id = :runId and seq between :first and :last and +type = 'cleared'
  union all
  select e.seq, e.at, 'resized', r.value ->> 'cache', r.value ->> 'key', '', r.value ->> 'size'
    from events e, json_each(e.data, '$.entries') r
    where e.run_id = :runId and e.seq between :first and :last and +e.type = 'remeasured'
  order by 1 desc`

/** The last is how many entries it is about; of `resized` their size. */
type Row = readonly [seq: number, at: number, type: string, cache: string, key: string, data: string, count: number]

/** How many entries the last check up to then counted. */
const SELECT_CHECK = `
  select seq, json_extract(data, '$.items') as items from events
  where run_id = :runId and seq between :first and :last and +type = 'checked' order by seq desc limit 1`

const SELECT_CARRIED = 'select seq, at, type, cache, key, data, 1 from carried where run_id = :runId'

const SELECT_CLEARED_HORIZON = `select seq from horizons where run_id = :runId and kind = 'cycles'`

/**
 * What a run's caches held after an event: read backwards, what is met first of a key says whether it was there. It ends
 * where all are found that were there, as the last check counted them; else where the log begins, with those that
 * retention has carried over.
 */
export function heldAt(database: Database, runId: number, seq: number, horizon: number): Held {
  const range = { runId, first: horizon + 1, last: seq }
  const check = database.prepare(SELECT_CHECK).get(range) as { seq: number; items: number } | undefined
  const fold = new BackwardFold()
  const rows = database.prepare(SELECT_BACKWARDS).raw().iterate(range) as IterableIterator<Row>
  let expected: number | null = null
  let isWhole = false
  for (const row of rows) {
    // What the check counted, and what changed since, is how many there must be.
    if (check !== undefined && row[0] < check.seq) expected ??= check.items + fold.change
    isWhole = fold.entries.length === expected
    if (isWhole) break
    fold.take(row)
  }
  if (!isWhole) {
    for (const row of database.prepare(SELECT_CARRIED).raw().iterate({ runId }) as IterableIterator<Row>) fold.take(row)
  }
  const cleared = database.prepare(SELECT_CLEARED_HORIZON).pluck().get({ runId }) as number | undefined
  const oldest = fold.entries.reduce((least, entry) => Math.min(least, entry.seq), seq)
  return { entries: fold.entries, until: fold.until, isDoubtful: cleared !== undefined && oldest < cleared }
}

class BackwardFold {
  readonly entries: Held['entries'][number][] = []
  /** What the changes so far have added to the number of entries. */
  change = 0
  until = 0
  /** By cache and key, what an entry was charged last, where that is not what it was stored with. */
  readonly #sizes = new Map<string, number>()
  /** By cache, the keys of which is known whether they were there; `null`: those of all others, they weren't. */
  readonly #decided = new Map<string, { readonly keys: Set<string>; isCleared: boolean }>()

  take([seq, at, type, cache, key, data, count]: Row): void {
    this.until = Math.max(this.until, at)
    const id = JSON.stringify([cache, key])
    if (type === 'resized') {
      if (!this.#sizes.has(id)) this.#sizes.set(id, count)
      return
    }
    if (type !== 'updated') this.change += type === 'added' ? 1 : -count
    const decided = this.#decided.get(cache) ?? { keys: new Set(), isCleared: false }
    this.#decided.set(cache, decided)
    if (type === 'cleared') {
      decided.isCleared = true
      decided.keys.clear()
    } else if (!decided.isCleared && !decided.keys.has(key)) {
      decided.keys.add(key)
      if (type === 'added' || type === 'updated') {
        const stored = JSON.parse(data) as StoredInLog
        this.entries.push({ cache, key, seq, at, stored: { ...stored, size: this.#sizes.get(id) ?? stored.size } })
      }
    }
  }
}
