// Zipf 0.99 over string keys, ranks scattered over key numbers, from a fixed seed.

function random(seed) {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

export function makeKeys(count) {
  return Array.from({ length: count }, (_, i) => `key:${i}`)
}

/** `length` key numbers drawn from Zipf(0.99) over `count` keys. */
export function zipf(count, length, seed = 1) {
  const next = random(seed)
  const cumulative = new Float64Array(count)
  let sum = 0
  for (let rank = 0; rank < count; rank++) {
    sum += 1 / (rank + 1) ** 0.99
    cumulative[rank] = sum
  }
  const scattered = Uint32Array.from({ length: count }, (_, i) => i)
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(next() * (i + 1))
    const held = scattered[i]
    scattered[i] = scattered[j]
    scattered[j] = held
  }
  return Uint32Array.from({ length }, () => {
    const target = next() * sum
    let low = 0
    let high = count - 1
    while (low < high) {
      const middle = (low + high) >> 1
      if (cumulative[middle] < target) low = middle + 1
      else high = middle
    }
    return scattered[low]
  })
}
