import { createHash, timingSafeEqual } from 'node:crypto'

/** `read` may look; `admin` may also change. */
export type Role = 'read' | 'admin'

/** Somebody who may call the service. The secret itself is not kept, only its hash. */
export interface Token {
  readonly name: string
  readonly role: Role
  readonly hash: Buffer
}

/** Thrown when a list of tokens can't be read; its message never holds a secret. */
export class TokenListError extends Error {
  override readonly name = 'TokenListError'
}

/** Characters at least of a secret: 96 bits where they are as random as base64 makes them, more than anybody can try. */
const SHORTEST_SECRET = 16
const TOO_SHORT = `shorter than ${SHORTEST_SECRET} characters, and could be guessed: make one with openssl rand -base64 24`
const FORM = 'give one admin token, or a list name:role:secret,… with roles read and admin'
/** What a header can carry without encoding; commas and colons separate in lists. */
const SECRET = /^[\x21-\x2b\x2d-\x39\x3b-\x7e]+$/

/**
 * One admin token, or a list `name:role:secret,…`; each secret of 16 characters or more.
 *
 * @throws {TokenListError} saying which entry is wrong, and never its secret.
 */
export function parseTokens(text: string): readonly Token[] {
  if (!text.includes(':') && !text.includes(',')) {
    if (!SECRET.test(text)) throw new TokenListError(`it is empty or has characters that a header can't carry; ${FORM}`)
    if (text.length < SHORTEST_SECRET) throw new TokenListError(`it is ${TOO_SHORT}`)
    return [{ name: 'admin', role: 'admin', hash: hashed(text) }]
  }
  const tokens = text.split(',').map((entry, index) => parseEntry(entry.trim(), index + 1))
  tokens.forEach((token, index) => {
    const same = tokens.findIndex((other) => other.name === token.name || other.hash.equals(token.hash))
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
  if (secret.length < SHORTEST_SECRET) throw wrong(`has a secret ${TOO_SHORT}`)
  return { name, role, hash: hashed(secret) }
}

/**
 * Whose secret it is, or `null`. Hashes are of one length, every one is compared and each in constant time, so that
 * the time taken says nothing about a secret.
 */
export function findToken(tokens: readonly Token[], secret: string): Token | null {
  const hash = hashed(secret)
  let found: Token | null = null
  for (const token of tokens) {
    if (timingSafeEqual(token.hash, hash)) found = token
  }
  return found
}

function hashed(secret: string): Buffer {
  return createHash('sha256').update(secret).digest()
}
