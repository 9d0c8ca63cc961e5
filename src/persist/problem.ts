/** Thrown where a file can't be used as an audit log; the message says why, in words for an operator. */
export class UnusableFileError extends Error {
  override readonly name = 'UnusableFileError'
}

/** Thrown where an audit log's tables are not those of its version. */
export class DamagedSchemaError extends UnusableFileError {}

const WORDS: readonly (readonly [code: string, words: string])[] = [
  ['SQLITE_NOTADB', 'it is not an SQLite database'],
  ['SQLITE_CORRUPT', 'it is damaged'],
  ['SQLITE_CANTOPEN', 'it cannot be opened: check the path and its permissions'],
  ['SQLITE_READONLY', 'it is read-only'],
  ['SQLITE_PERM', 'it may not be written'],
  ['SQLITE_FULL', 'the disk is full'],
  ['SQLITE_IOERR', 'the disk reports an error'],
  ['SQLITE_BUSY', 'another process keeps it locked'],
  ['SQLITE_LOCKED', 'another connection keeps it locked'],
  ['ENOENT', 'its folder does not exist'],
  ['ENOTDIR', 'a part of its path is a file, not a folder'],
  ['EACCES', 'its folder may not be written'],
  ['EPERM', 'its folder may not be written'],
  ['EROFS', 'its folder lies on a read-only file system'],
  ['EISDIR', 'it is a folder'],
  ['ENOSPC', 'the disk is full'],
]

/** What is wrong with the file, in a sentence. */
export function inWords(error: unknown, path: string): string {
  if (error instanceof UnusableFileError) return error.message
  const code = errorCode(error)
  const words = WORDS.find(([prefix]) => code.startsWith(prefix))?.[1]
  const said = error instanceof Error ? error.message : String(error)
  return words === undefined ? `${path}: ${said}` : `${path}: ${words} (${said})`
}

/** Whether the database refuses these rows as such, so that trying again would not help. */
export function refusesRows(error: unknown): boolean {
  const code = errorCode(error)
  return (
    error instanceof TypeError ||
    error instanceof RangeError ||
    error instanceof SyntaxError ||
    ['SQLITE_CONSTRAINT', 'SQLITE_MISMATCH', 'SQLITE_TOOBIG'].some((prefix) => code.startsWith(prefix))
  )
}

/** Whether the file itself is what is wrong: trying again would not help, a new file would. */
export function isDamage(error: unknown): boolean {
  const code = errorCode(error)
  return error instanceof DamagedSchemaError || code === 'SQLITE_NOTADB' || code.startsWith('SQLITE_CORRUPT')
}

/** Whether another connection's lock was in the way. */
export function isBusy(error: unknown): boolean {
  const code = errorCode(error)
  // The latter: too many were opening it at once.
  return code.startsWith('SQLITE_BUSY') || code === 'SQLITE_PROTOCOL'
}

/** SQLite's or the system's code of an error; empty where there is none. */
export function errorCode(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return ''
  return String(error.code)
}
