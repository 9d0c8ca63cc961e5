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
      settled(logger[level](fields, message))
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
        return settled(logger.isLevelEnabled?.(level) ?? true) !== false
      } catch {
        return false
      }
    },
  }
}

/** What a logger answered; a promise that rejects later would end the process. */
function settled(answer: unknown): unknown {
  if (answer instanceof Promise) answer.catch(() => {})
  return answer
}
