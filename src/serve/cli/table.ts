import { cut, printable, width, wrapped } from './text.ts'

export interface Column<T> {
  readonly title: string
  readonly text: (row: T) => string
  /** Numbers stand on the right. */
  readonly right?: boolean
  /** Gives way where the table is wider than the terminal: it is cut or, where it `wraps`, goes on in the next line. */
  readonly flexible?: boolean
  readonly wraps?: boolean
}

const GAP = 2
/** A flexible column is never cut to less. */
const LEAST = 6

/** A plain table. With `columns`, no line is wider than that: the flexible columns give way, the widest first. */
export function table<T>(shape: readonly Column<T>[], rows: readonly T[], columns?: number): string {
  const cells = rows.map((row) => shape.map((column) => printable(column.text(row))))
  const widths = shape.map((column, index) =>
    Math.max(width(column.title), ...cells.map((row) => width(row[index] ?? ''))),
  )
  if (columns !== undefined) giveWay(shape, widths, columns)
  const line = (texts: readonly string[]) =>
    shape
      .map((column, index) => {
        const room = widths[index] ?? 0
        const text = cut(texts[index] ?? '', room)
        const padding = ' '.repeat(Math.max(0, room - width(text)))
        return column.right === true ? padding + text : text + padding
      })
      .join(' '.repeat(GAP))
      .trimEnd()
  const lines = [
    line(shape.map((column) => column.title)),
    ...cells.flatMap((row) => unfolded(shape, row, widths).map(line)),
  ]
  // Where even that is too wide, the end of the line gives way.
  return (columns === undefined ? lines : lines.map((text) => cut(text, columns))).join('\n')
}

/** A row as lines: more than one where a cell wraps. */
function unfolded<T>(shape: readonly Column<T>[], row: readonly string[], widths: readonly number[]): string[][] {
  const parts = row.map((text, index) =>
    shape[index]?.wraps === true ? wrapped(text, Math.max(1, widths[index] ?? 0)) : [text],
  )
  const height = Math.max(1, ...parts.map(({ length }) => length))
  return Array.from({ length: height }, (_, at) => parts.map((part) => part[at] ?? ''))
}

function giveWay<T>(shape: readonly Column<T>[], widths: number[], columns: number): void {
  const total = () => widths.reduce((sum, one) => sum + one, GAP * (widths.length - 1))
  for (let excess = total() - columns; excess > 0; excess = total() - columns) {
    const widest = widths.reduce(
      (best, one, index) =>
        shape[index]?.flexible === true && one > LEAST && one > (widths[best] ?? 0) ? index : best,
      -1,
    )
    if (widest === -1) return
    widths[widest] = (widths[widest] ?? 0) - 1
  }
}
