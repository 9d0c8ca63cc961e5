/* Bytes by which this process grows for each copy of a shape. Needs `--expose-gc`. */

/** Bytes of the copies of each shape: so many that what else the process allocates is no percent of them. */
const ENOUGH = 8 * 1024 ** 2

export function used() {
  // As in a process that goes on: only these drop what is left of a string that was concatenated and then flattened.
  globalThis.gc({ type: 'minor' })
  globalThis.gc()
  globalThis.gc()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

/**
 * Bytes of one copy, the median of a few measurements, and what `estimate` says of it, on average. Each copy is estimated,
 * as it is when it is stored: that flattens strings that were concatenated.
 */
export function measure(make, estimate, rounds) {
  // Until constructors know their fields, and the code is compiled.
  for (let i = 0; i < 300; i++) make(i)
  const copies = Math.min(50_000, Math.max(20, Math.ceil(ENOUGH / Math.max(1, estimate(make(0))))))
  let estimated = 0
  const measured = Array.from({ length: rounds }, () => {
    const kept = new Array(copies).fill(null)
    const before = used()
    for (let i = 0; i < copies; i++) {
      const value = make(i)
      estimated += estimate(value)
      kept[i] = value
    }
    const after = used()
    return (after - before) / kept.length
  })
  return { real: measured.sort((a, b) => a - b)[rounds >> 1], estimated: estimated / copies / rounds }
}
