/** How far back, as the service's times have it. */
export const RANGES = [
  { since: '-15m', name: '15 minutes', ms: 15 * 60_000 },
  { since: '-30m', name: '30 minutes', ms: 30 * 60_000 },
  { since: '-1h', name: '1 hour', ms: 3_600_000 },
  { since: '-6h', name: '6 hours', ms: 6 * 3_600_000 },
  { since: '-24h', name: '24 hours', ms: 86_400_000 },
  { since: '-7d', name: '7 days', ms: 7 * 86_400_000 },
  { since: '-30d', name: '30 days', ms: 30 * 86_400_000 },
] as const

/** What the timeline begins with. */
export const HOUR = '-1h'
