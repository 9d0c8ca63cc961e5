import { type Database, loadDriver } from './driver.ts'
import { migrate, schemaVersion, versionOf } from './migrations.ts'
import { DamagedSchemaError, errorCode } from './problem.ts'

/** The error, or where a log's schema is what caused it, one that says so. */
export function diagnosed(error: unknown, path: string): unknown {
  if (errorCode(error) !== 'SQLITE_ERROR') return error
  const database = new (loadDriver())(path, { readonly: true })
  try {
    const damage = schemaDamage(database)
    return damage === null ? error : new DamagedSchemaError(`${path}: it is damaged: ${damage}`)
  } finally {
    database.close()
  }
}

/** Tables and their columns, as `table` and `table.column`. */
const SELECT_NAMES = `
  select distinct t.name || coalesce('.' || c.name, '') as name
  from sqlite_schema t, pragma_table_xinfo(t.name) c where t.type = 'table' and t.name not like 'sqlite_%'`

/**
 * What contradicts the version that an audit log says it has: something missing, or something of a later version there
 * already, as when it was migrated by half; `null`: nothing. What users have added (an index, a view) doesn't count.
 */
function schemaDamage(database: Database): string | null {
  const version = versionOf(database)
  const there = namesIn(database)
  const wanted = namesAt(version)
  const missing = [...wanted].find((name) => !there.has(name))
  if (missing !== undefined) return `its schema has version ${version}, and ${missing} is missing`
  const early = [...namesAt(schemaVersion())].find((name) => there.has(name) && !wanted.has(name))
  if (early !== undefined) return `its schema has version ${version}, and ${early} is there already`
  return null
}

function namesAt(version: number): Set<string> {
  const database = new (loadDriver())(':memory:')
  try {
    if (version > 0) migrate(database, version)
    return namesIn(database)
  } finally {
    database.close()
  }
}

function namesIn(database: Database): Set<string> {
  return new Set(database.prepare(SELECT_NAMES).pluck().all() as string[])
}
