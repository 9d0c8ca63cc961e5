import { OptionError } from './errors.ts'
import { POLICIES, type PolicyName } from './settings.ts'
import { type ByteText, parseBytes, shown } from './units.ts'

/** Candidates at most: each costs a share of the time of every cache. */
const MOST = 8

/** A policy, or limits, to be tried beside the live ones; what is left out is as it is live. */
export interface ShadowOptions {
  policy?: PolicyName
  maxItems?: number
  /** Bytes, or text such as `'64MB'`. */
  maxMemory?: ByteText
}

/** The same, resolved; `null`: as it is live. */
export interface ShadowSettings {
  readonly policy: PolicyName | null
  readonly maxItems: number | null
  readonly maxMemory: number | null
}

const KNOWN: Record<keyof ShadowOptions, true> = { policy: true, maxItems: true, maxMemory: true }

/** @throws {OptionError} unless it is a list of policies and limits. */
export function resolveShadows(shadow: unknown): readonly ShadowSettings[] {
  if (!Array.isArray(shadow) || shadow.length > MOST) {
    throw new OptionError(
      'shadow',
      `${shown(shadow)} is not a list of at most ${MOST} policies or { policy, maxItems, maxMemory }`,
    )
  }
  return shadow.map((one: unknown, i) => resolveShadow(typeof one === 'string' ? { policy: one } : one, `shadow[${i}]`))
}

function resolveShadow(given: unknown, path: string): ShadowSettings {
  if (typeof given !== 'object' || given === null) {
    throw new OptionError(path, `${shown(given)} is no policy and no { policy, maxItems, maxMemory }`)
  }
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(KNOWN, name))
      throw new OptionError(`${path}.${name}`, 'is not an option of a shadow: policy, maxItems, maxMemory')
  }
  const { policy, maxItems, maxMemory } = given as ShadowOptions
  const known = POLICIES.find((one) => one === policy)
  if (policy !== undefined && known === undefined)
    throw new OptionError(`${path}.policy`, `${shown(policy)} is none of ${POLICIES.join(', ')}`)
  if (
    maxItems !== undefined &&
    !(maxItems >= 1 && (Number.isSafeInteger(maxItems) || maxItems === Number.POSITIVE_INFINITY))
  )
    throw new OptionError(`${path}.maxItems`, `${shown(maxItems)} is not an integer of 1 or more, or Infinity`)
  return {
    policy: known ?? null,
    maxItems: maxItems ?? null,
    maxMemory: maxMemory === undefined ? null : parseBytes(maxMemory, `${path}.maxMemory`),
  }
}
