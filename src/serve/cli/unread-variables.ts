import { CACHE_ITEMS, type Environment, VARIABLE_NAMES } from '../../base/environment.ts'
import { SERVICE_VARIABLE_NAMES } from '../environment.ts'

const KNOWN = [...VARIABLE_NAMES, ...SERVICE_VARIABLE_NAMES]
const NAME = /^(CACHE|MUNINN)_(.+)$/
/** What Kubernetes sets in every container beside a Service called muninn or cache. */
const SERVICE_LINK = /_(SERVICE_(HOST|PORT)(_.+)?|PORT_\d+_(TCP|UDP|SCTP)(_.+)?)$/
const CACHE_SUFFIX = '_MAX_ITEMS'
/** What the other prefix counts as, in wrong characters: `CACHE_HOST` is some other program's, `MUNINN_MAX_ITEMS` nobody's. */
const OTHER_PREFIX = 3
/** Wrong characters at most in `_MAX_ITEMS` behind a cache's name, which may be any. */
const MOST_IN_SUFFIX = 3

/** A variable that looks as if it were Muninn's, and is not read. */
export interface UnreadVariable {
  readonly variable: string
  /** What may have been meant. */
  readonly nearest: string | null
}

/** Variables whose names nobody reads: all `MUNINN_…`, and those `CACHE_…`, anybody's prefix, that are nearly one of ours. */
export async function unreadVariables(env: Environment): Promise<readonly UnreadVariable[]> {
  const unread = Object.keys(env).filter(
    (name) => NAME.test(name) && !KNOWN.includes(name) && !CACHE_ITEMS.test(name) && !SERVICE_LINK.test(name),
  )
  if (unread.length === 0) return []
  const { default: distance } = await import('leven')
  return unread
    .map((variable) => ({ variable, nearest: nearest(variable, distance) }))
    .filter(({ variable, nearest }) => nearest !== null || variable.startsWith('MUNINN_'))
}

function nearest(variable: string, distance: (a: string, b: string) => number): string | null {
  const [, prefix, rest = ''] = NAME.exec(variable) ?? []
  let least = Math.floor(rest.length / 2)
  let found: string | null = null
  for (const known of KNOWN) {
    const [, knownPrefix, knownRest = ''] = NAME.exec(known) ?? []
    const wrong = distance(rest, knownRest) + (prefix === knownPrefix ? 0 : OTHER_PREFIX)
    if (wrong > least || (wrong === least && found !== null)) continue
    least = wrong
    found = known
  }
  for (let end = rest.length - CACHE_SUFFIX.length - MOST_IN_SUFFIX; prefix === 'CACHE' && end < rest.length; end++) {
    const wrong = distance(rest.slice(Math.max(end, 1)), CACHE_SUFFIX)
    if (end < 1 || wrong > MOST_IN_SUFFIX || wrong >= least) continue
    least = wrong
    found = `CACHE_${rest.slice(0, end)}${CACHE_SUFFIX}`
  }
  return found
}
