import { looksUnique, stringBytes } from './layout.ts'

/** Keys of a hash table whose lengths stand for the rest. */
const KEY_PROBES = 256

const INDEX = /^(?:0|[1-9]\d{0,9})$/

/** How many of an object's keys are indexes; they come first, ascending. */
export function countIndexes(keys: readonly PropertyKey[]): number {
  // Most objects have none.
  if (keys.length === 0 || !isIndex(keys[0] as PropertyKey)) return 0
  let count = 1
  for (let end = keys.length; count < end; ) {
    const middle = (count + end) >>> 1
    if (isIndex(keys[middle] as PropertyKey)) count = middle + 1
    else end = middle
  }
  return count
}

function isIndex(key: PropertyKey): boolean {
  if (typeof key !== 'string') return false
  const first = key.charCodeAt(0)
  return first >= 48 && first <= 57 && INDEX.test(key)
}

/**
 * Bytes of the keys from `from` on, by a sample of them, of an object whose properties are a hash table: those that look
 * as though no other object had them. All others are shared with the objects and the code that name them.
 */
export function keyBytes(keys: readonly PropertyKey[], from: number): number {
  const n = keys.length - from
  const probes = Math.min(n, KEY_PROBES)
  let bytes = 0
  for (let i = 0; i < probes; i++) {
    const key = keys[from + Math.floor((i * n) / probes)] as PropertyKey
    if (typeof key === 'string' && looksUnique(key)) bytes += stringBytes(key)
  }
  return probes === 0 ? 0 : Math.round((bytes * n) / probes)
}
