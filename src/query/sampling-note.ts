import { placeOfKey } from '../base/key-share.ts'
import type { Database } from '../persist/reader.ts'
import type { Question } from './answers.ts'
import type { Asked } from './question.ts'
import { timeInWords } from './words.ts'

const SELECT_SAMPLED = `
  select * from (
    select r.run, s.at as fromAt, coalesce(lead(s.at) over (partition by s.run_id order by s.seq), r.last_at) as toAt, s.share
    from samplings s join runs r on r.id = s.run_id
  )
  where share < 1 and toAt >= :since and fromAt < :until and (:run is null or run = :run)
  order by fromAt`

interface Sampled {
  readonly fromAt: number
  readonly toAt: number
  readonly share: number
}

/**
 * Where rows were kept of a share of the keys only, in words; `null`: nowhere, or not so that it touches the answer.
 *
 * @param keys what is asked for, where it is single keys, as the log has them.
 */
export function samplingNote(
  database: Database,
  { run, since, until }: Asked<Question>,
  keys?: readonly string[],
): string | null {
  const scope = { run: run ?? null, since: since ?? Number.NEGATIVE_INFINITY, until: until ?? Number.POSITIVE_INFINITY }
  const places = keys?.map(placeOfKey) ?? null
  const sampled = (database.prepare(SELECT_SAMPLED).all(scope) as Sampled[]).filter(
    ({ share }) => places === null || places.some((place) => place >= share),
  )
  const [first] = sampled
  if (first === undefined) return null
  const least = Math.min(...sampled.map(({ share }) => share))
  const when = `between ${timeInWords(first.fromAt)} and ${timeInWords(Math.max(...sampled.map(({ toAt }) => toAt)))}`
  if (places !== null) return `${when} rows of this key were not always kept (sampling: too many departures)`
  return `${when} rows were kept of 1 key in ${1 / least}${sampled.length > 1 ? ' or more' : ''} only (sampling: too many departures; counts are exact)`
}
