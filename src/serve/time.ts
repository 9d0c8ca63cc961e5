const RELATIVE = /^-(\d+(?:\.\d+)?)(ms|s|m|h|d|w)$/
const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
}
/** The space before the offset is a `+` that a URL's query turned into one. */
const ISO = /^(\d{4})-(\d{2})-(\d{2})(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+ -]\d{2}:?\d{2})?)?$/i

export const TIME_FORMS =
  'an ISO 8601 time such as 2026-01-31T14:00:00Z, a time ago such as -2h (ms, s, m, h, d, w), or now'

/** Epoch ms of an ISO 8601 or relative time (`-2h`, `now`); `undefined` where the text is none. */
export function parseTime(text: string, now: number): number | undefined {
  if (text === 'now') return now
  const relative = RELATIVE.exec(text)
  if (relative !== null) {
    const ago = Number(relative[1]) * (UNITS[relative[2] ?? ''] ?? Number.NaN)
    return ago <= now ? now - ago : undefined
  }
  const iso = ISO.exec(text)
  if (iso === null || !isDay(Number(iso[1]), Number(iso[2]), Number(iso[3]))) return undefined
  const ms = Date.parse(text.replace(/ (\d{2}:?\d{2})$/, text.includes('T') ? '+$1' : ' $1'))
  return Number.isNaN(ms) ? undefined : ms
}

export const WINDOW_FORMS = `two times with .. between them, the earlier first, such as -2h..-1h; each ${TIME_FORMS}`

/** A window `TIME..TIME`; `undefined` where the text is none. */
export function parseWindow(text: string, now: number): { since: number; until: number } | undefined {
  const [from, to, ...more] = text.split('..')
  if (from === undefined || to === undefined || more.length > 0) return undefined
  const since = parseTime(from, now)
  const until = parseTime(to, now)
  return since === undefined || until === undefined || since >= until ? undefined : { since, until }
}

/** `Date.parse` takes 31 February for a day in March. */
function isDay(year: number, month: number, day: number): boolean {
  return new Date(Date.UTC(year, month - 1, day)).getUTCMonth() === month - 1
}
