import { readFileSync } from 'node:fs'
import type { Database } from './driver.ts'
import { migrationsAfter } from './migrations.ts'

const TABLE = /^create table (\w+) \(.*?^\) strict(?:, without rowid)?;/gms

/** Rows of an older file aren't indexed by key: all of a run is one open segment, which is scanned. */
const OPEN_SEGMENTS = `
  insert into temp.segments (run_id, first_seq, last_seq, from_at, to_at, row_count)
  select id, 1, last_seq, started_at, last_at, last_seq from main.runs`

const UNCHAINED = `
  create temp view runs as select *, null as redaction, null as redaction_secret, null as process_identity from main.runs;
  create temp view batches as
    select *, 'rows' as kind, null as departures_hash, null as events_hash, null as hash, null as row_sums
    from main.batches;
  create temp view evictions as select *, null as mode, null as mode_since from main.evictions;
  create temp view gaps as select *, null as hash from main.gaps;`

/**
 * Lets a reader ask an older file, which it can't migrate, what it asks of one of the present version: what later
 * versions brought is there, and empty, in this connection only.
 */
export function supplement(database: Database, version: number): void {
  for (const file of migrationsAfter(version)) {
    const sql = readFileSync(file, 'utf8')
    for (const [table, name] of sql.matchAll(TABLE)) {
      database.exec(
        table.replace(`create table ${name}`, `create temp table ${name}`).replace(/ references \w+ \(id\)/g, ''),
      )
    }
  }
  if (version < 2) {
    database.exec(UNCHAINED)
    database.exec(OPEN_SEGMENTS)
  }
}
