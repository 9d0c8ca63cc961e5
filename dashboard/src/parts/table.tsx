import type { ComponentChildren } from 'preact'
import { replaceQuery, route } from '../route.ts'

export interface Column<T> {
  readonly name: string
  readonly cell: (row: T) => ComponentChildren
  /** Figures stand right-aligned, so that their digits do. */
  readonly figure?: boolean
  /** The row's own name: a header cell for screen readers. */
  readonly head?: boolean
  /** Gives way on a phone. */
  readonly minor?: boolean
  readonly sort?: string
  readonly title?: string
}

export interface Sorting {
  readonly by: string
  /** The order in which it stands: nobody else's but the column's own. */
  readonly order: 'ascending' | 'descending'
  readonly sort: (by: string) => void
}

/**
 * Sorting by the service, over all pages: what is sorted by stands in the address. A column is sorted by its largest
 * first, then the other way round, then as the table stands by itself.
 */
export function sortingInAddress(fallback: string): Sorting {
  const { order = fallback, reverse } = route.value.query
  return {
    by: order,
    order: reverse === 'true' ? 'ascending' : 'descending',
    sort: (by) => {
      const next = by !== order ? { order: by, reverse: null } : { order, reverse: reverse === 'true' ? null : 'true' }
      replaceQuery({ ...next, cursor: null, before: null })
    },
  }
}

/** A table that scrolls in its own box where it is too wide. */
export function Table<T>({
  label,
  columns,
  rows,
  id,
  sorting,
  mark,
}: {
  label: string
  columns: readonly Column<T>[]
  rows: readonly T[]
  id: (row: T) => string
  sorting?: Sorting
  mark?: (row: T) => string | undefined
}) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
    // biome-ignore lint/a11y/useSemanticElements: no field set, and no landmark either: its panel is one.
    <div class="scroll" role="group" tabIndex={0} aria-label={label}>
      <table>
        <thead>
          <tr>
            {columns.map((column) => (
              <Head key={column.name} column={column} sorting={sorting} />
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={id(row)} data-mark={mark?.(row)}>
              {columns.map((column) =>
                column.head === true ? (
                  <th key={column.name} scope="row" class={classes(column)}>
                    {column.cell(row)}
                  </th>
                ) : (
                  <td key={column.name} class={classes(column)}>
                    {column.cell(row)}
                  </td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function classes<T>(column: Column<T>): string {
  return `${column.figure === true ? 'number' : ''} ${column.minor === true ? 'minor' : ''}`.trim()
}

function Head<T>({ column, sorting }: { column: Column<T>; sorting: Sorting | undefined }) {
  const { sort } = column
  const sorted = sort !== undefined && sorting?.by === sort
  return (
    <th scope="col" class={classes(column)} title={column.title} aria-sort={sorted ? sorting?.order : undefined}>
      {sort !== undefined && sorting !== undefined ? (
        <button type="button" class="sort" onClick={() => sorting.sort(sort)}>
          {column.name}
          <span aria-hidden="true">{sorted ? (sorting.order === 'descending' ? ' ↓' : ' ↑') : ''}</span>
        </button>
      ) : (
        column.name
      )}
    </th>
  )
}
