import { OptionError } from './errors.ts'
import { checkNames } from './option-names.ts'
import type { RedactionSettings } from './redaction.ts'
import { type ByteText, type DurationText, parseBytes, parseDuration, shown } from './units.ts'

export const AUDIT_LEVELS = ['departures', 'changes', 'all'] as const
/** Which events become rows (`docs/events.md`). */
export type AuditLevel = (typeof AUDIT_LEVELS)[number]

/** What the log keeps of rows about single entries; what explains them, and counts, are kept longer. */
export interface RetentionOptions {
  /** Rows older than this go, ms or text. Default 30 days; `Infinity`: never by age. */
  maxAge?: DurationText
  /** The oldest rows go where the file would grow beyond this, bytes or text. Default 512 MB; `Infinity`: no limit. */
  maxSize?: ByteText
}

export interface RetentionSettings {
  readonly maxAge: number
  readonly maxSize: number
}

export interface AuditOptions {
  /** The SQLite file; it and its folder are made where they are missing. */
  path: string
  /** Default `'departures'`. */
  level?: AuditLevel
  /** Longest time that an event waits before it is handed to the writer, in ms or text. Default 100 ms. */
  flushInterval?: DurationText
  /** Bytes of events that may wait for the writer; what comes beyond is a recorded gap. Default 16 MB. */
  maxPending?: ByteText
  /** How long and how much is kept. */
  retention?: RetentionOptions
  /**
   * Departures a second above which, once a minute has had that many, level `departures` keeps the rows of only a share
   * of the keys; counts stay exact. Default 1,000; `Infinity`: never.
   */
  sampleAbove?: number
}

export interface AuditSettings {
  readonly path: string
  readonly level: AuditLevel
  readonly flushInterval: number
  readonly maxPending: number
  readonly retention: RetentionSettings
  readonly sampleAbove: number
  /** How the manager hashes keys; `null`: it doesn't. */
  readonly redaction: RedactionSettings | null
}

const KNOWN: Record<keyof AuditOptions, true> = {
  path: true,
  level: true,
  flushInterval: true,
  maxPending: true,
  retention: true,
  sampleAbove: true,
}

/** Below this a file holds little more than its schema. */
const LEAST_SIZE = 1024 ** 2
const LEAST_AGE = 60_000

/** @throws {OptionError} naming the option that is wrong. */
export function resolveAudit(
  audit: string | AuditOptions | false,
  redaction: RedactionSettings | null,
): AuditSettings | null {
  if (audit === false) return null
  const options = typeof audit === 'string' ? { path: audit } : audit
  if (typeof options !== 'object' || options === null) {
    throw new OptionError('audit', `${shown(audit)} is not a path, an object of options, or false`)
  }
  checkNames(options, Object.keys(KNOWN), 'audit.')
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
    retention: resolveRetention(options.retention ?? {}),
    sampleAbove: resolveRate(options.sampleAbove ?? 1_000),
    redaction,
  }
}

function resolveRetention(retention: RetentionOptions): RetentionSettings {
  if (typeof retention !== 'object' || retention === null) {
    throw new OptionError('audit.retention', `${shown(retention)} is not an object with maxAge and maxSize`)
  }
  checkNames(retention, ['maxAge', 'maxSize'], 'audit.retention.')
  const maxSize = parseBytes(retention.maxSize ?? '512MB', 'audit.retention.maxSize')
  if (maxSize < LEAST_SIZE) throw new OptionError('audit.retention.maxSize', 'is less than 1MB')
  return { maxAge: parseDuration(retention.maxAge ?? '30d', 'audit.retention.maxAge', LEAST_AGE), maxSize }
}

function resolveRate(rate: unknown): number {
  if (typeof rate === 'number' && rate > 0) return rate
  throw new OptionError(
    'audit.sampleAbove',
    `${shown(rate)} is not a rate: give departures a second (a number above 0), or Infinity for never`,
  )
}
