import { closeSync, existsSync, openSync, readSync, realpathSync, renameSync, rmSync } from 'node:fs'
import { fileIdentity } from './database.ts'
import { loadDriver } from './driver.ts'
import { APPLICATION_ID, schemaVersion } from './migrations.ts'
import { errorCode, inWords, isBusy, UnusableFileError } from './problem.ts'

/** What SQLite puts before a database. */
const MAGIC = Buffer.from('SQLite format 3\0')
/** Where a database's header has its version and its application. */
const USER_VERSION = 60
const APPLICATION = 68
/** A column that only audit logs have: the text of the schema is in the first pages, or in the WAL. */
const TRACE = 'runner_up_score real'
const TRACE_WITHIN = 512 * 1024

/**
 * Renames a damaged log and what belongs to it, so that a new one can begin; several processes may want to at once. A
 * file that may be somebody else's, or a newer version's, stays where it is: its name is no evidence, a path may be mistyped.
 *
 * @param seen the identity of the file that was found damaged.
 * @returns its new path; `null` where another file has taken its place already.
 * @throws where it stays, saying why.
 */
export function setAside(path: string, seen: string, problem: string, patience: number): string | null {
  if (fileIdentity(path) !== seen) return null
  const real = realpathSync(path)
  if (!isOurs(real)) {
    throw new UnusableFileError(
      `${problem}; nothing says that it was an audit log, so it is left untouched: give another path`,
    )
  }
  try {
    return exclusively(`${real}.setting-aside`, patience, () => (fileIdentity(real) === seen ? rename(real) : null))
  } catch (error) {
    if (isBusy(error)) throw error
    throw new UnusableFileError(`${problem}; it could not be set aside: ${inWords(error, real)}`)
  }
}

function rename(path: string): string {
  const aside = freeName(path)
  // The database last: without it, whoever opens the path makes a new one, and that would take these for its own.
  for (const suffix of ['-wal', '-shm', '']) {
    try {
      renameSync(path + suffix, aside + suffix)
    } catch (error) {
      if (suffix === '' || errorCode(error) !== 'ENOENT') throw error
    }
  }
  return aside
}

function isOurs(path: string): boolean {
  const head = readHead(path)
  const hasTrace = head.includes(TRACE) || readHead(`${path}-wal`).includes(TRACE)
  if (!head.subarray(0, MAGIC.length).equals(MAGIC)) return hasTrace
  const isMarked = head.length > 72 && head.readUInt32BE(APPLICATION) === APPLICATION_ID
  return (isMarked || hasTrace) && head.length > 64 && head.readUInt32BE(USER_VERSION) <= schemaVersion()
}

function readHead(path: string): Buffer {
  const head = Buffer.alloc(TRACE_WITHIN)
  try {
    const file = openSync(path, 'r')
    try {
      return head.subarray(0, readSync(file, head, 0, head.length, 0))
    } finally {
      closeSync(file)
    }
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return head.subarray(0, 0)
    throw error
  }
}

function freeName(path: string): string {
  const time = new Date()
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replaceAll(/[-:]/g, '')
  for (let number = 1; ; number++) {
    const name = `${path}.corrupt-${time}${number === 1 ? '' : `-${number}`}`
    if (!existsSync(name) && !existsSync(`${name}-wal`)) return name
  }
}

/** Runs it while no other process does. SQLite's lock on an empty file: it goes with the process that holds it. */
function exclusively<T>(lockFile: string, patience: number, run: () => T): T {
  for (;;) {
    closeSync(openSync(lockFile, 'a'))
    const meant = fileIdentity(lockFile)
    const lock = new (loadDriver())(lockFile, { timeout: patience })
    try {
      lock.exec('begin exclusive')
      // Another one, if who had it before has deleted it: what is locked then locks nothing.
      if (meant === null || fileIdentity(lockFile) !== meant) continue
      try {
        return run()
      } finally {
        rmSync(lockFile, { force: true })
      }
    } finally {
      lock.close()
    }
  }
}
