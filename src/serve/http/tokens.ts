import { createHash, timingSafeEqual } from 'node:crypto'

/** `read` may look; `admin` may also change. */
export type Role = 'read' | 'admin'

/** Somebody who may call the service. The secret itself is not kept, only its hash. */
export interface Token {
  readonly name: string
  readonly role: Role
  readonly hash: Buffer
  /** So short that it could be guessed. */
  readonly weak: boolean
}

/** Thrown when a list of tokens can't be read; its message never holds a secret. */
export class TokenListError extends Error {
  override readonly name = 'TokenListError'
}

/** Characters of a secret that nobody can guess: 96 bits where they are as random as base64 makes them. */
export const STRONG_SECRET = 16
const FORM = 'give one admin token, or a list name:role:secret,… with roles read and admin'
/** What a header can carry without encoding; commas and colons separate in lists. */
const SECRET = /^[\x21-\x2b\x2d-\x39\x3b-\x7e]+$/

/**
 * One admin token, or a list `name:role:secret,…`.
 *
 * @throws {TokenListError} saying which entry is wrong, and never its secret.
 */
export function parseTokens(text: string): readonly Token[] {
  if (!text.includes(':') && !text.includes(',')) {
    if (!SECRET.test(text)) throw new TokenListError(`it is empty or has characters that a header can't carry; ${FORM}`)
    return [token('admin', 'admin', text)]
  }
  const tokens = text.split(',').map((entry, index) => parseEntry(entry.trim(), index + 1))
  tokens.forEach(({ name, hash }, index) => {
    const same = tokens.findIndex((other) => other.name === name || other.hash.equals(hash))
    if (same < index) throw new TokenListError(`entries ${same + 1} and ${index + 1} share a name or a secret`)
  })
  return tokens
}

function parseEntry(entry: string, number: number): Token {
  const [name = '', role = '', secret = '', ...more] = entry.split(':')
  const wrong = (problem: string) => new TokenListError(`entry ${number} ${problem}; ${FORM}`)
  if (more.length > 0) throw wrong('has more than name, role and secret (a secret holds no colon and no comma)')
  if (!/^[\w.-]{1,64}$/.test(name)) throw wrong('has no name of up to 64 letters, digits, dots, dashes and underscores')
  if (role !== 'read' && role !== 'admin') throw wrong('has no role read or admin')
  if (!SECRET.test(secret)) throw wrong("has no secret, or one with characters that a header can't carry")
  return token(name, role, secret)
}

function token(name: string, role: Role, secret: string): Token {
  return { name, role, hash: hashed(secret), weak: secret.length < STRONG_SECRET }
}

/**
 * Whose secret it is, or `null`. Hashes are of one length, every one is compared and each in constant time, so that
 * the time taken says nothing about a secret.
 */
export function findToken(tokens: readonly Token[], secret: string): Token | null {
  const hash = hashed(secret)
  let found: Token | null = null
  for (const known of tokens) {
    if (timingSafeEqual(known.hash, hash)) found = known
  }
  return found
}

function hashed(secret: string): Buffer {
  return createHash('sha256').update(secret).digest()
}
