import { OptionError } from './errors.ts'
import { type ByteText, type DurationText, parseBytes, parseDuration, shown } from './units.ts'

export const AUDIT_LEVELS = ['departures', 'changes', 'all'] as const
/** Which events become rows (`docs/events.md`). */
export type AuditLevel = (typeof AUDIT_LEVELS)[number]

export interface AuditOptions {
  /** The SQLite file; it and its folder are made where they are missing. */
  path: string
  /** Default `'departures'`. */
  level?: AuditLevel
  /** Longest time that an event waits before it is handed to the writer, in ms or text. Default 100 ms. */
  flushInterval?: DurationText
  /** Bytes of events that may wait for the writer; what comes beyond is a recorded gap. Default 16 MB. */
  maxPending?: ByteText
}

export interface AuditSettings {
  readonly path: string
  readonly level: AuditLevel
  readonly flushInterval: number
  readonly maxPending: number
}

const KNOWN: Record<keyof AuditOptions, true> = { path: true, level: true, flushInterval: true, maxPending: true }

/** @throws {OptionError} naming the option that is wrong. */
export function resolveAudit(audit: string | AuditOptions | false): AuditSettings | null {
  if (audit === false) return null
  const options = typeof audit === 'string' ? { path: audit } : audit
  if (typeof options !== 'object' || options === null) {
    throw new OptionError('audit', `${shown(audit)} is not a path, an object of options, or false`)
  }
  for (const name of Object.keys(options)) {
    if (!Object.hasOwn(KNOWN, name))
      throw new OptionError(`audit.${name}`, `is not an option; options are ${Object.keys(KNOWN).join(', ')}`)
  }
  if (typeof options.path !== 'string' || options.path === '') {
    throw new OptionError('audit.path', `${shown(options.path)} is not the path of a file`)
  }
  const level = options.level ?? 'departures'
  if (!AUDIT_LEVELS.includes(level))
    throw new OptionError('audit.level', `${shown(level)} is none of ${AUDIT_LEVELS.join(', ')}`)
  const flushInterval = parseDuration(options.flushInterval ?? 100, 'audit.flushInterval', 1)
  if (flushInterval > 60_000) throw new OptionError('audit.flushInterval', 'is more than a minute')
  return {
    path: options.path,
    level,
    flushInterval,
    maxPending: parseBytes(options.maxPending ?? '16MB', 'audit.maxPending'),
  }
}
