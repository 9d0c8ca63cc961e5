const EIGHTHS = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'] as const
const ROWS = 4
const LABEL = 9

/** A bar chart, a column each value: its top labelled with `most`, its foot with 0. `null` leaves the column empty. */
export function chart(title: string, values: readonly (number | null)[], most: number, label: string): string {
  const rows = Array.from({ length: ROWS }, (_, index) => {
    const floor = ROWS - 1 - index
    const text = index === 0 ? label : floor === 0 ? '0' : ''
    return `${text.padStart(LABEL)} ┤${values.map((value) => cell(value, most, floor)).join('')}`.trimEnd()
  })
  return [`${' '.repeat(LABEL)} ${title}`, ...rows].join('\n')
}

/** What of the bar stands in one row; what is more than nothing shows. */
function cell(value: number | null, most: number, floor: number): string {
  if (value === null || value <= 0 || most <= 0) return ' '
  const eighths = Math.max(1, Math.round((value / most) * ROWS * 8)) - floor * 8
  return EIGHTHS[Math.min(8, Math.max(0, eighths))] ?? ' '
}

/** A line of marks under the charts: what happened in a column. */
export function marks(title: string, values: readonly string[]): string {
  return `${title.padStart(LABEL)}  ${values.join('')}`.trimEnd()
}

/** What the columns begin and end with. */
export function axis(from: string, to: string, columns: number): string {
  const room = Math.max(columns, from.length + to.length + 2)
  return `${' '.repeat(LABEL)}  ${from}${to.padStart(room - from.length)}`
}
