import type { ComponentChildren } from 'preact'
import { percent } from '../../../src/serve/cli/text.ts'

/** Of bytes, fixed by the service: where the level is critical, and emergency. */
export const CRITICAL = 0.9
export const EMERGENCY = 0.95

/** The memory gauge: how much of the budget is used, on a scale with the marks where something happens. */
export function Gauge({
  label,
  share,
  peak,
  level,
  warning,
  threshold,
  target,
  children,
}: {
  label: string
  share: number
  peak: number | null
  level: string
  warning: number
  threshold: number
  target: number
  children: ComponentChildren
}) {
  const marks = [
    { at: warning, name: 'warning' },
    { at: CRITICAL, name: 'critical' },
    { at: EMERGENCY, name: 'emergency' },
  ]
  return (
    <div class="gauge" data-level={level}>
      <p class="reading">
        <span class="share-figure">{percent(share)}</span>
        <span>{children}</span>
      </p>
      {/* biome-ignore lint/a11y/useSemanticElements: a <meter> has no marks. */}
      <div
        class="scale"
        role="meter"
        aria-label={label}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(share * 1000) / 10}
        aria-valuetext={`${percent(share)} of the budget, level ${level}`}
      >
        <span class="fill" style={{ transform: `scaleX(${Math.min(1, share)})` }} />
        {/* Where a cycle starts, and where it ends. */}
        <span class="band" style={{ left: `${target * 100}%`, width: `${(threshold - target) * 100}%` }} />
        {peak !== null && <span class="peak" style={{ left: `${Math.min(100, peak * 100)}%` }} title="peak" />}
        {marks.map((mark) => (
          <span key={mark.name} class="mark" data-mark={mark.name} style={{ left: `${mark.at * 100}%` }} />
        ))}
      </div>
      <div class="ticks" aria-hidden="true">
        {[0, 0.25, 0.5].map((at) => (
          <span key={at} style={{ left: `${at * 100}%` }}>
            {Math.round(at * 100)}
          </span>
        ))}
        {marks.map((mark) => (
          <span key={mark.name} style={{ left: `${mark.at * 100}%` }} title={mark.name}>
            {Math.round(mark.at * 100)}
          </span>
        ))}
        <span style={{ left: '100%' }}>100 %</span>
      </div>
    </div>
  )
}
