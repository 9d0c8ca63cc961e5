import type { Lifetime } from './audit.ts'
import { openForReading } from './reader.ts'

/** Read on the host's thread: a lock may not keep it for longer. */
const BUSY_TIMEOUT = 20

export const NO_LIFETIME: Lifetime = {
  runs: 0,
  peakMemoryBytes: 0,
  peakMemoryAt: null,
  peakItems: 0,
  evictionCount: 0,
  evictedItems: 0,
  evictedBytes: 0,
  memoryWarnings: 0,
}

const SELECT_LIFETIME = `
  select
    count(*) as runs,
    coalesce(max(peak_bytes), 0) as peakMemoryBytes,
    (select peak_bytes_at from runs order by peak_bytes desc limit 1) as peakMemoryAt,
    coalesce(max(peak_items), 0) as peakItems,
    coalesce(sum(cycles), 0) as evictionCount,
    coalesce(sum(evicted_items), 0) as evictedItems,
    coalesce(sum(evicted_bytes), 0) as evictedBytes,
    coalesce(sum(warnings), 0) as memoryWarnings
  from runs`

/** What a log has of the runs before. */
export interface Earlier {
  readonly lifetime: Lifetime
  /** Runs whose keys are not hashed. */
  readonly plainRuns: number
}

const NOTHING: Earlier = { lifetime: NO_LIFETIME, plainRuns: 0 }

const COUNT_PLAIN = 'select count(*) from runs where redaction is null'

/** Figures of all runs in an existing log; the `runs` table has a row a run, so this takes a millisecond. */
export function readEarlier(path: string): Earlier {
  const database = openForReading(path, BUSY_TIMEOUT)
  try {
    // Another process may just be creating it.
    const exists = database.prepare(`select 1 from sqlite_schema where name = 'runs'`).get() !== undefined
    if (!exists) return NOTHING
    return {
      lifetime: database.prepare(SELECT_LIFETIME).get() as Lifetime,
      plainRuns: database.prepare(COUNT_PLAIN).pluck().get() as number,
    }
  } finally {
    database.close()
  }
}
