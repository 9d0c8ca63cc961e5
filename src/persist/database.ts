import { existsSync, mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { type Database, loadDriver } from './driver.ts'
import { migrate } from './migrations.ts'
import { openForReading } from './reader.ts'

/**
 * A connection that writes, its schema up to date. Makes the file and its folder where they are missing, and touches
 * neither a foreign database nor one of a newer version.
 *
 * @param busyTimeout ms to wait for another writer's lock.
 */
export function openForWriting(path: string, busyTimeout: number): Database {
  if (isPresent(path)) openForReading(path, busyTimeout).close()
  else makeFolder(dirname(path))
  const database = new (loadDriver())(path, { timeout: busyTimeout })
  try {
    // Before anything is in the file: retention gives pages back to the system, a few at a time.
    database.pragma('auto_vacuum = incremental')
    database.pragma('journal_mode = WAL')
    database.pragma('synchronous = NORMAL')
    // Sorting a segment's keys stays in memory: some 4 MB.
    database.pragma('cache_size = -8000')
    database.pragma('temp_store = memory')
    // A reader that takes its time makes it grow; it would stay as large until the last process lets go of it.
    database.pragma(`journal_size_limit = ${16 * 1024 ** 2}`)
    // The ids of runs come from the same connection; to check them would mean to scan tables where a run is removed.
    database.pragma('foreign_keys = OFF')
    migrate(database)
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

/** Whether there is something that must be looked at before it is written to: anything but an empty file. */
function isPresent(path: string): boolean {
  const found = statSync(path, { throwIfNoEntry: false })
  return found !== undefined && (found.size > 0 || !found.isFile())
}

/** What tells the file behind a path from another that takes its place; `null`: there is none. */
export function fileIdentity(path: string): string | null {
  const found = statSync(path, { throwIfNoEntry: false })
  return found === undefined ? null : `${found.dev}:${found.ino}`
}

/**
 * The same of a database and its WAL. Where one is gone, what is written from now on would be, too: closing the
 * connection saves it.
 */
export function filesIdentity(path: string): string {
  return `${fileIdentity(path)} ${fileIdentity(`${path}-wal`)}`
}

/** One by one: Node's own `recursive` never returns where a folder can't be made inside one that is there (`/proc/x/y`). */
function makeFolder(folder: string): void {
  // Not by its size: on some file systems an empty folder has none.
  if (existsSync(folder)) return
  makeFolder(dirname(folder))
  try {
    mkdirSync(folder)
  } catch (error) {
    // Another process was quicker.
    if (!existsSync(folder)) throw error
  }
}
