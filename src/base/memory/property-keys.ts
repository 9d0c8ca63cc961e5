import { stringBytes } from './layout.ts'

/** Keys of a hash table whose lengths stand for the rest. */
const KEY_PROBES = 256

const INDEX = /^(?:0|[1-9]\d{0,9})$/

/** How many of an object's keys are indexes; they come first, ascending. */
export function countIndexes(keys: readonly string[]): number {
  let count = 0
  while (count < keys.length && isIndex(keys[count] as string)) count++
  return count
}

function isIndex(key: string): boolean {
  const first = key.charCodeAt(0)
  return first >= 48 && first <= 57 && INDEX.test(key)
}

/** Bytes of the strings that are keys from `from` on, by a sample of them. */
export function keyBytes(keys: readonly string[], from: number): number {
  const n = keys.length - from
  const probes = Math.min(n, KEY_PROBES)
  let bytes = 0
  for (let i = 0; i < probes; i++) bytes += stringBytes(keys[from + Math.floor((i * n) / probes)] as string)
  return Math.round((bytes * n) / probes)
}
