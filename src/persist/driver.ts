import { createRequire } from 'node:module'
import type BetterSqlite3 from 'better-sqlite3'
import { MissingDependencyError } from '../base/errors.ts'

export type Database = BetterSqlite3.Database
export type Statement = BetterSqlite3.Statement<unknown[], unknown>
type Driver = new (path: string, options?: BetterSqlite3.Options) => Database

let driver: Driver | null = null

/**
 * better-sqlite3, loaded when first needed: an optional dependency, and native.
 *
 * @throws {MissingDependencyError} where it is not installed, or was not built for this Node.
 */
export function loadDriver(): Driver {
  if (driver !== null) return driver
  let found: Driver
  try {
    found = createRequire(import.meta.url)('better-sqlite3') as Driver
  } catch (error) {
    throw new MissingDependencyError('better-sqlite3', 'an audit log', error)
  }
  try {
    // The native half is loaded by the first connection only.
    new found(':memory:').close()
  } catch (error) {
    const unbuilt = new MissingDependencyError('better-sqlite3', 'an audit log', error)
    const why = error instanceof Error ? error.message.split('\n', 1)[0] : String(error)
    unbuilt.message = `an audit log needs the package better-sqlite3, which is installed and does not load (${why}): run "npm rebuild better-sqlite3" (where npm blocks install scripts, "npm install-scripts approve better-sqlite3" first)`
    throw unbuilt
  }
  driver = found
  return driver
}
