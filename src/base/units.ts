import { OptionError } from './errors.ts'

/** Bytes as a number, or as text with a unit: `'512MB'`. Each unit is 1024 of the last. */
export type ByteText = number | string
/** Milliseconds as a number, or as text with a unit: `'5m'`. */
export type DurationText = number | string

const BYTES: Readonly<Record<string, number>> = {
  b: 1,
  kb: 1024,
  kib: 1024,
  mb: 1024 ** 2,
  mib: 1024 ** 2,
  gb: 1024 ** 3,
  gib: 1024 ** 3,
}

const MILLISECONDS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

const QUANTITY = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i

function quantity(text: string, units: Readonly<Record<string, number>>): number | undefined {
  const match = QUANTITY.exec(text.trim())
  if (match === null) return undefined
  const unit = (match[2] ?? '').toLowerCase()
  const factor = unit === '' ? 1 : Object.hasOwn(units, unit) ? units[unit] : undefined
  return factor === undefined ? undefined : Number(match[1]) * factor
}

/**
 * Bytes from a number or text such as `'512MB'` (`B`, `KB`, `MB`, `GB`, `KiB`, `MiB`, `GiB`; each 1024 of the last).
 *
 * @throws {OptionError} naming `option`, unless the result is an integer ≥ 1 (or `Infinity`, as a number).
 */
export function parseBytes(value: ByteText, option: string): number {
  const bytes = typeof value === 'string' ? Math.floor(quantity(value, BYTES) ?? Number.NaN) : value
  if (bytes === Number.POSITIVE_INFINITY && typeof value === 'number') return bytes
  if (typeof bytes !== 'number' || !Number.isSafeInteger(bytes) || bytes < 1) {
    throw new OptionError(option, `${shown(value)} is not a size: give bytes (an integer ≥ 1) or text such as '512MB'`)
  }
  return bytes
}

/**
 * Milliseconds from a number or text such as `'5m'` (`ms`, `s`, `m`, `h`, `d`).
 *
 * @throws {OptionError} naming `option`, unless the result is a number ≥ `least` (`Infinity` included).
 */
export function parseDuration(value: DurationText, option: string, least = 0): number {
  const ms = typeof value === 'string' ? quantity(value, MILLISECONDS) : value
  if (typeof ms !== 'number' || !(ms >= least)) {
    throw new OptionError(
      option,
      `${shown(value)} is not a duration: give milliseconds (a number ≥ ${least}) or text such as '5m'`,
    )
  }
  return ms
}

/** Bytes as people read them: `'512 MiB'`, `'1.5 GiB'`; `'none'` for no limit. */
export function shownBytes(bytes: number): string {
  if (bytes === Number.POSITIVE_INFINITY) return 'none'
  let [size, unit] = [bytes, 'bytes']
  for (const larger of ['KiB', 'MiB', 'GiB', 'TiB']) {
    if (Math.abs(size) < 1024) break
    size /= 1024
    unit = larger
  }
  return `${Math.round(size * 10) / 10} ${unit}`
}

/** A value as an error message shows it: short, and never a value's content beyond 60 characters. */
export function shown(value: unknown): string {
  const text =
    typeof value === 'string' ? JSON.stringify(value) : typeof value === 'object' ? typeName(value) : String(value)
  return text.length > 60 ? `${text.slice(0, 57)}…` : text
}

function typeName(value: object | null): string {
  return value === null ? 'null' : Array.isArray(value) ? 'an array' : 'an object'
}
