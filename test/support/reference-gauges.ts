import type { Settings } from '../../src/base/settings.ts'
import { LEVELS, PEAK_METRICS, type PeakMetric } from '../../src/event/vocabulary.ts'
import type { EventCursor } from './event-cursor.ts'
import { ReferenceContents } from './reference-contents.ts'

/** ms for which usage must be below a level, where checks are off. */
const CALM = 30_000

/** Levels and peaks of the reference model. */
export class ReferenceGauges extends ReferenceContents {
  level = 0
  readonly peaks: Record<PeakMetric, { value: number; at: number; told: number }>
  private readonly belowSince = [0, 0, 0, 0]

  constructor(settings: Settings, now: number) {
    super(settings, now)
    this.belowSince.fill(now)
    this.peaks = {
      bytes: { value: 0, at: 0, told: 0 },
      heap_bytes: { value: 0, at: 0, told: 0 },
      items: { value: 0, at: 0, told: 0 },
    }
  }

  /** Judges the level; returns whether it changed. */
  judge(cursor: EventCursor): boolean {
    const usage = this.usage()
    const thresholds = this.thresholds()
    const from = this.level
    while (this.level < 3 && usage >= (thresholds[this.level + 1] as number)) this.level++
    if (this.level === from) {
      while (this.level > 0 && this.now >= this.calmAt()) this.level--
    }
    if (this.level === from) return false
    const rising = this.level > from
    const to = LEVELS[this.level] as 'normal'
    cursor.next('warned', {
      at: this.now,
      level: rising ? (to as never) : 'recovered',
      from: LEVELS[from] as 'normal',
      to,
      usage,
      threshold: thresholds[rising ? this.level : this.level + 1] as number,
      bytes: this.bytes(),
      heapBytes: this.heapBytes(),
    })
    if (rising) this.since.warnings++
    this.tellPeaks(cursor)
    return true
  }

  /** From when on the present level may be left; `Infinity` while usage is at or above it. */
  calmAt(): number {
    const { checkInterval } = this.settings
    return (this.belowSince[this.level] as number) + (checkInterval === 0 ? CALM : checkInterval)
  }

  tellPeaks(cursor: EventCursor): void {
    for (const metric of PEAK_METRICS) {
      const peak = this.peaks[metric]
      if (peak.value <= peak.told) continue
      cursor.next('peaked', { at: this.now, metric, value: peak.value, previous: peak.told, peakedAt: peak.at })
      peak.told = peak.value
    }
  }

  /** Keeps time of the levels: to be called with each change of usage or of the thresholds. */
  usageChanged(): void {
    const usage = this.usage()
    for (const [rank, threshold] of this.thresholds().entries()) {
      if (usage >= threshold) this.belowSince[rank] = Number.POSITIVE_INFINITY
      else if (this.belowSince[rank] === Number.POSITIVE_INFINITY) this.belowSince[rank] = this.now
    }
  }

  measure(): void {
    const measured: Record<PeakMetric, number> = {
      bytes: this.bytes(),
      heap_bytes: this.heapBytes(),
      items: this.entries.length,
    }
    for (const metric of PEAK_METRICS) {
      if (measured[metric] > this.peaks[metric].value)
        Object.assign(this.peaks[metric], { value: measured[metric], at: this.now })
    }
  }

  private thresholds(): readonly number[] {
    return [0, this.settings.memoryThreshold, 0.9, 0.95]
  }
}
