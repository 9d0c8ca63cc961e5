import { OptionError } from '../errors.ts'
import type { PolicyName } from '../settings.ts'
import { shown } from '../units.ts'
import { HeapEstimate } from './heap.ts'
import { stringBytes } from './layout.ts'
import { payloadSize } from './payload.ts'

/**
 * What an entry costs besides its key and value, in bytes, under any policy but `hybrid`: 82 in columns of the state, 8 for the
 * reference to the key, an eighth of these for room to grow (they grow by a quarter), 12 for the index (4 a bucket, two to
 * four buckets an entry), and the rest for what is made once. Checked by filling budgets with every shape
 * (test/integration/budget-growth.test.ts): growth is charged on average, so that just after it an entry costs some 12
 * bytes more, just before it some 12 less.
 */
export const ENTRY_BYTES = 128

/** What an entry costs more under `hybrid`, on average: links of its lists, ghosts, sketch and shadows. */
export const HYBRID_BYTES = 40

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

/** Bytes of an entry apart from its value: the key's string, and the entry's own by the policy under which it is stored. */
export function entryOverhead(key: string, policy: PolicyName): number {
  return ENTRY_BYTES + (policy === 'hybrid' ? HYBRID_BYTES : 0) + stringBytes(key)
}
