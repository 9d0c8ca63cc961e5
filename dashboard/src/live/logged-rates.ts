import type { Sample, TimelinePoint } from '../api/answers.ts'

/** What the audit log knows of the minutes before the page began to look, so that its first seconds have figures, too. */
export interface Remembered {
  /** When it was asked, in epoch ms. */
  readonly at: number
  /** The checks of the last five minutes, oldest first. */
  readonly checks: readonly Sample[]
  /** The same minutes, the present one last. */
  readonly minutes: readonly TimelinePoint[]
  /** Entries evicted in the last two of them, by cache. */
  readonly evictedByCache: ReadonlyMap<string, number>
}

const MINUTE = 60_000

/** How much of a minute was over when it was asked for, in ms: of the present one not all; all, where the page's clock is behind. */
function over({ from, to }: TimelinePoint, at: number): number {
  const [begin, end] = [Date.parse(from), Date.parse(to)]
  return (at > begin ? Math.min(end, at) : end) - begin
}

/** Evictions a minute, of the minute in which `at` lies: the present one, which has hardly begun, with the one before it. */
export function evictionsAt({ minutes, at: asked }: Remembered, at: number): number | null {
  const index = minutes.findIndex(({ from, to }) => Date.parse(from) <= at && at < Date.parse(to))
  if (index < 0) return null
  const counted = minutes.slice(index === minutes.length - 1 ? Math.max(0, index - 1) : index, index + 1)
  const evicted = counted.reduce((sum, minute) => sum + minute.evicted, 0)
  return (evicted * MINUTE) / counted.reduce((sum, minute) => sum + over(minute, asked), 0)
}

/** Evictions a minute by cause and by cache, over the last whole minute and the present one. */
export function lateEvictions({ at, minutes, evictedByCache }: Remembered) {
  const counted = minutes.slice(-2)
  const share = MINUTE / counted.reduce((sum, minute) => sum + over(minute, at), 0)
  const all = counted.reduce((sum, { evicted }) => sum + evicted, 0)
  return {
    all: all * share,
    ofCause: (cause: string) =>
      share * counted.reduce((sum, { evictedByCause }) => sum + (evictedByCause[cause as never] ?? 0), 0),
    ofCache: (cache: string) => share * (evictedByCache.get(cache) ?? 0),
  }
}
