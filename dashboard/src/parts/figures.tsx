import { bytes, count, duration, percent, printable } from '../../../src/serve/cli/text.ts'

/* Figures as they are shown everywhere: a number never without its unit, a time local with UTC on hover. */

export function Bytes({ of }: { of: number | null }) {
  return (
    <span class="figure" title={of === null ? '' : `${of.toLocaleString('en')} bytes`}>
      {bytes(of)}
    </span>
  )
}

export function Count({ of }: { of: number | null }) {
  return <span class="figure">{count(of)}</span>
}

export function Percent({ of }: { of: number | null }) {
  return <span class="figure">{of === null ? '–' : percent(of)}</span>
}

export function Duration({ of }: { of: number | null }) {
  return <span class="figure">{of === null ? '–' : duration(of)}</span>
}

/** A rate with one figure behind the point while it is small. */
export function rateText(value: number): string {
  if (value >= 100) return Math.round(value).toLocaleString('en')
  return value >= 10 || value === 0 ? value.toFixed(0) : value.toFixed(1)
}

const CLOCK = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' })
const DAY = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', timeZone: undefined })

/** `14:03:05`, with the day where it isn't today's. */
export function localText(ms: number): string {
  const date = new Date(ms)
  const today = new Date().toDateString() === date.toDateString()
  return today ? CLOCK.format(date) : `${DAY.format(date)} ${CLOCK.format(date)}`
}

export function utcText(ms: number): string {
  return `${new Date(ms).toISOString().replace('T', ' ').replace('Z', '')} UTC`
}

export function Time({ at }: { at: string | number | null }) {
  const ms = typeof at === 'string' ? Date.parse(at) : at
  if (ms === null || Number.isNaN(ms)) return <span class="muted">never</span>
  return (
    <time class="figure" dateTime={new Date(ms).toISOString()} title={utcText(ms)}>
      {localText(ms)}
    </time>
  )
}

/** A key, cut where it is long: whatever it holds is text, and nothing in it may turn the line round. */
export function Key({ of, most = 96 }: { of: string; most?: number }) {
  const shown = printable(of)
  if (shown === '') return <span class="key muted">(empty)</span>
  return (
    <span class="key" title={shown.length > most ? shown.slice(0, 2000) : undefined}>
      {shown.length > most ? `${shown.slice(0, most - 1)}…` : shown}
    </span>
  )
}
