/* What a person reads: sizes, times and names as they look on a terminal. */

const UNITS = ['B', 'KB', 'MB', 'GB', 'TB'] as const

/** `1.5 MB`; each unit is 1024 of the last, as everywhere in Muninn. */
export function bytes(value: number | null): string {
  if (value === null || !Number.isFinite(value)) return 'no limit'
  let amount = value
  let unit = 0
  while (Math.abs(amount) >= 1023.5 && unit < UNITS.length - 1) {
    amount /= 1024
    unit++
  }
  return `${unit === 0 ? amount : amount.toFixed(amount < 99.95 ? 1 : 0)} ${UNITS[unit]}`
}

/** `850ms`, `12.3s`, `4m 10s`, `2h 5m`, `3d 4h`. */
export function duration(ms: number | null): string {
  if (ms === null || !Number.isFinite(ms)) return '-'
  if (ms < 1000) return `${Math.round(ms)}ms`
  const seconds = ms / 1000
  if (seconds < 59.95) return `${seconds.toFixed(1)}s`
  const whole = Math.round(seconds)
  if (whole < 3600) return `${Math.floor(whole / 60)}m ${whole % 60}s`
  if (whole < 86_400) return `${Math.floor(whole / 3600)}h ${Math.floor((whole % 3600) / 60)}m`
  return `${Math.floor(whole / 86_400)}d ${Math.floor((whole % 86_400) / 3600)}h`
}

/** As `duration`, in its largest unit alone: `4m`, `2h`, `3d`. */
export function brief(ms: number | null): string {
  return duration(ms).split(' ')[0] ?? ''
}

/** `2026-01-31 14:00:05` in the reader's own time zone. */
export function localTime(ms: number | null): string {
  if (ms === null || !Number.isFinite(ms)) return '-'
  const date = new Date(ms)
  const two = (value: number) => String(value).padStart(2, '0')
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
}

export function percent(share: number | null): string {
  return share === null ? '-' : `${(share * 100).toFixed(1)}%`
}

export function count(value: number | null): string {
  return value === null || !Number.isFinite(value) ? 'no limit' : value.toLocaleString('en')
}

/**
 * Text without what moves a terminal's cursor, colours it or turns its direction round: keys are anybody's, and a log
 * is read in a terminal.
 */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`
  })
}

const WIDE =
  /[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\p{Emoji_Presentation}\uff01-\uff60]/u
const NARROW_MARK = /\p{M}/u

/** Columns of a terminal that the text takes. */
export function width(text: string): number {
  let columns = 0
  for (const character of text) columns += WIDE.test(character) ? 2 : NARROW_MARK.test(character) ? 0 : 1
  return columns
}

/** The text in lines of at most so many columns, broken at spaces where there are any. */
export function wrapped(text: string, columns: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`
    if (width(longer) <= columns) {
      line = longer
      continue
    }
    if (line !== '') lines.push(line)
    line = word
    while (width(line) > columns) {
      const part = within(line, columns)
      lines.push(part)
      line = line.slice(part.length)
    }
  }
  return [...lines, line]
}

/** As much of its beginning as so many columns hold; at least a character. */
function within(text: string, columns: number): string {
  let kept = ''
  for (const character of text) {
    if (kept !== '' && width(kept + character) > columns) break
    kept += character
  }
  return kept
}

/** The text in at most so many columns, its end cut off with `…`. */
export function cut(text: string, columns: number): string {
  if (width(text) <= columns) return text
  return `${columns > 1 ? within(text, columns - 1) : ''}…`
}
