import { InvalidEntryError } from '../base/errors.ts'
import { type DurationText, parseDuration, shown } from '../base/units.ts'

/** What a store may say besides key and value. */
export interface SetOptions {
  /** Time to live, in ms or text such as `'5m'`; above 0, `Infinity` for none. Default: the cache's own. */
  ttl?: DurationText
  /** The whole charge in bytes, an integer ≥ 0, instead of an estimate. */
  size?: number
  /** What a miss costs, in a unit of the caller's choice; a number ≥ 0. Not stated: 0, of a loaded value the loader's ms. */
  cost?: number
  /** Kept, shown and recorded; nothing is deleted by tag yet. */
  tags?: readonly string[]
  /** Who stores it; `withActor` says it for all calls inside. */
  actor?: string
}

const LONGEST_KEY = 64 * 1024
/** No key of at most this many UTF-16 code units, each of 3 bytes of UTF-8 at most, is too long. */
const SURELY_SHORT = Math.floor(LONGEST_KEY / 3)

/** @throws {InvalidEntryError} (a `TypeError`) unless it is a string of at most 64 KiB of UTF-8. */
export function checkKey(key: unknown): asserts key is string {
  if (typeof key !== 'string' || key.length > SURELY_SHORT) checkUnusualKey(key)
}

function checkUnusualKey(key: unknown): void {
  if (typeof key !== 'string') throw new InvalidEntryError('ERR_MUNINN_KEY', `a key is a string, not ${typeof key}`)
  const bytes = key.length > LONGEST_KEY ? key.length : Buffer.byteLength(key)
  if (bytes > LONGEST_KEY) {
    throw new InvalidEntryError(
      'ERR_MUNINN_KEY',
      `a key of ${bytes} bytes or more is too long: at most ${LONGEST_KEY} bytes`,
    )
  }
}

/** @throws {InvalidEntryError} for `undefined`, which is how a miss looks. */
export function checkValue(value: unknown): void {
  if (value === undefined)
    throw new InvalidEntryError('ERR_MUNINN_VALUE', 'undefined is not a value: it is what a miss returns; store null')
}

/** @throws {InvalidEntryError} for what `structuredClone` refuses: functions, proxies, symbols, getters that throw. */
export function cloneOf<V>(value: V): V {
  try {
    return structuredClone(value)
  } catch (error) {
    throw new InvalidEntryError(
      'ERR_MUNINN_VALUE',
      'the value cannot be cloned, and clone is on: store what structuredClone takes, or switch clone off; nothing was stored',
      { cause: error },
    )
  }
}

/** @throws {InvalidEntryError} unless it is an integer ≥ 0. */
export function checkSize(size: unknown, what: string): asserts size is number {
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
    throw new InvalidEntryError('ERR_MUNINN_SIZE', `${what} ${shown(size)} is not a number of bytes: an integer ≥ 0`)
  }
}

/** @throws {InvalidEntryError} unless it is above 0; whole milliseconds, rounded up. */
export function checkTtl(ttl: DurationText): number {
  if (typeof ttl === 'number' && ttl > 0) return Math.ceil(ttl)
  const ms = typeof ttl === 'string' ? parsedTtl(ttl) : Number.NaN
  if (!(ms > 0)) {
    throw new InvalidEntryError(
      'ERR_MUNINN_TTL',
      `ttl ${shown(ttl)} is not a time to live: milliseconds above 0, text such as '5m', or Infinity`,
    )
  }
  return Math.ceil(ms)
}

/** All options of a store at once, for calls that do something else before they store. */
export function checkSetOptions(options: SetOptions): void {
  checkOptions(options)
  const { ttl, size, cost, tags, actor } = options
  checkAnnotations(cost, tags, actor)
  if (ttl !== undefined) checkTtl(ttl)
  if (size !== undefined) checkSize(size, 'size')
}

/** @throws {InvalidEntryError} unless it is a function. */
export function checkFunction(value: unknown, name: string): void {
  if (typeof value !== 'function')
    throw new InvalidEntryError('ERR_MUNINN_VALUE', `${name} ${shown(value)} is not a function`)
}

function parsedTtl(ttl: string): number {
  try {
    return parseDuration(ttl, 'ttl')
  } catch {
    return Number.NaN
  }
}

/** @throws {InvalidEntryError} for options that are none. */
export function checkOptions(options: object): void {
  if (typeof options !== 'object' || options === null) {
    throw new InvalidEntryError('ERR_MUNINN_VALUE', `${shown(options)} is not an object of options`)
  }
}

/** The actor that the options of a call name. */
export function actorIn(options: { actor?: string }): string | undefined {
  checkOptions(options)
  const { actor } = options
  checkAnnotations(undefined, undefined, actor)
  return actor
}

/** @throws {InvalidEntryError} for a cost below 0, tags that aren't strings, or an actor that isn't one. */
export function checkAnnotations(cost: unknown, tags: unknown, actor: unknown): void {
  if (cost !== undefined && !(typeof cost === 'number' && cost >= 0 && cost < Number.POSITIVE_INFINITY)) {
    throw new InvalidEntryError('ERR_MUNINN_VALUE', `cost ${shown(cost)} is not a finite number ≥ 0`)
  }
  if (tags !== undefined && !(Array.isArray(tags) && tags.every((tag) => typeof tag === 'string'))) {
    throw new InvalidEntryError('ERR_MUNINN_VALUE', `tags ${shown(tags)} are not an array of strings`)
  }
  if (actor !== undefined && typeof actor !== 'string') {
    throw new InvalidEntryError('ERR_MUNINN_VALUE', `actor ${shown(actor)} is not a string`)
  }
}
