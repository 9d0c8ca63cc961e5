/** Longest key that is hashed whole on the hot path; a longer one by its ends and a sample of its middle. */
const WHOLE = 32
const HEAD = 8
const TAIL = 16
const SAMPLES = 8

/** Multiplier and final avalanche of MurmurHash3 (Appleby, 2011). */
const MULTIPLIER = 0xcc9e2d51 | 0
/** Another odd one, of the same, for the second hash. */
const SECOND_MULTIPLIER = 0x1b873593

/**
 * Two seeded 32-bit hashes of a key in one pass over its characters, some 1 ns each: to read a character is what costs.
 * One finds the key in an index, both together stand for it where it is remembered without its text.
 */
export class KeyHasher {
  private readonly seed: number
  /** The second hash of the key that was hashed last, if it has at most 32 characters. */
  private second = 0

  constructor(seed: number) {
    this.seed = seed
  }

  /**
   * Above 32 characters it reads 32: the first 8, the last 16 and 8 spread between, so that its cost is bounded; keys
   * that differ only elsewhere collide, which `KeyIndex` notices and cures.
   */
  hash(key: string): number {
    const { length } = key
    if (length > WHOLE) return hashSample(key, this.seed)
    let first = this.seed ^ length
    let second = this.seed
    let at = 0
    for (; at + 1 < length; at += 2) {
      const pair = key.charCodeAt(at) | (key.charCodeAt(at + 1) << 16)
      first = Math.imul(first ^ pair, MULTIPLIER)
      first ^= first >>> 15
      second = Math.imul(second ^ pair, SECOND_MULTIPLIER)
      second ^= second >>> 13
    }
    if (at < length) {
      const last = key.charCodeAt(at)
      first = Math.imul(first ^ last, MULTIPLIER)
      first ^= first >>> 15
      second = Math.imul(second ^ last, SECOND_MULTIPLIER)
    }
    this.second = second
    return avalanche(first)
  }

  /** The second hash of the key that was hashed last; of every character, whatever its length. */
  checkOf(key: string): number {
    return key.length <= WHOLE ? this.second : hashWholeKey(key, ~this.seed)
  }
}

/** 32-bit seeded hash of every character of a key. */
export function hashWholeKey(key: string, seed: number): number {
  return avalanche(absorb(seed ^ key.length, key, 0, key.length))
}

/** A function of its own, so that V8 has room to inline the rest of an operation beside the hash of a short key. */
function hashSample(key: string, seed: number): number {
  const { length } = key
  let hash = absorb(seed ^ length, key, 0, HEAD)
  const stride = (length - HEAD - TAIL) / SAMPLES
  for (let sample = 0; sample < SAMPLES; sample++) {
    hash = Math.imul(hash ^ key.charCodeAt(HEAD + Math.floor(sample * stride)), MULTIPLIER)
    hash ^= hash >>> 15
  }
  return avalanche(absorb(hash, key, length - TAIL, length))
}

/** Spreads all 32 bits of a number over all 32. */
export function avalanche(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return mixed ^ (mixed >>> 16)
}

/** Two characters a step: a multiplication is what a step costs. */
function absorb(start: number, key: string, from: number, to: number): number {
  let hash = start
  let at = from
  for (; at + 1 < to; at += 2) {
    hash = Math.imul(hash ^ (key.charCodeAt(at) | (key.charCodeAt(at + 1) << 16)), MULTIPLIER)
    hash ^= hash >>> 15
  }
  if (at < to) {
    hash = Math.imul(hash ^ key.charCodeAt(at), MULTIPLIER)
    hash ^= hash >>> 15
  }
  return hash
}
