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

/** Figures of all runs in an existing log; the `runs` table has a row a run, so this takes a millisecond. */
export function readLifetime(path: string): Lifetime {
  const database = openForReading(path, BUSY_TIMEOUT)
  try {
    // Another process may just be creating it.
    const exists = database.prepare(`select 1 from sqlite_schema where name = 'runs'`).get() !== undefined
    return exists ? (database.prepare(SELECT_LIFETIME).get() as Lifetime) : NO_LIFETIME
  } finally {
    database.close()
  }
}
