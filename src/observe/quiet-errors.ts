import type { Logger } from '../base/logger.ts'

/**
 * A logger that tells of errors what they are and where they come from, and not their message: a subscriber's or a size
 * function's may hold keys.
 */
export function quietErrors(logger: Logger): Logger {
  const at = (level: 'debug' | 'info' | 'warn' | 'error') => (fields: object, message: string) =>
    logger[level]('err' in fields ? { ...fields, err: quiet(fields.err) } : fields, message)
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    isLevelEnabled: (level) => logger.isLevelEnabled?.(level) ?? true,
  }
}

function quiet(error: unknown): object {
  if (!(error instanceof Error)) return { type: typeof error }
  const code = 'code' in error && typeof error.code === 'string' ? { code: error.code } : {}
  // The frames alone: a stack begins with the message, which may have lines of its own.
  const frames = (error.stack ?? '').split('\n').filter((line) => /^ {4}at /.test(line))
  return { type: error.name, ...code, stack: frames.join('\n') }
}
