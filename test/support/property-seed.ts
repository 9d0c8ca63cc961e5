/** A property's seed: the same by day, so that nothing fails by chance; another each night, which is said. */
export function propertySeed(byDay: number): number {
  if (process.env.MUNINN_NIGHT !== '1') return byDay
  const seed = Math.floor(Math.random() * 2 ** 31)
  process.stderr.write(`the seed of tonight: ${seed} (by day: ${byDay})\n`)
  return seed
}
