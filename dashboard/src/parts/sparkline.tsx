/** The shape of the latest figures, without an axis: the figure beside it says how much. What isn't known yet stays blank. */
export function Sparkline({
  values,
  slots,
  most,
  label,
}: {
  values: readonly number[]
  slots: number
  most?: number
  label: string
}) {
  const top = most ?? Math.max(...values, 0)
  const step = 100 / (slots - 1)
  const first = slots - values.length
  const points = values.map(
    (value, index) => `${((first + index) * step).toFixed(1)},${(top > 0 ? 19 - (value / top) * 18 : 19).toFixed(1)}`,
  )
  return (
    <svg class="sparkline" viewBox="0 0 100 20" preserveAspectRatio="none" role="img" aria-label={label}>
      <polyline points={points.join(' ')} vector-effect="non-scaling-stroke" />
    </svg>
  )
}
