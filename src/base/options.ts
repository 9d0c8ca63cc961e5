import type { AuditOptions, AuditSettings } from './audit-options.ts'
import { resolveAudit } from './audit-options.ts'
import type { Clock } from './clock.ts'
import { OptionError } from './errors.ts'
import type { Logger } from './logger.ts'
import type { MemoryAllowance } from './memory/allowance.ts'
import { checkNames } from './option-names.ts'
import { type RedactOptions, resolveRedaction } from './redact-options.ts'
import type { RedactionSettings } from './redaction.ts'
import { type CacheSettings, OPTIMIZES, type Optimize, POLICIES, type PolicyName, type Settings } from './settings.ts'
import { resolveShadows, type ShadowOptions, type ShadowSettings } from './shadow-options.ts'
import { type ByteText, type DurationText, parseBytes, parseDuration, shown, shownBytes } from './units.ts'

/** Bytes of one entry, given by the user; an integer ≥ 0. */
export type SizeFunction = (value: unknown, key: string) => number

/** Options of one named cache; each defaults to none. */
export interface CacheOptions {
  /** Items of its own, besides the limit over all caches. */
  maxItems?: number
  /** Bytes of its own, text such as `'64MB'`, or a share such as `'10%'` of what this process may use. */
  maxMemory?: ByteText
  /** Time to live of its entries, in ms or text such as `'5m'`; `Infinity` for none. */
  ttl?: DurationText
}

export interface MemoryManagerOptions extends RedactOptions {
  /**
   * The memory budget: bytes, text such as `'512MB'`, or a share such as `'25%'` of what this process may use.
   * Left out: `memoryPercent` of it, clamped to 100 MiB (but never lifted above half of it) .. 2 GiB.
   */
  maxMemory?: ByteText
  /** Share of what this process may use, in percent (0–100, above 0); only where `maxMemory` is left out. Default 25. */
  memoryPercent?: number
  /**
   * The heap budget: bytes of the V8 heap that entries may take, Buffers' memory aside. Left out: the share that
   * `maxMemory` states, of the heap limit; else where `maxMemory` states bytes that many, at most half of the heap limit.
   * Bytes, text, or a share of the heap limit.
   */
  maxHeap?: ByteText
  /** Items over all caches. Default 1000; `Infinity` lifts it. */
  maxItems?: number
  /** Named caches at most. Default 1000. */
  maxCaches?: number
  /** Usage (0–0.9) from which the level is `warning`. Default 0.8. */
  memoryThreshold?: number
  /** Usage (0–1) at which an eviction cycle starts; 1 switches cycles off. Default 0.9. */
  evictionThreshold?: number
  /** Usage that a cycle evicts down to; below `evictionThreshold`. Default 8/9 of it. */
  evictionTarget?: number
  /** Default `'hybrid'`. */
  policy?: PolicyName
  /** What `hybrid` makes as many as possible of where bytes bind: hits, bytes hit, or `cost` saved. Default `'hits'`. */
  optimize?: Optimize
  /** What an add does at a limit. Default `'evict'`. */
  onFull?: 'evict' | 'reject'
  /** Between periodic checks, in ms or text; 0 switches them off. Default 30 s. */
  checkInterval?: DurationText
  /** How sizes are found where `set` states none. Default `'heap'`. */
  sizing?: 'heap' | 'payload' | SizeFunction
  caches?: Readonly<Record<string, CacheOptions>>
  /** The audit log: a path, or options. Default `false`. */
  audit?: string | AuditOptions | false
  /**
   * Whether the process is watched, so that the caches give memory back when it runs short (`docs/budgets.md`). Default
   * `true`.
   */
  pressure?: boolean
  /**
   * Whether a `structuredClone` is stored, so that the writer can't change it afterwards; what `get` returns is the stored
   * one, which a reader can change. Values that can't be cloned are refused. Default `false`.
   */
  clone?: boolean
  /**
   * Entries that each check sizes again, since their values may have changed (`remeasured`); an integer from 0 to 1,000.
   * Mostly a µs each, at most a ms. Default 0: none.
   */
  remeasure?: number
  /** pino, or any logger of its shape. Default `false`. */
  logger?: Logger | false
  /** The prefix by which stores are attributed. Default: what stands before the first `:` or `/`, at most 64 characters. */
  prefix?: (key: string) => string
  /** Policies and limits to be tried beside the live ones, on a sample of the keys: `stats().shadows`. Default none. */
  shadow?: readonly (PolicyName | ShadowOptions)[]
  /** For tests: milliseconds since the epoch. */
  clock?: Clock
  /** Seed of all randomness in decisions; an integer from 0 to 2^32 − 1. Default: random. */
  seed?: number
}

