import { createHmac } from 'node:crypto'
import { prefixLength } from './prefix.ts'

/**
 * What stays. `prefix`: what stands before a key's first `:` or `/`, and prefixes that stand alone. `whole`: only the
 * latter, where the user has a rule of their own for them: what the default one would leave of a key says too much then.
 * `all`: nothing.
 */
export type RedactionScope = 'prefix' | 'whole' | 'all'

const SCOPES: readonly RedactionScope[] = ['prefix', 'whole', 'all']

/** How keys are hashed; may travel to the writer's thread. */
export interface RedactionSettings {
  readonly scope: RedactionScope
  readonly secret: string
}

/** Hashes remembered: the runner-up of one eviction is mostly the victim of the next. */
const REMEMBERED = 8192
/** Longer keys are not remembered, so that what is takes some megabytes at most. */
const LONGEST_REMEMBERED = 256
/** Of the 43 characters of a hash: the chance that two of 2^40 keys share 132 bits is 2^-53. */
const KEY_LENGTH = 22
const PREFIX_LENGTH = 11
const FINGERPRINT_LENGTH = 12

/**
 * Keys as they may leave the process: `user:42` is `user:~` and the first 22 characters of its HMAC-SHA256 in base64url. The
 * same key always gives the same text, so that a known key is found again, and nobody reads one that they don't know.
 */
export class Redaction {
  /** Not to be seen where the object is printed. */
  readonly #settings: RedactionSettings
  /** Tells secrets apart without telling anything of them. */
  readonly fingerprint: string
  private readonly remembered = new Map<string, string>()
  private readonly prefixes = new Map<string, string>()

  constructor(settings: RedactionSettings) {
    this.#settings = settings
    this.fingerprint = fingerprintOf(settings.secret)
  }

  get scope(): RedactionScope {
    return this.#settings.scope
  }

  get secret(): string {
    return this.#settings.secret
  }

  /** A key, or what is made of keys (a tag). */
  key(key: string): string {
    return remembering(this.remembered, key, this.hashed)
  }

  /** A prefix as it stands alone, by whichever rule. */
  prefix(prefix: string): string {
    if (prefix === '' || this.#settings.scope !== 'all') return prefix
    return remembering(this.prefixes, prefix, this.hashedPrefix)
  }

  private readonly hashedPrefix = (prefix: string): string => `~${hash(this.#settings.secret, prefix, PREFIX_LENGTH)}`

  private readonly hashed = (key: string): string => {
    const { secret, scope } = this.#settings
    const length = scope === 'whole' ? 0 : prefixLength(key)
    const prefix = length === 0 ? '' : this.prefix(key.slice(0, length)) + key.charAt(length)
    return `${prefix}~${hash(secret, key, KEY_LENGTH)}`
  }
}

/** What `make` gives for a text, from the last few thousand where it is among them. */
function remembering(known: Map<string, string>, text: string, make: (text: string) => string): string {
  const found = known.get(text)
  if (found !== undefined) return found
  const made = make(text)
  if (text.length > LONGEST_REMEMBERED) return made
  if (known.size >= REMEMBERED) known.delete(known.keys().next().value as string)
  known.set(text, made)
  return made
}

/** Every text under which a log may have a key: itself where it is not hashed, and hashed in each of the ways. */
export function storedKeys(key: string, secret: string | null): readonly string[] {
  return [key, ...(secret === null ? [] : SCOPES.map((scope) => new Redaction({ scope, secret }).key(key)))]
}

/** As `storedKeys`, for texts that keys may begin with: hashed, of a key all that is left to begin with is its prefix. */
export function storedPrefixes(prefix: string, secret: string | null): readonly string[] {
  const length = prefixLength(prefix)
  if (secret === null || length === 0 || length + 1 < prefix.length) return [prefix]
  return [prefix, new Redaction({ scope: 'all', secret }).prefix(prefix.slice(0, length)) + prefix.slice(length)]
}

/** What a file says about the secret of a run: enough to know it again. */
export function fingerprintOf(secret: string): string {
  return hash(secret, 'muninn: which secret this is', FINGERPRINT_LENGTH)
}

function hash(secret: string, text: string, length: number): string {
  return createHmac('sha256', secret).update(text).digest('base64url').slice(0, length)
}
