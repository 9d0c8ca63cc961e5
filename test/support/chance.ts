/** Repeatable chance: integers from 0 to below `n`, the same for the same seed (a linear congruential generator). */
export function chance(seed: number): (n: number) => number {
  let state = seed >>> 0
  return (n) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    // The lower bits of such a generator repeat soon.
    return Math.floor((state / 2 ** 32) * n)
  }
}