/** What was stated, and how: what is derived, or a share, follows what it is derived from. */
export interface Stated {
  readonly evictionTarget: boolean
  readonly memory: MemoryLimits
  /** Of the caches that were given a share of what the process may use: that share. */
  readonly cacheShares: Readonly<Record<string, number>>
}

/** The limits in bytes as they were given. */
export type MemoryLimits = Pick<MemoryManagerOptions, 'maxMemory' | 'memoryPercent' | 'maxHeap'>

/** Options, validated and resolved; nothing is allocated before they all are. */
export interface ResolvedOptions {
  readonly settings: Settings
  /** Whether the caller stated `maxMemory`, and more than the process may use. */
  readonly overcommitted: boolean
  /** What was stated, and so doesn't follow when that changes which it would be derived from. */
  readonly stated: Stated
  readonly sizing: 'heap' | 'payload' | SizeFunction
  readonly audit: AuditSettings | null
  readonly logger: Logger | false
  /** Whether the process is watched. */
  readonly pressure: boolean
  readonly clone: boolean
  readonly remeasure: number
  readonly prefix: ((key: string) => string) | null
  /** How keys are hashed where they leave the process; `null`: they aren't. */
  readonly redaction: RedactionSettings | null
  readonly shadow: readonly ShadowSettings[]
  readonly clock: Clock | null
  readonly seed: number | null
}

const MIB = 1024 ** 2

/**
 * Validates all options at once and resolves their defaults.
 *
 * @throws {OptionError} naming the option, what was wrong with it and what is allowed.
 */
export function resolveOptions(
  options: MemoryManagerOptions,
  allowance: Pick<MemoryAllowance, 'bytes' | 'heapLimit'>,
): ResolvedOptions {
  if (typeof options !== 'object' || options === null) {
    throw new OptionError('options', `${shown(options)} is not an object of options`)
  }
  checkNames(options, Object.keys(KNOWN_OPTIONS))
  const memory = resolveMemory(options, allowance)
  // A default is for what was left out; `null` is a value, and mostly a wrong one.
  const {
    maxItems = 1000,
    maxCaches: maxCachesAsked = 1000,
    memoryThreshold = 0.8,
    policy = 'hybrid',
    optimize = 'hits',
    onFull = 'evict',
    checkInterval = 30_000,
    sizing = 'heap',
    caches = {},
    logger = false,
    audit = false,
    pressure = true,
    clone = false,
    remeasure = 0,
  } = options
  const evictionThreshold = share(
    options.evictionThreshold === undefined ? 0.9 : options.evictionThreshold,
    'evictionThreshold',
    1,
  )
  if (sizing !== 'heap' && sizing !== 'payload' && typeof sizing !== 'function') {
    throw new OptionError('sizing', `${shown(sizing)} is none of 'heap', 'payload' or a function (value, key) => bytes`)
  }
  if (logger !== false && !isLogger(logger)) {
    throw new OptionError('logger', 'needs the methods debug, info, warn and error, as pino has, or be false')
  }
  if (typeof clone !== 'boolean') throw new OptionError('clone', `${shown(clone)} is neither true nor false`)
  if (remeasure !== 0) count(remeasure, 'remeasure', 1000)
  if (typeof pressure !== 'boolean') throw new OptionError('pressure', `${shown(pressure)} is neither true nor false`)
  if (options.prefix !== undefined && typeof options.prefix !== 'function') {
    throw new OptionError('prefix', `${shown(options.prefix)} is not a function (key) => prefix`)
  }
  if (options.clock !== undefined && typeof options.clock?.now !== 'function') {
    throw new OptionError('clock', 'needs a method now() that returns milliseconds')
  }
  const maxCaches = count(maxCachesAsked, 'maxCaches', 1000)
  const settings: Settings = {
    maxMemory: memory.maxMemory,
    maxHeap: memory.maxHeap,
    maxItems: itemLimit(maxItems, 'maxItems'),
    maxCaches,
    memoryThreshold: share(memoryThreshold, 'memoryThreshold', 0.9),
    evictionThreshold,
    evictionTarget: resolveTarget(options.evictionTarget, evictionThreshold),
    policy: policyName(policy, 'policy'),
    optimize: oneOf(optimize, OPTIMIZES, 'optimize'),
    onFull: oneOf(onFull, ['evict', 'reject'], 'onFull'),
    sizing: typeof sizing === 'function' ? 'function' : sizing,
    checkInterval: interval(checkInterval),
    caches: Object.fromEntries(
      Object.entries(cachesOf(caches)).map(([name, cache]) => [
        cacheName(name),
        resolveCache(cache, `caches.${name}`, allowance),
      ]),
    ),
  }
  refuseContradictions(options, settings, allowance)
  if (Object.keys(settings.caches).length > maxCaches) {
    throw new OptionError(
      'caches',
      `names ${Object.keys(settings.caches).length} caches, more than maxCaches (${maxCaches})`,
    )
  }
  const redaction = resolveRedaction(options, options.prefix !== undefined)
  return {
    settings,
    overcommitted: memory.overcommitted,
    stated: {
      evictionTarget: options.evictionTarget !== undefined,
      memory: {
        ...(options.maxMemory === undefined ? {} : { maxMemory: options.maxMemory }),
        ...(options.memoryPercent === undefined ? {} : { memoryPercent: options.memoryPercent }),
        ...(options.maxHeap === undefined ? {} : { maxHeap: options.maxHeap }),
      },
      cacheShares: cacheShares(caches),
    },
    sizing,
    audit: resolveAudit(audit, redaction),
    logger,
    pressure,
    clone,
    remeasure,
    prefix: options.prefix ?? null,
    redaction,
    shadow: resolveShadows(options.shadow ?? []),
    clock: options.clock ?? null,
    seed: options.seed === undefined ? null : seedOf(options.seed),
  }
}

