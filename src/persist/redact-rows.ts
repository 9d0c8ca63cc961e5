import type { Redaction } from '../base/redaction.ts'
import { redacted } from '../event/redacted.ts'
import { EVICTION_COLUMNS, type Rows } from './rows.ts'

const KEYS = (['key', 'runner_up', 'trigger_key'] as const).map((name) => EVICTION_COLUMNS.indexOf(name))

/** Hashes every key of a batch's rows, in place. */
export function redactRows(rows: Rows, redaction: Redaction): void {
  for (const row of rows.evictions) {
    for (const column of KEYS) {
      const key = row[column]
      if (typeof key === 'string') row[column] = redaction.key(key)
    }
  }
  for (const row of rows.keyEvents) {
    row[4] = redaction.key(row[4])
    row[5] = redacted(row[5], redaction)
  }
  for (const row of rows.events) row[4] = redacted(row[4], redaction)
  for (const row of rows.regrets) row[3] = redaction.key(row[3])
  for (const [seq, prefix] of rows.prefixes ?? []) rows.prefixes?.set(seq, redaction.prefix(prefix))
}
