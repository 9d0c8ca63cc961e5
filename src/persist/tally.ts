import type { MuninnEvent } from '../event/catalogue.ts'

/** What a run's counters gain from some of its events: exact also for events whose rows are lost. */
export interface Tally {
  evictedItems: number
  evictedBytes: number
  cycles: number
  warnings: number
  peakBytes: number
  peakBytesAt: number | null
  peakItems: number
}

export function emptyTally(): Tally {
  return { evictedItems: 0, evictedBytes: 0, cycles: 0, warnings: 0, peakBytes: 0, peakBytesAt: null, peakItems: 0 }
}

export function count(tally: Tally, event: MuninnEvent): void {
  switch (event.type) {
    case 'evicted':
      tally.evictedItems++
      tally.evictedBytes += event.size
      break
    case 'cycle-started':
      tally.cycles++
      peak(tally, event.bytes, event.at)
      tally.peakItems = Math.max(tally.peakItems, event.items)
      break
    case 'warned':
      if (event.level !== 'recovered') tally.warnings++
      peak(tally, event.bytes, event.at)
      break
    case 'checked':
      peak(tally, event.bytes, event.at)
      tally.peakItems = Math.max(tally.peakItems, event.items)
      break
    case 'peaked':
      if (event.metric === 'bytes') peak(tally, event.value, event.peakedAt)
      else if (event.metric === 'items') tally.peakItems = Math.max(tally.peakItems, event.value)
      break
    default:
  }
}

function peak(tally: Tally, bytes: number, at: number): void {
  if (bytes <= tally.peakBytes) return
  tally.peakBytes = bytes
  tally.peakBytesAt = at
}

/** Adds what `more` counted. */
export function join(tally: Tally, more: Tally): void {
  tally.evictedItems += more.evictedItems
  tally.evictedBytes += more.evictedBytes
  tally.cycles += more.cycles
  tally.warnings += more.warnings
  if (more.peakBytesAt !== null) peak(tally, more.peakBytes, more.peakBytesAt)
  tally.peakItems = Math.max(tally.peakItems, more.peakItems)
}
