import type { Redaction } from '../base/redaction.ts'

/*
 * What events say of keys, hashed: for events and for the rows made of them, by the names of the fields that hold a key,
 * at any depth. Whoever gives the catalogue a field with a key under another name adds it here.
 */

const FIELDS: Readonly<Record<string, 'key' | 'prefix'>> = {
  key: 'key',
  runnerUp: 'key',
  // Not keys, but mostly made of the same stuff: `user:42`.
  tags: 'key',
  prefix: 'prefix',
}

/** The same fields, of an event or a row, with every key and, where nothing is to stay, every prefix hashed. */
export function redacted<T extends object>(fields: T, redaction: Redaction): T {
  const copy: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(fields)) {
    const kind = Object.hasOwn(FIELDS, name) ? FIELDS[name] : undefined
    copy[name] = kind === undefined ? within(value, redaction) : hashed(value, kind, redaction)
  }
  return copy as T
}

function within(value: unknown, redaction: Redaction): unknown {
  if (Array.isArray(value)) return value.map((one) => within(one, redaction))
  return typeof value === 'object' && value !== null ? redacted(value, redaction) : value
}

/** A cache may have the name of such a field, in settings: what stands there is no text. */
function hashed(value: unknown, kind: 'key' | 'prefix', redaction: Redaction): unknown {
  if (typeof value === 'string') return redaction[kind](value)
  return Array.isArray(value) ? value.map((one) => hashed(one, kind, redaction)) : within(value, redaction)
}