function isLogger(logger: unknown): logger is Logger {
  if (typeof logger !== 'object' || logger === null) return false
  return ['debug', 'info', 'warn', 'error'].every((level) => typeof Reflect.get(logger, level) === 'function')
}

/** @throws {OptionError} unless it is an object of caches' options. */
export function cachesOf(caches: unknown): Readonly<Record<string, CacheOptions>> {
  if (typeof caches !== 'object' || caches === null || Array.isArray(caches)) {
    throw new OptionError('caches', `${shown(caches)} is not an object of caches, as { tenant: { maxItems: 500 } }`)
  }
  return caches as Readonly<Record<string, CacheOptions>>
}

const KNOWN_OPTIONS: Record<keyof MemoryManagerOptions, true> = {
  maxMemory: true,
  memoryPercent: true,
  maxHeap: true,
  maxItems: true,
  maxCaches: true,
  memoryThreshold: true,
  evictionThreshold: true,
  evictionTarget: true,
  policy: true,
  optimize: true,
  onFull: true,
  checkInterval: true,
  sizing: true,
  caches: true,
  audit: true,
  pressure: true,
  clone: true,
  remeasure: true,
  logger: true,
  prefix: true,
  redactKeys: true,
  redactSecret: true,
  redactSecretFile: true,
  shadow: true,
  clock: true,
  seed: true,
}

/** @throws {OptionError} unless it is a name that a cache can have. */
export function cacheName(name: unknown): string {
  if (typeof name !== 'string' || name.length === 0 || name.length > 256 || name === '__proto__') {
    throw new OptionError(
      'cache',
      `${shown(name)} is not a name: give a string of 1 to 256 characters, but not __proto__`,
    )
  }
  return name
}

