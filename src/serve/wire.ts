/* How answers spell what JSON has no word for, over HTTP and on the command line alike. */

/** A time as RFC 3339 in UTC; `null` for never. */
export function timestamp(ms: number | null): string | null {
  if (ms === null || !Number.isFinite(ms)) return null
  const date = new Date(ms)
  return Number.isNaN(date.getTime()) ? null : date.toISOString()
}

/** A time that is known. */
export function instant(ms: number): string {
  return timestamp(ms) ?? new Date(0).toISOString()
}

/** A limit or duration: `null` stands for none, as JSON has no `Infinity`. */
export function limit(value: number | null): number | null {
  return value !== null && Number.isFinite(value) ? value : null
}
