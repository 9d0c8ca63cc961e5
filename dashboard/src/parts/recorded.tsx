import { Time } from './figures.tsx'
import { type Column, Table } from './table.tsx'

/** What the audit log tells in sentences. */
export interface Recorded {
  readonly run: string
  readonly seq: number
  readonly at: string
  readonly text: string
}

/** Recorded events, each with its sentence, and what else is to be said of them. */
export function RecordedTable<T extends Recorded>({
  label,
  rows,
  also,
}: {
  label: string
  rows: readonly T[]
  also: Column<T>
}) {
  return (
    <Table
      label={label}
      rows={rows}
      id={(row) => `${row.run}:${row.seq}`}
      columns={[
        { name: 'When', cell: (row) => <Time at={row.at} /> },
        { name: 'What', head: true, cell: (row) => <span class="text">{row.text}</span> },
        also,
      ]}
    />
  )
}
