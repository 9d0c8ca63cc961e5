import { POLICIES } from '../../../src/base/settings.ts'
import { parseBytes, parseDuration } from '../../../src/base/units.ts'
import { bytes } from '../../../src/serve/cli/text.ts'
import type { Finding } from './answers.ts'

type Limit = number | null

/** The settings that can be changed while the service runs, as its route spells them. */
export interface Settings {
  readonly maxMemoryBytes: Limit
  readonly maxHeapBytes: Limit
  readonly maxCacheSize: Limit
  readonly evictionPolicy: string
  readonly evictionThreshold: number
  readonly evictionTarget: number
  readonly memoryThreshold: number
  readonly onFull: string
  readonly caches: Readonly<Record<string, { maxItems: Limit; maxMemoryBytes: Limit; ttl: Limit }>>
}

/** What a change would do at once, by what is held now. */
export interface Preview {
  readonly evicts: { readonly items: number; readonly bytes: number }
  readonly caches: readonly { readonly cache: string; readonly items: number; readonly bytes: number }[]
  readonly isExact: boolean
}

type Kind = 'bytes' | 'items' | 'share' | 'duration' | readonly string[]

/** One setting: of the whole, or of one cache. */
export interface Field {
  readonly id: string
  readonly cache: string | null
  /** Its name in requests and answers. */
  readonly name: string
  readonly label: string
  readonly kind: Kind
  /** What the options of the library, and so the doctor, call it. */
  readonly option: string
  /** Whether it may be without a limit. */
  readonly open: boolean
}

export type Value = string | number | null

/** A setting and what it is to be. */
export interface Change {
  readonly field: Field
  readonly to: Value
}

const common = (name: string, label: string, kind: Kind, option: string, open = false): Field => ({
  id: name,
  cache: null,
  name,
  label,
  kind,
  option,
  open,
})

export const COMMON: readonly Field[] = [
  common('maxMemoryBytes', 'Memory budget', 'bytes', 'maxMemory'),
  common('maxHeapBytes', 'Heap budget', 'bytes', 'maxHeap'),
  common('maxCacheSize', 'Items in all', 'items', 'maxItems', true),
  common('evictionPolicy', 'Eviction policy', POLICIES, 'policy'),
  common('onFull', 'When full', ['evict', 'reject'], 'onFull'),
  common('memoryThreshold', 'Warning threshold', 'share', 'memoryThreshold'),
  common('evictionThreshold', 'Eviction threshold', 'share', 'evictionThreshold'),
  common('evictionTarget', 'Eviction target', 'share', 'evictionTarget'),
]

const OWN = [
  { name: 'maxItems', label: 'items', kind: 'items', option: 'maxItems' },
  { name: 'maxMemoryBytes', label: 'memory', kind: 'bytes', option: 'maxMemory' },
  { name: 'ttl', label: 'time to live', kind: 'duration', option: 'ttl' },
] as const

export function fieldsOf(cache: string): Field[] {
  return OWN.map(({ name, label, kind, option }) => ({
    id: `${name} of ${cache}`,
    cache,
    name,
    label: `${cache}: ${label}`,
    kind,
    option: `caches.${cache}.${option}`,
    open: true,
  }))
}

export function settingIn({ cache, name }: Field, settings: Settings): Value | undefined {
  const of = cache === null ? settings : settings.caches[cache]
  return of === undefined ? undefined : (Reflect.get(of, name) as Value)
}

/** Changes as the route takes them. */
export function bodyOf(changes: readonly Change[]): object {
  const body: Record<string, unknown> = {}
  const caches: Record<string, Record<string, Value>> = {}
  for (const { field, to } of changes) {
    if (field.cache === null) body[field.name] = to
    else caches[field.cache] = { ...caches[field.cache], [field.name]: to }
  }
  return Object.keys(caches).length === 0 ? body : { ...body, caches }
}

/** The doctor's advice as a change; `null` where it is none that can be made while the service runs. */
export function changeIn({ setting, value }: Finding): Change | null {
  if (value === null) return null
  const [, cache] = /^caches\.(.*)\.\w+$/s.exec(setting) ?? []
  const field = [...COMMON, ...(cache === undefined ? [] : fieldsOf(cache))].find(({ option }) => option === setting)
  return field === undefined ? null : { field, to: value }
}

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1],
] as const

/** As a person reads it, and may write it. */
export function settingText({ kind }: Field, value: Value | undefined): string {
  if (value === undefined) return '–'
  if (value === null) return kind === 'duration' ? 'none' : 'no limit'
  if (typeof value === 'string') return value
  if (kind === 'bytes') return bytes(value)
  if (kind === 'share') return `${+(value * 100).toFixed(2)} %`
  if (kind !== 'duration') return value.toLocaleString('en')
  const [unit, ms] = UNITS.find(([, length]) => value >= length && value % length === 0) ?? ['ms', 1]
  return `${value / ms} ${unit}`
}

/** What a person wrote, as the route takes it; `undefined` where it is no value of that setting. */
export function settingFrom({ kind, open }: Field, text: string): Value | undefined {
  const plain = text.replaceAll(',', '').trim()
  if (typeof kind !== 'string') return plain
  if (open && /^(|none|infinity|no limit)$/i.test(plain)) return null
  if (plain === '') return undefined
  try {
    if (kind === 'bytes') return parseBytes(/^\d+$/.test(plain) ? Number(plain) : plain, 'bytes')
    if (kind === 'duration') return parseDuration(/^\d+$/.test(plain) ? Number(plain) : plain, 'ttl', 1)
  } catch {
    return undefined
  }
  const value = Number(plain.replace('%', ''))
  if (!Number.isFinite(value) || value <= 0) return undefined
  if (kind === 'share') return value <= 100 ? value / 100 : undefined
  return Number.isInteger(value) ? value : undefined
}

const HINTS: Readonly<Record<string, string>> = {
  bytes: 'Give bytes, such as 64MB',
  items: 'Give a whole number above 0',
  share: 'Give a percentage from above 0 to 100',
  duration: 'Give a time, such as 90s or 5m',
}

/** What a person may write instead of what they wrote. */
export function settingHint({ kind, open }: Field): string {
  const hint = typeof kind === 'string' ? HINTS[kind] : ''
  return open ? `${hint}; nothing means ${kind === 'duration' ? 'none' : 'no limit'}` : `${hint}`
}