/** Limits and TTL of a cache, resolved over what it has now (or over none). */
export function resolveCache(
  options: CacheOptions,
  path: string,
  allowance: Pick<MemoryAllowance, 'bytes'>,
  now: CacheSettings = NO_LIMITS,
): CacheSettings {
  if (typeof options !== 'object' || options === null) {
    throw new OptionError(path, `${shown(options)} is not an object with maxItems, maxMemory and ttl`)
  }
  checkNames(options, Object.keys(NO_LIMITS), `${path}.`)
  return {
    maxItems: options.maxItems === undefined ? now.maxItems : itemLimit(options.maxItems, `${path}.maxItems`),
    maxMemory:
      options.maxMemory === undefined
        ? now.maxMemory
        : bytesOrShare(options.maxMemory, `${path}.maxMemory`, allowance.bytes),
    ttl: options.ttl === undefined ? now.ttl : Math.ceil(timeToLive(options.ttl, `${path}.ttl`)),
  }
}

/** What a cache has where nothing was said. */
export const NO_LIMITS: CacheSettings = {
  maxItems: Number.POSITIVE_INFINITY,
  maxMemory: Number.POSITIVE_INFINITY,
  ttl: Number.POSITIVE_INFINITY,
}

/** The budget and heap budget that the options state or the allowance suggests. */
export function resolveMemory(
  options: MemoryLimits,
  allowance: Pick<MemoryAllowance, 'bytes' | 'heapLimit'>,
): { maxMemory: number; maxHeap: number; overcommitted: boolean } {
  const { memoryPercent: percent = 25 } = options
  if (typeof percent !== 'number' || !(percent > 0 && percent <= 100)) {
    throw new OptionError('memoryPercent', `${shown(percent)} is not a percentage above 0 and at most 100`)
  }
  const stated = options.maxMemory
  const statedShare = typeof stated === 'string' ? shareText(stated, 'maxMemory') : undefined
  let maxMemory: number
  let maxHeap: number
  if (stated === undefined) {
    // The lower clamp lifts nothing above half of what there is.
    const least = Math.min(100 * MIB, allowance.bytes / 2)
    maxMemory = Math.floor(Math.min(Math.max((allowance.bytes * percent) / 100, least), 2048 * MIB))
    maxHeap = Math.floor((allowance.heapLimit * percent) / 100)
  } else if (statedShare !== undefined) {
    maxMemory = Math.max(1, Math.floor(allowance.bytes * statedShare))
    maxHeap = Math.max(1, Math.floor(allowance.heapLimit * statedShare))
  } else {
    maxMemory = parseBytes(stated, 'maxMemory')
    maxHeap = Math.floor(Math.min(maxMemory, allowance.heapLimit / 2))
  }
  if (options.maxHeap !== undefined) maxHeap = bytesOrShare(options.maxHeap, 'maxHeap', allowance.heapLimit)
  return { maxMemory, maxHeap, overcommitted: stated !== undefined && maxMemory > allowance.bytes }
}

const SHARE = /^\s*(\d+(?:\.\d+)?)\s*%\s*$/

/**
 * What `evict` aims at: a share (a number up to 1, or `'50%'`) or bytes (a number above 1, or `'64MB'`).
 *
 * @throws {OptionError} for anything else.
 */
export function evictionTarget(target: ByteText): { share?: number; bytes?: number } {
  if (typeof target === 'number' && target >= 0 && target <= 1) return { share: target }
  const share = typeof target === 'string' ? shareText(target, 'target') : undefined
  return share === undefined ? { bytes: parseBytes(target, 'target') } : { share }
}

/** Bytes, text, or a share of a whole. */
function bytesOrShare(value: ByteText, option: string, whole: number): number {
  const share = typeof value === 'string' ? shareText(value, option) : undefined
  return share === undefined ? parseBytes(value, option) : Math.max(1, Math.floor(whole * share))
}

/** The caches that are given a share, and which. */
export function cacheShares(caches: Readonly<Record<string, CacheOptions>>): Record<string, number> {
  const shares: Record<string, number> = {}
  for (const [name, { maxMemory }] of Object.entries(caches)) {
    const share = typeof maxMemory === 'string' ? shareText(maxMemory, `caches.${name}.maxMemory`) : undefined
    if (share !== undefined) shares[name] = share
  }
  return shares
}

/** What limits in bytes that are stated together are resolved to. */
interface ResolvedLimits {
  readonly maxMemory: number
  readonly caches: Readonly<Record<string, { readonly maxMemory: number }>>
}

/**
 * Limits stated together of which one could never be reached: a part that is larger than the whole.
 *
 * @throws {OptionError} that shows the arithmetic.
 */
