import { prefixLength } from '../base/prefix.ts'

/** Prefixes followed at once. */
const COUNTERS = 32
const COLON = 58
const SLASH = 47

/** Bytes by prefix, as counted so far; each too high by at most its `error`. */
export interface WriterCount {
  readonly prefix: string
  readonly bytes: number
  readonly error: number
}

/**
 * Which key prefixes most bytes were stored under: Space-Saving (Metwally, Agrawal & El Abbadi, 2005) with 32 counters.
 * Any prefix with more than 1/32 of all bytes is among them; a count is too high by at most its `error`.
 */
export class TopWriters {
  private readonly prefixes: string[] = []
  private readonly bytes = new Float64Array(COUNTERS)
  private readonly errors = new Float64Array(COUNTERS)
  /** Counter that matched last, and its prefix's UTF-16 code units: stores come in runs of one prefix. */
  private recent = 0
  private recentUnits = new Uint16Array(0)

  /** @param prefix from the user's own rule, or `null` for the default one. */
  add(key: string, prefix: string | null, size: number): void {
    if (prefix !== null || !this.isRecent(key)) this.turnTo(prefix ?? key, prefix?.length ?? prefixLength(key))
    this.bytes[this.recent] = (this.bytes[this.recent] as number) + size
  }

  /** The counts, largest first. */
  counts(): WriterCount[] {
    return this.prefixes
      .map((prefix, i) => ({ prefix, bytes: this.bytes[i] as number, error: this.errors[i] as number }))
      .sort((a, b) => b.bytes - a.bytes)
  }

  /** Whether the key has the prefix that matched last: by hand, since `startsWith` alone takes 10 ns. */
  private isRecent(key: string): boolean {
    const units = this.recentUnits
    const { length } = units
    if (length === 0 || length >= key.length) return false
    const next = key.charCodeAt(length)
    if (next !== COLON && next !== SLASH) return false
    for (let at = 0; at < length; at++) if (key.charCodeAt(at) !== units[at]) return false
    return true
  }

  private turnTo(text: string, length: number): void {
    const before = this.prefixes[this.recent]
    this.recent = this.find(text, length)
    const prefix = this.prefixes[this.recent] as string
    if (prefix !== before)
      this.recentUnits = Uint16Array.from({ length: prefix.length }, (_, at) => prefix.charCodeAt(at))
  }

  private matches(counter: number, text: string, length: number): boolean {
    const prefix = this.prefixes[counter]
    return prefix !== undefined && prefix.length === length && text.startsWith(prefix)
  }

  private find(text: string, length: number): number {
    for (let i = 0; i < this.prefixes.length; i++) if (this.matches(i, text, length)) return i
    const prefix = text.slice(0, length)
    if (this.prefixes.length < COUNTERS) return this.prefixes.push(prefix) - 1
    let least = 0
    for (let i = 1; i < COUNTERS; i++) if ((this.bytes[i] as number) < (this.bytes[least] as number)) least = i
    this.prefixes[least] = prefix
    this.errors[least] = this.bytes[least] as number
    return least
  }
}
