/* Figures as an operator reads them. */

const UNITS = ['bytes', 'KB', 'MB', 'GB', 'TB'] as const

/** '12.3 MB'; each unit is 1024 of the last. */
export function bytesInWords(bytes: number): string {
  if (bytes === Number.POSITIVE_INFINITY) return 'unlimited'
  let unit = 0
  let value = bytes
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024
    unit++
  }
  return `${unit === 0 ? value : Number(value.toFixed(1))} ${bytes === 1 ? 'byte' : UNITS[unit]}`
}

/** '3 m 20 s', in the two largest units. */
export function durationInWords(ms: number): string {
  if (Math.round(ms) < 1000) return `${Math.round(ms)} ms`
  const seconds = Math.round(ms / 1000)
  const parts = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'm'],
    [seconds % 60, 's'],
  ] as const
  const first = parts.findIndex(([count]) => count > 0)
  return parts
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count} ${unit}`)
    .join(' ')
}

/** ISO 8601, UTC. */
export function timeInWords(at: number): string {
  return new Date(at).toISOString()
}

/** '1 hit', '1,204 hits'. */
export function countInWords(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString('en')} ${count === 1 ? one : many}`
}

/** A key in quotes, cut where it is long. */
export function quoted(key: string): string {
  return JSON.stringify(key.length > 120 ? `${key.slice(0, 119)}…` : key)
}

/** '12 %' of a share; below a tenth with a decimal. */
export function percentInWords(share: number): string {
  const percent = share * 100
  return `${percent !== 0 && Math.abs(percent) < 9.95 ? Number(percent.toFixed(1)) : Math.round(percent)} %`
}
