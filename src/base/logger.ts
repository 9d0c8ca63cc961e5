/** The part of pino's `Logger` that Muninn uses; any logger with these methods will do. */
export interface Logger {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
  /** Where it is missing, every level counts as enabled. */
  isLevelEnabled?(level: string): boolean
}

/** A logger that can't hurt its caller: one that throws is left alone. `false`: says nothing. */
export function safeLogger(logger: Logger | false): Logger {
  const guarded = (level: 'debug' | 'info' | 'warn' | 'error') => (fields: object, message: string) => {
    if (logger === false) return
    try {
      const result: unknown = logger[level](fields, message)
      if (result instanceof Promise) result.catch(() => {})
    } catch {
      // There is nowhere left to say it.
    }
  }
  return {
    debug: guarded('debug'),
    info: guarded('info'),
    warn: guarded('warn'),
    error: guarded('error'),
    isLevelEnabled: (level) => {
      if (logger === false) return false
      try {
        return logger.isLevelEnabled?.(level) ?? true
      } catch {
        return false
      }
    },
  }
}
