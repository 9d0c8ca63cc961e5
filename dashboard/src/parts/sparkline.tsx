/** The shape of some figures, without an axis: the figure beside it says how much. */
export function Sparkline({ values, most, label }: { values: readonly number[]; most?: number; label: string }) {
  const top = most ?? Math.max(...values, 0)
  const step = values.length > 1 ? 100 / (values.length - 1) : 0
  const points = values.map(
    (value, index) => `${(index * step).toFixed(1)},${(top > 0 ? 19 - (value / top) * 18 : 19).toFixed(1)}`,
  )
  return (
    <svg class="sparkline" viewBox="0 0 100 20" preserveAspectRatio="none" role="img" aria-label={label}>
      <polyline points={points.join(' ')} vector-effect="non-scaling-stroke" />
    </svg>
  )
}
