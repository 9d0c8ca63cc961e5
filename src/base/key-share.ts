const BASIS = 0x811c9dc5
const PRIME = 0x01000193

/**
 * Where a key lies among all keys, 0 ≤ n < 1: whoever keeps a share of the keys keeps those that lie below it, so that
 * the keys of a smaller share are among those of a larger one. The same in every process (FNV-1a, and the avalanche of
 * MurmurHash3): what was kept can be told later.
 */
export function placeOfKey(key: string): number {
  let hash = BASIS
  for (let at = 0; at < key.length; at++) hash = Math.imul(hash ^ key.charCodeAt(at), PRIME)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32
}
