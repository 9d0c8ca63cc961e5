import { OptionError } from '../errors.ts'
import { shown } from '../units.ts'
import { HeapEstimate } from './heap.ts'
import { stringBytes } from './layout.ts'
import { payloadSize } from './payload.ts'

/**
 * What an entry costs besides its key and value, in bytes, with the default policy: 68 in columns of the state (hash 4,
 * size, expiry, stored, used, seq, hits and uses 8 each, two links 4 each), 2 for `hybrid`'s frequency and segment, 8 for
 * the reference to the key, an eighth of these 78 for room to grow, and 24 for the index (pairs of 8 bytes, a quarter to
 * half full), 16 of ghosts and sketch.
 */
export const ENTRY_BYTES = 128

const shared = new HeapEstimate()

/**
 * Bytes of a value, its key and entry not included: `'heap'` what it costs the process (with the reference that holds it),
 * `'payload'` what the reference's `EstimateItemSize` says. No value makes it throw.
 */
export function estimateSize(value: unknown, sizing: 'heap' | 'payload' = 'heap'): number {
  if (sizing === 'payload') return payloadSize(value)
  if (sizing !== 'heap') throw new OptionError('sizing', `${shown(sizing)} is neither 'heap' nor 'payload'`)
  shared.measure(value)
  return shared.size
}

/** Bytes of an entry apart from its value: the key's string and `ENTRY_BYTES`. */
export function entryOverhead(key: string): number {
  return ENTRY_BYTES + stringBytes(key)
}
