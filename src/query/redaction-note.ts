import type { Database } from '../persist/reader.ts'
import type { Question } from './answers.ts'
import type { Asked } from './question.ts'
import type { StoredKeys } from './stored.ts'
import { countInWords } from './words.ts'

const SELECT_REDACTIONS = `
  select redaction, redaction_secret as secretId, count(*) as runs from runs
  where redaction is not null and (:run is null or run = :run)
    and started_at < :until and coalesce(stopped_at, last_at) >= :since
  group by redaction, redaction_secret`

interface RedactionRow {
  readonly redaction: 'prefix' | 'whole' | 'all'
  readonly secretId: string
  readonly runs: number
}

type Told = Pick<Asked<Question>, 'run' | 'since' | 'until'> & StoredKeys & { readonly prefix?: string }

/** What an answer about a key or prefix lacks because the log has keys hashed, in words; `null`: nothing. */
export function redactionNote(database: Database, question: Told): string | null {
  const { run, since, until, keys, prefixes, prefix = '', secretId } = question
  if (keys === undefined && prefixes === undefined) return null
  const scope = {
    run: run ?? null,
    since: since ?? Number.NEGATIVE_INFINITY,
    until: until ?? Number.POSITIVE_INFINITY,
  }
  const rows = database.prepare(SELECT_REDACTIONS).all(scope) as RedactionRow[]
  const isWholePrefix = /^[^:/]{1,64}[:/]$/.test(prefix)
  const count = (told: (row: RedactionRow) => boolean) => rows.filter(told).reduce((sum, { runs }) => sum + runs, 0)
  const locked = (row: RedactionRow) => row.secretId !== secretId && (keys !== undefined || row.redaction === 'all')
  const said = [
    inWords(count(locked), (keysOf) =>
      secretId === null
        ? `${keysOf} are hashed, and no secret was given to find one by: give redactSecret or redactSecretFile (--secret-file), or set MUNINN_REDACT_SECRET or MUNINN_REDACT_SECRET_FILE`
        : `${keysOf} are hashed with another secret than the one given`,
    ),
  ]
  if (prefixes !== undefined) {
    said.push(
      inWords(
        count((row) => !locked(row) && row.redaction !== 'whole' && !isWholePrefix),
        (keysOf) =>
          `${keysOf} are hashed from their first : or / on, and can only be asked for by all that stands before, with it`,
      ),
      inWords(
        count(({ redaction }) => redaction === 'whole'),
        (keysOf) => `${keysOf} are hashed whole, and can't be asked for by a prefix`,
      ),
    )
  }
  const words = said.filter((text) => text !== null)
  return words.length === 0 ? null : words.join('; ')
}

function inWords(runs: number, say: (keysOf: string) => string): string | null {
  return runs === 0 ? null : say(`the keys of ${countInWords(runs, 'run')}`)
}
