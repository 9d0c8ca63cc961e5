/** Under which prefixes stand that the audit log's counts don't tell apart. */
export const OTHERS = '*'

const LONGEST_PREFIX = 64
const COLON = 58
const SLASH = 47

/** Length of a key's prefix: what stands before the first `:` or `/`, at most 64 characters; 0 where there is none. */
export function prefixLength(key: string): number {
  const end = Math.min(key.length, LONGEST_PREFIX + 1)
  for (let at = 0; at < end; at++) {
    const code = key.charCodeAt(at)
    if (code === COLON || code === SLASH) return at
  }
  return 0
}

/** A key's prefix by the default rule; `''` where it has none. */
export function prefixOf(key: string): string {
  return key.slice(0, prefixLength(key))
}

/** A user's own rule in place of the default one. */
export type PrefixRule = (key: string) => string

/** The rule, so that it gives text of at most 64 characters whatever it does; what it throws goes to `failed`. */
export function guardedRule(rule: PrefixRule, failed: (error: unknown) => void): PrefixRule {
  return (key) => {
    try {
      return String(rule(key)).slice(0, LONGEST_PREFIX)
    } catch (error) {
      failed(error)
      return ''
    }
  }
}
