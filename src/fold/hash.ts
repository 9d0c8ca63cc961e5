/** Longest key that is hashed whole on the hot path; a longer one by its ends and a sample of its middle. */
const WHOLE = 32
const HEAD = 8
const TAIL = 16
const SAMPLES = 8

/** Multiplier and final avalanche of MurmurHash3 (Appleby, 2011). */
const MULTIPLIER = 0xcc9e2d51 | 0

/**
 * 32-bit seeded hash of a key, some 1 ns a character. Above 32 characters it reads 32: the first 8, the last 16 and 8
 * spread between, so that its cost is bounded; keys that differ only elsewhere collide, which `KeyIndex` notices and cures.
 */
export function hashKey(key: string, seed: number): number {
  return key.length <= WHOLE ? hashWholeKey(key, seed) : hashSample(key, seed)
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