export function refuseContradictions(
  { maxMemory: whole, caches = {} }: Pick<MemoryManagerOptions, 'maxMemory' | 'caches'>,
  resolved: ResolvedLimits,
  { bytes }: Pick<MemoryAllowance, 'bytes'>,
): void {
  if (whole === undefined) return
  for (const [name, { maxMemory }] of Object.entries(caches)) {
    const own = Object.hasOwn(resolved.caches, name) ? resolved.caches[name] : undefined
    if (maxMemory === undefined || own === undefined || own.maxMemory === Number.POSITIVE_INFINITY) continue
    if (own.maxMemory <= resolved.maxMemory) continue
    throw new OptionError(
      `caches.${name}.maxMemory`,
      `${inWords(maxMemory, own.maxMemory, bytes)} is more than maxMemory, ${inWords(whole, resolved.maxMemory, bytes)}, and could never be reached`,
    )
  }
}

function inWords(stated: ByteText, resolved: number, of: number): string {
  if (typeof stated === 'number') return shownBytes(stated)
  return SHARE.test(stated)
    ? `${stated.trim()} of ${shownBytes(of)} = ${shownBytes(resolved)}`
    : `${stated.trim()} = ${resolved} bytes`
}

function shareText(text: string, option: string): number | undefined {
  const match = SHARE.exec(text)
  if (match === null) return undefined
  const percent = Number(match[1])
  if (!(percent > 0 && percent <= 100))
    throw new OptionError(option, `${shown(text)} is not a share above 0% and at most 100%`)
  return percent / 100
}

/** @throws {OptionError} unless it is a share above 0 and at most `most`. */
export function share(value: unknown, option: string, most: number): number {
  if (typeof value !== 'number' || !(value > 0 && value <= most)) {
    throw new OptionError(option, `${shown(value)} is not a share above 0 and at most ${most}`)
  }
  return value
}

/** The eviction target: stated and below the threshold, or 8/9 of it. */
export function resolveTarget(target: unknown, evictionThreshold: number): number {
  if (target === undefined) return (evictionThreshold * 8) / 9
  if (typeof target !== 'number' || !(target >= 0 && target < evictionThreshold)) {
    throw new OptionError(
      'evictionTarget',
      `${shown(target)} is not a share of at least 0 and below evictionThreshold (${evictionThreshold})`,
    )
  }
  return target
}

/** @throws {OptionError} unless it is the name of a policy. */
export function policyName(value: unknown, option: string): PolicyName {
  return oneOf(value, POLICIES, option)
}

export function oneOf<T extends string>(value: unknown, allowed: readonly T[], option: string): T {
  const found = allowed.find((one) => one === value)
  if (found === undefined) throw new OptionError(option, `${shown(value)} is none of ${allowed.join(', ')}`)
  return found
}

/** @throws {OptionError} unless it is an integer ≥ 1 or `Infinity`. */
export function itemLimit(value: unknown, option: string): number {
  if (value === Number.POSITIVE_INFINITY) return value
  return count(value, option, Number.MAX_SAFE_INTEGER)
}

function count(value: unknown, option: string, most: number): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 1 || value > most) {
    throw new OptionError(
      option,
      `${shown(value)} is not an integer ≥ 1${most < Number.MAX_SAFE_INTEGER ? ` and at most ${most}` : ', nor Infinity'}`,
    )
  }
  return value
}

function timeToLive(value: DurationText, option: string): number {
  const ms = parseDuration(value, option)
  if (ms === 0) throw new OptionError(option, '0 is not a time to live: give more than 0 ms, or Infinity for none')
  return ms
}

/** Longest delay that a Node timer takes. */
const LONGEST_DELAY = 2 ** 31 - 1

function interval(value: DurationText): number {
  const ms = parseDuration(value, 'checkInterval')
  if (ms > LONGEST_DELAY)
    throw new OptionError('checkInterval', `${shown(value)} is more than the ${LONGEST_DELAY} ms that a timer takes`)
  return ms
}

function seedOf(value: unknown): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > 0xffffffff) {
    throw new OptionError('seed', `${shown(value)} is not an integer from 0 to 4294967295`)
  }
  return value
}
