/** Every code that an error of Muninn can carry. Stable: users switch on them. */
export type ErrorCode =
  | 'ERR_MUNINN_OPTION'
  | 'ERR_MUNINN_ENV'
  | 'ERR_MUNINN_KEY'
  | 'ERR_MUNINN_VALUE'
  | 'ERR_MUNINN_SIZE'
  | 'ERR_MUNINN_TTL'
  | 'ERR_MUNINN_TOO_MANY_CACHES'
  | 'ERR_MUNINN_LOAD_TIMEOUT'
  | 'ERR_MUNINN_CLOSED'
  | 'ERR_MUNINN_MISSING_DEPENDENCY'
  | 'ERR_MUNINN_TRACE'
  | 'ERR_MUNINN_HISTORY'
  | 'ERR_MUNINN_USAGE'

/** Thrown for anything that Muninn refuses: the message says what was wrong and what is allowed. */
export class MuninnError extends Error {
  override readonly name: string = 'MuninnError'
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** Thrown when an option, a setting or a call's argument is not what its contract allows; nothing has changed. */
export class OptionError extends MuninnError {
  override readonly name = 'OptionError'
  /** Path of the offending option, as `caches.tenant.maxItems`. */
  readonly option: string

  constructor(option: string, message: string, code: ErrorCode = 'ERR_MUNINN_OPTION') {
    super(code, `${option}: ${message}`)
    this.option = option
  }
}

/** Thrown when an environment variable is set and wrong; a wrong variable is never replaced by a default. */
export class EnvironmentError extends MuninnError {
  override readonly name = 'EnvironmentError'
  readonly variable: string

  constructor(variable: string, value: string, allowed: string) {
    super('ERR_MUNINN_ENV', `${variable}=${JSON.stringify(value)} is not allowed: ${allowed}`)
    this.variable = variable
  }
}

/** Thrown when a key, value, size or TTL is not one that a cache can hold; nothing has changed. */
export class InvalidEntryError extends TypeError {
  override readonly name = 'InvalidEntryError'
  readonly code: 'ERR_MUNINN_KEY' | 'ERR_MUNINN_VALUE' | 'ERR_MUNINN_SIZE' | 'ERR_MUNINN_TTL'

  constructor(code: InvalidEntryError['code'], message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** Thrown when one more named cache would pass `maxCaches`. */
export class TooManyCachesError extends MuninnError {
  override readonly name = 'TooManyCachesError'

  constructor(name: string, maxCaches: number) {
    super(
      'ERR_MUNINN_TOO_MANY_CACHES',
      `cache ${JSON.stringify(name)} would be one more than maxCaches (${maxCaches}); drop one, or raise maxCaches`,
    )
  }
}

/** Rejects a `getOrLoad` whose loader took longer than its `timeout`. */
export class LoadTimeoutError extends MuninnError {
  override readonly name = 'LoadTimeoutError'

  constructor(cache: string, timeout: number) {
    super('ERR_MUNINN_LOAD_TIMEOUT', `the loader of cache ${JSON.stringify(cache)} did not settle within ${timeout} ms`)
  }
}

/** Thrown by management calls after `close()`. */
export class ClosedError extends MuninnError {
  override readonly name = 'ClosedError'

  constructor(call: string) {
    super('ERR_MUNINN_CLOSED', `${call} after close(): this memory manager is closed`)
  }
}

/** Thrown when an optional dependency is needed and not installed. */
export class MissingDependencyError extends MuninnError {
  override readonly name = 'MissingDependencyError'

  constructor(dependency: string, purpose: string, cause: unknown) {
    super(
      'ERR_MUNINN_MISSING_DEPENDENCY',
      `${purpose} needs the package ${dependency}, which is not installed: run "npm install ${dependency}"`,
      { cause },
    )
  }
}

/** Thrown when a trace can't be read or has a malformed line. */
export class TraceError extends MuninnError {
  override readonly name = 'TraceError'
  /** Number of the bad line, from 1; 0 when the file as a whole can't be read. */
  readonly line: number

  constructor(file: string, line: number, problem: string, options?: ErrorOptions) {
    super('ERR_MUNINN_TRACE', line > 0 ? `${file}, line ${line}: ${problem}` : `${file}: ${problem}`, options)
    this.line = line
  }
}

/** Thrown when an audit log can't be opened or read. */
export class HistoryError extends MuninnError {
  override readonly name = 'HistoryError'

  constructor(message: string, options?: ErrorOptions) {
    super('ERR_MUNINN_HISTORY', message, options)
  }
}
