import { existsSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Database, loadDriver } from './driver.ts'
import { APPLICATION_ID, schemaVersion, versionOf } from './migrations.ts'
import { supplement } from './older.ts'
import { errorCode, inWords, UnusableFileError } from './problem.ts'

export type { Database, Statement } from './driver.ts'

/**
 * A connection that only reads, to a file that is an audit log of a version known here.
 *
 * @param busyTimeout ms to wait for a lock; a reader needs one only while a log is being made or repaired.
 */
export function openForReading(path: string, busyTimeout: number): Database {
  const database = connect(path, busyTimeout)
  try {
    check(database, path)
    const version = versionOf(database)
    if (version > 0 && version < schemaVersion()) supplement(database, version)
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

/** The same, to a file that holds a log: one that was made and never written to does not. */
export function openToAsk(path: string, busyTimeout: number): Database {
  const database = openForReading(path, busyTimeout)
  if (versionOf(database) > 0) return database
  database.close()
  throw new UnusableFileError(`${path}: nothing has been written to it yet; its process ended, or is about to begin`)
}

function connect(path: string, busyTimeout: number): Database {
  if (!existsSync(path)) throw new UnusableFileError(`${path}: there is no such file`)
  const found = statSync(path)
  if (found.isDirectory()) throw new UnusableFileError(`${path}: it is a folder: give the path of a file in it`)
  if (!found.isFile()) throw new UnusableFileError(`${path}: it is no file but a device, a pipe or a socket`)
  const Driver = loadDriver()
  const database = new Driver(path, { readonly: true, fileMustExist: true, timeout: busyTimeout })
  try {
    versionOf(database)
    return database
  } catch (error) {
    database.close()
    if (errorCode(error) === 'SQLITE_READONLY_ROLLBACK') {
      rollBack(path, busyTimeout)
      return new Driver(path, { readonly: true, fileMustExist: true, timeout: busyTimeout })
    }
    // A log in WAL mode can't be read from a read-only folder, unless nobody can be writing it.
    if (!errorCode(error).startsWith('SQLITE_CANTOPEN') || existsSync(`${path}-wal`)) throw error
    return new Driver(`${pathToFileURL(resolve(path)).href}?immutable=1`, { readonly: true, timeout: busyTimeout })
  }
}

/**
 * Undoes what a process left half done that was killed while it made the file, before that was in WAL mode: SQLite does so
 * for the first connection that may write, and lets nobody read before.
 */
function rollBack(path: string, busyTimeout: number): void {
  const database = new (loadDriver())(path, { fileMustExist: true, timeout: busyTimeout })
  try {
    versionOf(database)
  } finally {
    database.close()
  }
}

function check(database: Database, path: string): void {
  const version = versionOf(database)
  const application = Number(database.pragma('application_id', { simple: true }))
  const isEmpty = version === 0 && database.prepare('select 1 from sqlite_schema limit 1').get() === undefined
  if (!isEmpty && application !== APPLICATION_ID) {
    throw new UnusableFileError(
      `${path}: it is a database of another application; it is left untouched: give another path`,
    )
  }
  demandKnown(version, path)
}

/** @throws where a schema's version is newer than this code. */
export function demandKnown(version: number, path: string): void {
  if (version <= schemaVersion()) return
  throw new UnusableFileError(
    `${path}: its schema has version ${version}, newer than this Muninn's ${schemaVersion()}; it is left untouched: upgrade muninn-cache, or give another path`,
  )
}

/** Why a log can't be read, in a sentence. */
export function readProblem(error: unknown, path: string): string {
  return inWords(error, path)
}

/** @throws {MissingDependencyError} where logs can't be read for want of better-sqlite3. */
export function requireDriver(): void {
  loadDriver()
}
